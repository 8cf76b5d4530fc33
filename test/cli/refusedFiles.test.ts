import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { cnnLab, complaints, expectRefusal, expectSuccess, type CnnLab } from "./lab";
import { cnnWith, IMAGE, images } from "./models";

let lab: CnnLab;
let before: Record<string, string>;
beforeAll(async () => {
  lab = await cnnLab();
  expectSuccess(await lab.run("analyze", "model.onnx", "-r", "report.json"));
  expectSuccess(await lab.run("analyze", "model.onnx", "--weights-only", "-r", "weights.json"));
  lab.write("other.onnx", cnnWith("wide", 0, 0.5));
  lab.write("mine.txt", "mine");
  mkdirSync(lab.at("folder"));
});
beforeEach(() => (before = lab.files()));
afterAll(() => lab.remove());

/** Runs a command that must be refused, and checks that it has written nothing. */
async function refused(args: string[], ...parts: (string | RegExp)[]): Promise<void> {
  expectRefusal(await lab.run(...args), ...parts);
  expect(lab.files()).toEqual(before);
}

const small = ["compress", "model.onnx", "--output", "small.onnx"];

describe("a report that cannot be used is refused", () => {
  it("where it is of another model", () =>
    refused(["compress", "other.onnx", "-o", "small.onnx", "--from", "report.json"], "report.json is a report of another model", /sha256 [0-9a-f]{12}…/, "Analyze this model first")); // prettier-ignore

  it("where it holds no ranks", () =>
    refused([...small, "--from", "weights.json"], "weights.json holds no ranks", "--weights-only"));

  it("where it is missing", () => refused([...small, "--from", "nope.json"], "nope.json: no such file", "--report"));

  it("where it is something else", async () => {
    await refused([...small, "--from", "model.ranklens.json"], "is not a RankLens report");
    await refused([...small, "--from", "mine.txt"], "is not a RankLens report: it is not valid JSON");
    await refused([...small, "--from", "model.onnx"], "is not a RankLens report");
    await refused([...small, "--from", "folder"], "is not a file");
  });

  it("where it comes from a later version, or was edited", async () => {
    const report = JSON.parse(readFileSync(lab.at("report.json"), "utf8")) as {
      layers: { kS: number; rows: number }[];
    };
    const edited = async (change: object, ...parts: string[]): Promise<void> => {
      lab.json("edited.json", { ...report, ...change });
      before = lab.files();
      await refused([...small, "--from", "edited.json"], "edited.json", ...parts);
      rmSync(lab.at("edited.json"));
    };
    await edited({ schemaVersion: 99 }, "version 99", "Update RankLens");
    await edited({ layers: 3 }, "is not a RankLens report: layers");
    await edited({ layers: report.layers.map((it) => ({ ...it, kS: 1000 })) }, "kS 1000", "beyond");
    await edited({ layers: report.layers.map((it) => ({ ...it, rows: it.rows + 1 })) }, "is not in", "again");
  });

  it("where the data has changed or gone since", async () => {
    const from = [...small, "--from", "report.json"];
    for (const name of ["calibration.npy", "validation.npy", "labels.npy"]) {
      const original = readFileSync(lab.at(name));
      const changed = Uint8Array.from(original);
      // The lowest bits of the last value: still valid data.
      changed[changed.length - 8] ^= 1;
      lab.write(name, changed);
      before = lab.files();
      await refused(from, lab.at(name), "has changed since report.json was made", "Analyze the model again");
      rmSync(lab.at(name));
      before = lab.files();
      await refused(from, lab.at(name), "no such file");
      lab.write(name, original);
    }
    lab.array("calibration.npy", "float32", [80, ...IMAGE], images(80, IMAGE, 1));
  });
});

describe("a target is refused", () => {
  it("where it exists, without --force", async () => {
    await refused(["compress", "model.onnx", "-o", "mine.txt"], "mine.txt exists already", "--force");
    await refused(["compress", "model.onnx", "-o", "mine.txt", "--from", "report.json"], "mine.txt exists already");
    await refused([...small, "-r", "mine.txt"], "mine.txt exists already", "--force");
    await refused(["analyze", "model.onnx", "-r", "mine.txt"], "mine.txt exists already", "--force");
  });

  it("where it is a folder, or in none, whatever the force", async () => {
    for (const force of [[], ["--force"]]) {
      await refused(["compress", "model.onnx", "-o", "folder", ...force], "folder is a folder");
      await refused(["analyze", "model.onnx", "-r", "folder", ...force], "folder is a folder");
      await refused(["analyze", "model.onnx", "-r", "", ...force], "is a folder");
      await refused(
        ["compress", "model.onnx", "-o", "none/small.onnx", ...force],
        "there is no folder",
        lab.at("none"),
      );
      await refused(["analyze", "model.onnx", "-r", "none/report.json", ...force], "there is no folder");
    }
  });

  it("where it is the model itself, under any name and even with --force", async () => {
    symlinkSync("model.onnx", lab.at("symlink.onnx"));
    linkSync(lab.at("model.onnx"), lab.at("hardlink.onnx"));
    const names = ["model.onnx", "./model.onnx", lab.at("model.onnx"), "symlink.onnx", "hardlink.onnx", "folder/../model.onnx"]; // prettier-ignore
    before = lab.files();
    for (const name of names) {
      await refused(["compress", "model.onnx", "-o", name, "--force"], name, "the model itself");
      await refused(["analyze", "model.onnx", "--weights-only", "-r", name, "--force"], name, "the model itself");
    }
    await refused(["compress", "model.onnx", "-o", "model.onnx"], "model.onnx");
    await refused(["compress", "symlink.onnx", "-o", "model.onnx", "--force"], "the model itself");
    await refused([...small, "--from", "report.json", "-r", "model.onnx", "--force"], "the model itself");
  });

  it.skipIf(!existsSync("/proc/self"))("where the system lets nobody write", async () => {
    await refused(["compress", "model.onnx", "-o", "/proc/small.onnx", "--from", "report.json"], "/proc/small.onnx could not be written"); // prettier-ignore
    // For root the trouble shows only when the results are there: they are printed nevertheless.
    const { status, stdout, stderr } = await lab.run("analyze", "model.onnx", "--weights-only", "-r", "/proc/r.json");
    expect({ status, complaints: complaints(stderr).length }).toEqual({ status: 1, complaints: 1 });
    expect(stderr).toContain("ranklens: /proc/r.json could not be written");
    expect(stdout).toMatch(process.getuid?.() === 0 ? /^layer +op/ : /^$/);
  });
});
