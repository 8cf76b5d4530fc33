/** What `inspect` finds in a file; without an entry: no layer, and nothing that is skipped. */
export interface Expectation {
  /** Counted by another reader: weights of Conv, MatMul, Gemm and recurrent nodes that are constants, float32 and matrices. */
  readonly layers: number;
  readonly skipped: number;
  /** Parts of `operator: reason`. */
  readonly reasons?: readonly string[];
  readonly sizes?: Readonly<Record<string, { rows: number; columns: number; macs?: number }>>;
  /** Of all layers, where every shape is known. */
  readonly macs?: number;
}

const EMBEDDING = "Gather: an embedding table";

export const expectations: Readonly<Record<string, Expectation>> = {
  // Keras reshapes to [-1, 8] before every MatMul: 7 tokens are 7 rows, though the first axis is not the batch any more.
  "bert-squad-tf21-toy.onnx": { layers: 145, skipped: 3, reasons: [EMBEDDING], macs: 129_136 },
  "bert-toy-optimized.onnx": {
    layers: 34,
    skipped: 3,
    reasons: [EMBEDDING],
    // The table of word embeddings, turned around by a Transpose, is the last layer's weight too.
    sizes: {
      "cls.seq_relationship.weight": { rows: 2, columns: 32, macs: 64 },
      "bert.embeddings.word_embeddings.weight": { rows: 99, columns: 32 },
    },
  },
  // Input and recurrent weights of two LSTMs, one for each direction; one step of one sample.
  "cntk-bidi-lstm.onnx": {
    layers: 4,
    skipped: 0,
    sizes: { Parameter5: { rows: 12, columns: 2, macs: 24 }, Parameter455: { rows: 12, columns: 3, macs: 36 } },
    macs: 2 * 12 * (2 + 3),
  },
  "dtln-1.onnx": {
    layers: 5,
    skipped: 0,
    macs: 4 * 128 * (257 + 128 + 128 + 128) + 257 * 128,
    sizes: { lstm_4_W: { rows: 512, columns: 257 }, "dense_2/kernel:0": { rows: 257, columns: 128, macs: 257 * 128 } },
  },
  "gpt2-past-toy.onnx": { layers: 48, skipped: 2, reasons: [EMBEDDING] },
  "llama-aidreams260K-derived.onnx": {
    layers: 29,
    skipped: 1,
    reasons: [EMBEDDING],
    sizes: { lm_head: { rows: 512, columns: 64 }, "l0.w2": { rows: 64, columns: 172 } },
  },
  "mnist-8.onnx": {
    layers: 3,
    skipped: 0,
    reasons: [],
    // The last weight lies behind a Reshape.
    macs: 28 * 28 * 8 * 25 + 14 * 14 * 16 * 200 + 256 * 10,
  },
  "silero-vad-16k-op15.onnx": {
    layers: 6,
    skipped: 2,
    reasons: ["LSTM: it is inside the If"],
    sizes: { "model.stft.forward_basis_buffer": { rows: 258, columns: 256 } },
  },
  "squeezenet-winml-small.onnx": {
    layers: 26,
    skipped: 0,
    sizes: { convolution_W: { rows: 64, columns: 27, macs: 64 * 27 * 113 * 113 } },
  },
  "tract-deconv_group.onnx": { layers: 0, skipped: 1, reasons: ["ConvTranspose: depthwise"] },
  "trt-matmul-bf16-i32data.onnx": { layers: 1, skipped: 0 },
  "trt-matmul-fp16.onnx": { layers: 1, skipped: 0 },
  "trt-qdq-conv.onnx": { layers: 0, skipped: 1, reasons: ["Conv: its input is the same whatever data"] },
  "trt-sparse-conv.onnx": { layers: 1, skipped: 0, macs: 5 * 5 * 1024 },
  "ultraface-slim320.onnx": {
    layers: 23,
    skipped: 19,
    reasons: ["Conv: depthwise: one output per group"],
    sizes: { "base_net.0.0.weight": { rows: 16, columns: 27, macs: 16 * 27 * 120 * 160 } },
  },
  "resnet20.onnx": { layers: 20, skipped: 0, macs: 40_551_040 },
  "resnet20_bn.onnx": { layers: 20, skipped: 0, macs: 40_551_040 },
};
