import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { analyze } from "../../src/analyze";
import { modelReportSchema } from "../../src/report";
import { reportHtml } from "../../src/html";
import { FEATURES, mlp } from "../fixtures/modelNetworks";
import { node } from "../fixtures/model";
import { network } from "../fixtures/modelRefused";
import { workspace, type Workspace } from "../fixtures/dataFiles";

const unknown = network([node("MatMul", ["x", "w"], "a"), node("Mystery", ["a"], "y", {}, { domain: "com.example" })], {
  domains: { "com.example": 1 },
});
const empty = network([node("Gather", ["w", "x"], "y")], {});

describe("a model on which nothing can be measured", () => {
  let space: Workspace;
  beforeAll(async () => {
    space = await workspace(mlp(), [FEATURES]);
  });
  afterAll(() => space.remove());

  it("of an unknown operator is an error with onnxruntime's reason, or its structure with that as a warning", async () => {
    const path = space.write("unknown.onnx", unknown);
    await expect(analyze(path, { config: space.config })).rejects.toThrow(/could not be loaded by onnxruntime/);
    const report = await analyze(path, { config: space.config, structureOtherwise: true });
    expect(report.warnings[0]).toMatch(/^onnxruntime cannot load this model.*the operator Mystery of the domain com\.example/); // prettier-ignore
    expect(report.settings.ranks).toBe("none");
    expect(report.layers).toMatchObject([{ name: "w", utilizedRank: null, outcome: { kind: "kept" } }]);
    expect(report.layers[0].weightRank).toBeGreaterThan(0);
  });

  it("without a layer is an error, or lists what it has with the reasons", async () => {
    const path = space.write("empty.onnx", empty);
    await expect(analyze(path, { config: space.config })).rejects.toThrow(/has no analysable layer/);
    const report = await analyze(path, { config: space.config, structureOtherwise: true });
    expect(modelReportSchema.parse(report)).toEqual(report);
    expect(report.layers).toEqual([]);
    expect(report.skipped).toMatchObject([{ op: "Gather" }]);
    expect(report.warnings[0]).toMatch(/has no analysable layer/);
    const page = reportHtml(report);
    expect(page).toContain("has no analysable layer");
    expect(page).toContain("No layer of this model can be analysed.");
    expect(page).not.toContain('id="snapshot-chart"');
  });

  it("other errors stay errors", async () => {
    const config = { ...space.config, calibration: { source: "missing.npy" } };
    await expect(analyze(space.model, { config, structureOtherwise: true })).rejects.toThrow(/missing\.npy/);
  });
});
