import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { editedModelBytes } from "../../src/onnx/edit";
import type { NewElements } from "../../src/onnx/elementBytes";
import { readNumbers } from "../../src/onnx/numbers";
import type { TensorValue } from "../../src/runtime/session";
import { openBytes, type Opened } from "../fixtures/data";
import { messageField, modelBytes } from "../fixtures/model";

/** Where Debian's libonnx-testdata has them; ONNX_NODE_TESTS names another folder of the same form. */
export const FOLDER = process.env.ONNX_NODE_TESTS ?? "/usr/share/libonnx-testdata/data/node";

/** By operator: inputs that may be the weight, each time with those that are constant beside it. */
const WEIGHTS: Readonly<Record<string, readonly (readonly number[])[]>> = {
  Conv: [[1]],
  ConvTranspose: [[1]],
  Gemm: [[1], [0]],
  MatMul: [[1], [0]],
  Einsum: [[1], [0]],
  LSTM: [[1, 2]],
  GRU: [[1, 2]],
  RNN: [[1, 2]],
  ConvInteger: [[1, 3]],
  MatMulInteger: [
    [1, 3],
    [0, 2],
  ],
  QLinearConv: [[1, 2, 3, 4, 5, 6, 7, 8]],
  QLinearMatMul: [
    [1, 2, 3, 4, 5, 6, 7],
    [0, 1, 2, 4, 5, 6, 7],
  ],
};

/** A test of ONNX's own with some of its inputs made constants. */
export interface NodeTest {
  readonly name: string;
  readonly op: string;
  readonly bytes: Uint8Array;
  readonly opened: Opened;
  readonly feeds: ReadonlyMap<string, TensorValue>;
  /** The node's outputs that are expected. */
  readonly expected: ReadonlyMap<string, TensorValue>;
}

/** Every test of one node of these operators; none where the folder is not there. */
export function nodeTests(): NodeTest[] {
  if (!existsSync(FOLDER)) return [];
  return readdirSync(FOLDER).sort().flatMap(variants); // prettier-ignore
}

function variants(name: string): NodeTest[] {
  const folder = path.join(FOLDER, name);
  const whole = openBytes(readFileSync(path.join(folder, "model.onnx")));
  const [node, ...others] = whole.model.graph.nodes;
  const data = path.join(folder, "test_data_set_0");
  if (others.length > 0 || node.domain !== "" || !existsSync(data)) return [];
  return (WEIGHTS[node.opType] ?? []).flatMap((positions) => {
    const weights = positions.flatMap((at) => (node.inputs[at] ? [node.inputs[at]] : []));
    // A product of one operand has no other that could stay an input.
    if (!node.inputs[positions[0]] || weights.length === node.inputs.length) return [];
    const { graph } = whole.model;
    const inputs = tensors(data, "input", graph.inputs);
    const bytes = editedModelBytes(whole.model, {
      inputs: graph.inputs.filter((input) => !weights.includes(input.name)),
      addInitializers: weights.map((weight) => initializer(weight, inputs.get(weight)!)),
    });
    const feeds = new Map([...inputs].filter(([input]) => !weights.includes(input)));
    const expected = tensors(data, "output", graph.outputs);
    return [
      { name: `${name}, constant ${weights[0]}`, op: node.opType, bytes, opened: openBytes(bytes), feeds, expected },
    ];
  });
}

function initializer(name: string, { type, dims, data }: TensorValue) {
  return { name, dims, data: data as NewElements, elementType: type };
}

/** The tensors of files `input_0.pb`, `input_1.pb`, … under the names of the graph's values. */
function tensors(
  folder: string,
  kind: "input" | "output",
  values: readonly { readonly name: string }[],
): Map<string, TensorValue> {
  return new Map(
    values.flatMap(({ name }, at) => {
      const file = path.join(folder, `${kind}_${at}.pb`);
      return existsSync(file) ? [[name, readTensor(readFileSync(file))] as const] : [];
    }),
  );
}

/** A TensorProto, read as the initializer of a model. */
function readTensor(bytes: Uint8Array): TensorValue {
  const { model } = openBytes(modelBytes({ nodes: [], outputs: [], extra: [messageField(5, bytes)] }));
  const [tensor] = model.graph.initializers.values();
  if (tensor.elementType === null) throw new Error("a tensor of unknown type");
  return { type: tensor.elementType, dims: tensor.dims, data: readNumbers(model.wire, tensor) };
}
