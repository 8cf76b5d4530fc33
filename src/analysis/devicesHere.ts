import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fieldHeader, inputField, nodeField, outputField } from "../onnx/encode";
import { runTrial } from "../runtime/deviceTrial";
import { executionProviders, type Device } from "../runtime/executionProviders";
import { whyAbsent } from "../runtime/providersHere";
import type { TensorValue } from "../runtime/session";
import { TENSORFLOW_PACKAGE, tryTensorflow } from "../tensorflow/nodeBackend";
import { judge, PATIENCE } from "./device";

/** Something that models run on, or that eigenvectors are computed with, and whether it works on this machine. */
export interface DeviceHere {
  /** As it is asked for (`cuda`), or the name of a package. */
  readonly name: string;
  readonly title: string;
  /** Null where it works; otherwise why not, in one line. */
  readonly why: string | null;
}

/** Every provider, tried on a product of two matrices in a process of its own, and TensorFlow. */
export async function devicesHere(): Promise<DeviceHere[]> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "ranklens-devices-"));
  try {
    const model = path.join(folder, "product.onnx");
    writeFileSync(model, productModel());
    const found: DeviceHere[] = [];
    for (const provider of executionProviders) {
      const { name, title } = provider;
      found.push({ name, title, why: whyAbsent(provider) ?? (await whyNotWorking(name, model)) });
    }
    found.push({ name: TENSORFLOW_PACKAGE, title: "TensorFlow, for eigenvectors", why: whyNoTensorflow() });
    return found;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const SIZE = 16;
const x = matrix((row, column) => (row === column ? 2 : row - column));
const square = matrix((row, column) => {
  let sum = 0;
  for (let i = 0; i < SIZE; i++) sum += x.data[row * SIZE + i] * x.data[i * SIZE + column];
  return sum;
});

async function whyNotWorking(device: Device, model: string): Promise<string | null> {
  const request = { model, device, feeds: [["x", x]], timedRuns: 0 } as const;
  const reply = await runTrial(request, { patience: PATIENCE.auto, signal: undefined });
  const { works, why } = judge(reply, { outputs: new Map([["y", square]]), seconds: [] });
  // The model is none of the user's.
  return works ? null : why.replace(`${model} could not be loaded by onnxruntime: `, "");
}

function whyNoTensorflow(): string | null {
  const tensorflow = tryTensorflow();
  if (typeof tensorflow === "string") return tensorflow;
  return tensorflow.backend().isUsingGpuDevice ? null : "it finds no GPU";
}

function matrix(entry: (row: number, column: number) => number): TensorValue & { data: Float32Array } {
  const data = Float32Array.from({ length: SIZE ** 2 }, (_, i) => entry(Math.floor(i / SIZE), i % SIZE));
  return { type: "float32", dims: [SIZE, SIZE], data };
}

/** y = x·x as a ModelProto. */
function productModel(): Uint8Array {
  const value = (name: string) => ({ name, elementType: "float32", shape: [SIZE, SIZE] }) as const;
  const graph = Buffer.concat([
    nodeField({ opType: "MatMul", name: "product", inputs: ["x", "x"], outputs: ["y"] }),
    bytesField(2, Buffer.from("product")),
    inputField(value("x")),
    outputField(value("y")),
  ]);
  // IR version 8; the graph; opset 17, without a domain.
  return Buffer.concat([Buffer.from([0x08, 8]), bytesField(7, graph), bytesField(8, Buffer.from([0x10, 17]))]);
}

function bytesField(fieldNumber: number, bytes: Uint8Array): Uint8Array {
  return Buffer.concat([fieldHeader(fieldNumber, bytes.length), bytes]);
}
