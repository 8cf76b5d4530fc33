import path from "node:path";
import { describe, expect, it } from "vitest";
import { exportFigures, exportPath } from "../../src/host/exportPlan";
import { energyReport, layer, report, weightsReport } from "../html/report";

describe("the plan of an export", () => {
  it("names the file after the model, beside it", () => {
    expect(exportPath(path.join("models", "net.v2.onnx"))).toBe(path.join("models", "net.v2.small.onnx"));
  });

  it("says what becomes of parameters, MACs and accuracy of the whole model", () => {
    const kept = layer("b", {
      outcome: { kind: "kept", reason: "full rank" },
      parameters: { before: 96, after: 96 },
      macs: { before: 960, after: 960 },
    });
    expect(exportFigures(report([layer("a"), kept]))).toEqual({
      decomposed: 1,
      layers: 2,
      parameters: { before: 1000, after: 1000 - 36 },
      macs: { before: 1920, after: 1560 },
      accuracy: { metric: "top-1", samples: 100, before: 0.8, after: 0.75 },
      preview: false,
    });
  });

  it("has no accuracy without validation data", () => {
    expect(exportFigures(energyReport())).toMatchObject({ accuracy: null, parameters: { before: 1000, after: 964 } });
  });

  it("says that ranks are of a preview", () => {
    const few = { samples: 10, of: 100 };
    const preview = { calibration: few, validation: few, fullRun: { seconds: 60, memory: 0, disk: 0 } };
    expect(exportFigures(report([layer("a")], { preview }))).toMatchObject({ preview: true });
  });

  it("knows why there is nothing to export", () => {
    expect(exportFigures(weightsReport())).toBe("no ranks");
    const kept = layer("a", { outcome: { kind: "kept", reason: "full rank" }, parameters: { before: 96, after: 96 } });
    expect(exportFigures(report([kept]))).toBe("nothing smaller");
  });
});
