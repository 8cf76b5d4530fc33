import { statSync } from "node:fs";
import { ExpectedError } from "../errors";
import { unreadable } from "../inputFile";
import { cifar } from "./cifar";
import { csv } from "./csv";
import { idx } from "./idx";
import { imageFolder } from "./imageFolder";
import { splitMember } from "./member";
import { npy } from "./npy";
import { npz } from "./npz";
import { soundFile, soundFolder } from "./soundFiles";
import { jsonLines, textLines } from "./textFile";
import { tokenIds } from "./tokenIds";
import { DATA_ADVICE, type ClassFolders, type SampleSource, type SourceKind } from "./source";

/** Every kind of source that samples and labels can come from. The first that recognises a path opens it. */
export const sourceKinds: readonly SourceKind[] = [
  ...[npy, npz, idx, cifar, csv, textLines, jsonLines, tokenIds, soundFile],
  // Of folders the first that finds its files.
  ...[soundFolder, imageFolder],
];

/**
 * Opens a file or folder with samples or labels; reads headers and names only.
 * @param classes the config's class folders, for images and recordings.
 * @throws ExpectedError if it is missing, unreadable, of no known kind, or not what its name says.
 */
export async function openSource(path: string, classes: ClassFolders | null = null): Promise<SampleSource> {
  const source = await kindOf(path).open(path, classes);
  const hasFolders = (source.content === "images" || source.content === "sound") && source.labels !== null;
  if (classes !== null && !hasFolders) {
    throw new ExpectedError(
      `"classes" is for a folder of images or recordings with one folder per class, and ${path} is none`,
    );
  }
  return source;
}

/** The files that samples or labels are read from; none of them is opened. @throws ExpectedError as {@link openSource}. */
export function sourceFiles(path: string): readonly string[] {
  return kindOf(path).files(path);
}

function kindOf(path: string): SourceKind {
  const { file } = splitMember(path);
  const isFolder = checkPath(file);
  const kind = sourceKinds.find((candidate) => candidate.recognises(file, isFolder));
  if (kind !== undefined) return kind;
  const supported = sourceKinds.map(({ name }) => name).join(", ");
  throw new ExpectedError(`${path} is of no supported kind; supported are: ${supported}`);
}

/** Whether the path is a folder. Anything but files and folders is refused: opening a pipe could wait forever. */
function checkPath(path: string): boolean {
  let stat: ReturnType<typeof statSync>;
  try {
    stat = statSync(path);
  } catch (error) {
    throw unreadable(path, error, DATA_ADVICE);
  }
  if (!stat.isFile() && !stat.isDirectory()) throw new ExpectedError(`${path} is neither a file nor a folder`);
  return stat.isDirectory();
}
