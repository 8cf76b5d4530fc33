import { createHash } from "node:crypto";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import { ExpectedError } from "../errors";
import { fileSink } from "./fileSink";

export interface DownloadOptions {
  readonly signal?: AbortSignal | undefined;
  /** Bytes so far, and of the whole where the server says it. */
  readonly onProgress?: ((bytes: number, total: number | null) => void) | undefined;
}

/**
 * Downloads a file. With the system's or the editor's `fetch`, which in VS Code goes through its proxy.
 * @returns the SHA-512 of what was written, in base64, as NuGet writes it.
 * @throws ExpectedError with the address and the reason; the signal's reason where it is aborted.
 */
export async function download(
  url: string,
  file: string,
  { signal, onProgress }: DownloadOptions = {},
): Promise<{ bytes: number; sha512: string }> {
  const hash = createHash("sha512");
  let bytes = 0;
  await reachable(url, signal, async (response) => {
    const length = Number(response.headers.get("content-length") ?? NaN);
    const total = Number.isSafeInteger(length) ? length : null;
    const watch = new Transform({
      transform(chunk: Uint8Array, _, done) {
        hash.update(chunk);
        bytes += chunk.length;
        onProgress?.(bytes, total);
        done(null, chunk);
      },
    });
    if (response.body === null) throw new Error("the answer is empty");
    // The types of the DOM and of Node describe the same class.
    const body = Readable.fromWeb(response.body as ReadableStream<Uint8Array>);
    await pipeline(body, watch, fileSink(file), { ...(signal ? { signal } : {}) });
  });
  return { bytes, sha512: hash.digest("base64") };
}

/** Downloads JSON, to be parsed. Throws as {@link download}. */
export async function downloadJson(url: string, { signal }: DownloadOptions = {}): Promise<unknown> {
  return reachable(url, signal, async (response) => (await response.json()) as unknown);
}

async function reachable<T>(
  url: string,
  signal: AbortSignal | undefined,
  use: (response: Response) => Promise<T>,
): Promise<T> {
  try {
    const response = await fetch(url, { signal: signal ?? null });
    if (!response.ok) throw new Error(`HTTP status ${response.status}`);
    return await use(response);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof ExpectedError) throw error;
    throw new ExpectedError(`${url} could not be downloaded: ${reasonOf(error)}`, { cause: error });
  }
}

/** `fetch` says only that it failed; why is in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : "";
  return cause.message === "" ? code || error.message : cause.message;
}
