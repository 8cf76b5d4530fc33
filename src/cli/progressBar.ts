import { SingleBar } from "cli-progress";
import type { AnalysisEvent, Stage } from "../analysis/progress";
import { shortName } from "../text/names";
import { duration, thousands } from "../text/numbers";

const STAGES: Record<Stage, string> = {
  original: "Running the original",
  calibration: "Reading calibration data",
  search: "Searching ranks",
  verification: "Running the smaller model",
  written: "Checking the written file",
  latency: "Measuring latency",
};

export interface ProgressDisplay {
  show(event: AnalysisEvent): void;
  stop(): void;
}

/** Progress on stderr: a bar with the time left on a terminal, otherwise one line per data set, stage and layer. */
export function progressDisplay(stream: NodeJS.WriteStream): ProgressDisplay {
  return stream.isTTY ? terminalBar(stream) : plainLines(stream);
}

function terminalBar(stream: NodeJS.WriteStream): ProgressDisplay {
  const bar = new SingleBar({
    stream,
    format: "{bar} {percentage}%  {left}  {what}",
    barCompleteChar: "█",
    barIncompleteChar: "░",
    barsize: 24,
    hideCursor: true,
    clearOnComplete: true,
    // Ctrl-C belongs to the command line, which also removes unfinished files.
    gracefulExit: false,
    fps: 10,
  });
  bar.start(1000, 0, { left: "", what: "Opening model and data" });
  return {
    show(event) {
      if (event.kind === "images") {
        const { data, done, total } = event;
        const what = `Decoding ${data} images: ${thousands(done)} of ${thousands(total)}`;
        bar.update(Math.round((1000 * done) / total), { left: "", what });
      }
      if (event.kind !== "progress") return;
      const left = event.secondsLeft === null ? "" : `${duration(event.secondsLeft)} left`;
      bar.update(Math.round(1000 * event.fraction), { left, what: stageText(event.stage, event.layer) });
    },
    stop: () => bar.stop(),
  };
}

function plainLines(stream: NodeJS.WriteStream): ProgressDisplay {
  let last = "";
  let decoding = "";
  return {
    show(event) {
      if (event.kind === "images" && event.data !== decoding) {
        decoding = event.data;
        stream.write(`Decoding ${thousands(event.total)} ${event.data} images\n`);
      }
      if (event.kind !== "progress") return;
      const text = stageText(event.stage, event.layer);
      if (text === last) return;
      last = text;
      const left = event.secondsLeft === null ? "" : `, ${duration(event.secondsLeft)} left`;
      stream.write(`${text} (${Math.round(100 * event.fraction)}%${left})\n`);
    },
    stop: () => undefined,
  };
}

function stageText(stage: Stage, layer: string | null): string {
  return layer === null ? STAGES[stage] : `${STAGES[stage]}: ${shortName(layer)}`;
}
