import { cpSync, rmSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeImages } from "../fixtures/images";
import { cnnLab, expectRefusal, expectSuccess, progressLines, type CnnLab, type Outcome } from "./lab";

const COLOURS = ["#ff0000", "#00ff00", "#0000ff", "#ffff00", "#00ffff"];
const CLASS_FOLDERS = ["ant", "bee", "cat", "dog", "eel"];
const IMAGES = 24;

/** The CNN of the lab tells five classes of images of 8×8. */
describe("folders of images", () => {
  let lab: CnnLab;
  beforeAll(async () => {
    lab = await cnnLab();
    const names = CLASS_FOLDERS.flatMap((name, at) =>
      Array.from({ length: IMAGES }, (_, i) => [`${name}/${i}.png`, [8, 8, COLOURS[(at + i) % 5]]] as const),
    );
    await writeImages(lab.at("train"), Object.fromEntries(names));
  });
  afterAll(() => lab.remove());

  /** A copy of the training images. */
  function copied(name: string): string {
    rmSync(lab.at(name), { recursive: true, force: true });
    cpSync(lab.at("train"), lab.at(name), { recursive: true });
    return name;
  }
  const run = (config: object): Promise<Outcome> =>
    lab.run("analyze", "model.onnx", "-c", lab.json("folders.json", config), "--energy", "0.9");
  async function refused(config: object, ...parts: (string | RegExp)[]): Promise<void> {
    const name = lab.json("refused.json", config);
    const before = lab.files();
    expectRefusal(await lab.run("analyze", "model.onnx", "-c", name, "-r", "report.json"), ...parts);
    expectRefusal(await lab.run("compress", "model.onnx", "-c", name, "-o", "small.onnx"), ...parts);
    expect(lab.files()).toEqual(before);
  }

  it("are decoded with a line for each of them", async () => {
    copied("val");
    const outcome = await run({ calibration: { source: "train", limit: 10 }, validation: { source: "val" } });
    expectSuccess(outcome);
    const decoding = progressLines(outcome.stderr).filter((line) => line.startsWith("Decoding"));
    expect(decoding).toEqual(["Decoding 10 calibration images", "Decoding 120 validation images"]);
  });

  it("may have a few images that cannot be read: they are left out and counted", async () => {
    const source = copied("some");
    writeFileSync(lab.at("some/bee/3.png"), "no image");
    const outcome = await run({ calibration: { source } });
    expectSuccess(outcome);
    expect(outcome.stdout).toMatch(
      /^Warning: \S+\/some: 1 of 120 images cannot be read and is left out \(bee\/3\.png: .+\)\.$/m,
    );
  });

  it("may not have many: at 1% it stops, before all have been tried", async () => {
    const source = copied("many");
    for (const name of ["ant/0", "ant/1", "cat/5", "dog/7"]) writeFileSync(lab.at("many", `${name}.png`), "");
    await refused({ calibration: { source } }, /\/many: more than 1% of 120 images cannot be read \(2 so far; ant\/[01]\.png: .+\); repair or remove them$/); // prettier-ignore
  });

  it("may not have more or fewer classes than the model, or others for validation than for calibration", async () => {
    copied("val");
    rmSync(lab.at("val/eel"), { recursive: true });
    const both = { calibration: { source: "train" }, validation: { source: "val" } };
    await refused(both, /calibration and validation data have different class folders: only \S+\/train has "eel"; make them the same/); // prettier-ignore
    await refused({ calibration: { source: "val" }, validation: { source: "val" } }, /\/val has 4 class folders, and the model has 5 classes; number the folders/); // prettier-ignore
    await refused({ calibration: { source: "val" }, validation: { source: "val", classes: { ant: 0, bee: 1, cat: 2, dog: 7 } } }, /label \d+ is 7, and the model has 5 classes: labels from 0 to 4 are possible/); // prettier-ignore
  });

  it("should not be the same for calibration and validation", async () => {
    copied("val");
    for (const validation of ["train", "val"]) {
      const outcome = await run({ calibration: { source: "train" }, validation: { source: validation } });
      expectSuccess(outcome);
      expect(outcome.stdout).toMatch(/^Warning: Calibration and validation data are the same: .+ Keep some samples apart for validation\.$/m); // prettier-ignore
    }
  });

  it("and a config from a later version is not guessed at", async () => {
    await refused({ version: 2, calibration: { source: "train" }, newKey: true }, /refused\.json: version 2 is made for a newer RankLens; this one reads version 1\. Update RankLens\.$/); // prettier-ignore
  });
});
