import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import * as z from "zod";
import { createSession, type Session, type TensorValues } from "./session";
import type { TrialReply, TrialRequest } from "./trialProtocol";

/** Runs a model on a device, first to see what it gives and where its nodes run, then for the time it takes. */
export async function trialRun({ model, device, feeds, folder, timedRuns }: TrialRequest): Promise<TrialReply> {
  const values = new Map(feeds);
  try {
    const session = await createSession(model, model, null, device, path.join(folder, "profile"));
    const outputs = await using(session, () => session.run(values));
    const onProcessor = device === "cpu" ? [] : operatorsOnProcessor(folder);
    const timed = await createSession(model, model, null, device);
    const seconds = await using(timed, () => secondsOfRuns(timed, values, timedRuns));
    return { kind: "ran", outputs: [...outputs], seconds, onProcessor };
  } catch (error) {
    return { kind: "failed", message: error instanceof Error ? error.message : String(error) };
  }
}

/** Seconds of each of `runs` runs, after one that warms up. */
export async function secondsOfRuns(session: Session, feeds: TensorValues, runs: number): Promise<number[]> {
  if (runs === 0) return [];
  await session.run(feeds);
  const seconds: number[] = [];
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    await session.run(feeds);
    seconds.push((performance.now() - start) / 1000);
  }
  return seconds;
}

async function using<T>(session: Session, use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } finally {
    await session.release();
  }
}

/** A trace of onnxruntime's profiler, as far as it tells where nodes ran. */
const traceSchema = z.array(
  z.object({
    cat: z.string().optional(),
    name: z.string().optional(),
    args: z.object({ op_name: z.string().optional(), provider: z.string().optional() }).optional(),
  }),
);

function operatorsOnProcessor(folder: string): [operator: string, nodes: number][] {
  const nodes = new Map<string, Set<string>>();
  for (const file of readdirSync(folder)) {
    const trace = traceSchema.parse(JSON.parse(readFileSync(path.join(folder, file), "utf8")));
    for (const { cat, name, args } of trace) {
      if (cat !== "Node" || args?.op_name === undefined || args.provider !== "CPUExecutionProvider") continue;
      const seen = nodes.get(args.op_name) ?? new Set();
      nodes.set(args.op_name, seen.add(name ?? ""));
    }
  }
  return [...nodes].map(([operator, { size }]) => [operator, size]);
}
