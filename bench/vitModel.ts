// A network with the shapes of ViT-B/16 and random weights.
import type { NewInitializer } from "../src/onnx/encode";
import { modelBytes, node, untyped, value, type TestNode } from "../test/fixtures/model";
import { weight } from "../test/fixtures/data";

const WIDTH = 768;
const HIDDEN = 4 * WIDTH;
const HEADS = 12;
const DEPTH = 12;
const PATCH = 16;
const SIDE = 224;
const TOKENS = (SIDE / PATCH) ** 2;
const CLASSES = 1000;

/** ONNX, 344 MB: 224×224 images "x" to 1,000 scores "scores"; 196 tokens, whose mean is classified. */
export function vitBytes(): Uint8Array {
  const nodes: TestNode[] = [];
  const initializers: NewInitializer[] = [];
  const shape = (name: string, ...dims: number[]): string => {
    initializers.push({ name, dims: [dims.length], data: BigInt64Array.from(dims, BigInt) });
    return name;
  };
  const parameter = (name: string, dims: readonly number[]): string => {
    initializers.push(weight(name, dims, initializers.length + 1));
    return name;
  };
  const constant = (name: string, length: number, each: number): string => {
    initializers.push({
      name,
      dims: length === 0 ? [] : [length],
      data: new Float32Array(Math.max(1, length)).fill(each),
    });
    return name;
  };
  const add = (op: string, inputs: string[], output: string, attributes: TestNode["attributes"] = {}): string => {
    nodes.push(node(op, inputs, output, attributes));
    return output;
  };
  const norm = (x: string, name: string): string =>
    add("LayerNormalization", [x, constant(`${name}.scale`, WIDTH, 1), constant(`${name}.bias`, WIDTH, 0)], name);

  add("Conv", ["x", parameter("embed.weight", [WIDTH, 3, PATCH, PATCH])], "patches", { strides: [PATCH, PATCH] });
  add("Reshape", ["patches", shape("embed.shape", 0, WIDTH, TOKENS)], "flat");
  let x = add("Transpose", ["flat"], "tokens", { perm: [0, 2, 1] });
  const split = shape("heads.shape", 0, TOKENS, 3, HEADS, WIDTH / HEADS);
  const merged = shape("merged.shape", 0, TOKENS, WIDTH);
  const thirds = shape("thirds", 1, 1, 1);
  const half = constant("half", 0, 0.5);
  const one = constant("one", 0, 1);
  const root = constant("root", 0, Math.SQRT1_2);
  const scale = constant("attention.scale", 0, 1 / Math.sqrt(WIDTH / HEADS));
  const first = shape("axis", 2);
  for (let block = 0; block < DEPTH; block++) {
    const at = `blocks.${block}`;
    const qkv = add("MatMul", [norm(x, `${at}.norm1`), parameter(`${at}.qkv.weight`, [WIDTH, 3 * WIDTH])], `${at}.qkv`);
    const heads = add("Reshape", [qkv, split], `${at}.heads`);
    const parts = [`${at}.q5`, `${at}.k5`, `${at}.v5`];
    nodes.push({ ...node("Split", [heads, thirds], parts[0], { axis: 2 }), outputs: parts });
    const [q, k, v] = parts.map((part, i) => add("Squeeze", [part, first], `${at}.${"qkv"[i]}`));
    const turn = (name: string, perm: readonly number[]): string =>
      add("Transpose", [name], `${name}.turned`, { perm });
    const logits = add("MatMul", [turn(q, [0, 2, 1, 3]), turn(k, [0, 2, 3, 1])], `${at}.logits`);
    const attention = add("Softmax", [add("Mul", [logits, scale], `${at}.scaled`)], `${at}.attention`, { axis: -1 });
    const mixed = turn(add("MatMul", [attention, turn(v, [0, 2, 1, 3])], `${at}.mixed`), [0, 2, 1, 3]);
    const joined = add("Reshape", [mixed, merged], `${at}.joined`);
    const projected = add("MatMul", [joined, parameter(`${at}.proj.weight`, [WIDTH, WIDTH])], `${at}.proj`);
    x = add("Add", [x, projected], `${at}.attended`);
    const hidden = add("MatMul", [norm(x, `${at}.norm2`), parameter(`${at}.fc1.weight`, [WIDTH, HIDDEN])], `${at}.fc1`);
    const erf = add("Erf", [add("Mul", [hidden, root], `${at}.root`)], `${at}.erf`);
    const gate = add("Mul", [add("Add", [erf, one], `${at}.shifted`), half], `${at}.gate`);
    const gelu = add("Mul", [hidden, gate], `${at}.gelu`);
    const out = add("MatMul", [gelu, parameter(`${at}.fc2.weight`, [HIDDEN, WIDTH])], `${at}.fc2`);
    x = add("Add", [x, out], `${at}.out`);
  }
  add("ReduceMean", [norm(x, "norm")], "mean", { axes: [1], keepdims: 0 });
  add("MatMul", ["mean", parameter("head.weight", [WIDTH, CLASSES])], "scores");
  return modelBytes({
    nodes,
    initializers,
    inputs: [value("x", ["n", 3, SIDE, SIDE])],
    outputs: [untyped("scores")],
  });
}
