import { findEmbeddings } from "../layers/embeddings";
import type { ModelReport } from "../report";
import { usedRows } from "../runtime/lookups";
import type { Subject, SubjectData } from "./prepare";

/** The embedding tables of the model, with the rows that the calibration data uses. */
export async function embeddingReports(
  subject: Subject,
  { calibrationBatches }: SubjectData,
  signal: AbortSignal | undefined,
): Promise<NonNullable<ModelReport["embeddings"]>> {
  const embeddings = findEmbeddings(subject.index);
  const used = await usedRows(subject, embeddings, calibrationBatches, signal);
  return embeddings.map(({ name, rows, columns }, at) => ({ name, rows, columns, usedRows: used[at] }));
}
