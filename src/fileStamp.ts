import { statSync } from "node:fs";

/** Sizes, times and identities of files: the same as long as nobody writes to them. */
export function stampOfFiles(files: readonly string[]): string {
  const stamps = files.map((file) => {
    const found = statSync(file, { bigint: true, throwIfNoEntry: false });
    return found ? `${found.size} ${found.mtimeNs} ${found.ino}` : "";
  });
  return stamps.join("; ");
}
