import { createReadStream } from "node:fs";
import { extname } from "node:path";
import { crc32 } from "node:zlib";
import { openPromise, type Entry, type ZipFile } from "yauzl";
import { ExpectedError } from "../errors";
import { withInputFile } from "../inputFile";
import { fileBytes, hashFile, memoryBytes, type RandomBytes } from "./fileBytes";
import { splitMember } from "./member";
import { openNpyBytes } from "./npy";
import { DATA_ADVICE, type ArraySource, type SourceKind } from "./source";
import { readUnpacked } from "./unpack";

/** Arrays in an archive: np.savez writes a handful. More entries are no data file. */
const MAX_ENTRIES = 10_000;
/** Names shown in a message. */
const MOST_NAMES = 8;
/** Zip's numbers of the two ways of storing that NumPy uses. */
const STORED = 0;
const DEFLATED = 8;

/** NumPy's archives of arrays (np.savez, np.savez_compressed). Stored arrays are read in place; others are unpacked. */
export const npz: SourceKind = {
  name: 'NumPy archive (.npz; "file.npz#name" chooses an array)',
  recognises: (path, isFolder) => !isFolder && extname(path).toLowerCase() === ".npz",
  files: (path) => [splitMember(path).file],
  open: openNpz,
};

/** The names of the arrays in an archive, in its order. @throws ExpectedError if it cannot be read. */
export async function arrayNames(file: string): Promise<string[]> {
  const zip = await openZip(file);
  try {
    return (await entriesOf(file, zip)).map(arrayName);
  } finally {
    zip.close();
  }
}

async function openNpz(path: string): Promise<ArraySource> {
  const { file, member } = splitMember(path);
  const zip = await openZip(file);
  try {
    const entry = choose(file, member, await entriesOf(file, zip));
    const name = `${file}#${arrayName(entry)}`;
    return {
      content: "array",
      kind: "NumPy archive",
      path,
      samples: openNpyBytes(name, await entryBytes(zip, file, name, entry)),
      labels: null,
      warnings: [],
      sha256: () => hashFile(file),
    };
  } finally {
    zip.close();
  }
}

async function openZip(file: string): Promise<ZipFile> {
  withInputFile(file, () => undefined, DATA_ADVICE);
  try {
    return await openPromise(file, { autoClose: false, strictFileNames: false });
  } catch (error) {
    throw damaged(file, error);
  }
}

/** The arrays of an archive: its entries with names in .npy. */
async function entriesOf(file: string, zip: ZipFile): Promise<Entry[]> {
  if (zip.entryCount > MAX_ENTRIES) {
    throw new ExpectedError(`${file} has ${zip.entryCount} entries, and at most ${MAX_ENTRIES} are supported`);
  }
  const entries: Entry[] = [];
  try {
    for await (const entry of zip.eachEntry()) if (entry.fileName.endsWith(".npy")) entries.push(entry);
  } catch (error) {
    throw damaged(file, error);
  }
  return entries;
}

function arrayName({ fileName }: Entry): string {
  return fileName.slice(0, -".npy".length);
}

function choose(file: string, member: string | null, entries: readonly Entry[]): Entry {
  const names = entries.map(arrayName);
  const shown = names.slice(0, MOST_NAMES).join(", ") + (names.length > MOST_NAMES ? ", …" : "");
  if (names.length === 0) throw new ExpectedError(`${file} holds no arrays; write it with np.savez`);
  if (member === null && names.length > 1) {
    throw new ExpectedError(`${file} holds ${names.length} arrays (${shown}); choose one: "${file}#${names[0]}"`);
  }
  const wanted = member ?? names[0];
  const found = entries.filter((entry) => arrayName(entry) === wanted);
  if (found.length === 0) throw new ExpectedError(`${file} holds no array "${wanted}"; it has ${shown}`);
  if (found.length > 1) {
    throw new ExpectedError(`${file} holds ${found.length} arrays with the name "${wanted}"; write it again`);
  }
  return found[0];
}

/** Stored entries are read where they are in the file, deflated ones unpacked into memory; both as the archive vouches for. */
async function entryBytes(zip: ZipFile, file: string, name: string, entry: Entry): Promise<RandomBytes> {
  const { compressionMethod, compressedSize, uncompressedSize } = entry;
  if (entry.isEncrypted()) throw new ExpectedError(`${name} is encrypted; save the array without a password`);
  if (compressionMethod !== STORED && compressionMethod !== DEFLATED) {
    throw new ExpectedError(
      `${name} is compressed by method ${compressionMethod}; stored and deflated arrays are supported, as np.savez writes`,
    );
  }
  try {
    if (compressionMethod === STORED) {
      const { fileDataStart } = await zip.readLocalFileHeaderPromise(entry, { minimal: true });
      const { size } = fileBytes(file);
      const end = fileDataStart + uncompressedSize;
      if (end > size) throw new Error("it is cut off");
      let sum = 0;
      if (uncompressedSize > 0) {
        const stream: AsyncIterable<Uint8Array> = createReadStream(file, { start: fileDataStart, end: end - 1 });
        for await (const chunk of stream) sum = crc32(chunk, sum);
      }
      checkSum(name, sum, entry);
      return fileBytes(file, fileDataStart, uncompressedSize);
    }
    const stream = await zip.openReadStreamPromise(entry);
    const bytes = await readUnpacked(stream, name, uncompressedSize, compressedSize);
    checkSum(name, crc32(bytes), entry);
    return memoryBytes(bytes);
  } catch (error) {
    throw error instanceof ExpectedError ? error : damaged(name, error);
  }
}

/** A zip archive keeps the CRC-32 of every entry; yauzl leaves it to its callers to compare. */
function checkSum(name: string, found: number, { crc32: expected }: Entry): void {
  if (found === expected) return;
  const [stored, computed] = [expected, found].map((sum) => sum.toString(16).padStart(8, "0"));
  throw new ExpectedError(
    `${name} is damaged: its checksum is ${computed}, and the archive says ${stored}; write or copy it again`,
  );
}

function damaged(what: string, error: unknown): ExpectedError {
  const reason = error instanceof Error ? error.message : String(error);
  return new ExpectedError(`${what} is not a readable NumPy archive: ${reason}; write or copy it again`, {
    cause: error,
  });
}
