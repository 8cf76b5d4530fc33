// A Python script that answers one line of JSON for each line of JSON: the other side of a comparison.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";

export interface PythonWorker {
  readonly python: string;
  /** What the script says, unasked, at first. */
  readonly greeting: Readonly<Record<string, unknown>>;
  ask(request: object): Promise<Readonly<Record<string, unknown>>>;
  stop(): void;
}

/**
 * Starts `script` with the first Python that has `module`; the environment variable PYTHON chooses another. Undefined
 * where there is none.
 */
export async function startPython(
  script: string,
  module: string,
  args: readonly string[] = [],
): Promise<PythonWorker | undefined> {
  const chosen = process.env["PYTHON"];
  const candidates = chosen === undefined ? ["/usr/bin/python3", "python3"] : [chosen];
  const python = candidates.find((candidate) => spawnSync(candidate, ["-c", `import ${module}`]).status === 0);
  if (python === undefined) return undefined;
  const child: ChildProcess = spawn(python, [script, ...args], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const read = async (): Promise<Record<string, unknown>> => {
    const line: IteratorResult<string, undefined> = await lines.next();
    if (line.done) throw new Error(`${python} ${script} ended early; its message is above.`);
    return JSON.parse(line.value) as Record<string, unknown>;
  };
  return {
    python,
    greeting: await read(),
    ask(request) {
      child.stdin!.write(`${JSON.stringify(request)}\n`);
      return read();
    },
    stop: () => child.stdin!.end(),
  };
}
