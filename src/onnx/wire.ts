import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { ExpectedError } from "../errors";
import type { ByteSource } from "./byteSource";
import type { ByteRange } from "./schema";

/** Wire types of protobuf, as plain numbers: the published types must not refer to a bundled library. */
export const VARINT: number = WireType.Varint;
export const LENGTH_DELIMITED: number = WireType.LengthDelimited;

/** One field of a protobuf message; its value stays in the file until it is asked for. */
export interface Field {
  readonly number: number;
  /** {@link VARINT}, {@link LENGTH_DELIMITED}, or one of the fixed widths. */
  readonly wireType: number;
  /** Tag, length and value. */
  readonly whole: ByteRange;
  /** The value alone: the message, string or packed numbers of a length-delimited field, the digits of any other. */
  readonly value: ByteRange;
  /** The value of a varint field, as written (unsigned 64-bit); 0 for any other field. */
  readonly varint: bigint;
}

/** A file that cannot be read as a model: another kind of file, or a damaged one. */
export class NotOnnxError extends ExpectedError {}

/** Bytes read ahead: some hundred small fields, and little wasted where a weight is skipped. */
const WINDOW = 32 * 1024;
/** V8 can hold no longer one, and no model has any such. */
const LONGEST_STRING = 2 ** 29 - 24;
/** A tag and a length, or a tag and a varint, are never longer. */
const LONGEST_HEADER = 20;

/**
 * Walks protobuf messages by ranged reads: a length-delimited value is skipped, not read. npm's protobuf libraries
 * decode whole buffers, which a model of gigabytes must not become; their number decoding is used here.
 */
export class WireReader {
  private window: { start: number; end: number; reader: BinaryReader } | undefined;

  constructor(readonly source: ByteSource) {}

  /**
   * The fields of the message in `range`, in file order.
   * @throws ExpectedError where the bytes are not protobuf, or end in the middle of a field.
   */
  *fields(range: ByteRange): Generator<Field, void, undefined> {
    let position = range.start;
    while (position < range.end) {
      const field = this.field(position, range.end);
      position = field.whole.end;
      yield field;
    }
  }

  bytes(range: ByteRange): Uint8Array {
    return this.source.read(range.start, range.end);
  }

  string(field: Field): string {
    if (field.value.end - field.value.start > LONGEST_STRING) {
      throw damaged(this, field.value.start, `a text of ${field.value.end - field.value.start} bytes begins`);
    }
    return Buffer.from(this.bytes(field.value)).toString("utf8");
  }

  private field(start: number, limit: number): Field {
    const { window, offset } = this.at(start);
    const reader = window.reader;
    reader.pos = offset;
    try {
      const [number, wireType] = reader.tag();
      const digits = window.start + reader.pos;
      let varint = 0n;
      let value: ByteRange;
      switch (wireType) {
        case WireType.Varint:
          varint = BigInt(reader.uint64());
          value = { start: digits, end: window.start + reader.pos };
          break;
        case WireType.LengthDelimited: {
          const length = Number(reader.uint64());
          const begin = window.start + reader.pos;
          value = { start: begin, end: begin + length };
          break;
        }
        case WireType.Bit32:
          value = { start: digits, end: digits + 4 };
          break;
        case WireType.Bit64:
          value = { start: digits, end: digits + 8 };
          break;
        default:
          throw damaged(this, start);
      }
      if (value.end > limit) {
        const [needed, left] = [value.end - value.start, limit - value.start];
        throw damaged(this, start, `a part of ${needed} bytes begins, and ${left} are left`);
      }
      return { number, wireType, whole: { start, end: value.end }, value, varint };
    } catch (error) {
      throw error instanceof NotOnnxError ? error : damaged(this, start);
    }
  }

  /** A window that holds at least the longest header at `position`, or all that the source has there. */
  private at(position: number): { window: { start: number; reader: BinaryReader }; offset: number } {
    const needed = Math.min(position + LONGEST_HEADER, this.source.size);
    if (!this.window || position < this.window.start || needed > this.window.end) {
      const end = Math.min(position + WINDOW, this.source.size);
      this.window = { start: position, end, reader: new BinaryReader(this.source.read(position, end)) };
    }
    return { window: this.window, offset: position - this.window.start };
  }
}

/** int64 and int32 fields: two's complement. Beyond 2^53 the nearest number: such values only ever mean "to the end". */
export function signed(varint: bigint): number {
  return Number(BigInt.asIntN(64, varint));
}

/** The numbers of a repeated int64/int32 field, which may be packed or single. */
export function signedNumbers(wire: WireReader, field: Field): number[] {
  if (field.wireType !== LENGTH_DELIMITED) return [signed(field.varint)];
  const reader = new BinaryReader(wire.bytes(field.value));
  const numbers: number[] = [];
  try {
    while (reader.pos < reader.len) numbers.push(Number(reader.int64()));
  } catch {
    throw damaged(wire, field.value.start + reader.pos);
  }
  return numbers;
}

export function notOnnx({ name }: ByteSource, reason: string): NotOnnxError {
  return new NotOnnxError(`${name} is not an ONNX file, or damaged: ${reason}.`);
}

function damaged({ source }: WireReader, position: number, detail = "there is no part of a model"): NotOnnxError {
  return notOnnx(source, `at byte ${position} ${detail}`);
}

/** The numbers of a repeated float field, which may be packed or single. */
export function floatNumbers(wire: WireReader, field: Field): number[] {
  const reader = new BinaryReader(wire.bytes(field.value));
  const numbers: number[] = [];
  while (reader.pos + 4 <= reader.len) numbers.push(reader.float());
  return numbers;
}

export function floatNumber(wire: WireReader, field: Field): number {
  return floatNumbers(wire, field)[0] ?? 0;
}
