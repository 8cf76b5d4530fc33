import type { ByteSource } from "./byteSource";
import { fieldHeader } from "./encode";
import type { ByteRange } from "./schema";

/** A piece of an edited file: bytes of the source, or new ones. */
export type Segment = ByteRange | Uint8Array;

export function segmentLength(segment: Segment): number {
  return segment instanceof Uint8Array ? segment.length : segment.end - segment.start;
}

export function totalLength(segments: readonly Segment[]): number {
  return segments.reduce((sum, segment) => sum + segmentLength(segment), 0);
}

/** A length-delimited field: tag and length, and its content. */
export function fieldOf(number: number, content: readonly Segment[]): Segment[] {
  return [fieldHeader(number, totalLength(content)), ...content];
}

/** New bytes are joined up to this length: many small pieces would take more memory than what is in them. */
const LONGEST_JOINED = 64 * 1024;

/** Bytes copied at a time. */
const CHUNK = 8 * 1024 * 1024;

/** A range in parts that can be copied one after the other through little memory. */
export function* chunksOf({ start, end }: ByteRange): Generator<ByteRange> {
  for (let position = start; position < end; position += CHUNK) {
    yield { start: position, end: Math.min(position + CHUNK, end) };
  }
}

/** The same bytes in fewer pieces. */
export function mergeSegments(segments: Iterable<Segment>): Segment[] {
  const merged: Segment[] = [];
  let fresh: Uint8Array[] = [];
  let length = 0;
  const flush = (): void => {
    if (fresh.length > 0) merged.push(fresh.length === 1 ? fresh[0] : joined(fresh, length));
    fresh = [];
    length = 0;
  };
  for (const segment of segments) {
    if (segmentLength(segment) === 0) continue;
    if (segment instanceof Uint8Array) {
      if (length + segment.length > LONGEST_JOINED) flush();
      fresh.push(segment);
      length += segment.length;
      continue;
    }
    flush();
    const last = merged[merged.length - 1];
    const adjacent = last && !(last instanceof Uint8Array) && last.end === segment.start;
    if (adjacent) merged[merged.length - 1] = { start: last.start, end: segment.end };
    else merged.push(segment);
  }
  flush();
  return merged;
}

/** Not Buffer.concat: the slice() of a Buffer makes no copy. */
function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let position = 0;
  for (const part of parts) {
    bytes.set(part, position);
    position += part.length;
  }
  return bytes;
}

/** A file made of pieces, without a copy of them: reads are passed on to `source`, whose name and folder it has. */
export function segmentSource(source: ByteSource, segments: readonly Segment[]): ByteSource {
  const starts = new Float64Array(segments.length);
  let size = 0;
  for (const [i, segment] of segments.entries()) {
    starts[i] = size;
    size += segmentLength(segment);
  }
  /** The piece that holds the byte at `position`. */
  const indexAt = (position: number): number => {
    let [low, high] = [0, segments.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (starts[middle] <= position) low = middle;
      else high = middle - 1;
    }
    return low;
  };
  const part = (index: number, start: number, end: number): Uint8Array => {
    const segment = segments[index];
    const [from, to] = [start - starts[index], Math.min(end - starts[index], segmentLength(segment))];
    return segment instanceof Uint8Array
      ? segment.subarray(from, to)
      : source.read(segment.start + from, segment.start + to);
  };
  return {
    name: source.name,
    folder: source.folder,
    size,
    read(start, end) {
      if (start >= end) return new Uint8Array(0);
      let index = indexAt(start);
      const first = part(index, start, end);
      if (first.length === end - start) return first;
      const bytes = new Uint8Array(end - start);
      bytes.set(first);
      for (let done = first.length; done < bytes.length;) {
        const next = part(++index, start + done, end);
        bytes.set(next, done);
        done += next.length;
      }
      return bytes;
    },
    close: () => source.close(),
  };
}
