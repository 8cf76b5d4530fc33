import { ExpectedError } from "../errors";
import { fileBytes } from "./fileBytes";
import type { Recording } from "./source";

/** Chunks before the samples: more are no recording. */
const MOST_CHUNKS = 1000;
const MOST_CHANNELS = 256;
/** Sampling rates of recordings, in Hz. */
const RATES = { least: 1000, most: 768_000 };
/** Bytes of a chunk's name and size, and of the part of the format that is read. */
const CHUNK_HEADER = 8;
const FORMAT_BYTES = 40;
/** What a program writes that cannot go back to fill in the length: the samples go on to the end of the file. */
const UNKNOWN_SIZE = 0xffffffff;

/** Encodings by the number in the format chunk. */
const PCM = 1;
const FLOAT = 3;
/** The real number stands further behind. */
const EXTENSIBLE = 0xfffe;
const OTHERS: ReadonlyMap<number, string> = new Map([
  [2, "ADPCM"],
  [6, "A-law"],
  [7, "µ-law"],
  [0x11, "IMA ADPCM"],
  [0x31, "GSM"],
  [0x50, "MPEG"],
  [0x55, "MP3"],
]);

interface Format {
  readonly rate: number;
  readonly channels: number;
  /** Bytes of one sample of one channel. */
  readonly bytes: number;
  readonly value: (view: DataView, at: number) => number;
}

/** How samples become numbers from -1 to 1, by encoding and bits. */
const DECODERS: Readonly<Record<string, Format["value"]>> = {
  [`${PCM}/8`]: (view, at) => (view.getUint8(at) - 128) / 128,
  [`${PCM}/16`]: (view, at) => view.getInt16(at, true) / 2 ** 15,
  [`${PCM}/24`]: (view, at) => ((view.getInt8(at + 2) << 16) | view.getUint16(at, true)) / 2 ** 23,
  [`${PCM}/32`]: (view, at) => view.getInt32(at, true) / 2 ** 31,
  [`${FLOAT}/32`]: (view, at) => view.getFloat32(at, true),
  [`${FLOAT}/64`]: (view, at) => view.getFloat64(at, true),
};

/**
 * Opens a WAV file; reads its header only. No library of npm's reads headers alone, or samples of a part: a folder of
 * recordings would have to be decoded as a whole to count its windows.
 * @throws ExpectedError if it is none, is cut off, or of an encoding other than PCM of 8 to 32 bits and floats.
 */
export function openWav(path: string): Recording {
  const file = fileBytes(path);
  const header = chunkAt(path, 0);
  const kind = new Uint8Array(4);
  if (header?.name !== "RIFF" || file.readAt(kind, CHUNK_HEADER) < 4 || Buffer.from(kind).toString() !== "WAVE") {
    const hint = header?.name === "RF64" ? "; RF64 is not supported, so cut it into files below 4 GB" : "";
    throw new ExpectedError(`${path} is not a WAV file: it does not begin with RIFF and WAVE${hint}`);
  }
  let format: Format | null = null;
  let position = CHUNK_HEADER + 4;
  for (let index = 0; index < MOST_CHUNKS; index++) {
    const chunk = chunkAt(path, position);
    if (chunk === null) break;
    const start = position + CHUNK_HEADER;
    if (chunk.name === "fmt ") format = formatAt(path, start, chunk.size);
    if (chunk.name === "data") {
      if (format === null) break;
      return recording(path, format, start, chunk.size);
    }
    // Chunks begin at even positions.
    position = start + chunk.size + (chunk.size % 2);
  }
  throw new ExpectedError(
    `${path} has no ${format === null ? "format" : "samples"}: it is cut off or no recording; copy it again`,
  );
}

function chunkAt(path: string, position: number): { name: string; size: number } | null {
  const bytes = new Uint8Array(CHUNK_HEADER);
  if (fileBytes(path).readAt(bytes, position) < CHUNK_HEADER) return null;
  return {
    name: Buffer.from(bytes.subarray(0, 4)).toString("latin1"),
    size: new DataView(bytes.buffer).getUint32(4, true),
  };
}

function formatAt(path: string, position: number, size: number): Format {
  const bytes = new Uint8Array(FORMAT_BYTES);
  const found = Math.min(fileBytes(path).readAt(bytes, position), size);
  if (found < 16) throw new ExpectedError(`${path} is cut off in its header; copy it again`);
  const view = new DataView(bytes.buffer);
  const given = view.getUint16(0, true);
  const encoding = given === EXTENSIBLE && found >= 26 ? view.getUint16(24, true) : given;
  const [channels, rate, bits] = [view.getUint16(2, true), view.getUint32(4, true), view.getUint16(14, true)];
  const value = DECODERS[`${encoding}/${bits}`];
  if (value === undefined) {
    const name =
      encoding === PCM || encoding === FLOAT
        ? encoding === PCM
          ? "PCM"
          : "float"
        : (OTHERS.get(encoding) ?? `encoding ${encoding}`);
    throw new ExpectedError(
      `${path} is ${name} of ${bits} bits; PCM of 8, 16, 24 and 32 bits and float of 32 and 64 are supported: convert it ` +
        `with ffmpeg -i in.wav -c:a pcm_s16le out.wav`,
    );
  }
  if (channels < 1 || channels > MOST_CHANNELS || rate < RATES.least || rate > RATES.most) {
    throw new ExpectedError(`${path} claims ${channels} channels at ${rate} Hz; write or copy it again`);
  }
  return { rate, channels, bytes: bits / 8, value };
}

function recording(path: string, { rate, channels, bytes, value }: Format, start: number, claimed: number): Recording {
  const file = fileBytes(path);
  const size = claimed === UNKNOWN_SIZE ? file.size - start : claimed;
  if (start + size > file.size) {
    throw new ExpectedError(
      `${path} is cut off: ${start + size} bytes are needed, and it has ${file.size}; write or copy it again`,
    );
  }
  const frameBytes = channels * bytes;
  const frames = Math.floor(size / frameBytes);
  if (frames === 0) throw new ExpectedError(`${path} is empty: it has no samples`);
  return {
    path,
    rate,
    frames,
    read(first, count) {
      const raw = new Uint8Array(count * frameBytes);
      if (file.readAt(raw, start + first * frameBytes) < raw.length) {
        throw new ExpectedError(`${path} became shorter while it was in use; write or copy it again`);
      }
      const view = new DataView(raw.buffer);
      return Float32Array.from({ length: count }, (_, frame) => {
        let sum = 0;
        for (let channel = 0; channel < channels; channel++) sum += value(view, frame * frameBytes + channel * bytes);
        return sum / channels;
      });
    },
  };
}
