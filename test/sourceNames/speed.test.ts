import { expect, it } from "vitest";
import { findNamedLayers } from "../../src/sourceNames/findLayers";
import { indexLayers } from "../../src/sourceNames/layerIndex";
import { parseSource } from "../../src/sourceNames/source";
import { namedLayer, sample } from "./places";

/** Milliseconds that nobody notices while typing, times what the processor of a busy machine may be slower. */
const MOST_MILLISECONDS = 50 * 4;
const LINES = 10_000;
const BLOCKS = 125;

/** A file of many networks, each with names of its own; the first is a model of 500 layers. */
const network = sample("resnet.py");
const copies = Math.ceil(LINES / network.split("\n").length) + 1;
const text = Array.from({ length: copies }, (_, i) =>
  i === 0 ? network : network.replace(/(ResNet|Basic|Bottle)/g, `$1${i}`).replace(/conv(\d)(?!x)/g, `conv${i}_$1`),
).join("\n");
const layers = Array.from({ length: BLOCKS }, (_, i) => [
  `layer1.${i}.conv1`,
  `layer1.${i}.conv2`,
  `layer2.${i}.conv1`,
  `layer2.${i}.conv2`,
]) // prettier-ignore
  .flat()
  .map((name) => namedLayer(`${name}.weight`));

/** Of the processor: other processes do not count. */
function milliseconds(run: () => void): number {
  const start = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

it(`${LINES} lines and ${4 * BLOCKS} layers`, () => {
  expect(text.split("\n").length).toBeGreaterThanOrEqual(LINES);
  const index = indexLayers(layers);
  let source = parseSource("python", text);
  const first = findNamedLayers(source, [index]);
  expect(first.length).toBeGreaterThan(5);

  const times = [1, 2, 3, 4, 5].map((i) => {
    const edited = text.replace("class BasicBlock", `x${"1".repeat(i)} = 1\nclass BasicBlock`);
    const parse = milliseconds(() => (source = parseSource("python", edited, source)));
    let found: unknown[] = [];
    const find = milliseconds(() => (found = findNamedLayers(source, [index])));
    expect(found).toHaveLength(first.length);
    return { parse, find };
  });
  const afresh = milliseconds(() => parseSource("python", text));
  const best = (key: "parse" | "find"): number => Math.min(...times.map((time) => time[key]));
  console.log(`reading afresh ${afresh.toFixed(0)} ms; after an edit: parsing ${best("parse").toFixed(1)} ms, matching ${best("find").toFixed(1)} ms`); // prettier-ignore
  expect(best("parse") + best("find")).toBeLessThan(MOST_MILLISECONDS);
  expect(afresh).toBeLessThan(3 * MOST_MILLISECONDS);
});
