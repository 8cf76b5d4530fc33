import { createRequire } from "node:module";
import path from "node:path";

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

/** The environment variable that names the folder in which RankLens has installed it. */
export const TENSORFLOW_FOLDER = "RANKLENS_TENSORFLOW";

/** The package where it is installed and can be loaded; null otherwise, which is the usual case. */
export function loadTensorflow(from: string = installedFrom()): Tensorflow | null {
  const loaded = tryTensorflow(from);
  return typeof loaded === "string" ? null : loaded;
}

/** The package, or why it cannot be had, in one line. */
export function tryTensorflow(from: string = installedFrom()): Tensorflow | string {
  try {
    const loaded: unknown = createRequire(from)(TENSORFLOW_PACKAGE);
    return isTensorflow(loaded) ? loaded : "it is not what RankLens knows by that name";
  } catch (error) {
    // Not installed, or without the CUDA libraries that it was made for.
    const [line] = (error instanceof Error ? error.message : String(error)).split("\n");
    return line.startsWith(`Cannot find module '${TENSORFLOW_PACKAGE}'`) ? "not installed" : line;
  }
}

/** A file beside whose folder's packages it is looked for: where RankLens has installed it, else beside RankLens. */
function installedFrom(): string {
  const folder = process.env[TENSORFLOW_FOLDER];
  return folder ? path.resolve(folder, "from.js") : __filename;
}

function isTensorflow(loaded: unknown): loaded is Tensorflow {
  if (typeof loaded !== "object" || loaded === null) return false;
  const { tensor2d, backend } = loaded as Partial<Tensorflow>;
  if (typeof tensor2d !== "function" || typeof backend !== "function") return false;
  const found = (loaded as Tensorflow).backend() as Partial<NodeBackend> | undefined;
  return typeof found?.executeMultipleOutputs === "function" && typeof found.binding === "object";
}
