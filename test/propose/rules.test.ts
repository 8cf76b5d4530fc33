import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ElementType, Shape } from "../../src/onnx/schema";
import { imageSize } from "../../src/propose/imageSize";
import { normalisations, type Fed } from "../../src/propose/normalisation";
import { findOwnNormalisation } from "../../src/propose/ownNormalisation";
import { inputOf } from "../calibration/samples";
import { openBytes } from "../fixtures/data";
import { modelBytes, node, untyped, value, type TestNode } from "../fixtures/model";

describe("the size of images", () => {
  test.each<[string, number[] | null, Shape, object]>([
    ["differ, fixed", null, ["n", 3, 224, 224], { resize: 256, crop: 224 }],
    ["differ, fixed, channels last", null, ["n", 299, 299, 3], { resize: 342, crop: 299 }],
    ["one size, larger", [256, 256, 3], ["n", 3, 224, 224], { resize: 256, crop: 224 }],
    ["one size, the model's", [224, 224, 3], ["n", 3, 224, 224], {}],
    ["one size, any taken", [100, 60, 3], ["n", 3, "h", "w"], {}],
    ["one size, rank unknown", [100, 60, 3], null, {}],
    ["differ, any taken", null, ["n", 3, "h", null], { resize: 256, crop: 224 }],
    ["differ, one side taken", null, ["n", 3, 192, "w"], { resize: 219, crop: 192 }],
    ["no square", null, ["n", 3, 240, 320], { resize: [240, 320] }],
    ["grey, two axes", null, ["n", 28, 28], { resize: 32, crop: 28 }],
    ["grey, flattened", null, ["n", 784], { resize: 32, crop: 28 }],
  ])("%s", (_, shape, takes, expected) => {
    expect(imageSize(shape, inputOf(takes)).settings).toEqual(expected);
  });

  test("property: what comes out is what the model takes, and a crop always fits", () => {
    const side = fc.integer({ min: 1, max: 1000 });
    const shape = fc.option(fc.tuple(side, side, fc.constant(3)));
    fc.assert(
      fc.property(shape, side, side, fc.boolean(), (images, height, width, last) => {
        fc.pre(height !== 3 && width !== 3 && height !== 1 && width !== 1);
        const takes = last ? ["n", height, width, 3] : ["n", 3, height, width];
        const { resize, crop } = imageSize(images, inputOf(takes)).settings;
        if (crop === undefined && resize === undefined) expect(images?.slice(0, 2)).toEqual([height, width]);
        else if (crop === undefined) expect(resize).toEqual([height, width]);
        else expect([crop, crop]).toEqual([height, width]);
        if (crop !== undefined) expect(resize).toBeGreaterThanOrEqual(Number(crop));
      }),
    );
  });
});

describe("the values", () => {
  const fed = (changes: Partial<Fed> = {}): Fed => ({
    input: inputOf(["n", 3, 224, 224]),
    values: { kind: "pixels", seen: "seen" },
    own: null,
    channels: 3,
    isImages: true,
    ...changes,
  });
  const first = (changes: Partial<Fed>): object => normalisations(fed(changes)).choices[0].settings;
  const unit = { kind: "unit", seen: "0 to 1" } as const;
  const byte = 1 / 255;

  test("ImageNet's for three channels of pixels, and the usual others to choose from", () => {
    const { choices } = normalisations(fed());
    expect(choices[0].settings).toEqual({ scale: byte, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] });
    expect(choices.slice(1).map(({ settings }) => settings)).toEqual([
      { scale: byte },
      { scale: byte, mean: 0.5, std: 0.5 },
      {},
      { channels: "BGR", mean: [103.939, 116.779, 123.68] },
    ]);
  });

  test("CIFAR's only for small images, BGR only for image files", () => {
    const labels = (changes: Partial<Fed>): string[] => normalisations(fed(changes)).choices.map(({ label }) => label);
    expect(labels({ input: inputOf(["n", 3, 32, 32]) })).toContain("CIFAR-10's mean and std");
    expect(labels({})).not.toContain("CIFAR-10's mean and std");
    expect(labels({ isImages: false }).join()).not.toContain("BGR");
  });

  test("grey pixels become 0 to 1; what is 0 to 1, normalised or no image stays", () => {
    expect(first({ channels: 1 })).toEqual({ scale: byte });
    expect(first({ values: unit })).toEqual({});
    expect(first({ values: { kind: "other", seen: "-2 to 2" } })).toEqual({});
    expect(first({ values: unit, channels: null })).toEqual({});
  });

  test("a model that normalises itself gets what its constants are made for", () => {
    expect(first({ own: { node: "Sub", takes: "pixels" } })).toEqual({});
    expect(first({ own: { node: "Sub", takes: "pixels" }, values: unit })).toEqual({ scale: 255 });
    expect(first({ own: { node: "Sub", takes: "unit" } })).toEqual({ scale: byte });
    expect(first({ own: { node: "Sub", takes: "unit" }, values: unit })).toEqual({});
    expect(normalisations(fed({ own: { node: 'Sub "s"', takes: "any" } }))).toEqual({
      choices: [{ label: "as they are", settings: {} }],
      why: 'the model normalises its input itself (Sub "s")',
    });
  });

  test.each<ElementType>(["uint8", "int64", "bool"])("inputs of %s take no scale", (type) => {
    expect(normalisations(fed({ input: inputOf(["n", 3, 8, 8], type) })).choices).toEqual([
      { label: "as they are", settings: {} },
    ]);
  });

  test("property: every choice is different", () => {
    const kinds = fc.constantFrom("pixels", "unit", "other");
    const own = fc.constantFrom(null, "pixels", "unit", "any");
    fc.assert(
      fc.property(kinds, own, fc.constantFrom(null, 1, 3, 7), fc.boolean(), (kind, takes, channels, isImages) => {
        const { choices } = normalisations(
          fed({ values: { kind, seen: "" }, own: takes && { node: "n", takes }, channels, isImages }),
        );
        const texts = choices.map(({ settings }) => JSON.stringify(settings));
        expect(new Set(texts).size).toBe(texts.length);
      }),
    );
  });
});

describe("a normalisation inside the model", () => {
  const found = (nodes: readonly TestNode[], constants: Readonly<Record<string, readonly number[]>>) => {
    const { index, model } = openBytes(
      modelBytes({
        nodes,
        initializers: Object.entries(constants).map(([name, data]) => ({
          name,
          dims: [data.length],
          data: Float32Array.from(data),
        })),
        inputs: [value("x", ["n", 3, 8, 8])],
        outputs: [untyped("y")],
      }),
    );
    const result = findOwnNormalisation(index, "x");
    model.close();
    return result;
  };

  test.each<[string, number[], "pixels" | "unit"]>([
    ["Sub", [123.7, 116.3, 103.5], "pixels"],
    ["Sub", [0.485, 0.456, 0.406], "unit"],
    ["Add", [-127.5], "pixels"],
    ["Add", [-0.5], "unit"],
    ["Div", [255], "pixels"],
    ["Div", [0.229, 0.224, 0.225], "unit"],
    ["Mul", [1 / 255], "pixels"],
    ["Mul", [1 / 127.5], "pixels"],
    ["Mul", [2], "unit"],
  ])("%s by %j is made for %s", (op, constant, takes) => {
    const node1 = node(op, ["x", "c"], "a");
    expect(found([node1, node("Relu", ["a"], "y")], { c: constant })).toEqual({ node: `${op} "node_a"`, takes });
    expect(found([node("Cast", ["x"], "f", { to: 1 }), node("Transpose", ["f"], "t"), node(op, ["c", "t"], "y")], { c: constant })).toEqual({ node: `${op} "node_y"`, takes }); // prettier-ignore
  });

  test("BatchNormalization by its mean, others of any values", () => {
    const batch = node("BatchNormalization", ["x", "s", "b", "mean", "var"], "y");
    const rest = { s: [1, 1, 1], b: [0, 0, 0], var: [1, 1, 1] };
    expect(found([batch], { ...rest, mean: [120, 110, 100] })?.takes).toBe("pixels");
    expect(found([batch], { ...rest, mean: [0.4, 0.4, 0.4] })?.takes).toBe("unit");
    expect(found([node("InstanceNormalization", ["x", "s", "b"], "y")], rest)?.takes).toBe("any");
  });

  test("is none behind a layer, beside another reader, or by a value that is computed", () => {
    const sub = node("Sub", ["x", "c"], "y");
    expect(found([node("Relu", ["x"], "a"), node("Sub", ["a", "c"], "y")], { c: [100] })).toBeNull();
    expect(found([sub, node("Relu", ["x"], "z")], { c: [100] })).toBeNull();
    expect(found([node("Relu", ["d"], "c"), sub], { d: [100] })).toBeNull();
    expect(found([{ ...sub, domain: "com.example" }], { c: [100] })).toBeNull();
    expect(found([node("Identity", ["a"], "x2"), node("Identity", ["x2"], "a")], {})).toBeNull();
  });
});
