import type { NewInitializer, NewNode } from "../onnx/encode";
import type { Constant } from "../onnx/constants";
import type { FloatType } from "../onnx/elements";
import type { GraphIndex } from "../onnx/graphIndex";
import type { Node } from "../onnx/schema";
import type { GramEmission } from "./gram";

/**
 * How a weight tensor is read as matrices: `groups` matrices W_g of rows×columns (m×d), one after the other; each is
 * stored transposed (d×m) where `transposed` says so; the layer's W is `scale` times what is stored (Gemm's alpha).
 */
export interface WeightView {
  readonly groups: number;
  /** m: outputs per group. */
  readonly rows: number;
  /** d: inputs per group. */
  readonly columns: number;
  readonly transposed: boolean;
  readonly scale: number;
}

/** A constant of floating-point numbers, as a node reads it. */
export type WeightConstant = Constant & { readonly elementType: FloatType };

/** Nodes to be added to a graph, with the constants they read. */
export interface Emission {
  readonly nodes: readonly NewNode[];
  readonly initializers: readonly NewInitializer[];
}

/** W′ ≈ A·B in every group: A is rows×rank, B is rank×columns, row-major, the groups one after the other. */
export interface Factors {
  readonly rank: number;
  readonly a: Float64Array;
  readonly b: Float64Array;
}

/** Names for the parts of a decomposed layer. */
export interface FactorNames {
  /** Initializer of B, which acts first. */
  readonly first: string;
  /** Initializer of A. */
  readonly second: string;
}

/** One node that applies the layer's weight. */
export interface LayerUse {
  readonly node: Node;
  /** The value that the weight acts on, or that X can be made from. */
  readonly input: string;
  /** The node with an output more, where `input` is an output that the model leaves out. */
  readonly instrumented?: NewNode;
  /**
   * Nodes that compute the features' source as `result` in float32, from `input` and any input of the node; without it, that
   * is `input`, cast where it must be.
   */
  readonly prepare?: (result: string) => Emission;
  /** The value that it reads the weight from: the stored constant, or what Identity, Reshape, … make of it. */
  readonly weight: string;
  readonly output: string;
  /** A value with this many elements for every row of X. */
  readonly counted: { readonly value: string; readonly perRow: number };
  /** Two uses with the same key see the same features of their inputs: equal inputs give equal Gram matrices. */
  readonly featuresKey: string;
  /** Groups of features: each group sees its own. */
  readonly featureGroups: number;
  /**
   * Nodes that compute the layer's input rows Xᵀ as `output` from `source`, of shape d×N, or groups×d×N where groups > 1.
   * `inputRank` is the rank of the value `input`.
   */
  features(source: string, output: string, inputRank: number): Emission;
  /** Nodes that compute XᵀX; their names begin with `output`. `inputDims` are those of the value `input`, of any batch. */
  gram(source: string, output: string, inputDims: readonly number[]): GramEmission;
  /**
   * Nodes that take the node's place, with another weight than its own: a value of the weight's element type and dims. The
   * last of them is `node`, which may have another layer's weight replaced already.
   */
  withWeight(weight: string, node: NewNode): readonly NewNode[];
  /** Uses of one weight can share its factors only where this is equal. */
  readonly factorLayout: string;
  /** The initializers of the decomposed layer, float32 or float64: first B, then A. */
  factorInitializers(factors: Factors, names: FactorNames): readonly NewInitializer[];
  /** The two nodes (sometimes with a Transpose) that take the node's place; `hidden` names the value between them. */
  decomposed(names: FactorNames, hidden: string): readonly NewNode[];
}

/** Some of the rows of W: the outputs from `start` up to `end`. */
export interface WeightPart {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** A weight that can be analysed, with every node that applies it. */
export interface Layer {
  /** What people call it: the weight's name, or the node's where an exporter made the weight's name up. Unique. */
  readonly name: string;
  readonly op: string;
  /** The value that holds the stored weight: an initializer, or the output of a Constant node. Unique. */
  readonly weightName: string;
  readonly weight: WeightConstant;
  readonly view: WeightView;
  /** Why it stays one layer whatever its rank; null where it can become two. */
  readonly kept: string | null;
  /** Rows of W that are projections of their own, in a weight that packs several; empty in others. */
  readonly parts: readonly WeightPart[];
  /** At least one. */
  readonly uses: readonly LayerUse[];
}

/** A constant weight of a node: a layer, or the reason why it is none. */
export type Recognition = RecognisedLayer | { readonly kind: "skipped"; readonly reason: string };

export interface RecognisedLayer {
  readonly kind: "layer";
  readonly weight: WeightConstant;
  readonly view: WeightView;
  readonly use: LayerUse;
  /** As {@link Layer.kept}; without it, null. */
  readonly kept?: string;
  /** As {@link Layer.parts}; without it, they are looked for behind the node. */
  readonly parts?: readonly WeightPart[];
  /** What tells a node's layers apart, where it has several: added to the node's name. */
  readonly part?: string;
}

/** A family of operators whose weights are matrices: one file and one line in index.ts. */
export interface LayerType {
  /** Operators: of the ONNX domain, or as `domain:operator`. */
  readonly ops: readonly string[];
  /** The inputs that may be its weight, or its data; without it, the first two. */
  readonly operands?: (node: Node) => readonly number[];
  /** What the node's constant weights are; none where it applies no constant at all. */
  recognise(node: Node, index: GraphIndex): readonly Recognition[];
}

/** A weight that cannot be analysed. */
export function skipped(reason: string): readonly Recognition[] {
  return [{ kind: "skipped", reason }];
}

/** The value that Gram matrices of the layer's inputs depend on; see {@link LayerUse.featuresKey}. */
export function gramKey(layer: Layer): string {
  return layer.uses.map((use) => `${use.input} ${use.featuresKey}`).join("; ");
}

/** Parameters of the layer's weight. */
export function parameterCount({ groups, rows, columns }: WeightView): number {
  return groups * rows * columns;
}
