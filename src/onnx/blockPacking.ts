import { isFloatType } from "./elements";
import { packedEntries, readNumbers, type NumberArray } from "./numbers";
import type { TensorInfo } from "./schema";
import type { WireReader } from "./wire";

/** How onnxruntime's MatMulNBits stores a matrix: row by row in blocks of numbers of a few bits, each with its scale. */
export interface BlockPacking {
  readonly bits: 2 | 4 | 8;
  readonly blockSize: number;
  readonly rows: number;
  readonly columns: number;
  /** rows × blocks. */
  readonly scale: TensorInfo;
  /** rows × blocks of floating-point numbers; or of `bits` bits each, every row in whole bytes; null for the middle. */
  readonly zeroPoint: TensorInfo | null;
}

/** Blocks of a row: the last one may reach beyond it. */
export function blocksPerRow({ columns, blockSize }: Pick<BlockPacking, "columns" | "blockSize">): number {
  return Math.ceil(columns / blockSize);
}

/** (q − zero point) · scale: the rows×columns matrix in the bytes of its blocks. */
export function unpackedBlocks(wire: WireReader, bytes: NumberArray, packing: BlockPacking): Float32Array {
  const { bits, blockSize, rows, columns } = packing;
  const blocks = blocksPerRow(packing);
  const scale = readNumbers(wire, packing.scale);
  const zeroPoint = zeroPoints(wire, packing);
  const entries = packedEntries(bytes, bits);
  const result = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const block = row * blocks + Math.floor(column / blockSize);
      const entry = entries[block * blockSize + (column % blockSize)];
      result[row * columns + column] = (entry - zeroPoint(row, block)) * scale[block];
    }
  }
  return result;
}

/** (row, block, counted over all rows) → its zero point. */
function zeroPoints(wire: WireReader, packing: BlockPacking): (row: number, block: number) => number {
  const { zeroPoint, bits } = packing;
  if (!zeroPoint) return () => 2 ** (bits - 1);
  const stored = readNumbers(wire, zeroPoint);
  if (isFloatType(zeroPoint.elementType)) return (_, block) => stored[block];
  const blocks = blocksPerRow(packing);
  const padded = Math.ceil((blocks * bits) / 8) * (8 / bits);
  const entries = packedEntries(stored, bits);
  return (row, block) => entries[row * padded + (block - row * blocks)];
}
