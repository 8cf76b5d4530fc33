import { type Command, InvalidArgumentError, Option } from "commander";
import { metricChoices, type MetricChoice } from "../metricNames";
import { MEMORY_SIZE, parseMemorySize } from "../memorySize";
import { deviceChoices, type DeviceChoice } from "../runtime/executionProviders";
import { searchKinds, type SearchKind } from "../searchKind";
import { defaultCacheFolder } from "./userFolders";

export interface AnalysisFlags {
  config?: string;
  tolerance?: number;
  search?: SearchKind;
  searchError?: number;
  baseline?: "original" | "previous";
  energy?: number;
  outputName?: string;
  metric?: MetricChoice;
  device?: DeviceChoice;
  memory?: number;
  /** The folder; false for none. */
  cache?: string | false;
  report?: string;
  html?: string;
  force?: boolean;
}

function number(what: string, accepts: (value: number) => boolean): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || !accepts(value)) throw new InvalidArgumentError(`It must be ${what}.`);
    return value;
  };
}

function memorySize(text: string): number {
  const bytes = parseMemorySize(text);
  if (bytes !== null) return bytes;
  throw new InvalidArgumentError(`It must be ${MEMORY_SIZE}.`);
}

export function withAnalysisOptions(command: Command): Command {
  const points = number("a number of percentage points from 0 to 100", (value) => value >= 0 && value <= 100);
  const chance = number("a share above 0 and below 0.5", (value) => value > 0 && value < 0.5);
  const share = number("a share above 0 and up to 1", (value) => value > 0 && value <= 1);
  return command
    .argument("<model>", "ONNX file")
    .option("-c, --config <file>", "data and preprocessing (default: MODEL.ranklens.json beside the model)")
    .option("-t, --tolerance <points>", "accuracy that each projection of each layer may cost (default: 0.1)", points)
    .addOption(
      new Option("--search <kind>", "count until a verdict is certain, or test a few samples")
        .choices([...searchKinds])
        .default("exact"),
    )
    .option("--search-error <share>", "chance of a wrong verdict in a test of the fast search (default: 0.001)", chance)
    .addOption(
      new Option("--baseline <which>", "what the drop of k_T is measured from")
        .choices(["original", "previous"])
        .default("original"),
    )
    .option("--energy <share>", "ranks from this share of the energy, without a search", share)
    .option("--output-name <name>", "the model's output that accuracy is measured by (default: the one that fits)")
    .addOption(new Option("--metric <metric>", "what is measured of that output").choices([...metricChoices]))
    .addOption(new Option("--device <device>", "where the model runs").choices([...deviceChoices]).default("auto"))
    .option(
      "--memory <size>",
      "memory for kept activations, the rest goes to disk (default: a quarter of all)",
      memorySize,
    )
    .option("--cache <folder>", "where results are kept for the next run (default: the user's cache folder)")
    .option("--no-cache", "keep no results, and use none that are kept")
    .option("-r, --report <file>", "write the report as JSON")
    .option("--html <file>", "write the report as one HTML page")
    .option("-f, --force", "overwrite files");
}

/** The flags with the folder in which results are kept, if they are to be. */
export function withCacheFolder<T extends Pick<AnalysisFlags, "cache">>(
  flags: T,
): Omit<T, "cache"> & { cache?: string } {
  const { cache = defaultCacheFolder(), ...rest } = flags;
  return cache === false || cache === undefined ? rest : { ...rest, cache };
}
