import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { editedModelBytes } from "../../src/onnx/edit";
import { readFloats } from "../../src/onnx/elements";
import type { ExternalPlace, NewInitializer } from "../../src/onnx/encode";
import { openBytes } from "../fixtures/data";

export interface ExternalModel {
  /** The model file. */
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Content by location. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/**
 * Writes the model into `folder` as `name`, its float32 weights in other files.
 * @param locate the file of a weight; weights of one file lie one after the other, 16 bytes apart.
 */
export function writeExternalModel(
  bytes: Uint8Array,
  folder: string,
  name: string,
  locate: (weight: string) => string = () => `${name}_data`,
): ExternalModel {
  const { model } = openBytes(bytes);
  const parts = new Map<string, Uint8Array[]>();
  const sizes = new Map<string, number>();
  const addInitializers: NewInitializer[] = [];
  for (const tensor of model.graph.initializers.values()) {
    if (tensor.elementType !== "float32") continue;
    const data = Float32Array.from(readFloats(model.wire, tensor));
    const location = locate(tensor.name);
    const offset = (sizes.get(location) ?? 0) + 16;
    const external: ExternalPlace = { location, offset, length: data.byteLength };
    const gap = new Uint8Array(16).fill(0xee);
    parts.set(location, [...(parts.get(location) ?? []), gap, new Uint8Array(data.buffer)]);
    sizes.set(location, offset + data.byteLength);
    addInitializers.push({ name: tensor.name, dims: tensor.dims, data, external });
  }
  const written = editedModelBytes(model, { addInitializers });
  const files = new Map([...parts].map(([location, pieces]) => [location, new Uint8Array(Buffer.concat(pieces))]));
  writeFileSync(path.join(folder, name), written);
  for (const [location, content] of files) {
    mkdirSync(path.dirname(path.join(folder, location)), { recursive: true });
    writeFileSync(path.join(folder, location), content);
  }
  return { path: path.join(folder, name), bytes: written, files };
}
