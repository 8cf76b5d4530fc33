import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Command, CommanderError, Option } from "commander";
import packageJson from "../package.json";
import { checkNotInput, checkTarget, removeUnfinished } from "./atomicFile";
import { runAnalysis, stopAnalysis } from "./cli/analysisProcess";
import { type AnalysisFlags, withAnalysisOptions, withCacheFolder } from "./cli/analysisFlags";
import type { DevicesFlags } from "./cli/devices";
import type { InitFlags } from "./cli/init";
import { inspectText } from "./cli/inspectText";
import { compressionText, reportText } from "./cli/reportText";
import { isExpected } from "./errors";
import { supportKinds } from "./gpuSupport/places";
import { inspect } from "./inspect";
import type { ModelReport } from "./report";
import { writeReport } from "./reportFile";
import { runInputs, type RunChoices } from "./runInputs";

/** Exit statuses. A signal gives 128 plus its number, as shells do. */
const EXIT = { failure: 1, usage: 2 };

/** `analyze` and `compress` run in a process of their own, and `init` loads what it needs: this one starts without onnxruntime. */
function program(): Command {
  const root = new Command("ranklens")
    .description("Shows how much of each layer of a trained model is really used, and writes a smaller model.")
    .version(packageJson.version)
    .showHelpAfterError("Try --help.")
    .exitOverride();
  root
    .command("inspect")
    .description("list the layers of a model, without running it")
    .argument("<model>", "ONNX file")
    .option("--json", "print JSON")
    .action((model: string, flags: { json?: boolean }) => {
      const inspection = inspect(model);
      print(flags.json ? JSON.stringify(inspection, null, 1) : inspectText(inspection));
    });
  root
    .command("init")
    .description("write a config for a model by looking at its inputs and your data")
    .argument("<model>", "ONNX file")
    .argument("<data...>", "files or folders with samples and labels; calibration data first")
    .option("-c, --config <file>", "the file to write (default: MODEL.ranklens.json beside the model)")
    .option("-p, --print", "show the config, write nothing")
    .option("-f, --force", "overwrite it")
    .action(async (model: string, data: string[], flags: InitFlags) => {
      const { init } = await import("./cli/init");
      await init(model, data, flags, print);
    });
  root
    .command("devices")
    .description("show what models can run on here and why not, and install what GPUs need")
    .addOption(
      new Option("--install <what>", "CUDA's provider, or TensorFlow for eigenvectors").choices([...supportKinds]),
    )
    .option("--from <file>", "install from this file or address instead of downloading it where it usually is")
    .addOption(
      new Option("--remove <what>", "take it away again").choices([...supportKinds]).conflicts(["install", "from"]),
    )
    .action(async (flags: DevicesFlags) => {
      if (flags.from !== undefined && flags.install === undefined) {
        throw new CommanderError(EXIT.usage, "ranklens.usage", "--from needs --install, which says what it is for.");
      }
      const { devices } = await import("./cli/devices");
      await devices(flags, print, stop.signal);
    });
  withAnalysisOptions(root.command("analyze"))
    .description("measure the utilized rank of every layer")
    .addOption(
      new Option("--weights-only", "use no data: weight rank and stable rank only").conflicts([
        ...["tolerance", "search", "searchError", "baseline", "energy", "preview", "memory", "cache"],
        ...["outputName", "metric"],
      ]),
    )
    .option("--preview", "a first look on few samples, with what the full run would take")
    .action(async (model: string, flags: AnalysisFlags & { weightsOnly?: boolean; preview?: boolean }) => {
      const { report: target, html, ...options } = flags;
      const force = options.force ?? false;
      checkReportTargets({ "--report": target, "--html": html }, model, options);
      const report = await runAnalysis("analyze", { model, options: withCacheFolder(options) });
      print(reportText(report));
      if (target !== undefined) writeReport(report, target, { force });
      if (html !== undefined) await writeHtml(report, html, force);
    });
  withAnalysisOptions(root.command("compress"))
    .description("write a smaller model and prove what it can do")
    .requiredOption("-o, --output <file>", "the ONNX file to write")
    .addOption(
      new Option("--from <report>", "use the ranks of a report instead of analysing").conflicts([
        ...["config", "tolerance", "search", "searchError", "baseline", "energy", "outputName", "metric"],
      ]),
    )
    .addOption(new Option("--method <method>", "how layers are decomposed").choices(["paper"]).default("paper"))
    .action(async (model: string, flags: AnalysisFlags & { output: string; from?: string; method?: "paper" }) => {
      const { report: target, html, ...options } = flags;
      const { from } = options;
      const force = options.force ?? false;
      checkReportTargets({ "--report": target, "--html": html }, model, options, { "--output": options.output });
      const report = await runAnalysis("compress", { model, options: withCacheFolder(options) });
      print([...(from === undefined ? [reportText(report)] : []), compressionText(report)].join("\n\n"));
      if (target !== undefined) writeReport(report, target, { force });
      if (html !== undefined) await writeHtml(report, html, force);
    });
  return root;
}

/** Refuses reports that would take the place of something, or of each other, before any long work is done for them. */
function checkReportTargets(
  targets: Readonly<Record<"--report" | "--html", string | undefined>>,
  model: string,
  options: RunChoices & { force?: boolean },
  others: Readonly<Record<string, string>> = {},
): void {
  const named = Object.entries({ ...targets, ...others }).filter((entry): entry is [string, string] => !!entry[1]);
  named.forEach(([flag, file], i) => {
    const same = named.slice(i + 1).find(([, other]) => path.resolve(other) === path.resolve(file));
    if (!same) return;
    throw new CommanderError(EXIT.usage, "ranklens.usage", `${flag} and ${same[0]} name the same file.`);
  });
  for (const [flag, target] of Object.entries(targets)) {
    if (target === undefined) continue;
    checkNotInput(target, runInputs(model, { ...options, updatesReport: flag === "--report" }));
    checkTarget(target, { force: options.force ?? false });
  }
}

/** The page's script is loaded only for those who want the page. */
async function writeHtml(report: ModelReport, target: string, force: boolean): Promise<void> {
  const { writeHtmlReport } = await import("./html");
  writeHtmlReport(report, target, { force });
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Aborted where a signal asks to stop: a command that fails because of that has nothing to say. */
const stop = new AbortController();

/** How long a command may take to come to its end then, in milliseconds. */
const PATIENCE = 1000;

/** @param command comes to its end first, which stops the progress bar, or what an installation runs. */
function stopOn(signal: "SIGINT" | "SIGTERM", code: number, command: Promise<void>): void {
  const leave = (): void => {
    removeUnfinished();
    // For the progress bar the cursor was hidden and long lines were cut.
    if (process.stderr.isTTY) process.stderr.write("\u001b[?25h\u001b[?7h\n");
    process.exit(code);
  };
  process.on(signal, () => {
    stop.abort();
    void stopAnalysis()
      .then(() => Promise.race([command, sleep(PATIENCE)]))
      .then(leave);
  });
}

/** `ranklens … | head` closes the pipe early: that is no fault, and files are still to be written. */
function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") return;
      process.exitCode = EXIT.failure;
      if (stream === process.stdout) {
        process.stderr.write(`ranklens: the output could not be written: ${error.message}\n`);
      }
    });
  }
}

async function main(): Promise<void> {
  try {
    await program().parseAsync();
  } catch (error) {
    if (stop.signal.aborted) return;
    if (error instanceof CommanderError) {
      if (error.code === "ranklens.usage") process.stderr.write(`error: ${error.message}\n`);
      process.exitCode = error.exitCode === 0 ? 0 : EXIT.usage;
      return;
    }
    process.stderr.write(`ranklens: ${isExpected(error) ? error.message : unexpected(error)}\n`);
    process.exitCode = EXIT.failure;
  }
}

/** A fault of RankLens itself: the stack helps whoever reports it. */
function unexpected(error: unknown): string {
  return `internal error, please report it: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}

outliveReaders();
const command = main();
stopOn("SIGINT", 130, command);
stopOn("SIGTERM", 143, command);
