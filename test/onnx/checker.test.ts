import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, it } from "vitest";
import { analyze } from "../../src/analyze";
import { compress } from "../../src/compress";
import { editedModelBytes } from "../../src/onnx/edit";
import { openModel } from "../../src/onnx/reader";
import { writeExternalModel } from "../external/externalModel";
import { floats, openBytes, weight } from "../fixtures/data";
import { workspace } from "../fixtures/dataFiles";
import { functionField } from "../fixtures/functions";
import { modelBytes, node, value } from "../fixtures/model";
import { CLASSES, cnn, FEATURES, IMAGE, mlp, SEQUENCE, transformer } from "../fixtures/modelNetworks";
import { sparseInitializer } from "../fixtures/sparseTensor";
import { checkOnnx, hasOnnx } from "../onnxChecker";

const elsewhere = mkdtempSync(path.join(tmpdir(), "ranklens-checked-"));
afterAll(() => rmSync(elsewhere, { recursive: true }));

const HIDDEN = 40;
const linear = functionField({
  domain: "local",
  name: "Linear",
  inputs: ["x", "w", "b"],
  outputs: ["y"],
  nodes: [node("MatMul", ["x", "w"], "p"), node("Add", ["p", "b"], "y")],
});
const call = (inputs: readonly string[], output: string) => node("Linear", inputs, output, {}, { domain: "local" });
const shape = (width: number) => ["n", width] as const;
/** An MLP of calls of one function. */
const ofFunctions = modelBytes({
  nodes: [call(["x", "w1", "b1"], "a"), node("Relu", ["a"], "h"), call(["h", "w2", "b2"], "y")],
  initializers: [
    weight("w1", [FEATURES, HIDDEN], 1),
    weight("b1", [HIDDEN], 2),
    weight("w2", [HIDDEN, CLASSES], 3),
    weight("b2", [CLASSES], 4),
  ],
  inputs: [value("x", shape(FEATURES))],
  outputs: [value("y", shape(CLASSES))],
  domains: { local: 1 },
  behind: [linear],
});
const stored = floats(30, 5);
const places = Array.from(stored, (_, i) => (i * 7) % (HIDDEN * CLASSES)).sort((a, b) => a - b);
/** An MLP whose last weight is nearly all zeros. */
const ofSparse = modelBytes({
  nodes: [node("MatMul", ["x", "w1"], "a"), node("Relu", ["a"], "h"), node("MatMul", ["h", "w2"], "y")],
  initializers: [weight("w1", [FEATURES, HIDDEN], 1)],
  extra: [sparseInitializer("w2", [HIDDEN, CLASSES], [...stored], places)],
  inputs: [value("x", shape(FEATURES))],
  outputs: [value("y", shape(CLASSES))],
});

/** The checker wants the type of every output to be stated. */
const typedCnn = editedModelBytes(openBytes(cnn()).model, { outputs: [value("y", shape(CLASSES))] });

const ENERGY = { energy: 0.7 };

it.each<[string, Uint8Array, readonly number[]]>([
  ["Conv", typedCnn, IMAGE],
  ["Gemm and MatMul", mlp(), [FEATURES]],
  ["a transformer", transformer(), SEQUENCE],
  ["inlined functions", ofFunctions, [FEATURES]],
  ["a sparse weight", ofSparse, [FEATURES]],
])("onnx's own checker takes what is written of %s, in one piece and with external data", async (name, bytes, dims) => {
  const space = await workspace(bytes, dims);
  const written: string[] = [];
  try {
    const output = path.join(elsewhere, `${name}.onnx`);
    const { compressed, layers } = await compress(space.model, { config: space.config, output, ...ENERGY });
    expect(layers.some(({ outcome }) => outcome.kind === "decomposed")).toBe(true);
    expect(compressed!.bytes.after).toBeGreaterThan(0);
    written.push(output);
    const external = writeExternalModel(bytes, space.folder, "external.onnx");
    const outputs = [path.join(space.folder, "smaller.onnx"), path.join(elsewhere, `${name}, external.onnx`)];
    for (const each of outputs) {
      await compress(external.path, { config: space.config, output: each, ...ENERGY });
      written.push(each);
    }
    for (const each of written) {
      const model = openModel(each);
      expect(model.functions.size).toBe(0);
      model.close();
    }
    if (hasOnnx()) checkOnnx(...written);
  } finally {
    space.remove();
  }
});

it("a model of functions has the report of the same model without them", async () => {
  const plain = modelBytes({
    nodes: [
      ...["MatMul", "Add"].map((op, i) => node(op, i === 0 ? ["x", "w1"] : ["p", "b1"], i === 0 ? "p" : "a")),
      node("Relu", ["a"], "h"),
      ...["MatMul", "Add"].map((op, i) => node(op, i === 0 ? ["h", "w2"] : ["q", "b2"], i === 0 ? "q" : "y")),
    ],
    initializers: [
      weight("w1", [FEATURES, HIDDEN], 1),
      weight("b1", [HIDDEN], 2),
      weight("w2", [HIDDEN, CLASSES], 3),
      weight("b2", [CLASSES], 4),
    ],
    inputs: [value("x", shape(FEATURES))],
    outputs: [value("y", shape(CLASSES))],
  });
  const space = await workspace(plain, [FEATURES]);
  try {
    const called = path.join(space.folder, "functions.onnx");
    writeFileSync(called, ofFunctions);
    const expected = await analyze(space.model, { config: space.config });
    const found = await analyze(called, { config: space.config });
    const numbers = ({ layers, accuracy, totals, skipped }: typeof found) => ({
      // The names of nodes alone tell where a function was.
      layers: layers.map((layer) => ({ ...layer, node: null, nodes: layer.nodes.length })),
      ...{ accuracy, totals, skipped },
    });
    expect(numbers(found)).toEqual(numbers(expected));
    expect(found.model.bytes).toBe(ofFunctions.length);
  } finally {
    space.remove();
  }
});

it("the checker refuses what is wrong", () => {
  if (!hasOnnx()) return;
  const wrong = path.join(elsewhere, "wrong.onnx");
  writeFileSync(wrong, modelBytes({ nodes: [node("Relu", ["nothing"], "y")], outputs: [value("y", [1])] }));
  expect(() => checkOnnx(wrong)).toThrow(/nothing/);
});
