import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { sha256OfFile } from "../sha256";
import { externalFile } from "./externalData";
import { externalTensors } from "./externalTensors";
import type { OpenModel } from "./reader";

/**
 * What identifies a model: the SHA-256 of its file or, where it has external data, that of the model file followed by
 * its data files in the order of their names.
 */
export async function sha256OfModel(model: OpenModel): Promise<string> {
  const locations = new Set(externalTensors(model).map(({ payload }) => payload.location));
  if (locations.size === 0) return sha256OfFile(model.path);
  const hash = createHash("sha256");
  const files = [...locations].sort().map((location) => externalFile(model.wire.source, location));
  for (const file of [model.path, ...files]) {
    for await (const chunk of createReadStream(file)) if (Buffer.isBuffer(chunk)) hash.update(chunk);
  }
  return hash.digest("hex");
}
