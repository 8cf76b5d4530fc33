import { resolveConstant } from "../onnx/constants";
import type { GraphIndex } from "../onnx/graphIndex";
import { dataDependentNodes } from "../onnx/subgraph";
import { floatWeight, intAttribute } from "./nodes";

/** A constant matrix whose rows are looked up by numbers that depend on the data. */
export interface Embedding {
  /** The value that holds the stored table. */
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  /** The values with the numbers of rows. */
  readonly indices: readonly string[];
}

/** The tables of the graph's Gathers. They multiply nothing and have no rank of use; how much of them is used is counted. */
export function findEmbeddings(index: GraphIndex): Embedding[] {
  const dataInputs = new Set(index.dataInputs.map(({ name }) => name));
  const dataDependent = dataDependentNodes(index);
  const found = new Map<string, Embedding>();
  for (const node of index.order) {
    const [table, indices] = node.inputs;
    if (node.opType !== "Gather" || node.domain !== "" || intAttribute(node, "axis", 0) !== 0) continue;
    const producer = index.producers.get(indices ?? "");
    if (producer ? !dataDependent.has(producer) : !dataInputs.has(indices ?? "")) continue;
    const resolved = resolveConstant(index, table);
    if (resolved?.kind !== "constant") continue;
    const { name: stored, dims, steps } = resolved.constant;
    if (dims.length !== 2 || typeof floatWeight(resolved.constant) === "string") continue;
    const [rows, columns] = dims;
    // A part of a tensor has other rows than the whole, and than another part.
    const name = steps.length === 0 ? stored : table;
    const key = JSON.stringify([stored, steps]);
    const before = found.get(key);
    found.set(key, {
      name: before?.name ?? name,
      rows,
      columns,
      indices: [...new Set([...(before?.indices ?? []), indices])],
    });
  }
  return [...found.values()];
}
