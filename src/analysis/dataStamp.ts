import { sourceFiles } from "../calibration";
import { splitMember } from "../calibration/member";
import type { DataConfig, ResolvedConfig } from "../config";
import { stampOfFiles } from "../fileStamp";

/** So many files are looked at once only: it takes a while, and images are decoded before anything is kept. */
const MOST_FILES = 100;

/** Whether the data is still what it was at this call; to be called before the data is opened. */
export function watchData({ calibration, validation }: ResolvedConfig): () => boolean {
  const files = [...filesOf(calibration), ...filesOf(validation)];
  const before = stampOfFiles(files);
  let once: boolean | undefined;
  return () => {
    if (files.length <= MOST_FILES) return stampOfFiles(files) === before;
    return (once ??= stampOfFiles(files) === before);
  };
}

function filesOf(data: DataConfig | undefined): string[] {
  if (!data) return [];
  const sources = typeof data.source === "string" ? [data.source] : Object.values(data.source);
  const paths = [...sources, ...(data.labels === undefined ? [] : [data.labels])];
  return paths.flatMap((path) => sourceFiles(path)).map((path) => splitMember(path).file);
}
