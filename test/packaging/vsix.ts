import { spawnSync } from "node:child_process";
import { createWriteStream, existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { inject } from "vitest";
import { openPromise } from "yauzl";
import { z } from "zod";

export const root = path.resolve(import.meta.dirname, "..", "..");

/** The target of this machine. */
export const hostTarget = `${process.platform}-${process.arch}`;

/**
 * The path of the VSIX for a target, packaged from what this run built; at most once in a run.
 * @throws with packaging's own line where that fails.
 */
export function packagedVsix(target: string): string {
  const { version } = z
    .object({ version: z.string() })
    .parse(JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")));
  const file = path.join(root, "out", `ranklens-${target}-${version}.vsix`);
  if (!existsSync(file) || statSync(file).mtimeMs < inject("builtAt")) {
    const args = ["packaging/package.mjs", "--skip-build", "--target", target];
    const { status, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
    if (status !== 0) throw new Error(stderr.trim());
  }
  return file;
}

/** The paths of all files in an archive with their sizes when unpacked. */
export async function entriesOf(archive: string): Promise<ReadonlyMap<string, number>> {
  const zip = await openPromise(archive);
  const entries = new Map<string, number>();
  for await (const { fileName, uncompressedSize } of zip.eachEntry()) entries.set(fileName, uncompressedSize);
  return entries;
}

/** The text of one file of an archive. */
export async function textOf(archive: string, file: string): Promise<string> {
  const zip = await openPromise(archive, { autoClose: false });
  try {
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName === file) return await text(await zip.openReadStreamPromise(entry));
    }
    throw new Error(`${archive} holds no ${file}.`);
  } finally {
    zip.close();
  }
}

/** Unpacks an archive into an existing folder. */
export async function unpack(archive: string, folder: string): Promise<void> {
  const zip = await openPromise(archive, { autoClose: false });
  for await (const entry of zip.eachEntry()) {
    const file = path.join(folder, entry.fileName);
    mkdirSync(path.dirname(file), { recursive: true });
    await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(file));
  }
  zip.close();
}
