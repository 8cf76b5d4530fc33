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
