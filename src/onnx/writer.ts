import { realpathSync } from "node:fs";
import path from "node:path";
import {
  checkNotInput,
  checkTarget,
  stageFile,
  stageWithCompanion,
  type RunInput,
  type StagedFile,
} from "../atomicFile";
import { DataFile } from "./dataFile";
import { editedModel, modelLength, MOST_MODEL_BYTES, type GraphEdit } from "./edit";
import { externalFile } from "./externalData";
import { externalTensors } from "./externalTensors";
import type { OpenModel } from "./reader";
import type { TensorInfo } from "./schema";
import { chunksOf, totalLength, type Segment } from "./segments";

/**
 * Refuses a target that cannot be written, before any long work is done for it; also where that is a data file of the
 * model, or the target's own data file would take the place of something.
 */
export function checkModelTarget(model: OpenModel, target: string, options: { force: boolean }): void {
  checkTarget(target, options);
  if (externalTensors(model).length === 0) return;
  const companion = dataPath(target);
  const moves = !isInSameFolder(model, target);
  if (moves) checkTarget(companion, options);
  for (const written of [target, companion]) checkNotInput(written, externalFiles(model));
}

/**
 * Writes the edited model beside `target`, to be checked and committed; bytes that stay are copied verbatim.
 *
 * External data stays external. In the model's own folder, tensors that stay keep referring to the files that they are
 * in, which are not touched, and new ones are written into the model. In any other folder all that is needed goes into one
 * new file, `TARGET.data`, together with new tensors. So do the weights of a model that would outgrow protobuf in one piece.
 * @param options.mostBytes what the model file may have at most, its external data not counted.
 */
export function stageEditedModel(
  model: OpenModel,
  edit: GraphEdit,
  target: string,
  options: { force: boolean; mostBytes?: number },
): StagedFile {
  const { mostBytes = MOST_MODEL_BYTES } = options;
  const inline = editedModel(model, edit);
  const isExternal = externalTensors(model).length > 0;
  const fits = totalLength(inline) <= mostBytes;
  if (fits && (!isExternal || isInSameFolder(model, target))) {
    return stageFile(target, chunks(model, inline), options);
  }
  checkModelTarget(model, target, options);
  checkNotInput(dataPath(target), [{ what: "the model", path: model.path }]);
  const data = new DataFile(model.wire.source, path.basename(dataPath(target)));
  const addInitializers = edit.addInitializers?.map((initializer) => data.moved(initializer)) ?? [];
  const segments = editedModel(model, {
    ...edit,
    addInitializers,
    place: (tensor) => data.place(tensor),
    ...(fits ? {} : { moveOut: (tensor: TensorInfo) => data.movedOut(tensor) }),
  });
  modelLength(model, segments, mostBytes);
  if (data.isEmpty) return stageFile(target, chunks(model, segments), options);
  return stageWithCompanion(
    { path: target, chunks: chunks(model, segments) },
    { path: dataPath(target), chunks: data.chunks() },
    options,
  );
}

/** The files that hold the model's external data. */
export function externalFiles(model: OpenModel): RunInput[] {
  const locations = new Set(externalTensors(model).map(({ payload }) => payload.location));
  const file = (location: string): string => externalFile(model.wire.source, location);
  return [...locations].map((location) => ({ what: "a data file of the model", path: file(location) }));
}

/** Where the external data of a model is written. */
function dataPath(target: string): string {
  return `${target}.data`;
}

function isInSameFolder({ wire }: OpenModel, target: string): boolean {
  const { folder } = wire.source;
  return folder !== null && realpathSync(folder) === realpathSync(path.dirname(path.resolve(target)));
}

function* chunks(model: OpenModel, segments: readonly Segment[]): Generator<Uint8Array> {
  for (const segment of segments) {
    if (segment instanceof Uint8Array) yield segment;
    else for (const chunk of chunksOf(segment)) yield model.wire.bytes(chunk);
  }
}
