import { extname } from "node:path";
import type { ByteSource } from "./byteSource";

/** The beginning of a file, its size, and its extension in lower case. */
interface Beginning {
  readonly bytes: Buffer;
  readonly size: number;
  readonly extension: string;
}

/** A kind of file that is easily taken for an ONNX model. */
interface ForeignKind {
  readonly recognises: (file: Beginning) => boolean;
  /** "a PyTorch checkpoint". */
  readonly is: string;
  /** What to do, as a whole sentence without a full stop. */
  readonly advice: string;
}

/** Bytes that tell all kinds apart. The first name in a zip archive may be long. */
const BEGINNING = 4096;

const begins = (...bytes: number[]) => {
  const magic = Buffer.from(bytes);
  return ({ bytes: found }: Beginning): boolean => found.subarray(0, magic.length).equals(magic);
};
const has = (text: string, at = 0) => {
  return ({ bytes }: Beginning): boolean => bytes.toString("latin1", at, at + text.length) === text;
};
const named = (...extensions: string[]) => {
  return ({ extension }: Beginning): boolean => extensions.includes(extension);
};
const contains = (text: string) => {
  return ({ bytes }: Beginning): boolean => bytes.includes(text, 0, "latin1");
};
const all = (...tests: ForeignKind["recognises"][]): ForeignKind["recognises"] => {
  return (file) => tests.every((test) => test(file));
};
const any = (...tests: ForeignKind["recognises"][]): ForeignKind["recognises"] => {
  return (file) => tests.some((test) => test(file));
};

const zip = has("PK\u0003\u0004");
const TORCH = 'Load it in PyTorch and export it: torch.onnx.export(model, example_input, "model.onnx")';
const TF2ONNX = "Convert it with tf2onnx: python -m tf2onnx.convert";

/** The first that recognises a file names it: special kinds stand before those that hold them. */
const KINDS: readonly ForeignKind[] = [
  { recognises: ({ size }) => size === 0, is: "empty", advice: "Write or copy it again" },
  {
    recognises: has("version https://git-lfs"),
    is: "a Git LFS pointer, which stands for the file itself",
    advice: 'Fetch the file with "git lfs pull"',
  },
  {
    recognises: any(
      all(zip, any(contains("/data.pkl"), named(".pt", ".pth", ".pt2", ".ckpt"))),
      all(begins(0x80), isPickle),
    ),
    is: "a PyTorch or pickle file",
    advice: TORCH,
  },
  {
    recognises: all(has("{", 8), ({ bytes, size }) => bytes.readBigUInt64LE(0) < BigInt(size)),
    is: "a safetensors file: weights without a graph",
    advice: "Load it in its framework and export the model to ONNX from there",
  },
  { recognises: has("TFL3", 4), is: "a TensorFlow Lite model", advice: `${TF2ONNX} --tflite FILE --output model.onnx` },
  {
    recognises: has("ORTM", 4),
    is: "a model in onnxruntime's own ORT format",
    advice: "Use the .onnx file that it was made from",
  },
  {
    recognises: any(begins(0x89, 0x48, 0x44, 0x46), all(zip, named(".keras"))),
    is: "a Keras or HDF5 file",
    advice: 'Load it in Keras and export it: model.export("model.onnx", format="onnx")',
  },
  {
    // A SavedModel of version 1, or a GraphDef.
    recognises: all(named(".pb"), any(begins(8, 1, 0x12), begins(0x0a))),
    is: "a TensorFlow model",
    advice: `${TF2ONNX} --saved-model FOLDER --output model.onnx`,
  },
  { recognises: named(".mlmodel"), is: "a Core ML model", advice: "Use the model it was converted from" },
  { recognises: has("GGUF"), is: "a GGUF file", advice: "Use the model it was converted from" },
  { recognises: begins(0x1f, 0x8b), is: "packed with gzip", advice: "Unpack it with gunzip" },
  {
    recognises: any(
      begins(0x28, 0xb5, 0x2f, 0xfd),
      begins(0xfd, 0x37, 0x7a, 0x58, 0x5a),
      has("BZh"),
      has("7z\xbc\xaf"),
    ),
    is: "a compressed file",
    advice: "Unpack it",
  },
  { recognises: has("\x93NUMPY"), is: "a NumPy array", advice: "Name the model, and the data in the config" },
  { recognises: zip, is: "a zip archive", advice: "Unpack it" },
  { recognises: has("ustar", 257), is: "a tar archive", advice: "Unpack it with tar -xf" },
  {
    recognises: has("ftrt"),
    is: "a TensorRT engine, built for one kind of GPU",
    advice: "Use the .onnx file that it was built from",
  },
  {
    recognises: ({ bytes }) => /^\s*<(!doctype html|html)/i.test(bytes.toString("latin1", 0, 200)),
    is: "a web page, as downloads that fail leave it",
    advice: "Download the file itself",
  },
  { recognises: isText, is: "text", advice: "ONNX models are binary: check the path" },
  {
    recognises: named(".data", ".onnx_data"),
    is: "the external data of a model: weights without a graph",
    advice: "Name the .onnx file that it belongs to",
  },
  {
    recognises: ({ bytes }) => bytes.every((byte) => byte === 0),
    is: "nothing but zeros at its beginning, as copies that fail leave it",
    advice: "Copy it again",
  },
];

/** What a file is that is no ONNX model, and what to do with it, in sentences; null where it cannot be told. */
export function describeForeignFile(source: ByteSource): string | null {
  const bytes = Buffer.from(source.read(0, Math.min(BEGINNING, source.size)));
  const file = { bytes, size: source.size, extension: extname(source.name).toLowerCase() };
  const kind = KINDS.find(({ recognises }) => recognises(file));
  return kind ? `${source.name} is ${kind.is}, not an ONNX model. ${kind.advice}.` : null;
}

/** The second byte of a pickle is the version of its protocol; what follows is an instruction. */
function isPickle({ bytes }: Beginning): boolean {
  return bytes.length > 2 && bytes[1] >= 2 && bytes[1] <= 5;
}

/** Whole characters of UTF-8, and none that no text has. Only the last may be cut in two, where the file goes on. */
function isText({ bytes, size }: Beginning): boolean {
  const text = bytes.toString("utf8");
  const whole = size > bytes.length ? text.replace(/\ufffd$/, "") : text;
  // eslint-disable-next-line no-control-regex -- they are what is looked for
  return !/[\u0000-\u0008\u000e-\u001f\ufffd]/.test(whole);
}
