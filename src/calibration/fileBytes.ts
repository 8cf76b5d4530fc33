import { createHash } from "node:crypto";
import { readdirSync, type Dirent } from "node:fs";
import { basename } from "node:path";
import { unreadable, withInputFile } from "../inputFile";
import { sha256OfFile } from "../sha256";
import { DATA_ADVICE } from "./source";

/** Bytes that can be read at any position: a file, a part of one, or memory. */
export interface RandomBytes {
  readonly size: number;
  /** Fills `target` from `position` on; returns how many bytes there were, less only at the end. */
  readAt(target: Uint8Array, position: number): number;
}

/** A file's bytes from `start` on. Opened anew for every read: that takes microseconds, and leaves nothing to close. */
export function fileBytes(path: string, start = 0, size?: number): RandomBytes {
  const length = size ?? withInputFile(path, (file) => file.size, DATA_ADVICE) - start;
  return {
    size: length,
    readAt(target, position) {
      const part = target.subarray(0, Math.max(0, Math.min(target.length, length - position)));
      return withInputFile(path, (file) => file.readAt(part, start + position), DATA_ADVICE);
    },
  };
}

export function memoryBytes(bytes: Uint8Array): RandomBytes {
  return {
    size: bytes.length,
    readAt(target, position) {
      const part = bytes.subarray(position, position + target.length);
      target.set(part);
      return part.length;
    },
  };
}

/** What is in a folder, in no order. @throws ExpectedError if it cannot be read. */
export function listFolder(path: string): Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch (error) {
    throw unreadable(path, error, DATA_ADVICE);
  }
}

/** SHA-256 of a data file's bytes, in hexadecimal. @throws ExpectedError if it cannot be read. */
export async function hashFile(path: string): Promise<string> {
  try {
    return await sha256OfFile(path);
  } catch (error) {
    throw unreadable(path, error, DATA_ADVICE);
  }
}

/** SHA-256 of the lines `<hash>  <name>`, in the order given: what `sha256sum names… | sha256sum` prints. */
export function hashOfHashes(hashes: readonly { readonly hash: string; readonly name: string }[]): string {
  const lines = hashes.map(({ hash, name }) => `${hash}  ${name}\n`);
  return createHash("sha256").update(lines.join("")).digest("hex");
}

/** The hash of one file; of several the hash of their hashes and names. */
export async function hashFiles(paths: readonly string[]): Promise<string> {
  if (paths.length === 1) return hashFile(paths[0]);
  const hashes: { hash: string; name: string }[] = [];
  for (const path of paths) hashes.push({ hash: await hashFile(path), name: basename(path) });
  return hashOfHashes(hashes);
}
