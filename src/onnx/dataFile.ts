import path from "node:path";
import { withInputFile } from "../inputFile";
import { elementBytes } from "./elementBytes";
import type { ExternalPlace, NewInitializer } from "./encode";
import { externalFile, externalRange, type ExternalTensor } from "./externalData";
import type { ByteSource } from "./byteSource";
import type { ByteRange } from "./schema";

/** Bytes copied at a time. */
const CHUNK = 8 * 1024 * 1024;
/** As ONNX advises: large tensors begin where Windows can map memory (and every other system, too), small ones close together. */
const LARGE = 1024 * 1024;
const LARGE_ALIGNMENT = 64 * 1024;
const SMALL_ALIGNMENT = 64;

/** Smaller tensors stay in the model: ONNX's own tools leave them there, and they may be shapes. */
export const LEAST_EXTERNAL_BYTES = 1024;

/** The external data of a model to be written, in one file beside it: tensors of another model's files, and new ones. */
export class DataFile {
  private end = 0;
  private readonly places = new Map<string, ExternalPlace>();
  private readonly pieces: {
    readonly offset: number;
    readonly content: Uint8Array | (ByteRange & { file: string });
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

  /** The file's content, in order. */
  *chunks(): Generator<Uint8Array> {
    let position = 0;
    for (const { offset, content } of this.pieces) {
      yield new Uint8Array(offset - position);
      if (content instanceof Uint8Array) {
        yield content;
        position = offset + content.length;
      } else {
        yield* copied(content.file, content);
        position = offset + content.end - content.start;
      }
    }
  }

  private append(content: Uint8Array | (ByteRange & { file: string }), length: number): ExternalPlace {
    const alignment = length >= LARGE ? LARGE_ALIGNMENT : SMALL_ALIGNMENT;
    const offset = Math.ceil(this.end / alignment) * alignment;
    this.pieces.push({ offset, content });
    this.end = offset + length;
    return { location: this.location, offset, length };
  }
}

function* copied(file: string, { start, end }: ByteRange): Generator<Uint8Array> {
  for (let position = start; position < end; position += CHUNK) {
    const bytes = new Uint8Array(Math.min(CHUNK, end - position));
    const done = withInputFile(file, (input) => input.readAt(bytes, position));
    if (done < bytes.length) throw new Error(`${path.basename(file)} became shorter while it was copied`);
    yield bytes;
  }
}
