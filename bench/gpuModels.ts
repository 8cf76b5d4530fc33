// Networks with random weights for bench/gpu.ts: what matters is where their operators run, and how fast.
import type { NewInitializer } from "../src/onnx/encode";
import { weight } from "../test/fixtures/data";
import { constant, modelBytes, node, value, type TestNode } from "../test/fixtures/model";

const CLASSES = 10;

export interface GpuModel {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Of one sample. */
  readonly dims: readonly number[];
  readonly samples: number;
}

/** Full sizes, or such as a software driver runs in a minute. */
export function gpuModels(tiny: boolean): GpuModel[] {
  return tiny
    ? [
        resnet({ width: 4, blocks: 1, side: 8, samples: 24 }),
        transformer({ width: 16, depth: 1, length: 6, samples: 24 }),
      ]
    : [
        resnet({ width: 16, blocks: 3, side: 32, samples: 1000 }),
        transformer({ width: 256, depth: 4, length: 64, samples: 500 }),
      ];
}

/**
 * A ResNet for small images; ResNet-20 at a width of 16 and 3 blocks in a stage. Its shortcuts pool: onnxruntime 1.30's WebGPU
 * gets the usual 1×1 Conv with a stride wrong, for which RankLens refuses the model.
 */
function resnet(size: { width: number; blocks: number; side: number; samples: number }): GpuModel {
  const nodes: TestNode[] = [];
  const initializers: NewInitializer[] = [];
  const conv = (x: string, name: string, inputs: number, outputs: number, kernel: number, stride = 1): string => {
    initializers.push(weight(`${name}.weight`, [outputs, inputs, kernel, kernel], initializers.length + 1));
    const pads = Array<number>(4).fill((kernel - 1) / 2);
    nodes.push(node("Conv", [x, `${name}.weight`], name, { pads, strides: [stride, stride] }));
    return name;
  };
  const op = (type: string, inputs: string[], output: string, attributes: TestNode["attributes"] = {}): string => {
    nodes.push(node(type, inputs, output, attributes));
    return output;
  };
  let x = op("Relu", [conv("x", "stem", 3, size.width, 3)], "stem.relu");
  let width = size.width;
  for (let stage = 0; stage < 3; stage++) {
    for (let block = 0; block < size.blocks; block++) {
      const at = `stage${stage}.${block}`;
      const shrinks = stage > 0 && block === 0;
      const inputs = width;
      if (shrinks) width *= 2;
      const first = op("Relu", [conv(x, `${at}.conv1`, inputs, width, 3, shrinks ? 2 : 1)], `${at}.relu1`);
      const second = conv(first, `${at}.conv2`, width, width, 3);
      const pool = { kernel_shape: [2, 2], strides: [2, 2] };
      const shortcut = shrinks
        ? conv(op("AveragePool", [x], `${at}.pool`, pool), `${at}.shortcut`, inputs, width, 1)
        : x;
      x = op("Relu", [op("Add", [second, shortcut], `${at}.sum`)], `${at}.relu2`);
    }
  }
  const features = op("Flatten", [op("GlobalAveragePool", [x], "pooled")], "features");
  initializers.push(weight("head.weight", [CLASSES, width], 1000));
  op("Gemm", [features, "head.weight"], "y", { transB: 1 });
  return {
    name: `ResNet-${6 * size.blocks + 2}, ${size.side}×${size.side}`,
    bytes: modelBytes({
      nodes,
      initializers,
      inputs: [value("x", ["n", 3, size.side, size.side])],
      outputs: [value("y", ["n", CLASSES])],
    }),
    dims: [3, size.side, size.side],
    samples: size.samples,
  };
}

/** Blocks of attention (one head) and an MLP, each behind a normalisation and around a shortcut; the mean is classified. */
function transformer(size: { width: number; depth: number; length: number; samples: number }): GpuModel {
  const { width, depth, length, samples } = size;
  const scale: NewInitializer = { name: "scale", dims: [width], data: new Float32Array(width).fill(1) };
  const initializers: NewInitializer[] = [scale];
  const nodes: TestNode[] = [constant("root", [], Float32Array.of(1 / Math.sqrt(width)))];
  const op = (type: string, inputs: string[], output: string, attributes: TestNode["attributes"] = {}): string => {
    nodes.push(node(type, inputs, output, attributes));
    return output;
  };
  const linear = (x: string, name: string, outputs: number, inputs = width): string => {
    initializers.push(weight(`${name}.weight`, [inputs, outputs], initializers.length + 1));
    return op("MatMul", [x, `${name}.weight`], name);
  };
  let x = "x";
  for (let block = 0; block < depth; block++) {
    const at = `blocks.${block}`;
    const normed = op("LayerNormalization", [x, "scale"], `${at}.norm1`);
    const [q, k, v] = ["q", "k", "v"].map((part) => linear(normed, `${at}.${part}`, width));
    const turned = op("Transpose", [k], `${at}.kt`, { perm: [0, 2, 1] });
    const logits = op("Mul", [op("MatMul", [q, turned], `${at}.logits`), "root"], `${at}.scaled`);
    const mixed = op("MatMul", [op("Softmax", [logits], `${at}.attention`, { axis: -1 }), v], `${at}.mixed`);
    const attended = op("Add", [linear(mixed, `${at}.out`, width), x], `${at}.attended`);
    const hidden = linear(op("LayerNormalization", [attended, "scale"], `${at}.norm2`), `${at}.up`, 4 * width);
    const down = linear(op("Tanh", [hidden], `${at}.tanh`), `${at}.down`, width, 4 * width);
    x = op("Add", [down, attended], `${at}.sum`);
  }
  linear(op("ReduceMean", [x], "mean", { axes: [1], keepdims: 0 }), "y", CLASSES);
  return {
    name: `transformer, ${depth} blocks of ${width}`,
    bytes: modelBytes({
      nodes,
      initializers,
      inputs: [value("x", ["n", length, width])],
      outputs: [value("y", ["n", CLASSES])],
    }),
    dims: [length, width],
    samples,
  };
}
