import path from "node:path";
import { analyze } from "../../../src/analyze";
import { loadConfig, configPathBeside } from "../../../src/config";
import { panelReport, type AnalysisState, type ModelState, type ToPanel } from "../../../src/editor/panelProtocol";
import { inspect } from "../../../src/inspect";
import type { ModelReport } from "../../../src/report";

const examplePath = path.resolve(import.meta.dirname, "../../../examples/shapes/model.onnx");

export type Inspection = Extract<ModelState, { kind: "opened" }>["inspection"];

/** The bundled example as its file says it is. */
export function exampleInspection(): Inspection {
  return inspect(examplePath);
}

/** A real report of the bundled example, on fewer samples. */
export async function exampleReport(): Promise<ModelReport> {
  const config = loadConfig(configPathBeside(examplePath));
  return analyze(examplePath, { config: { ...config, validation: { ...config.validation!, limit: 200 } } });
}

/** The file of a synthetic report, as inspect would describe it. */
export function inspectionOf({ layers, skipped, model }: ModelReport): Inspection {
  return {
    model: {
      path: model.path,
      bytes: model.bytes,
      irVersion: 8,
      opsets: { "": model.opset },
      producer: "pytorch 2.3.0",
      metadata: {},
      nodes: 2 * layers.length,
      parameters: layers.reduce((sum, { parameters }) => sum + parameters.before, 0),
    },
    inputs: [{ name: "images", type: "float32", shape: ["N", 3, 24, 24] }],
    outputs: [{ name: "scores", type: "float32", shape: ["N", 10] }],
    layers: layers.map(({ name, op, nodes, initializer, groups, rows, columns, parameters, macs }) => ({
      name, op, nodes, initializer, groups, rows, columns, parameters: parameters.before, macs: macs.before,
    })),
    skipped,
  };
} // prettier-ignore

export function opened(inspection: Inspection, fileName = "net.onnx", trusted = true): ToPanel {
  return { kind: "model", model: { kind: "opened", inspection }, fileName, trusted };
}

export function reported(report: ModelReport, stale: string | null = null): ToPanel {
  return { kind: "report", state: { report: panelReport(report), stale } };
}

export function analysis(state: AnalysisState): ToPanel {
  return { kind: "analysis", state };
}

export function running(change: Partial<Extract<AnalysisState, { kind: "running" }>> = {}): ToPanel {
  const state = { kind: "running", stage: "search", layer: "features.6.weight", fraction: 0.42, secondsLeft: 83, preview: false } as const; // prettier-ignore
  return analysis({ ...state, ...change });
}
