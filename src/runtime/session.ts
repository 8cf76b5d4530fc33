import os from "node:os";
import "./environment";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { fromHalves, toHalves } from "../onnx/halves";
import type { ElementType } from "../onnx/schema";
import type { Device } from "./executionProviders";
import { refusalToLoad, refusalToRun } from "./refusals";

export type TensorData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array;

/** A dense tensor on the host. Numbers of float16 are held as float32, which holds them exactly. */
export interface TensorValue {
  readonly type: ElementType;
  readonly dims: readonly number[];
  readonly data: TensorData;
}

export type TensorValues = ReadonlyMap<string, TensorValue>;

/** A loaded model (or part of one). */
export interface Session {
  /**
   * Runs it on `feeds` (all inputs, by name) and gives the named outputs, or all that are dense tensors of numbers
   * (classifiers exported from other tools also have sequences of maps, which cannot be read here).
   * @throws ExpectedError with onnxruntime's message if a node fails.
   */
  run(feeds: TensorValues, outputs?: readonly string[]): Promise<Map<string, TensorValue>>;
  release(): Promise<void>;
}

/**
 * Loads a model from a file or from bytes. Operators that the device's provider lacks run on the processor.
 * @param what how messages call it.
 * @param folder for a model in memory: where the files with its external tensors are, whose place it does not know.
 * @param profile the beginning of a file's path, to which onnxruntime adds a time and writes, on release, what it ran.
 * @param intraOpThreads threads of its operators: fewer where several sessions run at once.
 * @throws ExpectedError with onnxruntime's message if it refuses the model.
 */
export async function createSession(
  model: string | Uint8Array,
  what: string,
  folder: string | null = null,
  device: Device = "cpu",
  profile: string | null = null,
  intraOpThreads = threads(),
): Promise<Session> {
  const options: InferenceSession.SessionOptions = {
    executionProviders: [device],
    intraOpNumThreads: intraOpThreads,
    ...(profile === null ? {} : { enableProfiling: true, profileFilePrefix: profile }),
    // 4: nothing but what ends the process. Errors come as exceptions; printed as well, they would be said twice.
    logSeverityLevel: 4,
    ...(folder === null ? {} : { extra: { session: { model_external_initializers_file_folder_path: folder } } }),
  };
  let session: InferenceSession;
  try {
    session =
      typeof model === "string"
        ? await InferenceSession.create(model, options)
        : await InferenceSession.create(model, options);
  } catch (error) {
    throw refusalToLoad(what, error);
  }
  const dense = session.outputMetadata.filter((output) => output.isTensor && output.type !== "string");
  const denseNames = dense.map(({ name }) => name);
  return {
    async run(feeds, outputs = denseNames) {
      const inputs: Record<string, Tensor> = {};
      for (const [name, value] of feeds) inputs[name] = toTensor(value);
      try {
        const results = await session.run(inputs, outputs);
        return new Map(Object.entries(results).map(([name, tensor]) => [name, fromTensor(name, tensor)]));
      } catch (error) {
        throw refusalToRun(what, feeds, error);
      }
    },
    release: () => session.release(),
  };
}

/** Threads of onnxruntime's operators: all that the process may use. */
export function threads(): number {
  return os.availableParallelism();
}

function toTensor({ type, dims, data }: TensorValue): Tensor {
  if (type === "float16" && data instanceof Float32Array) return halfTensor(data, dims);
  // The runtime checks that the array's class belongs to the type; TypeScript's overloads cannot follow a union.
  return new (Tensor as new (type: string, data: TensorData, dims: readonly number[]) => Tensor)(type, data, dims);
}

/**
 * A float16 tensor of the numbers' nearest halves. Where JavaScript has a Float16Array (Node 24), the package makes one of
 * any data, and its native part takes that for empty (onnxruntime pull request 32323): hence by way of a uint16 tensor.
 */
function halfTensor(data: Float32Array, dims: readonly number[]): Tensor {
  const tensor = new Tensor("uint16", toHalves(data), dims);
  Object.defineProperty(tensor, "type", { value: "float16", enumerable: true });
  return tensor;
}

function fromTensor(name: string, tensor: Tensor): TensorValue {
  const { data, type, dims } = tensor;
  if (type === "string" || Array.isArray(data)) throw new Error(`output "${name}" holds strings`);
  if (type !== "float16") return { type, dims, data };
  // A Uint16Array or a Float16Array, as JavaScript has it.
  return { type, dims, data: fromHalves(new Uint16Array(data.buffer, data.byteOffset, data.length)) };
}
