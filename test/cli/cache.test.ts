import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { modelReportSchema, type ModelReport } from "../../src/report";
import { npyBytes } from "../fixtures/npy";
import { zipBytes } from "../fixtures/zip";
import { CALIBRATION, childrenOf, cliPath, cnnLab, expectSuccess, progressLines, start, VALIDATION, type CnnLab, type Outcome } from "./lab"; // prettier-ignore
import { IMAGE, images } from "./models";

let lab: CnnLab;
beforeAll(async () => {
  lab = await cnnLab();
});
afterAll(() => lab.remove());

async function analyzed(...options: string[]): Promise<ModelReport> {
  expectSuccess(await lab.run("analyze", "model.onnx", "--report", "report.json", "--force", ...options));
  return modelReportSchema.parse(JSON.parse(readFileSync(lab.at("report.json"), "utf8")));
}

/** The original, all layers projected, all layers decomposed: what is run in any case. */
const FRAME = 3 * VALIDATION;

describe("analyses with --cache", () => {
  it("run neither calibration nor search a second time, and say the same", async () => {
    const without = await analyzed();
    const first = await analyzed("--cache", "kept/here");
    const second = await analyzed("--cache", "kept/here");
    for (const report of [first, second]) expect(report.layers).toEqual(without.layers);
    expect(first.cost.forwardEquivalents).toBeCloseTo(without.cost.forwardEquivalents, 6);
    expect(second.cost).toMatchObject({ forwardEquivalents: FRAME, evaluations: 0 });
    const layers = second.layers.length;
    expect(without.cost.recalled).toBeUndefined();
    expect(first.cost.recalled).toEqual({ calibrated: 0, searched: 0 });
    expect(second.cost.recalled).toEqual({ calibrated: layers, searched: layers });
    expect(second.accuracy).toEqual(without.accuracy);
  });

  it("calibrate no second time for another tolerance", async () => {
    const without = await analyzed("--tolerance", "3");
    const again = await analyzed("--tolerance", "3", "--cache", "kept/here");
    expect(again.layers).toEqual(without.layers);
    expect(again.cost.evaluations).toBe(without.cost.evaluations);
    expect(again.cost.forwardEquivalents).toBeCloseTo(without.cost.forwardEquivalents - CALIBRATION, 6);
  });

  it("time everything for a preview's estimate of the full run", async () => {
    const report = await analyzed("--preview", "--cache", "kept/here");
    expect(report.cost.recalled).toBeUndefined();
    expect(report.cost.forwardEquivalents).toBeGreaterThan(FRAME);
  });

  it("spare compress --from the calibration, and change nothing of what it writes", async () => {
    await analyzed("--cache", "kept/compress");
    const folder = lab.at("kept", "compress");
    const grams = readdirSync(folder).filter((name) => name.startsWith("gram-")).map((name) => `${folder}/${name}`); // prettier-ignore
    for (const file of grams) utimesSync(file, 1000, 1000);
    const compress = (output: string, ...flags: string[]): Promise<Outcome> =>
      lab.run("compress", "model.onnx", "--from", "report.json", "--output", output, ...flags);
    expectSuccess(await compress("anew.onnx"));
    expect(grams.map((file) => statSync(file).mtimeMs)).toEqual(grams.map(() => 1e6));
    expectSuccess(await compress("kept.onnx", "--cache", "kept/compress"));
    expect(grams.some((file) => statSync(file).mtimeMs > 1e6)).toBe(true);
    expect(readFileSync(lab.at("kept.onnx")).equals(readFileSync(lab.at("anew.onnx")))).toBe(true);
  });

  it("begin anew where data or preprocessing are others", async () => {
    for (const change of [{ preprocess: { scale: 2 } }, { calibration: { source: "calibration.npy", limit: 40 } }]) {
      lab.json("other.json", { ...lab.config, ...change });
      const without = await analyzed("--config", "other.json");
      const report = await analyzed("--config", "other.json", "--cache", "kept/here");
      expect(report.layers).toEqual(without.layers);
      expect(report.cost.forwardEquivalents).toBeCloseTo(without.cost.forwardEquivalents, 6);
    }
  });

  it("tell the arrays of one archive apart", async () => {
    const array = (name: string, seed: number): { name: string; data: Buffer } => ({
      name: `${name}.npy`,
      data: npyBytes("float32", [CALIBRATION, ...IMAGE], images(CALIBRATION, IMAGE, seed)),
    });
    lab.write("both.npz", zipBytes([array("one", 1), array("two", 7)]));
    const of = async (name: string): Promise<ModelReport> => {
      lab.json("archive.json", { ...lab.config, calibration: { source: `both.npz#${name}` } });
      return analyzed("--config", "archive.json", "--cache", "kept/archive");
    };
    const [one, two, again] = [await of("one"), await of("two"), await of("one")];
    expect(two.cost.forwardEquivalents).toBeGreaterThan(FRAME + CALIBRATION);
    expect(two.layers[0].spectra.input).not.toEqual(one.layers[0].spectra.input);
    expect(again.layers).toEqual(one.layers);
    expect(again.cost.forwardEquivalents).toBe(FRAME);
  });

  it("go on where a killed one was", async () => {
    const whole = await analyzed("--tolerance", "5");
    const running = lab.start("analyze", "model.onnx", "--tolerance", "5", "--cache", "kept/killed");
    // Two layers are done when the third is searched.
    const layers = (): number => new Set(progressLines(running.stderr()).flatMap((line) => /^Searching ranks: (\S+)/.exec(line)?.[1] ?? [])).size; // prettier-ignore
    while (layers() < 3 && running.process.exitCode === null) await sleep(1);
    for (const child of childrenOf(running) ?? []) process.kill(child, "SIGKILL");
    expect((await running.ended).status).toBe(1);
    const rest = await analyzed("--tolerance", "5", "--cache", "kept/killed");
    expect(rest.layers).toEqual(whole.layers);
    expect(rest.cost.evaluations).toBeLessThan(whole.cost.evaluations);
    expect(rest.cost.forwardEquivalents).toBeLessThan(whole.cost.forwardEquivalents - CALIBRATION);
  });

  it("notice entries that are damaged, and compute them again", async () => {
    const whole = await analyzed();
    const folder = lab.at("kept", "here");
    for (const name of readdirSync(folder)) {
      const file = `${folder}/${name}`;
      const bytes = readFileSync(file);
      bytes[bytes.length - 1] ^= 1;
      writeFileSync(file, bytes);
    }
    const report = await analyzed("--cache", "kept/here");
    expect(report.layers).toEqual(whole.layers);
    expect(report.cost.forwardEquivalents).toBeCloseTo(whole.cost.forwardEquivalents, 6);
  });
});

describe("analyses without a word about the cache", () => {
  const run = async (env: NodeJS.ProcessEnv, ...flags: string[]): Promise<string> => {
    const outcome = await start(process.execPath, [cliPath(), "analyze", "model.onnx", ...flags], lab.folder, { env }).ended; // prettier-ignore
    expectSuccess(outcome);
    return outcome.stdout;
  };
  const KNOWN = /^Known before +the inputs of \d+ layers, the ranks of \d+ layers; --no-cache measures them anew$/m;

  it.runIf(process.platform === "linux")("use the user's folder, but not with --no-cache", async () => {
    const env = { RANKLENS_CACHE: undefined, XDG_CACHE_HOME: lab.at("home") };
    expect(await run(env, "--no-cache")).not.toMatch(KNOWN);
    expect(() => readdirSync(lab.at("home"))).toThrow("ENOENT");
    expect(await run(env)).not.toMatch(KNOWN);
    expect(readdirSync(lab.at("home", "ranklens")).length).toBeGreaterThan(0);
    expect(await run(env)).toMatch(KNOWN);
    expect(await run(env, "--no-cache")).not.toMatch(KNOWN);
  });

  it("use the folder that the environment names", async () => {
    const env = { RANKLENS_CACHE: lab.at("named") };
    await run(env);
    expect(await run(env)).toMatch(KNOWN);
  });

  it("do without where the folder cannot be written to", async () => {
    lab.write("no-folder", "");
    const env = { RANKLENS_CACHE: lab.at("no-folder", "below") };
    await run(env);
    expect(await run(env)).not.toMatch(KNOWN);
  });
});
