import type { LayerReport } from "../report";

/** The last two are those of a compression: the written file beside the original, and the time that each takes. */
export type Stage = "original" | "calibration" | "search" | "verification" | "written" | "latency";

/** What an analysis or a compression tells while it runs. */
export type AnalysisEvent =
  | {
      /** Image files become pixels, before all else. */
      readonly kind: "images";
      readonly data: "calibration" | "validation";
      readonly done: number;
      readonly total: number;
    }
  | {
      readonly kind: "progress";
      readonly stage: Stage;
      /** The layer at work, where there is one. */
      readonly layer: string | null;
      /** Share of the work that is done, 0…1: of the analysis, and then of checking the file that compress writes. */
      readonly fraction: number;
      /** Null until there is something to go by. */
      readonly secondsLeft: number | null;
    }
  | { readonly kind: "layer"; readonly layer: LayerReport };

/** Below this share of the work, an estimate of the time left is a guess. */
const FIRST_ESTIMATE = 0.02;

/** Milliseconds between two events about images: there may be a million of them. */
const IMAGE_EVENTS = 100;

/** Tells how many images are decoded: at first, now and then, and at last. */
export function imageProgress(
  data: "calibration" | "validation",
  emit: (event: AnalysisEvent) => void,
): (done: number, total: number) => void {
  let last = -Infinity;
  return (done, total) => {
    const now = performance.now();
    if (done < total && now - last < IMAGE_EVENTS) return;
    last = now;
    emit({ kind: "images", data, done, total });
  };
}

/** Counts work against a plan (in forward equivalents) and tells the time left. */
export class ProgressMeter {
  private done = 0;
  /** The largest share told: corrections of the plan hold it back, but never turn it back. */
  private fraction = 0;
  private readonly started = performance.now();
  private stage: Stage = "original";
  private layer: string | null = null;

  /** @param planned work that is expected, in the unit of {@link work}. */
  constructor(
    private planned: number,
    private readonly emit: (event: AnalysisEvent) => void,
  ) {}

  enter(stage: Stage, layer: string | null = null): void {
    this.stage = stage;
    this.layer = layer;
    this.tell();
  }

  work(amount: number): void {
    this.done += amount;
    this.tell();
  }

  /** Corrects the plan by what a part of it took in truth. */
  settle(plannedPart: number, doneBefore: number): void {
    this.planned += this.done - doneBefore - plannedPart;
  }

  /** Work done so far. */
  get total(): number {
    return this.done;
  }

  private tell(): void {
    if (this.planned > 0) this.fraction = Math.max(this.fraction, Math.min(this.done / this.planned, 1));
    const { fraction } = this;
    const elapsed = (performance.now() - this.started) / 1000;
    const secondsLeft = fraction < FIRST_ESTIMATE ? null : (elapsed * (1 - fraction)) / fraction;
    this.emit({ kind: "progress", stage: this.stage, layer: this.layer, fraction, secondsLeft });
  }
}

/** Seconds by stage. */
export class Stopwatch {
  private readonly stages = new Map<string, number>();
  private readonly started = performance.now();

  async time<T>(stage: string, work: () => Promise<T> | T): Promise<T> {
    const start = performance.now();
    try {
      return await work();
    } finally {
      this.stages.set(stage, (this.stages.get(stage) ?? 0) + (performance.now() - start) / 1000);
    }
  }

  seconds(): number {
    return (performance.now() - this.started) / 1000;
  }

  byStage(): Record<string, number> {
    return Object.fromEntries(this.stages);
  }
}
