import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findNamedLayers } from "../../src/sourceNames/findLayers";
import { indexLayers } from "../../src/sourceNames/layerIndex";
import { parseSource, sourceLanguages, type Source } from "../../src/sourceNames/source";
import { namedLayer, sample } from "./places";

const samples = ["resnet.py", "vit.py", "keras_mnist.py", "tfjs.js"].map(sample);
const NAMES = ["conv1.weight", "layer1.0.conv1.weight", "head.1.weight", "encoder.layers.0.self_attn.qkv.weight", "dense_1/kernel:0"]; // prettier-ignore
const index = indexLayers(NAMES.map((name) => namedLayer(name)));

/** Pieces of sources in any order: nested, cut off, and closed where nothing was open. */
const piece = fc.oneof(
  fc.constantFrom("class A(B):\n", "class B(A):\n", "  def __init__(self):\n", "    self.conv1 = ", "nn.Conv2d(", "nn.Sequential(", "nn.ModuleList([", "OrderedDict([(", "*", "[", "]", "(", ")", "{", "}", ",", "'", '"""', "f'", "#", ":", "\n", "\n    ", " for x in y", "self", ".", "conv1", "[0]", "setattr(self, 'a', ", "lambda: ", "return ", "'conv1.weight'", "\\", "`${", "</", "\0", "\u2028", "\ud800", "if a else"), // prettier-ignore
  fc.string({ unit: "binary", maxLength: 5 }),
);
const assembled = fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join(""));
const damaged = fc
  .tuple(fc.constantFrom(...samples), fc.nat(6000), fc.nat(200), assembled)
  .map(([text, at, length, put]) => text.slice(0, at % text.length) + put + text.slice((at % text.length) + length));

function checkPlaces(source: Source): void {
  for (const { from, to, layers } of findNamedLayers(source, [index, index])) {
    expect(from).toBeLessThan(to);
    expect(to).toBeLessThanOrEqual(source.text.length);
    expect(layers).toHaveLength(2);
    expect(layers[0].length).toBeGreaterThan(0);
    expect(layers[1]).toEqual(layers[0]);
  }
}

/** Calls with a tenth of the call stack left. */
function withLittleStack<T>(call: () => T): T {
  let depth = 0;
  const descend = (steps: number): T => {
    depth++;
    return steps > 0 ? descend(steps - 1) : call();
  };
  expect(() => descend(Infinity)).toThrow(RangeError);
  return descend(Math.floor(depth * 0.9));
}

describe("any text", () => {
  it.each(sourceLanguages)("has places within it, in %s", (language) => {
    const text = fc.oneof(assembled, damaged, fc.string({ unit: "binary", maxLength: 300 }));
    fc.assert(
      fc.property(text, (one) => checkPlaces(parseSource(language, one))),
      { numRuns: 400 },
    );
  });

  it.each(["(", "[", "nn.Sequential(", "a.", "f(x)(", "class A:\n ", "not ", "x if y else ", "-", "'a' ", "{1:", "lambda:", "self.x = "])(
    "thousands of %j in one another are no harm",
    (part) => {
      const method = "class A:\n  def f(self):\n    self.conv1 = ";
      for (const text of [part.repeat(5000), method + part.repeat(5000)]) {
        for (const language of ["python", "typescriptreact"] as const) checkPlaces(parseSource(language, text));
      }
    },
  ); // prettier-ignore

  it("nested deeper than the parser can recurse has no places, and has them again when it is mended", () => {
    const text = "f(x)(".repeat(5000);
    const places = (source: Source) => findNamedLayers(source, [index]).length;
    const nested = withLittleStack(() => parseSource("python", text));
    expect(nested.tree.length).toBe(0);
    expect(places(nested)).toBe(0);
    const mended = sample("resnet.py");
    const read = parseSource("python", mended, parseSource("python", mended + text, nested));
    expect(places(read)).toBe(places(parseSource("python", mended)));
    expect(places(read)).toBeGreaterThan(0);
  });

  it("called thousands of times over has no places that cannot be read", () => {
    for (const calls of [6000, 9000, 20_000]) checkPlaces(parseSource("python", `x = self.fc1${"()".repeat(calls)}`));
  });

  it("edited has the places that it has when it is read afresh", () => {
    fc.assert(
      fc.property(fc.constantFrom("python", "typescript"), fc.array(damaged, { minLength: 2, maxLength: 4 }), (language, versions) => {
        let source: Source | undefined;
        for (const text of versions) source = parseSource(language, text, source);
        const afresh = parseSource(language, versions.at(-1)!);
        expect(findNamedLayers(source!, [index])).toEqual(findNamedLayers(afresh, [index]));
      }),
      { numRuns: 200 },
    ); // prettier-ignore
  });
});

describe("any names of layers", () => {
  it("are no harm, whatever the text", () => {
    const part = fc.oneof(fc.constantFrom("conv1", "weight", ".", "/", ":0", "__proto__", "constructor", "*", "0"), fc.string({ unit: "binary", maxLength: 4 })); // prettier-ignore
    const name = fc.array(part, { maxLength: 8 }).map((parts) => parts.join(""));
    const property = fc.property(fc.array(fc.tuple(name, name), { maxLength: 10 }), (names) => {
      const hostile = indexLayers(names.map((pair) => namedLayer(pair)));
      const quoted = names.flat().map((one) => JSON.stringify(one));
      const text = `${samples[0]}\n${quoted.join("\n")}\nx = [${quoted.join(", ")}]\na.constructor.weight\n`;
      findNamedLayers(parseSource("python", text), [hostile]);
    });
    fc.assert(property, { numRuns: 200 });
  });
});
