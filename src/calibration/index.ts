import { statSync } from "node:fs";
import { ExpectedError } from "../errors";
import { unreadable } from "../inputFile";
import { npy } from "./npy";
import { DATA_ADVICE, type SampleArray, type SourceKind } from "./source";

/** Every kind of source that samples and labels can come from. The first that recognises a path opens it. */
export const sourceKinds: readonly SourceKind[] = [npy];

/**
 * Opens a file with samples or labels; reads its header only.
 * @throws ExpectedError if it is missing, unreadable, of no known kind, or not what its name says.
 */
export function openSource(path: string): SampleArray {
  const isFolder = checkPath(path);
  const kind = sourceKinds.find((candidate) => candidate.recognises(path));
  if (kind !== undefined) return kind.open(path);
  const supported = sourceKinds.map(({ name }) => name).join(", ");
  throw new ExpectedError(
    isFolder
      ? `${path} is a folder, and must be one of: ${supported}`
      : `${path} is of no supported kind; supported are: ${supported}`,
  );
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
