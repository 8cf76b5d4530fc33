import { appendFileSync, existsSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { belongsTo, filesOf, fingerprint } from "../../src/host/freshness";
import { parseReportIndex } from "../../src/host/reportIndex";
import { ReportStore } from "../../src/host/reportStore";
import { copySample } from "../../src/host/sample";
import { openModel } from "../../src/onnx/reader";
import { sha256OfModel } from "../../src/onnx/sha256";
import type { ModelReport } from "../../src/report";
import { cnnSpec } from "../cli/models";
import { newLab, type Lab } from "../cli/lab";
import { writeExternalModel } from "../external/externalModel";
import { modelBytes } from "../fixtures/model";
import { layer, report } from "../html/report";

const labs: Lab[] = [];
afterAll(() => labs.forEach((lab) => lab.remove()));
function lab(): Lab {
  const one = newLab();
  labs.push(one);
  return one;
}

describe("the store of reports", () => {
  it("gives back what it was given, by the path of the model", () => {
    const one = lab();
    const store = new ReportStore(one.at("storage", "reports"));
    const model = one.at("models", "net.onnx");
    expect(store.load(model)).toBeNull();
    const data = { source: one.at("data", "images.npy"), sha256: { source: "0", labels: null } };
    const full = report([layer("a")]);
    const kept: ModelReport = { ...full, settings: { ...full.settings, calibration: data, validation: data } };
    store.save(model, kept);
    store.save(one.at("other.onnx"), report([]));
    expect(store.load(model)).toEqual(kept);
    expect(readdirSync(one.at("storage", "reports"))).toHaveLength(2);
    expect(path.basename(store.pathFor(model))).toMatch(/^[0-9a-f]{64}\.json$/);
  });

  it("takes the place of an older report, and refuses a damaged one in a line", () => {
    const one = lab();
    const store = new ReportStore(one.at("reports"));
    store.save("net.onnx", report([layer("a")]));
    store.save("net.onnx", report([layer("b")]));
    expect(store.load("net.onnx")?.layers.map(({ name }) => name)).toEqual(["b"]);
    writeFileSync(store.pathFor("net.onnx"), "{");
    expect(() => store.load("net.onnx")).toThrow(/is not a RankLens report/);
  });

  it("reads the list of a workspace, and takes anything else for an empty one", () => {
    expect(parseReportIndex({ "/a.onnx": "1" })).toEqual({ "/a.onnx": "1" });
    for (const other of [undefined, null, 3, [1], { "/a.onnx": 1 }]) expect(parseReportIndex(other)).toEqual({});
  });
});

describe("whether a report belongs to a model", () => {
  async function external() {
    const one = lab();
    const { path: model } = writeExternalModel(modelBytes(cnnSpec()), one.folder, "net.onnx");
    const open = openModel(model);
    const sha256 = await sha256OfModel(open);
    open.close();
    const made = report([layer("a")]);
    return { model, data: one.at("net.onnx_data"), made: { ...made, model: { ...made.model, sha256 } } };
  }

  it("is seen from sizes and times, without reading the bytes", async () => {
    const { model, data, made } = await external();
    expect(filesOf(model)).toEqual([model, data]);
    const known = fingerprint([model, data]);
    expect(await belongsTo(made, model, known)).toBe(true);
    // Of another hash: it is believed.
    expect(await belongsTo({ ...made, model: { ...made.model, sha256: "0" } }, model, known)).toBe(true);
  });

  it("is found out from the bytes, where a file was written again", async () => {
    const { model, data, made } = await external();
    const known = fingerprint([model, data]);
    utimesSync(model, new Date(), new Date(0));
    expect(fingerprint([model, data])).not.toBe(known);
    expect(await belongsTo(made, model, known)).toBe(true);
    expect(await belongsTo(made, model, null)).toBe(true);
    appendFileSync(data, "x");
    expect(await belongsTo(made, model, known)).toBe(false);
  });

  it("cannot be said of a model that is gone", async () => {
    const { model, made } = await external();
    rmSync(model);
    await expect(belongsTo(made, model, null)).rejects.toThrow(/net\.onnx/);
    expect(() => fingerprint([model])).toThrow();
  });
});

describe("the sample", () => {
  it("is copied as a whole, once: what is there stays", () => {
    const one = lab();
    const from = path.resolve(import.meta.dirname, "..", "..", "examples", "shapes");
    const model = copySample(from, one.at("to", "shapes"));
    expect(model).toBe(one.at("to", "shapes", "model.onnx"));
    expect(readdirSync(one.at("to", "shapes"))).toHaveLength(6);
    const config = one.at("to", "shapes", "model.ranklens.json");
    writeFileSync(config, "{}");
    rmSync(model);
    copySample(from, one.at("to", "shapes"));
    expect(existsSync(model)).toBe(true);
    expect(fingerprint([config])).toMatch(/^2 /);
  });
});
