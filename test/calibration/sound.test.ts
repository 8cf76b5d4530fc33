import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { openDataset } from "../../src/calibration/dataset";
import { resampledLength, resampler } from "../../src/calibration/resample";
import { openWav } from "../../src/calibration/wav";
import type { Preprocess } from "../../src/config";
import type { Dimension, ValueInfo } from "../../src/onnx/schema";
import { wavBytes, writeWav, type WavForm } from "../fixtures/wav";
import { messageOf, rejection } from "./messageOf";

const folder = mkdtempSync(join(tmpdir(), "ranklens-sound-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (...names: string[]) => join(folder, ...names);

const sine = (frequency: number, rate: number, count: number) =>
  Float32Array.from({ length: count }, (_, i) => Math.sin((2 * Math.PI * frequency * i) / rate));

/** Samples of a recording in memory, with silence around. */
const reading = (samples: Float32Array) => (start: number, count: number) =>
  Float32Array.from({ length: count }, (_, i) => samples[start + i] ?? 0);

describe("WAV files", () => {
  test.each<[string, Omit<WavForm, "rate">, number]>([
    ["PCM of 8 bits", { bits: 8 }, 2 ** -7],
    ["PCM of 16 bits", { bits: 16 }, 2 ** -15],
    ["PCM of 24 bits", { bits: 24 }, 2 ** -23],
    ["PCM of 32 bits", { bits: 32 }, 2 ** -24],
    ["float of 32 bits", { bits: 32, encoding: 3 }, 2 ** -24],
    ["float of 64 bits", { bits: 64, encoding: 3 }, 2 ** -24],
    ["an extended header", { bits: 24, isExtensible: true }, 2 ** -23],
    ["other chunks", { bits: 16, chunks: [["LIST", Buffer.from("odd")]] }, 2 ** -15],
  ])("property: %s", (_, form, step) => {
    const values = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 3 }), (samples, channels) => {
        const frames = samples.map((sample) => new Array<number>(channels).fill(sample)).flat();
        const wav = openWav(writeWav(at("x.wav"), frames, { rate: 8000, channels, ...form }));
        expect(wav).toMatchObject({ rate: 8000, frames: samples.length });
        const read = wav.read(0, samples.length);
        // The highest level of PCM is one step below 1.
        samples.forEach((sample, i) => expect(Math.abs(read[i] - sample)).toBeLessThanOrEqual(step));
        if (samples.length > 1) expect(wav.read(1, 1)[0]).toBe(read[1]);
      }),
      { numRuns: 30 },
    );
  });

  test("channels are averaged", () => {
    const wav = openWav(
      writeWav(at("stereo.wav"), [0.5, -0.25, 1, 0], { rate: 8000, channels: 2, bits: 32, encoding: 3 }),
    );
    expect([...wav.read(0, 2)]).toEqual([0.125, 0.5]);
  });

  const good = wavBytes([0, 0.5, 1], { rate: 8000 });
  test.each<[string, Buffer, string]>([
    [
      "MP3",
      wavBytes([0], { rate: 8000, encoding: 0x55 }),
      " is MP3 of 16 bits; PCM of 8, 16, 24 and 32 bits and float",
    ],
    ["12 bits", edited(good, 34, 12), " is PCM of 12 bits; "],
    ["no channels", edited(good, 22, 0), " claims 0 channels at 8000 Hz; write or copy it again"],
    ["a rate of 1 Hz", edited(edited(good, 24, 1), 26, 0), " claims 1 channels at 1 Hz"],
    ["cut off", good.subarray(0, -2), " is cut off: 50 bytes are needed, and it has 48; write or copy it again"],
    ["no samples", wavBytes([], { rate: 8000 }), " is empty: it has no samples"],
    ["no format", Buffer.concat([good.subarray(0, 12), good.subarray(36)]), " has no format: it is cut off"],
    ["the header alone", good.subarray(0, 36), " has no samples: it is cut off or no recording; copy it again"],
    [
      "something else",
      Buffer.from("ID3 and no sound at all"),
      " is not a WAV file: it does not begin with RIFF and WAVE",
    ],
    ["nothing", Buffer.alloc(0), " is not a WAV file"],
  ])("%s is refused", (_, bytes, message) => {
    writeFileSync(at("bad.wav"), bytes);
    expect(messageOf(() => openWav(at("bad.wav")))).toContain(`${at("bad.wav")}${message}`);
  });

  test("property: damage is an ExpectedError, or harmless", () => {
    fc.assert(
      fc.property(
        fc.nat({ max: good.length - 1 }),
        fc.nat({ max: 255 }),
        fc.nat({ max: good.length }),
        (place, byte, end) => {
          const bytes = Buffer.from(good);
          bytes[place] = byte;
          writeFileSync(at("damaged.wav"), bytes.subarray(0, end));
          try {
            const wav = openWav(at("damaged.wav"));
            expect(wav.read(0, wav.frames)).toHaveLength(wav.frames);
          } catch (error) {
            expect(messageOf(() => { throw error; })).toContain("damaged.wav"); // prettier-ignore
          }
        },
      ),
    );
  });

  test("a length that was never filled in goes on to the end", () => {
    const bytes = Buffer.from(good);
    bytes.writeUInt32LE(0xffffffff, 40);
    writeFileSync(at("stream.wav"), bytes);
    expect(openWav(at("stream.wav")).frames).toBe(3);
  });
});

function edited(bytes: Buffer, position: number, value: number): Buffer {
  const result = Buffer.from(bytes);
  result.writeUInt16LE(value, position);
  return result;
}

describe("another sampling rate", () => {
  const rates = fc.constantFrom(8000, 11025, 16000, 22050, 44100, 48000);

  test("property: a tone that fits stays what it is", () => {
    fc.assert(
      fc.property(rates, rates, fc.double({ min: 0.02, max: 0.4, noNaN: true }), (from, to, share) => {
        const frequency = share * Math.min(from, to);
        const change = resampler(from, to);
        const count = 400;
        // From its middle, since a tone that begins suddenly has all frequencies.
        const start = Math.ceil((2000 * to) / from);
        const found = change(reading(sine(frequency, from, 12_000)), start, count);
        const expected = sine(frequency, to, start + count).subarray(start);
        found.forEach((value, i) => expect(Math.abs(value - expected[i])).toBeLessThan(1e-3));
      }),
      { numRuns: 40 },
    );
  });

  test("property: a tone that does not fit is gone", () => {
    fc.assert(
      fc.property(
        fc.constantFrom([44100, 16000], [48000, 8000], [22050, 16000]),
        fc.double({ min: 1.06, max: 1.3, noNaN: true }),
        ([from, to], share) => {
          const found = resampler(from, to)(
            reading(sine((share * to) / 2, from, 12_000)),
            Math.ceil((3000 * to) / from),
            200,
          );
          found.forEach((value) => expect(Math.abs(value)).toBeLessThan(1e-3));
        },
      ),
      { numRuns: 20 },
    );
  });

  test("property: parts are those of the whole, and a constant stays", () => {
    fc.assert(
      fc.property(rates, rates, fc.nat({ max: 300 }), (from, to, start) => {
        const noise = Float32Array.from({ length: 3000 }, (_, i) => Math.sin(i * i));
        const change = resampler(from, to);
        expect(change(reading(noise), start, 50)).toEqual(change(reading(noise), 0, 400).subarray(start, start + 50));
        const flat = change(() => new Float32Array(20_000).fill(0.25), 100, 20);
        flat.forEach((value) => expect(value).toBeCloseTo(0.25, 6));
      }),
      { numRuns: 30 },
    );
  });

  test("lengths", () => {
    expect([resampledLength(44100, 44100, 16000), resampledLength(1, 44100, 16000)]).toEqual([16000, 1]);
  });
});

describe("recordings for a model", () => {
  const wave = (...shape: Dimension[]): ValueInfo => ({
    name: "sound",
    elementType: "float32",
    shape: ["n", ...shape],
  });
  const open = (source: string, input: ValueInfo, preprocess: Preprocess = {}) =>
    openDataset({ source }, preprocess, [input]);
  const ramp = Float32Array.from({ length: 10 }, (_, i) => i / 16);
  const ten = writeWav(at("ten.wav"), ramp, { rate: 16000, bits: 32, encoding: 3 });

  test("are cut into windows of the model's length; what is left over is dropped", async () => {
    const dataset = await open(ten, wave(4));
    expect(dataset).toMatchObject({ count: 2, decodedBytes: 32, warnings: [] });
    expect(dataset.batch(0, 2).get("sound")).toEqual({ type: "float32", dims: [2, 4], data: ramp.slice(0, 8) });
    expect((await open(ten, wave(1, "t"), { samples: 5 })).batch(1, 1).get("sound")).toMatchObject({
      dims: [1, 1, 5],
      data: ramp.slice(5),
    });
    expect((await open(ten, wave(5, 1))).batch(1, 1).get("sound")!.dims).toEqual([1, 5, 1]);
    expect((await open(ten, wave("t"))).batch(0, 1).get("sound")!.data).toEqual(ramp);
    expect((await open(ten, wave("t"), { scale: 16, samples: 3 })).batch(2, 1).get("sound")!.data).toEqual(
      Float32Array.of(6, 7, 8),
    );
  });

  test("shorter ones have silence behind them", async () => {
    expect((await open(ten, wave(12))).batch(0, 1).get("sound")!.data).toEqual(Float32Array.from([...ramp, 0, 0]));
  });

  test("another rate is changed, and said where it is a guess", async () => {
    const path = writeWav(at("high.wav"), sine(100, 44100, 4410), { rate: 44100 });
    const dataset = await open(path, wave("t"));
    expect(dataset.batch(0, 1).get("sound")!.dims).toEqual([1, 1600]);
    expect(dataset.warnings).toEqual([
      `${path}: resampled from 44100 to 16000 Hz, which is a guess: set preprocess.sampleRate to what the model takes.`,
    ]);
    const same = await open(path, wave("t"), { sampleRate: 44100 });
    expect([same.batch(0, 1).get("sound")!.dims, same.warnings]).toEqual([[1, 4410], []]);
  });

  test("class folders give each window its label", async () => {
    for (const [name, samples] of [
      ["no/a.wav", 8],
      ["no/b.wav", 4],
      ["yes/a.wav", 12],
    ] as const) {
      mkdirSync(at("words", name.split("/")[0]), { recursive: true });
      writeWav(at("words", name), new Float32Array(samples), { rate: 16000 });
    }
    const dataset = await open(at("words"), wave(4));
    expect([...dataset.labels!]).toEqual([0, 0, 0, 1, 1, 1]);
    expect(dataset.classNames).toEqual(["no", "yes"]);
    const hashes = await dataset.sha256();
    writeWav(at("words/no/a.wav"), new Float32Array(8).fill(0.5), { rate: 16000 });
    expect((await (await open(at("words"), wave(4))).sha256()).source).not.toBe(hashes.source);
    expect(await rejection(open(at("words"), wave("t")))).toBe(
      "recordings differ in length: at 16000 Hz a.wav has 8 samples and b.wav 4; set preprocess.samples to the length of the model's windows",
    );
  });

  test("what takes no sound is refused", async () => {
    expect(await rejection(open(ten, wave(3, 4, 4)))).toBe(
      `the model's input "sound" takes [N,3,4,4], and recordings give [N,samples]; compute what the model takes (a ` +
        `spectrogram?) and save it as .npy`,
    );
    expect(await rejection(open(ten, wave(4), { samples: 5 }))).toBe(
      `preprocess.samples is 5, and the model's input "sound" takes windows of 4; remove it`,
    );
    expect(await rejection(open(ten, wave(4), { maxLength: 5 }))).toBe(
      `preprocess.maxLength is for text and token ids, and ${ten} is a recording; remove it`,
    );
  });
});
