import fc from "fast-check";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import {
  configJsonSchema,
  configPathBeside,
  loadConfig,
  parseConfig,
  relativeConfig,
  type ResolvedConfig,
} from "../src/config";
import { messageOf } from "./calibration/messageOf";

const folder = mkdtempSync(join(tmpdir(), "ranklens-config-"));
afterAll(() => rmSync(folder, { recursive: true }));

function problem(value: unknown): string {
  return messageOf(() => parseConfig(value, "foo.json", "/base"));
}

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const FULL = {
  $schema: "https://example.org/config.schema.json",
  calibration: { source: "data/cal.npy", labels: "data/cal_y.npy", limit: 500 },
  validation: { source: "../val.npy" },
  preprocess: { input: "x", layout: "NHWC", scale: 1 / 255, mean: [0.4, 0.5, 0.6], std: 0.25 },
  tolerance: 0.5,
};

describe("config file", () => {
  test("lies beside the model", () => {
    expect(configPathBeside("/m/foo.onnx")).toBe("/m/foo.ranklens.json");
    expect(configPathBeside("/m.v2/foo.int8.onnx")).toBe("/m.v2/foo.int8.ranklens.json");
    expect(configPathBeside("/m.v2/foo")).toBe("/m.v2/foo.ranklens.json");
  });

  test("is read with paths resolved against its folder", () => {
    expect(loadConfig(write("full.ranklens.json", JSON.stringify(FULL)))).toEqual({
      calibration: { source: join(folder, "data/cal.npy"), labels: join(folder, "data/cal_y.npy"), limit: 500 },
      validation: { source: resolve(folder, "../val.npy") },
      preprocess: FULL.preprocess,
      tolerance: 0.5,
    });
  });

  test("may be empty, may begin with a byte order mark, may hold absolute paths", () => {
    expect(loadConfig(write("bom.json", "\uFEFF{}"))).toEqual({});
    const absolute = resolve(folder, "x.npy");
    expect(parseConfig({ calibration: { source: absolute } }, "c", "/base").calibration?.source).toBe(absolute);
  });

  test("gets forward slashes and paths relative to the folder back", () => {
    const config = parseConfig(FULL, "c", "/base/project");
    const { calibration, validation, preprocess, tolerance } = FULL;
    const content = { calibration, validation, preprocess, tolerance };
    expect(relativeConfig(config, "/base/project")).toEqual(content);
    expect(relativeConfig(config, "/base/reports").calibration?.source).toBe("../project/data/cal.npy");
    expect(relativeConfig({ calibration: { source: "/base" } }, "/base").calibration?.source).toBe(".");
  });

  test("property: parseConfig undoes relativeConfig", () => {
    const name = fc.stringMatching(/^[A-Za-z0-9 _äö-]{1,6}$/);
    const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => resolve("/", ...parts));
    const data = fc.record(
      { source: path, labels: path, limit: fc.integer({ min: 1 }) },
      { requiredKeys: ["source"], noNullPrototype: true },
    );
    const config: fc.Arbitrary<ResolvedConfig> = fc.record(
      { calibration: data, validation: data, tolerance: fc.double({ min: 0, max: 100, noNaN: true }) },
      { requiredKeys: [], noNullPrototype: true },
    );
    fc.assert(
      fc.property(config, path, (value, base) => {
        const stored: unknown = JSON.parse(JSON.stringify(relativeConfig(value, base)));
        expect(parseConfig(stored, "report", base)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

describe("problems of the file", () => {
  test("missing, a folder, too large", () => {
    const missing = join(folder, "missing.ranklens.json");
    expect(messageOf(() => loadConfig(missing))).toBe(
      `${missing}: no such file; create it, for example with {"calibration": {"source": "images.npy"}}`,
    );
    mkdirSync(join(folder, "sub.ranklens.json"));
    expect(messageOf(() => loadConfig(join(folder, "sub.ranklens.json")))).toMatch(/is not a file/);
    const large = write("large.json", " ".repeat((1 << 20) + 1));
    expect(messageOf(() => loadConfig(large))).toMatch(/has 1048577 bytes, and a config file at most 1048576/);
    expect(messageOf(() => loadConfig(`${folder}/\0`))).toMatch(/cannot be read/);
  });

  test.each([
    ['{\n  "tolerance": 1,\n}', "3:1"],
    ['{"a": [1, 2,]}', "1:13"],
    ["{\n  // why\n}", "2:3"],
    ["", "1:1"],
    ['{"a": 1', "1:8"],
    ['{"a" 1}', "1:6"],
    ['{"a": 1 "b": 2}', "1:9"],
    ["{} {}", "1:4"],
  ])("not JSON: %j", (text, place) => {
    const path = write("bad.json", text);
    const message = messageOf(() => loadConfig(path));
    expect(message.startsWith(`${path}:${place}: not valid JSON: `), message).toBe(true);
  });
});

describe("problems of the content", () => {
  test("unknown keys name the nearest known one", () => {
    expect(problem({ preprocess: { layuot: "NHWC" } })).toBe(
      'foo.json: preprocess.layuot: unknown key; did you mean "layout"?',
    );
    expect(problem({ Tolerance: 1 })).toBe('foo.json: Tolerance: unknown key; did you mean "tolerance"?');
    expect(problem({ calibration: { source: "a", label: "b" } })).toBe(
      'foo.json: calibration.label: unknown key; did you mean "labels"?',
    );
  });

  test("unknown keys without a near one list the known ones", () => {
    expect(problem({ epsilon: 1 })).toBe(
      "foo.json: epsilon: unknown key; the known keys are $schema, version, calibration, validation, preprocess, inputs, tolerance, output, metric",
    );
    expect(problem({ validation: { source: "a", xyz: 1 } })).toBe(
      "foo.json: validation.xyz: unknown key; the known keys are source, labels, classes, limit, seed",
    );
    expect(problem(JSON.parse('{"__proto__": 1}'))).toMatch(/^foo\.json: __proto__: unknown key; the known keys are/);
  });

  test.each<[unknown, string]>([
    [[], 'foo.json: [] is not allowed; needs an object such as {"calibration": {"source": "images.npy"}}'],
    [
      { calibration: {} },
      "foo.json: calibration.source: missing; needs a path: text that is not empty, or an object with such a path for each model input",
    ],
    [
      { calibration: "a" },
      'foo.json: calibration: "a" is not allowed; needs an object such as {"source": "images.npy"}',
    ],
    [
      { calibration: { source: "" } },
      'foo.json: calibration.source: "" is not allowed; needs a path: text that is not empty',
    ],
    [
      { calibration: { source: "a\0" } },
      'foo.json: calibration.source: "a\\u0000" is not allowed; needs a path: text that is not empty',
    ],
    [
      { validation: { source: "a", labels: 3 } },
      "foo.json: validation.labels: 3 is not allowed; needs a path: text that is not empty",
    ],
    [
      { validation: { source: "a", limit: 0 } },
      "foo.json: validation.limit: 0 is not allowed; needs a whole number of samples, 1 or more",
    ],
    [
      { validation: { source: "a", limit: 2.5 } },
      "foo.json: validation.limit: 2.5 is not allowed; needs a whole number of samples, 1 or more",
    ],
    [{ preprocess: 3 }, 'foo.json: preprocess: 3 is not allowed; needs an object such as {"layout": "NHWC"}'],
    [{ preprocess: { input: "" } }, 'foo.json: preprocess.input: "" is not allowed; needs the name of a model input'],
    [{ preprocess: { layout: "HWC" } }, 'foo.json: preprocess.layout: "HWC" is not allowed; needs "NHWC" or "NCHW"'],
    [
      { preprocess: { scale: "1/255" } },
      'foo.json: preprocess.scale: "1/255" is not allowed; needs a number within float32 range',
    ],
    [
      { preprocess: { scale: 1e39 } },
      "foo.json: preprocess.scale: 1e+39 is not allowed; needs a number within float32 range",
    ],
    [
      { preprocess: { scale: null } },
      "foo.json: preprocess.scale: null is not allowed; needs a number within float32 range",
    ],
    [
      { tolerance: -0.1 },
      "foo.json: tolerance: -0.1 is not allowed; needs a number of percentage points from 0 to 100",
    ],
    [{ tolerance: 101 }, "foo.json: tolerance: 101 is not allowed; needs a number of percentage points from 0 to 100"],
    [{ tolerance: NaN }, "foo.json: tolerance: NaN is not allowed; needs a number of percentage points from 0 to 100"],
    [{ $schema: 1 }, "foo.json: $schema: 1 is not allowed; needs the address of a JSON Schema, as text"],
  ])("%j", (value, message) => expect(problem(value)).toBe(message));

  test("mean and std: entries are named, 0 and non-finite values refused", () => {
    const mean = "a number within float32 range, or a list of such numbers, one per channel";
    const std = "a number within float32 range other than 0, or a list of such numbers, one per channel";
    const cases: [object, string][] = [
      [{ mean: "a" }, `mean: "a" is not allowed; needs ${mean}`],
      [{ mean: [] }, `mean: [] is not allowed; needs ${mean}`],
      [{ mean: [0.5, "b"] }, `mean[1]: "b" is not allowed; needs ${mean}`],
      [{ mean: -Infinity }, `mean: -Infinity is not allowed; needs ${mean}`],
      [{ std: 0 }, `std: 0 is not allowed; needs ${std}`],
      [{ std: 1e-50 }, `std: 1e-50 is not allowed; needs ${std}`],
      [{ std: [1, 1, 0] }, `std[2]: 0 is not allowed; needs ${std}`],
      [{ std: NaN }, `std: NaN is not allowed; needs ${std}`],
    ];
    for (const [preprocess, message] of cases) expect(problem({ preprocess })).toBe(`foo.json: preprocess.${message}`);
    expect(messageOf(() => loadConfig(write("inf.json", '{"preprocess": {"std": 1e400}}')))).toMatch(
      /std: Infinity is/,
    );
  });

  test("several problems: the first three in one line", () => {
    const message = problem({ tolerance: "high", preprocess: { layuot: 1, std: 0 }, calibration: {}, epsilon: 1 });
    expect(message).toMatch(/^foo\.json: 5 problems: \(1\) .*; \(2\) .*; \(3\) .*; and 2 more$/);
    expect(message).not.toContain("\n");
  });

  test("long values are cut", () => {
    expect(problem({ tolerance: "x".repeat(1000) }).length).toBeLessThan(200);
    expect(problem({ ["k".repeat(1000)]: 1 }).length).toBeLessThan(250);
  });
});

describe("keys for images, several inputs and versions", () => {
  const data = (value: object) => ({ calibration: { source: "a", ...value } });

  test("are accepted, with paths made absolute", () => {
    const config = {
      version: 1,
      calibration: { source: { ids: "a.npy", x: "data.npz#x" }, labels: "data.npz#y" },
      validation: { source: "val", classes: { cat: 3, dog: 0 } },
      preprocess: { resize: 256, crop: [224, 192], channels: "BGR" },
    };
    const parsed = parseConfig(config, "c", "/base");
    expect(parsed).toEqual({
      calibration: { source: { ids: "/base/a.npy", x: "/base/data.npz#x" }, labels: "/base/data.npz#y" },
      validation: { source: "/base/val", classes: { cat: 3, dog: 0 } },
      preprocess: config.preprocess,
    });
    expect({ version: 1, ...relativeConfig(parsed, "/base") }).toEqual(config);
  });

  test("a newer version is told from a mistake", () => {
    expect(problem({ version: 2, news: true })).toBe(
      "foo.json: version 2 is made for a newer RankLens; this one reads version 1. Update RankLens.",
    );
    expect(problem({ version: "1" })).toBe('foo.json: version: "1" is not allowed; needs 1');
    expect(problem({ version: 0 })).toBe("foo.json: version: 0 is not allowed; needs 1");
  });

  const PATHS = "a path: text that is not empty, or an object with such a path for each model input";
  const SIDES = "a whole number of pixels from 1 to 16384, or [height, width]";
  const CLASSES = 'a list of folder names such as ["cat", "dog"], or their class numbers such as {"cat": 3, "dog": 5}';
  test.each<[object, string]>([
    [data({ source: {} }), `calibration.source: {} is not allowed; needs ${PATHS}`],
    [data({ source: 3 }), `calibration.source: 3 is not allowed; needs ${PATHS}`],
    [data({ source: { x: "" } }), 'calibration.source.x: "" is not allowed; needs a path: text that is not empty'],
    [data({ classes: [] }), `calibration.classes: [] is not allowed; needs ${CLASSES}`],
    [data({ classes: "cat" }), `calibration.classes: "cat" is not allowed; needs ${CLASSES}`],
    [data({ classes: ["cat", 1] }), "calibration.classes[1]: 1 is not allowed; needs the name of a class folder"],
    [
      data({ classes: { cat: -1 } }),
      "calibration.classes.cat: -1 is not allowed; needs a class number, counted from 0",
    ],
    [
      { preprocess: { resize: 0 } },
      "preprocess.resize: 0 is not allowed; needs a whole number of pixels from 1 to 16384",
    ],
    [{ preprocess: { resize: "256" } }, `preprocess.resize: "256" is not allowed; needs ${SIDES}`],
    [
      JSON.parse('{"calibration": {"source": {"__proto__": "a"}}}') as object,
      `calibration.source: {"__proto__":"a"} is not allowed; needs ${PATHS}`,
    ],
    [{ preprocess: { crop: [1, 2, 3] } }, `preprocess.crop: [1,2,3] is not allowed; needs ${SIDES}`],
    [
      { preprocess: { crop: [1, 2.5] } },
      "preprocess.crop[1]: 2.5 is not allowed; needs a whole number of pixels from 1 to 16384",
    ],
    [{ preprocess: { channels: "rgb" } }, 'preprocess.channels: "rgb" is not allowed; needs "RGB" or "BGR"'],
  ])("%j", (value, message) => expect(problem(value)).toBe(`foo.json: ${message}`));
});

describe("keys for text, sound and inputs without samples", () => {
  test("paths are those of the config's folder, values stay as they are", () => {
    const content = {
      calibration: { source: "a.jsonl#body", labels: "a.jsonl#label", limit: 5, seed: 4294967295 },
      preprocess: { tokenizer: "tok/tokenizer.json", maxLength: 128, sampleRate: 8000, samples: 512 },
      inputs: { sr: 16000, use_cache: false, w: [[1, 2.5], [3, 4]] }, // prettier-ignore
    };
    const config = loadConfig(write("text.json", JSON.stringify(content)));
    expect(config.calibration?.source).toBe(join(folder, "a.jsonl#body"));
    expect(config.preprocess?.tokenizer).toBe(join(folder, "tok/tokenizer.json"));
    expect(config.inputs).toEqual(content.inputs);
    expect(relativeConfig(config, folder)).toEqual(content);
  });

  const constant = "a number, true or false, or nested lists of numbers";
  test.each<[object, string]>([
    [
      { calibration: { source: "a", seed: -1 } },
      "calibration.seed: -1 is not allowed; needs a whole number from 0 to 4294967295",
    ],
    [
      { preprocess: { maxLength: 0 } },
      "preprocess.maxLength: 0 is not allowed; needs a whole number of tokens from 1 to 1048576",
    ],
    [
      { preprocess: { sampleRate: 999 } },
      "preprocess.sampleRate: 999 is not allowed; needs a whole number of samples per second from 1000 to 768000",
    ],
    [
      { preprocess: { samples: 1.5 } },
      "preprocess.samples: 1.5 is not allowed; needs a whole number of samples from 1 to 172800000",
    ],
    [
      { preprocess: { tokenizer: "" } },
      'preprocess.tokenizer: "" is not allowed; needs a path: text that is not empty',
    ],
    [{ inputs: { sr: "16000" } }, `inputs.sr: "16000" is not allowed; needs ${constant}`],
    [{ inputs: { w: [] } }, `inputs.w: [] is not allowed; needs ${constant}`],
    [{ inputs: 3 }, 'inputs: 3 is not allowed; needs an object such as {"sr": 16000}'],
  ])("%j", (content, message) => {
    expect(problem(content)).toBe(`foo.json: ${message}`);
  });

  test("a value of very many axes is refused in one line", () => {
    const deep = `{"inputs": {"w": ${"[".repeat(5000)}1${"]".repeat(5000)}}}`;
    expect(messageOf(() => loadConfig(write("deep.json", deep)))).toMatch(
      /^[^\n]*deep\.json: inputs\.w[^\n]*a deeply nested value is not allowed; needs [^\n]*$/,
    );
  });
});

describe("JSON Schema", () => {
  const schema = configJsonSchema();

  test("is draft-07 and refuses unknown keys", () => {
    expect(schema).toMatchObject({
      $schema: "http://json-schema.org/draft-07/schema#",
      type: "object",
      additionalProperties: false,
      properties: {
        calibration: { required: ["source"], additionalProperties: false },
        preprocess: { properties: { layout: { enum: ["NHWC", "NCHW"] } } },
        tolerance: { minimum: 0, maximum: 100, default: 0.1 },
      },
    });
    expect(schema).not.toHaveProperty("required");
  });

  test("has a title and a description for every key", () => {
    const check = (node: unknown, path: string): void => {
      expect(node, path).toHaveProperty("title");
      expect(node, path).toHaveProperty("description");
      if (typeof node !== "object" || node === null || !("properties" in node)) return;
      for (const [key, child] of Object.entries(node.properties ?? {})) check(child, `${path}.${key}`);
    };
    check(schema, "config");
  });
});
