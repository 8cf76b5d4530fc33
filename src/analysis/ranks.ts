import type { Layer } from "../layers/layer";
import { weightElements } from "../layers/weights";
import type { Evaluator } from "../lowrank/evaluator";
import { projectLayer, type LayerBasis } from "../lowrank/layerBasis";
import { mostEvaluations, searchRank, type Evaluation } from "../lowrank/rankSearch";
import { dataDependentNodes, partBehind } from "../onnx/subgraph";
import type { FoundRanks } from "./layerReport";
import type { Subject, SubjectData } from "./prepare";
import type { Scoring } from "./scoring";

export interface LayerSearch {
  readonly layer: Layer;
  readonly basis: LayerBasis;
  readonly evaluator: Evaluator;
  readonly scoring: Scoring;
  /** Percentage points. */
  readonly tolerance: number;
  readonly baseline: "original" | "previous";
  readonly work: { evaluations: number };
}

/** The paper's search for one layer: k_S with P_T = I, then k_T on top of it (paper, section 2.2). */
export async function searchLayer(task: LayerSearch): Promise<FoundRanks> {
  const { layer, evaluator, scoring, tolerance, baseline, work } = task;
  const { columns, rows } = layer.view;
  const { original, limit, passes } = scoring.criterion(tolerance);
  const matters = await evaluator.start(layer);
  const evaluate = async (k: number, kS: number, kT: number, needed: number): Promise<Evaluation> => {
    work.evaluations++;
    // A layer that nothing of the output depends on cannot change an answer.
    if (!matters) return { k, result: original, passed: passes(original, needed) };
    const { result, passed, ...seen } = await evaluator.judge(candidate(task, kS, kT), needed);
    return { k, result, passed, ...(result === null ? seen : {}) };
  };
  const neededS = limit(original);
  let S = await searchRank(columns, (k) => evaluate(k, k, rows, neededS));
  const found = S.evaluations.find(({ k }) => k === S.k);
  if (baseline === "previous" && found?.result === null) {
    // What k_T is measured from has to be counted to the end.
    work.evaluations++;
    const counted = { k: S.k, result: await evaluator.result(candidate(task, S.k, rows)), passed: true };
    S = { ...S, evaluations: S.evaluations.map((evaluation) => (evaluation === found ? counted : evaluation)) };
  }
  const atS = S.evaluations.find(({ k }) => k === S.k)?.result ?? original;
  const neededT = limit(baseline === "previous" ? atS : original);
  const T = await searchRank(rows, (k) => evaluate(k, S.k, k, neededT));
  return {
    kS: S.k,
    kT: T.k,
    search: {
      S: S.evaluations,
      T: T.evaluations,
      needed: scoring.answers === null ? null : { S: neededS, T: neededT },
    },
  };
}

/** W′ at these ranks, as the tensor has it. */
export function candidate({ layer, basis }: LayerSearch, kS: number, kT: number): Float32Array {
  return weightElements(layer.view, projectLayer(basis, kS, kT));
}

/** Forward equivalents that an analysis will take at most: for the time left. */
export interface PlannedWork {
  readonly total: number;
  /** The share of it that goes into the searches of one layer. */
  readonly searches: ReadonlyMap<Layer, number>;
}

export function plannedWork(subject: Subject, data: SubjectData, searches: boolean): PlannedWork {
  const { index, layers } = subject;
  const { calibration, validation, output, macShare } = data;
  if (!validation || !output) return { total: calibration.count, searches: new Map() };
  // The original, all layers projected, all layers decomposed.
  const whole = calibration.count + 3 * validation.count;
  if (!searches) return { total: whole, searches: new Map() };
  const dataDependent = dataDependentNodes(index);
  const byLayer = new Map(
    layers.map((layer) => {
      const nodes = layer.uses.map(({ node }) => node);
      const part = partBehind(index, nodes, output.name, dataDependent);
      const evaluations = mostEvaluations(layer.view.columns) + mostEvaluations(layer.view.rows);
      return [layer, part ? evaluations * macShare(part.nodes) * validation.count : 0];
    }),
  );
  // Advancing from layer to layer, about one more pass in all, enters the plan as layers are settled.
  const total = [...byLayer.values()].reduce((sum, work) => sum + work, whole);
  return { total, searches: byLayer };
}
