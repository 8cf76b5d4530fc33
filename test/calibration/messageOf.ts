import { isExpected } from "../../src/errors";

/** The message of the ExpectedError that `run` throws. Any other error, or none, fails the test. */
export function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (isExpected(error)) return error.message;
    throw error;
  }
  throw new Error("nothing was thrown");
}

/** The message of the ExpectedError that `promise` rejects with. Anything else fails the test. */
export async function rejection(promise: Promise<unknown>): Promise<string> {
  const failed: { error: unknown } | null = await promise.then(
    () => null,
    (error: unknown) => ({ error }),
  );
  return messageOf(() => {
    if (failed) throw failed.error;
  });
}
