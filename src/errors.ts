/**
 * A failure that the user can act on: the message names the thing, the offending value, the limit and what to do.
 * It is printed as it is, without a stack trace. The flag survives process boundaries, where `instanceof` does not.
 */
export class ExpectedError extends Error {
  readonly expected = true;

  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "ExpectedError";
  }
}

/** Whether `error` is (or was, in another process) an {@link ExpectedError}. */
export function isExpected(error: unknown): error is { expected: true; message: string } {
  return typeof error === "object" && error !== null && "expected" in error && error.expected === true;
}

/** The code of an error of the operating system ("ENOENT"); undefined for any other. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
