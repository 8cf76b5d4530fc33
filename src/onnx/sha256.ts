import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stampOfFiles } from "../fileStamp";
import { sha256OfFile } from "../sha256";
import { externalFile } from "./externalData";
import { externalTensors } from "./externalTensors";
import type { OpenModel } from "./reader";

/** Size, time and identity of a model's files: another one if they are written to, or others take their place. */
export function stampOfModel(model: OpenModel): string {
  return stampOfFiles(filesOfModel(model));
}

/** The model's file, and those with its external data in the order of their names. */
function filesOfModel(model: OpenModel): string[] {
  const locations = new Set(externalTensors(model).map(({ payload }) => payload.location));
  return [model.path, ...[...locations].sort().map((location) => externalFile(model.wire.source, location))];
}

/**
 * What identifies a model: the SHA-256 of its file or, where it has external data, that of the model file followed by
 * its data files in the order of their names.
 */
export async function sha256OfModel(model: OpenModel): Promise<string> {
  const files = filesOfModel(model);
  if (files.length === 1) return sha256OfFile(model.path);
  const hash = createHash("sha256");
  for (const file of files) {
    for await (const chunk of createReadStream(file)) if (Buffer.isBuffer(chunk)) hash.update(chunk);
  }
  return hash.digest("hex");
}
