import type { DeviceHere } from "../analysis/devicesHere";
import type { AnalysisEvent } from "../analysis/progress";
import type { AnalyzeOptions } from "../analyze";
import type { CompressOptions } from "../compress";
import { ExpectedError, isExpected } from "../errors";
import type { Proposal } from "../propose/proposal";
import type { ModelReport } from "../report";

/** What the worker can do, by method. One entry here does not compile without its handler in `main.ts`. */
export interface WorkerMethods {
  analyze: [params: AnalyzeParams, result: ModelReport];
  compress: [params: CompressParams, result: ModelReport];
  propose: [params: ProposeParams, result: Proposal];
  tryProposal: [params: TryProposalParams, result: Proposal];
  devices: [params: null, result: DeviceHere[]];
}

export type Method = keyof WorkerMethods;
export type Params<M extends Method> = WorkerMethods[M][0];
export type Result<M extends Method> = WorkerMethods[M][1];

/** Options that are plain data: progress comes as messages, and the worker is cancelled by ending it. */
type PlainOptions<T> = Omit<T, "signal" | "onEvent">;

/** Relative paths are those of the calling process: the worker has its working directory. */
export interface AnalyzeParams {
  readonly model: string;
  readonly options: PlainOptions<AnalyzeOptions>;
}

export interface CompressParams {
  readonly model: string;
  readonly options: PlainOptions<CompressOptions>;
}

export interface ProposeParams {
  readonly model: string;
  readonly data: readonly string[];
}

export interface TryProposalParams {
  readonly model: string;
  readonly proposal: Proposal;
}

/** The one message to a worker: every process serves one call. */
export interface Request<M extends Method = Method> {
  readonly method: M;
  readonly params: Params<M>;
}

/** What comes back: any number of events, then one result or error. */
export type Reply<M extends Method = Method> =
  | { readonly kind: "event"; readonly event: AnalysisEvent; readonly peakBytes: number }
  | { readonly kind: "result"; readonly result: Result<M> }
  | { readonly kind: "error"; readonly error: WireError };

/** An error as plain data. Serialized as an object of its class it would lose the flag of an {@link ExpectedError}. */
export interface WireError {
  readonly expected: boolean;
  readonly name: string;
  readonly message: string;
  readonly stack: string | null;
}

export function toWire(error: unknown): WireError {
  const expected = isExpected(error);
  if (error instanceof Error) {
    return { expected, name: error.name, message: error.message, stack: error.stack ?? null };
  }
  return { expected, name: "Error", message: expected ? error.message : String(error), stack: null };
}

/** The error in this process; one that is not expected keeps the stack of where it was thrown. */
export function fromWire({ expected, name, message, stack }: WireError): Error {
  if (expected) return new ExpectedError(message);
  const error = new Error(message);
  error.name = name;
  if (stack !== null) error.stack = stack;
  return error;
}

/** The files that a call writes. A process that is killed cannot take away what it has half written for them. */
export const filesWritten: { readonly [M in Method]: (params: Params<M>) => readonly string[] } = {
  analyze: () => [],
  propose: () => [],
  tryProposal: () => [],
  devices: () => [],
  compress: ({ options }) => [options.output],
};
