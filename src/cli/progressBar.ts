import { SingleBar } from "cli-progress";
import type { AnalysisEvent, Stage } from "../analysis/progress";
import { shortName } from "../text/names";
import { duration } from "../text/numbers";

const STAGES: Record<Stage, string> = {
  original: "Running the original",
  calibration: "Reading calibration data",
  search: "Searching ranks",
  verification: "Running the smaller model",
};

export interface ProgressDisplay {
  show(event: AnalysisEvent): void;
  stop(): void;
}

/** Progress on stderr: a bar with the time left on a terminal, otherwise one line per stage and layer. */
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
  bar.start(1000, 0, { left: "", what: STAGES.original });
  return {
    show(event) {
      if (event.kind !== "progress") return;
      const left = event.secondsLeft === null ? "" : `${duration(event.secondsLeft)} left`;
      bar.update(Math.round(1000 * event.fraction), { left, what: stageText(event.stage, event.layer) });
    },
    stop: () => bar.stop(),
  };
}

function plainLines(stream: NodeJS.WriteStream): ProgressDisplay {
  let last = "";
  return {
    show(event) {
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
