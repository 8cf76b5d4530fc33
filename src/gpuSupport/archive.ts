import { Transform } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { crc32 } from "node:zlib";
import { openPromise, type Entry, type ZipFile } from "yauzl";
import { ExpectedError } from "../errors";
import { fileSink } from "./fileSink";

/** Entries of a NuGet package: a few dozen. */
const MAX_ENTRIES = 10_000;
/** Bytes of a package's description of itself: a few thousand. */
const MAX_DESCRIPTION = 1 << 20;

/** A NuGet package that is open: a zip archive with a description of itself at its top. */
export interface Archive {
  /** The package's name and version, by that description. */
  readonly name: string;
  readonly version: string;
  /** Unpacks an entry, checked by its checksum. @throws ExpectedError where there is none, or it is damaged. */
  extract(entry: string, file: string, signal: AbortSignal | undefined): Promise<void>;
  close(): void;
}

/** @param what how messages call it. @throws ExpectedError if it is no NuGet package. */
export async function openArchive(file: string, what: string): Promise<Archive> {
  let zip: ZipFile | null = null;
  try {
    zip = await openPromise(file, { autoClose: false });
    const entries = await entriesOf(zip);
    const description = [...entries.values()].find(({ fileName }) => /^[^/]+\.nuspec$/.test(fileName));
    if (!description || description.uncompressedSize > MAX_DESCRIPTION) throw new Error("it describes no package");
    const text = (await buffer(await zip.openReadStreamPromise(description))).toString("utf8");
    const element = (name: string): string => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1].trim() ?? "";
    const opened = zip;
    return {
      name: element("id"),
      version: element("version"),
      extract: async (name, target, signal) => {
        const entry = entries.get(name);
        if (!entry) throw new ExpectedError(`${what} has no ${name}`);
        await extract(opened, entry, target, what, signal);
      },
      close: () => opened.close(),
    };
  } catch (error) {
    zip?.close();
    throw unreadable(what, error);
  }
}

async function entriesOf(zip: ZipFile): Promise<Map<string, Entry>> {
  if (zip.entryCount > MAX_ENTRIES) throw new Error(`it has ${zip.entryCount} entries`);
  const entries = new Map<string, Entry>();
  for await (const entry of zip.eachEntry()) entries.set(entry.fileName, entry);
  return entries;
}

async function extract(
  zip: ZipFile,
  entry: Entry,
  file: string,
  what: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  let sum = 0;
  const watch = new Transform({
    transform(chunk: Uint8Array, _, done) {
      sum = crc32(chunk, sum);
      done(null, chunk);
    },
  });
  try {
    const stream = await zip.openReadStreamPromise(entry);
    await pipeline(stream, watch, fileSink(file), { ...(signal ? { signal } : {}) });
    // yauzl leaves it to its callers to compare.
    if (sum !== entry.crc32) throw new Error(`the checksum of ${entry.fileName} is another`);
  } catch (error) {
    signal?.throwIfAborted();
    throw unreadable(what, error);
  }
}

function unreadable(what: string, error: unknown): ExpectedError {
  if (error instanceof ExpectedError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new ExpectedError(`${what} is not a readable NuGet package: ${reason}`, { cause: error });
}
