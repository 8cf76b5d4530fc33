import { cpSync, mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ModelReport } from "../../src/report";
import { cliPath, cnnLab, expectRefusal, expectSuccess, newLab, start, type CnnLab, type Outcome } from "./lab";

describe("paths", () => {
  let lab: CnnLab;
  beforeEach(async () => (lab = await cnnLab()));
  afterEach(() => lab.remove());

  /** A command that is started in another folder. */
  const from = (folder: string, ...args: string[]): Promise<Outcome> =>
    start(process.execPath, [cliPath(), ...args], folder).ended;
  const report = (file: string): ModelReport => JSON.parse(readFileSync(file, "utf8")) as ModelReport;

  it("in a report start at its folder", async () => {
    mkdirSync(lab.at("reports/today"), { recursive: true });
    expectSuccess(await lab.run("analyze", "model.onnx", "-r", "reports/today/report.json"));
    const { model, settings } = report(lab.at("reports/today/report.json"));
    expect(model.path).toBe("../../model.onnx");
    expect(settings.calibration?.source).toBe("../../calibration.npy");
    expect(settings.validation).toMatchObject({ source: "../../validation.npy", labels: "../../labels.npy" });
    expectSuccess(await lab.run("compress", "model.onnx", "-o", "a.onnx", "--from", "reports/today/report.json"));
    expectSuccess(
      await from(lab.at("reports"), "compress", "../model.onnx", "-o", "b.onnx", "--from", "today/report.json", "-r", "today/b.json"), // prettier-ignore
    );
    expect(report(lab.at("reports/today/b.json")).compressed?.path).toBe("../b.onnx");
  });

  it("in a report stay right where model, data and report move together", async () => {
    mkdirSync(lab.at("reports"));
    expectSuccess(await lab.run("analyze", "model.onnx", "-r", "reports/report.json"));
    const moved = newLab();
    cpSync(lab.folder, moved.at("elsewhere"), { recursive: true });
    lab.remove();
    expectSuccess(
      await moved.run("compress", "elsewhere/model.onnx", "--from", "elsewhere/reports/report.json", "-o", "small.onnx"), // prettier-ignore
    );
    moved.remove();
  });

  it("in a report without its data name the file that is missing", async () => {
    expectSuccess(await lab.run("analyze", "model.onnx", "-r", "report.json"));
    const moved = newLab();
    for (const name of ["model.onnx", "report.json"]) cpSync(lab.at(name), moved.at(name));
    const outcome = await moved.run("compress", "model.onnx", "--from", "report.json", "-o", "small.onnx");
    expectRefusal(outcome, moved.at("calibration.npy"), "no such file");
    moved.remove();
  });

  it("may have spaces, letters of any script, and no extension", async () => {
    const folder = "späte Übung 日本/a  b";
    mkdirSync(lab.at(folder), { recursive: true });
    const inside = (name: string): string => path.join(folder, name);
    for (const name of ["calibration.npy", "validation.npy", "labels.npy"]) cpSync(lab.at(name), lab.at(inside(name)));
    cpSync(lab.at("model.onnx"), lab.at(inside("mödel (1)")));
    lab.json(inside("mödel (1).ranklens.json"), lab.config);
    expectSuccess(await lab.run("inspect", inside("mödel (1)")));
    expectSuccess(await lab.run("analyze", inside("mödel (1)"), "-r", "ranks ∑"));
    expectSuccess(await lab.run("compress", inside("mödel (1)"), "--from", "ranks ∑", "-o", inside("klein")));
    expectSuccess(await from(lab.at(folder), "inspect", "./klein"));
    expectSuccess(await from("/", "inspect", lab.at(inside("klein")), "--json"));
    expect(report(lab.at("ranks ∑")).model.path).toBe(`${folder}/mödel (1)`);
  });

  it("that begin with a dash come after two dashes", async () => {
    cpSync(lab.at("model.onnx"), lab.at("-model.onnx"));
    expectSuccess(await lab.run("inspect", "--", "-model.onnx"));
    expectSuccess(await lab.run("analyze", "--weights-only", "--report=-r.json", "--", "-model.onnx"));
    expect(report(lab.at("-r.json")).model.path).toBe("-model.onnx");
  });
});
