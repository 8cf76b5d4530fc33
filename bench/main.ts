import { writeFileSync } from "node:fs";
import os from "node:os";
import { benchAnalysis } from "./analysis";
import { benchCompare } from "./compare";
import { writePictures } from "./picture";
import { writeReadme } from "./readme";
import { benchLazy } from "./lazy";
import { benchPreview } from "./preview";
import { benchWide } from "./wide";
import { benchVit } from "./vit";
import { benchEigen, DEFAULT_SIZES, LARGE_SIZES } from "./eigen";
import { benchGram } from "./gram";

/** The benchmarks by name, in the order in which they run. Each prints a table and gives its rows. */
const benchmarks: Readonly<Record<string, (flags: ReadonlySet<string>) => Promise<unknown>>> = {
  eigen: (flags) => benchEigen({ sizes: flags.has("--large") ? LARGE_SIZES : DEFAULT_SIZES }),
  gram: () => benchGram(),
  analysis: () => benchAnalysis(),
  vit: () => benchVit(),
  preview: () => Promise.resolve(benchPreview()),
  lazy: () => Promise.resolve(benchLazy()),
  wide: () => Promise.resolve(benchWide()),
  compare: (flags) => benchCompare(flags.has("--small")),
};

/** Run only when named: they change files of the repository. */
const writers: Readonly<Record<string, (flags: ReadonlySet<string>) => Promise<void>>> = {
  readme: (flags) => writeReadme(flags.has("--small")),
  picture: () => writePictures(),
};

async function main(): Promise<void> {
  const words = process.argv.slice(2);
  const flags = new Set(words.filter((word) => word.startsWith("--")));
  const wanted = words.filter((word) => !word.startsWith("--"));
  const known = [...Object.keys(benchmarks), ...Object.keys(writers)];
  const unknown = wanted.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`there is no benchmark "${unknown}"; there are ${known.join(", ")}`);
  const writing = wanted.filter((name) => name in writers);
  if (writing.length > 0) {
    for (const name of writing) await writers[name](flags);
    return;
  }
  const machine = `${os.cpus()[0]?.model ?? "unknown CPU"}, ${os.availableParallelism()} cores, Node ${process.version}`;
  console.log(machine);
  const results: Record<string, unknown> = { machine };
  for (const [name, run] of Object.entries(benchmarks)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    console.log(`\n== ${name}`);
    results[name] = await run(flags);
  }
  writeFileSync("bench/results/bench.json", `${JSON.stringify(results, null, 1)}\n`);
  console.log("\nwritten: bench/results/bench.json");
}

void main();
