import { open, type FileHandle } from "node:fs/promises";
import { Writable } from "node:stream";
import { unwritable } from "../unwritable";

/**
 * The end of a pipeline that writes a file. It fails with an UnwritableError: with `createWriteStream` a full disk could not
 * be told from a source that fails.
 */
export function fileSink(file: string): Writable {
  let handle: FileHandle | null = null;
  const settle = (step: Promise<unknown> | undefined, done: (error?: Error | null) => void): void => {
    Promise.resolve(step).then(
      () => done(),
      (error: unknown) => done(unwritable(file, error)),
    );
  };
  return new Writable({
    construct: (done) =>
      settle(
        open(file, "w").then((opened) => (handle = opened)),
        done,
      ),
    write: (chunk: Uint8Array, _, done) => settle(handle?.appendFile(chunk), done),
    destroy: (error, done) => settle(handle?.close(), (failed) => done(error ?? failed)),
  });
}
