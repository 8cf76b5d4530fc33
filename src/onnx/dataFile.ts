import path from "node:path";
import { withInputFile } from "../inputFile";
import { elementBytes } from "./elementBytes";
import type { ExternalPlace, NewInitializer } from "./encode";
import { externalFile, externalRange, type ExternalTensor } from "./externalData";
import type { ByteSource } from "./byteSource";
import type { ByteRange, TensorInfo } from "./schema";
import { chunksOf } from "./segments";
import { TYPED_FIELDS } from "./tensorReader";

/** As ONNX advises: large tensors begin where Windows can map memory (and every other system, too), small ones close together. */
const LARGE = 1024 * 1024;
const LARGE_ALIGNMENT = 64 * 1024;
const SMALL_ALIGNMENT = 64;

/** Packed fields whose bytes are those of raw_data. */
const FIXED_WIDTH_FIELDS: ReadonlySet<number> = new Set([TYPED_FIELDS.float, TYPED_FIELDS.double]);

/** Smaller tensors stay in the model: ONNX's own tools leave them there, and they may be shapes. */
export const LEAST_EXTERNAL_BYTES = 1024;

/** New bytes, or some of another file; of the model file itself where that is null. */
type Content = Uint8Array | (ByteRange & { readonly file: string | null });

/** The external data of a model to be written, in one file beside it: tensors of another model's files, and new ones. */
export class DataFile {
  private end = 0;
  private readonly places = new Map<string, ExternalPlace>();
  private readonly pieces: {
    readonly offset: number;
    readonly content: Content;
  }[] = [];

  /** @param location the file's name, as the model will refer to it. */
  constructor(
    private readonly source: ByteSource,
    readonly location: string,
  ) {}

  get isEmpty(): boolean {
    return this.pieces.length === 0;
  }

  /** Where the elements of a tensor of the source will be; tensors that share their bytes go on sharing them. */
  place(tensor: ExternalTensor): ExternalPlace {
    const range = externalRange(this.source, tensor);
    const file = externalFile(this.source, tensor.payload.location);
    const key = `${range.start} ${range.end} ${file}`;
    const known = this.places.get(key);
    if (known) return known;
    const place = this.append({ ...range, file }, range.end - range.start);
    this.places.set(key, place);
    return place;
  }

  /** The new tensor with its data in the file; as it is where it is small. */
  moved(initializer: NewInitializer): NewInitializer {
    const bytes = elementBytes(initializer);
    if (bytes.length < LEAST_EXTERNAL_BYTES) return initializer;
    return { ...initializer, external: this.append(bytes, bytes.length) };
  }

  /** Where the elements of an initializer of the source will be that is in the model file; null where it stays there. */
  movedOut(tensor: TensorInfo): ExternalPlace | null {
    const range = littleEndianRange(tensor);
    if (!range || range.end - range.start < LEAST_EXTERNAL_BYTES) return null;
    return this.append({ ...range, file: null }, range.end - range.start);
  }

  /** The file's content, in order. */
  *chunks(): Generator<Uint8Array> {
    let position = 0;
    for (const { offset, content } of this.pieces) {
      yield new Uint8Array(offset - position);
      if (content instanceof Uint8Array) {
        yield content;
        position = offset + content.length;
      } else {
        yield* content.file === null ? this.ofModel(content) : copied(content.file, content);
        position = offset + content.end - content.start;
      }
    }
  }

  private *ofModel(range: ByteRange): Generator<Uint8Array> {
    for (const { start, end } of chunksOf(range)) yield this.source.read(start, end);
  }

  private append(content: Content, length: number): ExternalPlace {
    const alignment = length >= LARGE ? LARGE_ALIGNMENT : SMALL_ALIGNMENT;
    const offset = Math.ceil(this.end / alignment) * alignment;
    this.pieces.push({ offset, content });
    this.end = offset + length;
    return { location: this.location, offset, length };
  }
}

/** The bytes of a tensor as external data has them, where they are in one piece; null where they are not. */
function littleEndianRange({ payload }: TensorInfo): ByteRange | null {
  if (payload.kind === "raw") return payload.range;
  const isFixedWidth = payload.kind === "typed" && FIXED_WIDTH_FIELDS.has(payload.field);
  return isFixedWidth && payload.ranges.length === 1 ? payload.ranges[0] : null;
}

function* copied(file: string, range: ByteRange): Generator<Uint8Array> {
  for (const { start, end } of chunksOf(range)) {
    const bytes = new Uint8Array(end - start);
    const done = withInputFile(file, (input) => input.readAt(bytes, start));
    if (done < bytes.length) throw new Error(`${path.basename(file)} became shorter while it was copied`);
    yield bytes;
  }
}
