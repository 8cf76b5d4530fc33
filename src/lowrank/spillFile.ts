import { accessSync, closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import os from "node:os";
import path from "node:path";

/** Where many Linux systems keep large temporary files: their /tmp is often memory, which is what is short here. */
const DISK_BACKED = "/var/tmp";

/**
 * A temporary file that is appended to and read. It has no name while it is open (where the system allows that), so that
 * nothing is left of it however the process ends.
 */
export class SpillFile {
  private readonly descriptor: number;
  private readonly remove: () => void;
  private end = 0;

  constructor() {
    const folder = mkdtempSync(path.join(SpillFile.folder(), "ranklens-activations-"));
    this.descriptor = openSync(path.join(folder, "values"), "wx+", 0o600);
    this.remove = () => rmSync(folder, { recursive: true, force: true });
    // Windows cannot remove an open file; there it goes when it is closed.
    if (process.platform !== "win32") this.remove();
  }

  /** The folder of these files: TMPDIR where it is set. */
  static folder(): string {
    if (process.env.TMPDIR || process.platform !== "linux") return os.tmpdir();
    try {
      accessSync(DISK_BACKED, constants.W_OK);
      return DISK_BACKED;
    } catch {
      return os.tmpdir();
    }
  }

  /** Returns the position of `bytes` in the file. */
  append(bytes: Uint8Array): number {
    const offset = this.end;
    let done = 0;
    while (done < bytes.length) {
      done += writeSync(this.descriptor, bytes, done, bytes.length - done, offset + done);
    }
    this.end += bytes.length;
    return offset;
  }

  /** Fills `bytes` from position `offset` on. */
  read(bytes: Uint8Array, offset: number): void {
    let done = 0;
    while (done < bytes.length) {
      const count = readSync(this.descriptor, bytes, done, bytes.length - done, offset + done);
      if (count === 0) throw new Error("the temporary file of activations was cut off");
      done += count;
    }
  }

  close(): void {
    closeSync(this.descriptor);
    if (process.platform === "win32") this.remove();
  }
}
