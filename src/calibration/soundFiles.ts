import { extname, join } from "node:path";
import { filesWithin, holdsAny, listFiles, type FileSort } from "./classFolders";
import { hashFile, hashOfHashes } from "./fileBytes";
import { IMAGES } from "./imageFolder";
import type { ClassFolders, SoundSource, SourceKind } from "./source";
import { openWav } from "./wav";

export const RECORDINGS: FileSort = {
  noun: "recording",
  extensions: [".wav", ".wave"],
  others: [".mp3", ".flac", ".ogg", ".opus", ".m4a", ".aac", ".aiff", ".aif"],
};

/** A recording. */
export const soundFile: SourceKind = {
  name: "recording (.wav)",
  recognises: (path, isFolder) => !isFolder && RECORDINGS.extensions.includes(extname(path).toLowerCase()),
  files: (path) => [path],
  open: (path) =>
    Promise.resolve<SoundSource>({
      ...{ content: "sound", kind: "recording", path, labels: null, warnings: [] },
      recordings: [openWav(path)],
      sha256: () => hashFile(path),
    }),
};

/** A folder of recordings, or of class folders with recordings. */
export const soundFolder: SourceKind = {
  name: "folder of recordings, with or without class folders (.wav)",
  recognises: (path, isFolder) => isFolder && holdsAny(path, RECORDINGS) && !holdsAny(path, IMAGES),
  files: (path) => filesWithin(path, RECORDINGS),
  open: (path, classes) => Promise.resolve(openFolder(path, classes)),
};

function openFolder(path: string, classes: ClassFolders | null): SoundSource {
  const { files, labels, warnings } = listFiles(path, classes, RECORDINGS);
  return {
    content: "sound",
    kind: labels === null ? "folder of recordings" : "folder of recordings with class folders",
    path,
    labels,
    warnings,
    recordings: files.map((name) => openWav(join(path, name))),
    async sha256() {
      const hashes: { name: string; hash: string }[] = [];
      for (const name of files) hashes.push({ name, hash: await hashFile(join(path, name)) });
      return hashOfHashes(hashes);
    },
  };
}
