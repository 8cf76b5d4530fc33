import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { sha256OfFile } from "../sha256";
import { externalFile } from "./externalData";
import { externalTensors } from "./externalTensors";
import type { OpenModel } from "./reader";

/** The files that make up a model: its own, then its external data in the order of their names. */
export function modelFiles(model: OpenModel): readonly string[] {
  const locations = new Set(externalTensors(model).map(({ payload }) => payload.location));
  return [model.path, ...[...locations].sort().map((location) => externalFile(model.wire.source, location))];
}

/** What identifies a model: the SHA-256 of the bytes of its {@link modelFiles}, one after the other. */
export async function sha256OfModel(model: OpenModel): Promise<string> {
  const files = modelFiles(model);
  if (files.length === 1) return sha256OfFile(model.path);
  const hash = createHash("sha256");
  for (const file of files) {
    for await (const chunk of createReadStream(file)) if (Buffer.isBuffer(chunk)) hash.update(chunk);
  }
  return hash.digest("hex");
}
