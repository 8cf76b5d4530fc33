import type { Node } from "../onnx/schema";
import { joined, reshapeTo } from "./emit";
import { blocksAtDistance, range, shiftedProducts, type GramEmission, type GramOutput } from "./gram";
import type { Emission } from "./layer";
import { intsAttribute, stringAttribute } from "./nodes";

/** What one row of a Conv's input holds: the patches one row high, Z. */
export interface RowPatches {
  /** Computes `value`, of shape [N, C·∏k′, rows, …], k′ the kernel without its first axis. */
  readonly emission: Emission;
  readonly value: string;
  readonly spatialAxes: number;
  readonly groups: number;
  /** Features of a group in Z: its channels times ∏k′. */
  readonly width: number;
  /** ∏k′. */
  readonly restTaps: number;
}

/** How a Conv goes along the first spatial axis, the rows of an image. */
export interface RowGeometry {
  /** Rows of the input and of the output. */
  readonly input: number;
  readonly output: number;
  readonly taps: number;
  readonly dilation: number;
  /** Rows of zeros above the input. */
  readonly before: number;
}

/**
 * The rows of a Conv whose Gram matrix can be had from products of rows; null where it has one spatial axis, one tap
 * along the rows, or goes in strides. `inputDims` are those of its input.
 */
export function rowGeometry(node: Node, kernel: readonly number[], inputDims: readonly number[]): RowGeometry | null {
  const taps = kernel[0];
  const stride = intsAttribute(node, "strides")?.[0] ?? 1;
  if (kernel.length < 2 || taps === 1 || stride !== 1) return null;
  const dilation = intsAttribute(node, "dilations")?.[0] ?? 1;
  const input = inputDims[2];
  const reach = (taps - 1) * dilation;
  const pads = intsAttribute(node, "pads");
  let padding = [pads?.[0] ?? 0, pads?.[kernel.length] ?? 0];
  const automatic = stringAttribute(node, "auto_pad", "NOTSET");
  if (automatic === "SAME_UPPER") padding = [Math.floor(reach / 2), Math.ceil(reach / 2)];
  if (automatic === "SAME_LOWER") padding = [Math.ceil(reach / 2), Math.floor(reach / 2)];
  if (automatic === "VALID") padding = [0, 0];
  const [before, after] = padding;
  return { input, output: input + before + after - reach, taps, dilation, before };
}

/**
 * XᵀX of the patches of a Conv without the patches: with Z[i] the patches one row high at row i of the input, the block
 * of taps (s, t) along the rows is the sum of Z[i]·Z[i + t − s]ᵀ over the rows i that tap s sees. A product serves all
 * pairs of taps at its distance: with three taps, 3 products instead of 9, of a third of the features.
 */
export function gramOfRows(
  { emission, value, spatialAxes, groups, width, restTaps }: RowPatches,
  geometry: RowGeometry,
  output: string,
): GramEmission {
  const { input, taps, dilation } = geometry;
  const [turned, entries] = [`${output}/rows_first`, `${output}/rows`];
  const perm = [2, 1, 0, ...range(3, spatialAxes - 1)];
  const emissions: Emission[] = [
    emission,
    {
      nodes: [{ opType: "Transpose", name: turned, inputs: [value], outputs: [turned], attributes: { perm } }],
      initializers: [],
    },
    reshapeTo(turned, entries, [input, groups, width, -1]),
  ];
  const featuresAt = Array.from({ length: taps }, (_, tap) => featuresOfTap(tap, taps, width, restTaps));
  const outputs: GramOutput[] = [];
  // Rows further apart than the input is high meet nowhere: those blocks are zero.
  for (let distance = 0; distance < taps && distance * dilation < input; distance++) {
    const name = `${output}/${distance}`;
    const [products, flat, seen] = [`${name}/products`, `${name}/flat`, `${name}/seen`];
    const shift = distance * dilation;
    const count = input - shift;
    emissions.push(
      shiftedProducts(entries, products, { rank: 4, count: input, shift }),
      reshapeTo(products, flat, [count, -1]),
      {
        nodes: [{ opType: "MatMul", name, inputs: [seen, flat], outputs: [name] }],
        initializers: [
          { name: seen, dims: [taps - distance, count], data: rowsSeen(geometry, taps - distance, count) },
        ],
      },
    );
    outputs.push({ name, blocks: blocksAtDistance(featuresAt, distance) });
  }
  return { ...joined(...emissions), outputs };
}

/** taps×count: 1 where a tap sees a row of the input at some output row, else 0. */
function rowsSeen({ output, dilation, before }: RowGeometry, taps: number, count: number): Float32Array {
  const seen = new Float32Array(taps * count);
  for (let tap = 0; tap < taps; tap++) {
    const first = tap * dilation - before;
    for (let row = Math.max(0, first); row < Math.min(count, first + output); row++) seen[tap * count + row] = 1;
  }
  return seen;
}

/** The features, in the weight's order, that the entries of Z are at one tap along the rows. */
function featuresOfTap(tap: number, taps: number, width: number, restTaps: number): Int32Array {
  return Int32Array.from({ length: width }, (_, at) => {
    const rest = at % restTaps;
    return (at - rest) * taps + tap * restTaps + rest;
  });
}
