import { rmSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CALIBRATION, cnnLab, expectRefusal, VALIDATION, type CnnLab } from "./lab";
import { IMAGE, images } from "./models";

describe("a config or data that cannot be used is refused in one line, and nothing is written", () => {
  let lab: CnnLab;
  beforeAll(async () => {
    lab = await cnnLab();
    const own = images(CALIBRATION, IMAGE, 1);
    lab.array("flat.npy", "float32", [CALIBRATION, 192], own);
    lab.array("channels-last.npy", "float32", [CALIBRATION, 8, 8, 3], own);
    lab.array("none.npy", "float32", [0, ...IMAGE], []);
    lab.array("nan.npy", "float32", [CALIBRATION, ...IMAGE], own.map((value, i) => (i === 5 * 192 + 7 ? NaN : value))); // prettier-ignore
    lab.array("huge.npy", "float32", [CALIBRATION, ...IMAGE], own.map((value) => 1e30 * value)); // prettier-ignore
    lab.write("cut.npy", Buffer.from("\u0093NUMPY\u0001\u0000", "latin1"));
    lab.write("images.parquet", "1,2,3\n");
    const labels = Array.from({ length: VALIDATION }, (_, i) => i % 5);
    lab.array("short.npy", "int64", [VALIDATION - 1], labels.slice(1));
    lab.array("large.npy", "int64", [VALIDATION], labels.map((label, i) => (i === 33 ? 5 : label))); // prettier-ignore
    lab.array("negative.npy", "int64", [VALIDATION], labels.map((label, i) => (i === 44 ? -1 : label))); // prettier-ignore
    lab.array("fractions.npy", "float32", [VALIDATION], labels.map((label) => label + 0.5)); // prettier-ignore
    lab.array("one-hot.npy", "uint8", [VALIDATION, 5], labels.flatMap((label) => [0, 1, 2, 3, 4].map((i) => Number(i === label)))); // prettier-ignore
  });
  afterAll(() => lab.remove());

  async function refused(config: unknown, ...parts: (string | RegExp)[]): Promise<void> {
    const text = typeof config === "string" ? config : JSON.stringify(config);
    lab.write("config.json", text);
    const before = lab.files();
    expectRefusal(await lab.run("analyze", "model.onnx", "-c", "config.json", "--report", "report.json"), ...parts);
    expectRefusal(await lab.run("compress", "model.onnx", "-c", "config.json", "-o", "small.onnx"), ...parts);
    expect(lab.files()).toEqual(before);
  }

  it("no config beside the model: the message shows what one looks like", async () => {
    rmSync(lab.at("model.ranklens.json"));
    const outcome = await lab.run("analyze", "model.onnx");
    lab.json("model.ranklens.json", lab.config);
    expectRefusal(outcome, "model.ranklens.json", "--config", "--weights-only");
    const example = /\{"calibration".*\}\}/.exec(outcome.stderr)?.[0] ?? "";
    expect(JSON.parse(example)).toEqual({ calibration: { source: "images.npy" } });
  });

  it("a config that is missing or a folder", async () => {
    expectRefusal(await lab.run("analyze", "model.onnx", "-c", "nope.json"), "nope.json: no such file; create it");
    expectRefusal(await lab.run("analyze", "model.onnx", "-c", "."), /is not a file/);
  });

  it.each<[string, unknown, ...(string | RegExp)[]]>([
    ["an unknown key", { calibrations: {} }, 'config.json: calibrations: unknown key; did you mean "calibration"?'],
    ["a mistyped key", { ...conf("calibration.npy"), tolerence: 1 }, 'did you mean "tolerance"?'],
    ["a mistyped inner key", { calibration: { sorce: "a.npy" } }, "calibration.sorce", 'did you mean "source"?'],
    ["a value out of range", { ...conf("calibration.npy"), tolerance: 200 }, "tolerance: 200", "from 0 to 100"],
    ["a value of another type", { calibration: { source: 3 } }, "calibration.source: 3", "a path"],
    ["a list", [], "[] is not allowed"],
    ["JSON with a trailing comma", '{"calibration": {"source": "a.npy"},\n}', /config\.json:2:1: not valid JSON/],
    ["an empty file", "", /config\.json:1:1: not valid JSON/],
    ["no calibration data", {}, "no calibration data", "--weights-only"],
    ["only validation data", { validation: { source: "validation.npy" } }, "no calibration data"],
    ["an input that the model does not have", { ...conf("calibration.npy"), preprocess: { input: "x" } }, '"x"', '"images"'], // prettier-ignore
  ])("a config with %s", (_, config, ...parts) => refused(config, ...parts));

  it.each<[string, unknown, ...(string | RegExp)[]]>([
    ["a missing file", conf("nope.npy"), /\/nope\.npy: no such file; correct its path in the config file/],
    ["a folder", conf("."), "is a folder without any image", ".jpg"],
    ["a file of another kind", conf("images.parquet"), "images.parquet is of no supported kind", ".npy"],
    ["a file that is cut off", conf("cut.npy"), "cut.npy is cut off"],
    ["another shape", conf("flat.npy"), "[N,3,8,8]", "[N,192]"],
    ["another order of axes", conf("channels-last.npy"), "[N,3,8,8]", "[N,8,8,3]", 'set preprocess.layout to "NHWC"'],
    ["no samples", conf("none.npy"), "none.npy is empty: its shape is (0, 3, 8, 8)"],
    ["NaN", conf("nan.npy"), "nan.npy: sample 5 has the value NaN"],
    ["NaN for validation", conf("calibration.npy", "nan.npy"), "nan.npy: sample 5 has the value NaN"],
    ["values beyond what can be squared", conf("huge.npy"), /the input of layer wide is not finite .* check the pre/],
    ["fewer labels than samples", conf("calibration.npy", "validation.npy", "short.npy"), "short.npy has 99 labels", "has 100 samples"], // prettier-ignore
    ["a label out of range", conf("calibration.npy", "validation.npy", "large.npy"), "large.npy: label 33 is 5", "5 classes", "0 to 4"], // prettier-ignore
    ["a negative label", conf("calibration.npy", "validation.npy", "negative.npy"), "negative.npy: label 44 is -1"],
    ["a label with a fraction", conf("calibration.npy", "validation.npy", "fractions.npy"), "label 0 is 0.5", "whole"],
    ["one-hot labels", conf("calibration.npy", "validation.npy", "one-hot.npy"), "(100, 5)", "np.argmax"],
  ])("data with %s", (_, config, ...parts) => refused(config, ...parts));

  it("a file that vanishes does not become an internal error", async () => {
    lab.array("short-lived.npy", "float32", [CALIBRATION, ...IMAGE], images(CALIBRATION, IMAGE, 1));
    writeFileSync(lab.at("config.json"), JSON.stringify(conf("short-lived.npy")));
    rmSync(lab.at("short-lived.npy"));
    expectRefusal(await lab.run("analyze", "model.onnx", "-c", "config.json"), "short-lived.npy: no such file");
  });
});

function conf(calibration: string, validation?: string, labels?: string): object {
  return {
    calibration: { source: calibration },
    ...(validation === undefined ? {} : { validation: { source: validation, ...(labels ? { labels } : {}) } }),
  };
}
