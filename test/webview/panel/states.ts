import { panelLayer, type ToPanel } from "../../../src/editor/panelProtocol";
import type { ModelReport } from "../../../src/report";
import { energyReport, HOSTILE, layer, report, weightsReport } from "../../html/report";
import { analysis, inspectionOf, opened, reported, running, type Inspection } from "./messages";

/** Something that the panel may be told, and the state of the page that it makes. */
export interface Situation {
  readonly name: string;
  readonly state: "loading" | "ready" | "running" | "report" | "failed";
  readonly messages: readonly ToPanel[];
  /** A layer to open, by its place in the table. */
  readonly open?: number;
}

const FILE = "shapes.onnx";

/** Every state that a reader can meet; real numbers where there are some. */
export function situations(inspection: Inspection, real: ModelReport): Situation[] {
  const model = opened(inspection, FILE);
  const partial = real.layers.slice(0, 4).map((one): ToPanel => ({ kind: "layer", layer: panelLayer(one) }));
  const skipped = [
    { name: "/encoder/LSTM", op: "LSTM", reason: "recurrent layers are not supported" },
    { name: "/head/depthwise/Conv", op: "Conv", reason: "depthwise: each group has one output, so its rank is 1" },
  ];
  const preview = {
    ...real,
    preview: {
      calibration: { samples: 64, of: 250 },
      validation: { samples: 120, of: 1000 },
      fullRun: { seconds: 190, memory: 1.3e9, disk: 0 },
    },
  };
  return [
    { name: "loading", state: "loading", messages: [] },
    { name: "unreadable", state: "failed", messages: [{ kind: "model", model: { kind: "unreadable", message: "notes.onnx is not an ONNX model: its first byte, 0x23, begins no field. Open a file that an exporter wrote." }, fileName: "notes.onnx", trusted: true }] },
    { name: "ready", state: "ready", messages: [opened({ ...inspection, skipped }, FILE)] },
    { name: "untrusted", state: "ready", messages: [opened(inspection, FILE, false)] },
    { name: "no-layers", state: "ready", messages: [opened({ ...inspection, layers: [], skipped }, FILE)] },
    { name: "queued", state: "running", messages: [model, analysis({ kind: "queued", ahead: 2 })] },
    { name: "running", state: "running", messages: [model, running(), ...partial] },
    { name: "cancelled", state: "ready", messages: [model, running(), ...partial, analysis({ kind: "cancelled" })] },
    { name: "failed", state: "failed", messages: [model, running(), analysis({ kind: "failed", message: "validation_labels.npy has 900 labels for 1,000 samples: give one label for each sample." })] },
    { name: "report", state: "report", messages: [model, reported(real)] },
    { name: "layer", state: "report", messages: [model, reported(real)], open: 2 },
    { name: "preview-stale", state: "report", messages: [model, reported(preview, "The settings were changed after this report was made.")] },
    ...synthetic("weights-only", weightsReport(), 0),
    ...synthetic("energy", energyReport(), 0),
    ...synthetic("hostile", hostileReport(), 0),
  ];
} // prettier-ignore

function synthetic(name: string, made: ModelReport, open: number): Situation[] {
  return [{ name, state: "report", messages: [opened(inspectionOf(made)), reported(made)], open }];
}

/** A name as long as no one would write it, without a place to break. */
export const ENDLESS = "x".repeat(5000);

/** Names that would do harm as markup, turn the line round, or push everything else off the page. */
export function hostileReport(): ModelReport {
  const reason = `${HOSTILE} ${ENDLESS}`;
  return report(
    [
      layer(HOSTILE, { outcome: { kind: "kept", reason }, op: HOSTILE }),
      layer(ENDLESS),
      layer(`/block.${"deep/".repeat(999)}conv`),
      layer("‮gnp.evil"),
      layer("שכבה.weight"),
    ],
    {
      model: { path: `/x/${HOSTILE}`, sha256: "0", bytes: 1, opset: 1 },
      warnings: [HOSTILE, ENDLESS],
      skipped: [{ name: HOSTILE, op: HOSTILE, reason: HOSTILE }, { name: ENDLESS, op: ENDLESS, reason: ENDLESS }],
      device: { requested: "auto", used: "cpu", why: HOSTILE, tried: [{ device: HOSTILE, why: HOSTILE }], onProcessor: [{ operator: HOSTILE, nodes: 2 }], eigensolver: HOSTILE },
    },
  );
} // prettier-ignore
