import { createRequire } from "node:module";

/**
 * What RankLens uses of `@tensorflow/tfjs-node-gpu`: its backend runs any TensorFlow kernel by name, also those for which
 * TensorFlow.js has no function. Only float32 exists there.
 */
export interface Tensorflow {
  readonly version: { readonly "tfjs-node"?: string };
  tensor2d(values: Float32Array, shape: readonly [number, number], type: "float32"): DenseTensor;
  backend(): NodeBackend;
}

export interface DenseTensor {
  dataSync(): Float32Array | Int32Array | Uint8Array;
  dispose(): void;
}

export interface NodeBackend {
  readonly isUsingGpuDevice: boolean;
  readonly binding: { readonly TF_FLOAT: number; readonly TF_ATTR_TYPE: number; readonly TF_ATTR_BOOL: number };
  executeMultipleOutputs(
    kernel: string,
    attributes: readonly { readonly name: string; readonly type: number; readonly value: unknown }[],
    inputs: readonly DenseTensor[],
    outputs: number,
  ): DenseTensor[];
}

export const TENSORFLOW_PACKAGE = "@tensorflow/tfjs-node-gpu";

/** The package where it is installed beside this one and can be loaded; null otherwise, which is the usual case. */
export function loadTensorflow(from: string = __filename): Tensorflow | null {
  const require = createRequire(from);
  try {
    const loaded: unknown = require(TENSORFLOW_PACKAGE);
    return isTensorflow(loaded) ? loaded : null;
  } catch {
    // Not installed, or without the CUDA libraries that it was made for.
    return null;
  }
}

function isTensorflow(loaded: unknown): loaded is Tensorflow {
  if (typeof loaded !== "object" || loaded === null) return false;
  const { tensor2d, backend } = loaded as Partial<Tensorflow>;
  if (typeof tensor2d !== "function" || typeof backend !== "function") return false;
  const found = (loaded as Tensorflow).backend() as Partial<NodeBackend> | undefined;
  return typeof found?.executeMultipleOutputs === "function" && typeof found.binding === "object";
}
