import { createReadStream } from "node:fs";
import { pipeline, type Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { ExpectedError } from "../errors";
import { withInputFile } from "../inputFile";
import { DATA_ADVICE } from "./source";

/** Unpacked data is kept in memory: 4 GiB is the longest array that every supported Node.js can hold. */
export const MOST_UNPACKED_BYTES = 2 ** 32;

/** Deflate cannot shrink further than 1032:1; a file that claims more is damaged, or made to exhaust memory. */
const MOST_DEFLATE_RATIO = 1032;
/** Room for headers in that comparison, for files of a few bytes. */
const HEADER_BYTES = 1024;

/**
 * Reads a stream of `size` bytes into memory. Memory is taken as bytes arrive, never by what a header claims alone.
 * @param what what messages call the stream: path and entry.
 * @param packed bytes that it is unpacked from.
 * @throws ExpectedError if `size` is beyond what can be kept or what deflate can do, or the stream has another length.
 */
export async function readUnpacked(stream: Readable, what: string, size: number, packed: number): Promise<Uint8Array> {
  if (size > MOST_UNPACKED_BYTES) {
    stream.destroy();
    throw new ExpectedError(
      `${what} is ${size} bytes unpacked, and at most ${MOST_UNPACKED_BYTES} are unpacked into memory; ` +
        `save it uncompressed (np.save)`,
    );
  }
  if (size > packed * MOST_DEFLATE_RATIO + HEADER_BYTES) {
    stream.destroy();
    throw new ExpectedError(
      `${what} claims to unpack from ${packed} to ${size} bytes, which is impossible; write it again`,
    );
  }
  const bytes = new Uint8Array(size);
  let length = 0;
  for await (const chunk of chunksOf(stream, what)) {
    if (length + chunk.length > size) throw wrongLength(what, size, "more");
    bytes.set(chunk, length);
    length += chunk.length;
  }
  if (length < size) throw wrongLength(what, size, `${length}`);
  return bytes;
}

/** A .gz file in memory. Its header does not tell the unpacked size reliably, so that it is limited as it is read. */
export async function gunzipFile(path: string): Promise<Uint8Array> {
  // A missing file is to be said in the same words as everywhere.
  withInputFile(path, () => undefined, DATA_ADVICE);
  // Its errors come out of the stream's end, where they are read.
  const unpacked = pipeline(createReadStream(path), createGunzip(), () => undefined);
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunksOf(unpacked, path)) {
    length += chunk.length;
    if (length > MOST_UNPACKED_BYTES) {
      throw new ExpectedError(
        `${path} is more than ${MOST_UNPACKED_BYTES} bytes unpacked, which is the most that is unpacked into memory; ` +
          `unpack it with gunzip`,
      );
    }
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

async function* chunksOf(stream: Readable, what: string): AsyncGenerator<Uint8Array> {
  const parts: AsyncIterable<unknown> = stream;
  try {
    for await (const part of parts) if (part instanceof Uint8Array) yield part;
  } catch (error) {
    if (error instanceof ExpectedError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new ExpectedError(`${what} cannot be unpacked: ${reason}; write or copy it again`, { cause: error });
  }
}

function wrongLength(what: string, size: number, found: string): ExpectedError {
  return new ExpectedError(`${what} should unpack to ${size} bytes, and has ${found}; write or copy it again`);
}
