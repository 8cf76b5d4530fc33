import type { Device } from "./executionProviders";
import type { TensorValue } from "./session";

/** What a process is to run on a device that may not work, or take the process down. */
export interface TrialRequest {
  /** The model's file. */
  readonly model: string;
  readonly device: Device;
  readonly feeds: readonly (readonly [name: string, value: TensorValue])[];
  /** An empty folder, which the caller removes: the process may not live to do so. */
  readonly folder: string;
  /** Runs that are timed; 0 for none. */
  readonly timedRuns: number;
}

/** What came of it: onnxruntime's message where it failed. */
export type TrialReply =
  | {
      readonly kind: "ran";
      readonly outputs: readonly (readonly [name: string, value: TensorValue])[];
      /** Seconds of each timed run. */
      readonly seconds: readonly number[];
      /** Operators that ran on the processor, with the number of their nodes. */
      readonly onProcessor: readonly (readonly [operator: string, nodes: number])[];
    }
  | { readonly kind: "failed"; readonly message: string };
