/** Static shape inference: the shapes of all values of a graph, without running it. */
import type { Graph, Node, Shape, TensorInfo } from "../schema";
import { CONSTANT, type RuleContext } from "./context";
import { boundedShape, declaredDimension, publicDimension, sharper, SymbolSource } from "./dimensions";
import { producersOf, topologicalOrder } from "./order";
import { ruleFor, shapeRules, valueRules } from "./registry";
import { arithmeticOf, elementCount, smallTensor, type SmallTensor } from "./smallTensor";

/**
 * Elements that all computed small tensors of a graph may have together. The largest real graphs compute some 10⁵;
 * a file of many tiny nodes could otherwise ask for 512 elements at each.
 */
const MAX_COMPUTED_ELEMENTS = 4_000_000;

/** Gives the elements of a small tensor as numbers, or null where it is too large or cannot be read. */
export type ReadSmallTensor = (tensor: TensorInfo) => readonly number[] | null;

export interface InferenceOptions {
  /** Called with what a rule threw. A rule never should; the outputs of the node are then unknown. */
  readonly onRuleFailure?: (node: Node, error: unknown) => void;
}

/**
 * The shape of every value of `graph` by name: inputs, initializers and node outputs; null where the rank is unknown.
 *
 * Shapes follow from the inputs and weights through the operators. What the file declares of intermediate values and
 * outputs fills the gaps (and names dimensions); where it contradicts, the inferred size stands: tools that edit models
 * leave stale declarations behind, and a runtime computes what the operators say. A symbol and a declared size are no
 * contradiction, the size is taken. Initializers count as constants even if they are listed as inputs, too.
 *
 * A symbol is a name that the file gives a dimension of an input, or a product such as `7*batch`. To have numbers for
 * dynamic dimensions, give `graph.inputs` with sizes in place of the names.
 *
 * Never throws for a malformed or cyclic graph; what cannot be told is unknown.
 */
export function inferShapes(
  graph: Graph,
  readSmallTensor: ReadSmallTensor,
  opset: number,
  options: InferenceOptions = {},
): ReadonlyMap<string, Shape> {
  const producers = producersOf(graph);
  const inference = new Inference(graph, producers, readSmallTensor, opset, options);
  for (const node of topologicalOrder(graph, producers)) inference.visit(node);
  return inference.result();
}

class Inference {
  private readonly shapes = new Map<string, Shape>();
  /** Known elements by name; null for an initializer that was asked for in vain. */
  private readonly values = new Map<string, SmallTensor | null>();
  private readonly declared = new Map<string, Shape>();
  private readonly symbols = new SymbolSource();
  private computedElements = 0;

  constructor(
    private readonly graph: Graph,
    private readonly producers: ReadonlyMap<string, Node>,
    private readonly readSmallTensor: ReadSmallTensor,
    private readonly opset: number,
    private readonly options: InferenceOptions,
  ) {
    for (const { name, shape } of [...graph.outputs, ...graph.valueInfo.values()]) {
      this.declared.set(name, asDeclared(shape));
    }
    for (const [name, tensor] of [...graph.initializers, ...graph.sparseInitializers]) this.define(name, tensor.dims);
    for (const { name, shape } of graph.inputs) this.define(name, asDeclared(shape));
  }

  visit(node: Node): void {
    const context = this.contextOf(node);
    const shapes = this.guarded(node, () => ruleFor(shapeRules, node)?.(context)) ?? [];
    const values = this.guarded(node, () => ruleFor(valueRules, node)?.(context, shapes.map(boundedShape))) ?? [];
    for (const [index, name] of node.outputs.entries()) {
      if (this.producers.get(name) !== node || this.shapes.has(name)) continue;
      const value = values.at(index) ?? null;
      this.define(name, value?.shape ?? shapes.at(index) ?? null);
      if (value) this.keep(name, value);
    }
  }

  result(): ReadonlyMap<string, Shape> {
    // Nodes on a cycle were not visited: what the file says of their outputs is all there is.
    for (const name of this.producers.keys()) this.define(name, null);
    return new Map([...this.shapes].map(([name, shape]) => [name, this.presented(name, shape)]));
  }

  /** Without internal symbols; a dimension that has only those gets the name that the file gives it. */
  private presented(name: string, shape: Shape): Shape {
    const declared = this.declared.get(name);
    const names = declared?.length === shape?.length ? declared : null;
    return shape && shape.map((dim, axis) => publicDimension(dim) ?? names?.[axis] ?? null);
  }

  /** Settles the shape of a value that has none yet: what was inferred and what the file declares, together. */
  private define(name: string, inferred: Shape): void {
    if (this.shapes.has(name)) return;
    const shape = merge(boundedShape(inferred), this.declared.get(name) ?? null);
    this.shapes.set(name, shape && shape.map((dim) => this.symbols.named(dim)));
  }

  private keep(name: string, value: SmallTensor): void {
    this.computedElements += value.elements.length;
    if (this.computedElements <= MAX_COMPUTED_ELEMENTS) this.values.set(name, value);
  }

  private contextOf(node: Node): RuleContext {
    return {
      node,
      opset: this.opset,
      has: (index) => (node.inputs.at(index) ?? "") !== "",
      shape: (index) => this.shapes.get(node.inputs[index] ?? "") ?? null,
      value: (index) => {
        if (index !== CONSTANT) return this.valueOf(node.inputs[index] ?? "");
        const attribute = node.attributes.get("value");
        return attribute?.kind === "tensor" ? this.read(attribute.tensor) : null;
      },
    };
  }

  private valueOf(name: string): SmallTensor | null {
    const known = this.values.get(name);
    if (known !== undefined) return known;
    const tensor = this.graph.initializers.get(name);
    if (!tensor) return null;
    const value = this.read(tensor);
    this.values.set(name, value);
    return value;
  }

  private read(tensor: TensorInfo): SmallTensor | null {
    const arithmetic = arithmeticOf(tensor.elementType);
    if (!arithmetic || elementCount(tensor.dims) === null) return null;
    const elements = this.readSmallTensor(tensor);
    return elements && smallTensor(tensor.dims, elements, arithmetic);
  }

  private guarded<T>(node: Node, rule: () => T): T | null {
    try {
      return rule();
    } catch (error) {
      this.options.onRuleFailure?.(node, error);
      return null;
    }
  }
}

function asDeclared(shape: Shape): Shape {
  return boundedShape(shape)?.map(declaredDimension) ?? null;
}

/** Dimension by dimension, the inferred one first; a different rank contradicts as a whole. */
function merge(inferred: Shape, declared: Shape): Shape {
  if (!inferred || !declared) return inferred ?? declared;
  return inferred.length === declared.length ? inferred.map((dim, axis) => sharper(dim, declared[axis])) : inferred;
}
