import type { Batches } from "../calibration/batches";
import type { Embedding } from "../layers/embeddings";
import { editedModelBytes } from "../onnx/edit";
import { ancestors, readsOf, type GraphIndex } from "../onnx/graphIndex";
import type { OpenModel } from "../onnx/reader";
import { createSession, type TensorValues } from "./session";

/** How many different rows of each table the data looks up. Only what the numbers of rows are made by is run. */
export async function usedRows(
  { model, index }: { readonly model: OpenModel; readonly index: GraphIndex },
  embeddings: readonly Embedding[],
  batches: Batches,
  signal: AbortSignal | undefined,
): Promise<number[]> {
  const used = embeddings.map(({ rows }) => new Uint8Array(rows));
  if (embeddings.length === 0) return [];
  const values = embeddings.flatMap(({ indices }) => indices);
  const session = await openIndices(model, index, [...new Set(values.filter((name) => index.producers.has(name)))]);
  try {
    for (let batch = 0; batch < batches.count; batch++) {
      signal?.throwIfAborted();
      const { values: fed } = batches.batch(batch);
      const computed: TensorValues = session ? await session.run(fed) : new Map();
      for (const [at, { rows, indices }] of embeddings.entries()) {
        for (const name of indices) {
          for (const place of (computed.get(name) ?? fed.get(name))?.data ?? []) {
            const row = Number(place);
            // A negative one counts from the end.
            used[at][row < 0 ? row + rows : row] = 1;
          }
        }
      }
    }
  } finally {
    await session?.release();
  }
  return used.map((flags) => flags.reduce((sum, flag) => sum + flag, 0));
}

/** The part of the model that computes the values; null where there are none. */
async function openIndices(model: OpenModel, index: GraphIndex, values: readonly string[]) {
  if (values.length === 0) return null;
  const keepNodes = ancestors(index, values, new Set());
  const read = new Set([...keepNodes].flatMap(readsOf));
  const bytes = editedModelBytes(model, {
    keepNodes,
    keepInitializer: (name) => read.has(name),
    outputs: values.map((name) => ({ name, elementType: null, shape: null })),
  });
  return createSession(bytes, `${model.path} (the rows that are looked up)`, model.folder);
}
