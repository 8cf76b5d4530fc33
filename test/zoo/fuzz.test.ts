import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { isExpected } from "../../src/errors";
import { inspectModel } from "../../src/inspect";
import { memorySource } from "../../src/onnx/byteSource";
import { indexGraph } from "../../src/onnx/graphIndex";
import { readNumbers } from "../../src/onnx/numbers";
import { readModel, type OpenModel } from "../../src/onnx/reader";
import { ELEMENT_TYPES, type ElementType, type TensorInfo } from "../../src/onnx/schema";
import { elementCount } from "../../src/onnx/tensor";
import { cnnSpec } from "../cli/models";
import { weight } from "../fixtures/data";
import { functionField, reference } from "../fixtures/functions";
import { messageField, modelBytes, node, numberField, tensorField, untyped, value, type TestNode } from "../fixtures/model"; // prettier-ignore
import { sparseInitializer } from "../fixtures/sparseTensor";

/** Damaged files that are read, in all. */
const CASES = 20_000;
/** One file gets as many as are read in about this time, and at least {@link FEWEST}; the others share the rest. */
const SECONDS_PER_FILE = 2;
const FEWEST = 20;
const MOST_SECONDS = 2;
const MOST_BYTES = 512 * 2 ** 20;

const zoo = fileURLToPath(new URL("../../../shared/zoo", import.meta.url));
const example = fileURLToPath(new URL("../../examples/shapes/model.onnx", import.meta.url));

function models(): Map<string, Uint8Array> {
  const found = new Map([
    ["a small CNN", modelBytes(cnnSpec())],
    ["functions", functionModel()],
    ["tensors of all kinds", tensorModel()],
    ["the bundled example", readFileSync(example)],
  ]);
  if (!existsSync(zoo)) {
    console.warn(`NOT TESTED: damaged real ONNX files, as there is no folder ${zoo}.`);
  } else {
    for (const name of readdirSync(zoo).filter((each) => each.endsWith(".onnx") && each !== "ort-corrupt.onnx")) {
      found.set(name, readFileSync(path.join(zoo, name)));
    }
  }
  return found;
}

/** Functions that call one another, with attributes, subgraphs and a default. */
function functionModel(): Uint8Array {
  const call = (name: string, inputs: readonly string[], output: string) =>
    node(name, inputs, output, { slope: { float: 0.5 } }, { domain: "local" });
  const branch = (input: string, output: string) => ({ nodes: [call("Inner", [input, "w"], output)], outputs: [untyped(output)] }); // prettier-ignore
  const graphs = { then_branch: branch("x", "t"), else_branch: branch("h", "e") };
  const define = (name: string, nodes: readonly TestNode[]): Uint8Array =>
    functionField({ domain: "local", name, inputs: ["x", "w"], outputs: ["y"], attributes: ["slope"], nodes });
  const leaky = node("LeakyRelu", ["p"], "y", {}, { extra: [reference("alpha", "slope", 1)] });
  return modelBytes({
    nodes: [call("Outer", ["x", "w"], "a"), call("Outer", ["a", "w"], "y")],
    initializers: [weight("w", [4, 4], 1)],
    inputs: [value("x", ["n", 4])],
    outputs: [untyped("y")],
    domains: { local: 1 },
    behind: [
      define("Inner", [node("MatMul", ["x", "w"], "p"), leaky]),
      define("Outer", [
        call("Inner", ["x", "w"], "h"),
        node("Shape", ["h"], "c"),
        node("If", ["c"], "y", {}, { graphs }),
      ]),
    ],
  });
}

/** A tensor of every element type, typed fields, a sparse tensor in both forms, and constants in attributes. */
function tensorModel(): Uint8Array {
  const types = Object.keys(ELEMENT_TYPES) as ElementType[];
  return modelBytes({
    nodes: [node("Constant", [], "c", { value_ints: [1, 2] }), node("MatMul", ["x", "s"], "y")],
    inputs: [value("x", ["n", 3])],
    outputs: [untyped("y")],
    extra: [
      ...types.map((type) => tensorField(type, [4], type, [messageField(9, new Uint8Array(16))])),
      ...types.map((type) => tensorField(`typed_${type}`, [3], type, [numberField(5, -1), numberField(5, 300), numberField(5, 7)])), // prettier-ignore
      sparseInitializer("s", [3, 2], [5, 6], [1, 4]),
      sparseInitializer("coordinates", [3, 2], [5, 6], [[0, 1], [2, 0]]), // prettier-ignore
    ],
  });
}

/** Whole numbers below a limit, the same ones for the same seed (mulberry32). */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** Where a file's structure is: everything but the raw weights, of which only every thousandth byte is taken. */
function structure(bytes: Uint8Array): Int32Array {
  const isWeight = new Uint8Array(bytes.length);
  for (const { payload } of readModel(memorySource(bytes)).graph.initializers.values()) {
    if (payload.kind === "raw") isWeight.fill(1, payload.range.start, payload.range.end);
  }
  return Int32Array.from(bytes.keys()).filter((at) => isWeight[at] === 0 || at % 1000 === 0);
}

/** What cannot be read of a constant is no reason against the rest. */
function readElements({ wire }: OpenModel, tensor: TensorInfo): void {
  try {
    readNumbers(wire, tensor);
  } catch (error) {
    if (!isExpected(error)) throw error;
  }
}

const HUGE_VARINT = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];

/** A copy with one to eight places changed: bytes, lengths, parts cut out, put in, repeated or cut off. */
function damaged(whole: Uint8Array, places: Int32Array, random: (below: number) => number): Uint8Array {
  let bytes = Buffer.from(whole);
  const place = (): number => Math.min(places[random(places.length)], bytes.length - 1);
  const replace = (at: number, length: number, put: Uint8Array): void => {
    bytes = Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + length)]);
  };
  for (let change = 1 + random(random(8) + 1); change > 0 && bytes.length > 0; change--) {
    const at = place();
    switch (random(8)) {
      case 0:
      case 1:
      case 2:
        bytes[at] = random(256);
        break;
      case 3:
        bytes[at] = [0, 0x01, 0x7f, 0x80, 0xff][random(5)];
        break;
      case 4:
        replace(at, 1 + random(3), Uint8Array.from(HUGE_VARINT).subarray(random(HUGE_VARINT.length)));
        break;
      case 5:
        replace(at, 1 + random(60), new Uint8Array());
        break;
      case 6: {
        const from = place();
        replace(at, 0, Buffer.from(bytes.subarray(from, from + 1 + random(200))));
        break;
      }
      default:
        if (random(4) === 0) {
          bytes = bytes.subarray(0, at);
        } else {
          replace(
            at,
            0,
            Uint8Array.from({ length: 1 + random(8) }, () => random(256)),
          );
        }
    }
  }
  return bytes;
}

/** Elements that are read of one constant: real ones have any number, of which a damaged file may speak too. */
const MOST_ELEMENTS = 100_000;

/** Reads a file as `inspect` does, and its constants. Whether it could; any error but an expected one is thrown. */
function read(bytes: Uint8Array): boolean {
  try {
    const model = readModel(memorySource(bytes));
    inspectModel(model);
    for (const tensor of indexGraph(model.graph).constants.values()) {
      if (bytes.length < MOST_ELEMENTS && elementCount(tensor.dims) < MOST_ELEMENTS) readElements(model, tensor);
    }
    return true;
  } catch (error) {
    if (isExpected(error)) return false;
    throw error;
  }
}

it(
  `${CASES.toLocaleString("en-US")} damaged files are read or refused, quickly and in little memory`,
  { timeout: 600_000 },
  () => {
    const counts = { read: 0, refused: 0 };
    let slowest = { seconds: 0, what: "" };
    const rounds = [...models()].map(([name, whole]) => ({
      name,
      whole,
      places: structure(whole),
      seed: 0,
      seconds: 0,
    }));
    const attempt = (round: (typeof rounds)[number]): void => {
      const what = `${round.name}, seed ${round.seed}`;
      const bytes = damaged(round.whole, round.places, randomNumbers(round.seed++));
      const start = performance.now();
      let could: boolean;
      try {
        could = read(bytes);
      } catch (error) {
        throw new Error(`${what}: ${String(error)}`, { cause: error });
      }
      const seconds = (performance.now() - start) / 1000;
      round.seconds += seconds;
      if (seconds > slowest.seconds) slowest = { seconds, what };
      counts[could ? "read" : "refused"]++;
    };
    for (const round of rounds) {
      while (round.seed < FEWEST || (round.seconds < SECONDS_PER_FILE && round.seed < CASES / rounds.length)) {
        attempt(round);
      }
    }
    const quick = [...rounds].sort((a, b) => b.seed - a.seed).slice(0, rounds.length / 2);
    for (let i = 0; counts.read + counts.refused < CASES; i++) attempt(quick[i % quick.length]);
    const peak = process.resourceUsage().maxRSS * 1024;
    const total = rounds.reduce((sum, { seconds }) => sum + seconds, 0);
    console.info(
      `${rounds.length} files, ${counts.read} variants read, ${counts.refused} refused, in ${total.toFixed(0)} s; ` +
        `slowest ${slowest.seconds.toFixed(2)} s (${slowest.what}); at most ${(peak / 2 ** 20).toFixed(0)} MiB of memory`,
    );
    expect(slowest.seconds, slowest.what).toBeLessThan(MOST_SECONDS);
    expect(peak).toBeLessThan(MOST_BYTES);
    expect(Math.min(counts.read, counts.refused)).toBeGreaterThan(CASES / 50);
  },
);
