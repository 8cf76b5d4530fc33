import type { NewInitializer } from "../../src/onnx/encode";
import { floats, normal, weight } from "../fixtures/data";
import {
  messageField,
  modelBytes,
  node,
  stringField,
  tensorField,
  untyped,
  value,
  type ModelSpec,
  type TestNode,
} from "../fixtures/model";

export const CLASSES = 5;
export const IMAGE = [3, 8, 8] as const;
export const METADATA = { author: "RankLens tests", Größe: "klein, ≤ 20 kB" };

const bias = (name: string, length: number, seed: number): NewInitializer => ({
  name,
  dims: [length],
  data: floats(length, seed, 0.1),
});

/**
 * images → wide 3×3 → grouped 3×3 → depthwise 3×3 → a pointwise kernel used twice → pool → Gemm → scores; and "side",
 * which the scores do not depend on. Every weight is a layer but the depthwise one.
 */
export function cnnSpec(): ModelSpec & { readonly initializers: readonly NewInitializer[] } {
  const pads = { pads: [1, 1, 1, 1] };
  return {
    irVersion: 8,
    opset: 15,
    producer: ["cli test", "3.1"],
    metadata: METADATA,
    // doc_string of the model.
    behind: [stringField(6, "A network for tests.")],
    nodes: [
      node("Conv", ["images", "wide", "wide_b"], "a", pads),
      node("Relu", ["a"], "a1"),
      node("Conv", ["a1", "side"], "side_out"),
      node("Conv", ["a1", "grouped", "grouped_b"], "b", { ...pads, group: 2 }),
      node("Relu", ["b"], "b1"),
      node("Conv", ["b1", "depthwise"], "c", { ...pads, group: 16 }),
      node("Relu", ["c"], "c1"),
      node("Conv", ["c1", "pointwise"], "d"),
      node("Tanh", ["d"], "d1"),
      node("Conv", ["d1", "pointwise"], "e"),
      node("GlobalAveragePool", ["e"], "pooled"),
      node("Flatten", ["pooled"], "flat"),
      node("Gemm", ["flat", "head", "head_b"], "scores", { transB: 1 }),
    ],
    initializers: [
      weight("wide", [16, 3, 3, 3], 1),
      bias("wide_b", 16, 2),
      weight("grouped", [16, 8, 3, 3], 3),
      bias("grouped_b", 16, 4),
      weight("depthwise", [16, 1, 3, 3], 5),
      weight("pointwise", [16, 16, 1, 1], 6),
      { ...weight("head", [CLASSES, 16], 7), data: floats(CLASSES * 16, 7, 3) },
      bias("head_b", CLASSES, 8),
      weight("side", [6, 16, 1, 1], 9),
    ],
    inputs: [value("images", ["batch", ...IMAGE])],
    outputs: [value("scores", ["batch", CLASSES]), value("side_out", ["batch", 6, 8, 8])],
  };
}

/** The CNN with one value of one weight replaced. */
export function cnnWith(name: string, at: number, replacement: number): Uint8Array {
  const spec = cnnSpec();
  const initializers = spec.initializers.map((tensor) => {
    if (tensor.name !== name || !(tensor.data instanceof Float32Array)) return tensor;
    const data = tensor.data.slice();
    data[at] = replacement;
    return { ...tensor, data };
  });
  return modelBytes({ ...spec, initializers });
}

/** Large enough that its analysis takes several seconds: five 3×3 convolutions at 24 channels on 16×16 images. */
export const SLOW_IMAGE = [24, 16, 16] as const;

export function slowCnn(): Uint8Array {
  const [channels] = SLOW_IMAGE;
  const nodes: TestNode[] = [];
  const initializers: NewInitializer[] = [];
  let last = "images";
  for (let i = 0; i < 5; i++) {
    initializers.push(weight(`conv${i}`, [channels, channels, 3, 3], 20 + i));
    nodes.push(node("Conv", [last, `conv${i}`], `c${i}`, { pads: [1, 1, 1, 1] }), node("Relu", [`c${i}`], `r${i}`));
    last = `r${i}`;
  }
  return modelBytes({
    nodes: [
      ...nodes,
      node("GlobalAveragePool", [last], "pooled"),
      node("Flatten", ["pooled"], "flat"),
      node("Gemm", ["flat", "head"], "scores", { transB: 1 }),
    ],
    initializers: [...initializers, weight("head", [CLASSES, channels], 30)],
    inputs: [value("images", ["batch", ...SLOW_IMAGE])],
    outputs: [value("scores", ["batch", CLASSES])],
  });
}

/** One layer, "plain", and every kind of constant weight that is listed with a reason instead. */
export function manySkipped(): Uint8Array {
  return modelBytes({
    nodes: [
      node("Gather", ["embedding", "tokens"], "embedded"),
      node("MatMul", ["embedded", "plain"], "a"),
      node("MatMul", ["a", "batched"], "b"),
      node("Mul", ["tied", "tied"], "squared"),
      node("MatMul", ["b", "squared"], "c"),
      node("Cast", ["c"], "c16", { to: 10 }),
      node("MatMul", ["c16", "half"], "d"),
      node("FusedDense", ["d", "custom"], "e", {}, { domain: "com.example" }),
    ],
    initializers: [
      weight("embedding", [50, 8], 40),
      weight("plain", [8, 8], 41),
      weight("batched", [2, 8, 8], 42),
      weight("tied", [8, 8], 43),
      weight("custom", [8, 8], 44),
    ],
    domains: { "com.example": 1 },
    inputs: [value("tokens", ["batch", 2, 6], "int64")],
    outputs: [untyped("e")],
    extra: [tensorField("half", [8, 8], "float16", [messageField(9, new Uint8Array(128))])],
  });
}

/** A model in which nothing can be analysed. */
export function withoutLayers(): Uint8Array {
  return modelBytes({
    nodes: [node("Relu", ["x"], "y")],
    inputs: [value("x", ["batch", 4])],
    outputs: [untyped("y")],
  });
}

/** Images with few degrees of freedom, so that layers have something to save: sums of six patterns, and some noise. */
export function images(count: number, dims: readonly number[], seed: number): Float32Array {
  const size = dims.reduce((product, dim) => product * dim, 1);
  const patterns = Array.from({ length: 6 }, (_, i) => floats(size, 1000 + i));
  const next = normal(seed);
  const result = new Float32Array(count * size);
  for (let sample = 0; sample < count; sample++) {
    for (const pattern of patterns) {
      const share = next();
      for (let i = 0; i < size; i++) result[sample * size + i] += share * pattern[i];
    }
    for (let i = 0; i < size; i++) result[sample * size + i] += 0.02 * next();
  }
  return result;
}
