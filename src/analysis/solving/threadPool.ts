import { Worker } from "node:worker_threads";

interface Job<In, Out> {
  readonly input: In;
  readonly resolve: (result: Out) => void;
  readonly reject: (error: unknown) => void;
}

/** Threads of one entry, each of which answers every message with one; they are started as they are needed. */
export class ThreadPool<In, Out> {
  private readonly idle: Worker[] = [];
  private readonly busy = new Map<Worker, Job<In, Out>>();
  private readonly queue: Job<In, Out>[] = [];
  private closed = false;

  constructor(
    private readonly file: string,
    private readonly most: number,
    private readonly workerData: unknown,
  ) {}

  /** How many more jobs would begin at once. */
  get free(): number {
    return this.most - this.busy.size - this.queue.length;
  }

  /** @throws what the thread threw, or an error where the pool is closed before the job is done. */
  run(input: In): Promise<Out> {
    return new Promise((resolve, reject) => {
      this.queue.push({ input, resolve, reject });
      this.begin();
    });
  }

  /** Ends the threads, whatever they are at. */
  async close(): Promise<void> {
    this.closed = true;
    const jobs = [...this.busy.values(), ...this.queue.splice(0)];
    const workers = [...this.busy.keys(), ...this.idle.splice(0)];
    this.busy.clear();
    for (const { reject } of jobs) reject(new Error("the threads were ended"));
    await Promise.all(workers.map((worker) => worker.terminate()));
  }

  private begin(): void {
    while (!this.closed && this.queue.length > 0 && this.busy.size < this.most) {
      const worker = this.idle.pop() ?? this.start();
      const job = this.queue.shift()!;
      this.busy.set(worker, job);
      worker.postMessage(job.input);
    }
  }

  private start(): Worker {
    const worker = new Worker(this.file, { workerData: this.workerData });
    worker.on("message", (result: Out) => {
      this.take(worker)?.resolve(result);
      if (!this.closed) this.idle.push(worker);
      this.begin();
    });
    // A thread that throws has ended, and so has one whose memory ran out.
    const fail = (error: unknown): void => {
      this.take(worker)?.reject(error);
      this.begin();
    };
    worker.on("error", fail);
    worker.on("messageerror", fail);
    worker.on("exit", (status) => fail(new Error(`a thread ended with status ${status}`)));
    return worker;
  }

  private take(worker: Worker): Job<In, Out> | undefined {
    const job = this.busy.get(worker);
    this.busy.delete(worker);
    return job;
  }
}
