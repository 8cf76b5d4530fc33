import { describe, expect, it } from "vitest";
import { AnalysisQueue } from "../../src/host/analysisQueue";

/** Work that lasts until it is told to end, or is aborted. */
function work(log: string[], name: string) {
  let end: (value: string) => void = () => undefined;
  const run = (signal: AbortSignal): Promise<string> => {
    log.push(`${name} begins`);
    return new Promise((resolve, reject) => {
      end = resolve;
      signal.addEventListener("abort", () => {
        log.push(`${name} aborted`);
        reject(new Error("aborted"));
      });
    });
  };
  const onWaiting = (ahead: number): void => void log.push(`${name} waits for ${ahead}`);
  return { run, onWaiting, end: () => end(name) };
}

function three() {
  const log: string[] = [];
  const queue = new AnalysisQueue();
  const works = ["a", "b", "c"].map((name) => work(log, name));
  const queued = works.map(({ run, onWaiting }) => queue.add(run, onWaiting));
  const settled = queued.map(({ result }) => result.then(String, (error: unknown) => String(error)));
  return { log, queue, works, queued, settled };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("the queue of analyses", () => {
  it("runs one at a time, in order, and tells the others how many come first", async () => {
    const { log, works, settled } = three();
    await turn();
    expect(log).toEqual(["b waits for 1", "c waits for 2", "a begins"]);
    works[0].end();
    expect(await settled[0]).toBe("a");
    await turn();
    expect(log.slice(3)).toEqual(["c waits for 1", "b begins"]);
    works[1].end();
    await settled[1];
    await turn();
    expect(log.slice(5)).toEqual(["c begins"]);
    works[2].end();
    expect(await settled[2]).toBe("c");
  });

  it("goes on after one that fails", async () => {
    const queue = new AnalysisQueue();
    const failing = queue.add(
      () => Promise.reject(new Error("broken")),
      () => undefined,
    );
    const next = queue.add(
      () => Promise.resolve("fine"),
      () => undefined,
    );
    await expect(failing.result).rejects.toThrow("broken");
    expect(failing.cancelled).toBe(false);
    expect(await next.result).toBe("fine");
  });

  it("takes out one that waits at once, without beginning it", async () => {
    const { log, works, queued, settled } = three();
    queued[1].cancel();
    expect(await settled[1]).toMatch(/abort/i);
    expect(queued.map(({ cancelled }) => cancelled)).toEqual([false, true, false]);
    expect(log).toContain("c waits for 1");
    works[0].end();
    await settled[0];
    await turn();
    expect(log).toContain("c begins");
    expect(log).not.toContain("b begins");
  });

  it("lets one that runs end by its signal, and then begins the next", async () => {
    const { log, queued, settled } = three();
    await turn();
    queued[0].cancel();
    expect(await settled[0]).toMatch(/aborted/);
    await turn();
    expect(log.slice(-3)).toEqual(["a aborted", "c waits for 1", "b begins"]);
  });

  it("never begins one that is cancelled before its turn has come", async () => {
    const { log, queued, settled } = three();
    queued[0].cancel();
    await settled[0];
    await turn();
    expect(log).not.toContain("a begins");
    expect(log).toContain("b begins");
  });

  it("is empty when it has been cleared", async () => {
    const { log, queue, settled } = three();
    await turn();
    await queue.clear();
    expect(await Promise.all(settled)).toEqual(Array(3).fill(expect.stringMatching(/abort/i)));
    expect(log.filter((line) => line.endsWith("begins"))).toEqual(["a begins"]);
    const later = queue.add(
      () => Promise.resolve(1),
      () => expect.unreachable("it waits for nothing"),
    );
    expect(await later.result).toBe(1);
  });
});
