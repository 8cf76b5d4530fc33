import { joined, reshapeTo } from "./emit";
import type { Emission } from "./layer";
import type { NewInitializer, NewNode } from "../onnx/encode";

/**
 * Nodes that compute a Gram matrix XᵀX (one d×d matrix for each group) as some of its blocks; the others follow by
 * symmetry. Summing the outputs over batches sums the Gram matrices.
 */
export interface GramEmission extends Emission {
  readonly outputs: readonly GramOutput[];
}

/** A value of the graph that holds blocks, one after the other; each is groups×rows×columns, row-major. */
export interface GramOutput {
  readonly name: string;
  readonly blocks: readonly GramBlock[];
}

/** The features that a block's rows and columns stand for: the same array where the block is its own transpose. */
export interface GramBlock {
  readonly rows: Int32Array;
  readonly columns: Int32Array;
}

/** From this width on, only the blocks on and above the diagonal are computed: 10 of 16. */
const SPLIT_WIDTH = 512;
const SPLIT = 4;

/** XᵀX of what `features` computes as `rows`: Xᵀ of shape d×N, or groups×d×N where groups > 1. */
export function gramOfFeatures(
  features: Emission,
  rows: string,
  output: string,
  { groups, columns }: { groups: number; columns: number },
): GramEmission {
  if (groups > 1 || columns < SPLIT_WIDTH || columns % SPLIT !== 0) {
    const product = shiftedProducts(rows, output, { rank: groups === 1 ? 2 : 3, count: 1, shift: 0 });
    const all = range(0, columns);
    return { ...joined(features, product), outputs: [{ name: output, blocks: [{ rows: all, columns: all }] }] };
  }
  const width = columns / SPLIT;
  const stacked = `${output}/parts`;
  const ranges = Array.from({ length: SPLIT }, (_, at) => range(at * width, width));
  const parts = Array.from({ length: SPLIT }, (_, at) => entryOf(stacked, at, `${output}/part${at}`));
  const emissions = [features, reshapeTo(rows, stacked, [SPLIT, width, -1]), ...parts.map(({ emission }) => emission)];
  const outputs: GramOutput[] = [];
  for (const [at, part] of parts.entries()) {
    const turned = `${output}/turned${at}`;
    const nodes: NewNode[] = [transposition(part.name, turned, [1, 0])];
    for (let from = 0; from <= at; from++) {
      const name = `${output}/${from}/${at}`;
      nodes.push({ opType: "MatMul", name, inputs: [parts[from].name, turned], outputs: [name] });
      outputs.push({ name, blocks: [{ rows: ranges[from], columns: ranges[at] }] });
    }
    emissions.push({ nodes, initializers: [] });
  }
  return { ...joined(...emissions), outputs };
}

/** value[at], along the first axis. */
function entryOf(value: string, at: number, name: string): { readonly name: string; readonly emission: Emission } {
  const entry = `${name}/entry`;
  return {
    name,
    emission: {
      nodes: [{ opType: "Gather", name, inputs: [value, entry], outputs: [name] }],
      initializers: [{ name: entry, dims: [], data: BigInt64Array.of(BigInt(at)) }],
    },
  };
}

function transposition(value: string, output: string, perm: readonly number[]): NewNode {
  return { opType: "Transpose", name: output, inputs: [value], outputs: [output], attributes: { perm } };
}

/**
 * Z[i]·Z[i + shift]ᵀ for i = 0 … count − shift − 1, where `value` (of the given rank) has `count` entries Z[i] along its
 * first axis. Gather, Transpose and MatMul mean the same in every opset; onnxruntime fuses the last two.
 */
export function shiftedProducts(
  value: string,
  output: string,
  { rank, count, shift }: { rank: number; count: number; shift: number },
): Emission {
  const nodes: NewNode[] = [];
  const initializers: NewInitializer[] = [];
  const entriesFrom = (start: number): string => {
    if (shift === 0) return value;
    const name = `${output}/from${start}`;
    const entries = Array.from(range(start, count - shift), BigInt);
    initializers.push({ name: `${name}/entries`, dims: [entries.length], data: BigInt64Array.from(entries) });
    nodes.push({ opType: "Gather", name, inputs: [value, `${name}/entries`], outputs: [name] });
    return name;
  };
  const [left, right] = [entriesFrom(0), entriesFrom(shift)];
  const turned = `${output}/turned`;
  const perm = [...range(0, rank - 2), rank - 1, rank - 2];
  nodes.push(transposition(right, turned, perm), {
    opType: "MatMul",
    name: output,
    inputs: [left, turned],
    outputs: [output],
  });
  return { nodes, initializers };
}

/** Blocks (i, i + distance) between parts of the features. */
export function blocksAtDistance(parts: readonly Int32Array[], distance: number): GramBlock[] {
  return parts.slice(distance).map((columns, at) => ({ rows: parts[at], columns }));
}

/** start, start + 1, …: `count` numbers. */
export function range(start: number, count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, i) => start + i);
}
