import { stageFile, type StagedFile } from "../atomicFile";
import { editedModel, type GraphEdit, type Segment } from "./edit";
import type { OpenModel } from "./reader";

/** Bytes copied at a time. */
const CHUNK = 8 * 1024 * 1024;

/** Writes the edited model beside `target`, to be checked and committed; bytes that stay are copied verbatim. */
export function stageEditedModel(
  model: OpenModel,
  edit: GraphEdit,
  target: string,
  options: { force: boolean },
): StagedFile {
  return stageFile(target, chunks(model, editedModel(model, edit)), options);
}

function* chunks(model: OpenModel, segments: readonly Segment[]): Generator<Uint8Array> {
  for (const segment of segments) {
    if (segment instanceof Uint8Array) {
      yield segment;
      continue;
    }
    for (let start = segment.start; start < segment.end; start += CHUNK) {
      yield model.wire.bytes({ start, end: Math.min(start + CHUNK, segment.end) });
    }
  }
}
