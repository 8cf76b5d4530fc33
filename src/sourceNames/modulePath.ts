/** Attribute names and indices from the model's root to a module: `layer1.0.conv1` is ["layer1", "0", "conv1"]. */
export type ModulePath = readonly string[];

/** Stands for any index in a path that is looked for: `layers[i].fc`. */
export const ANY_INDEX = "*";

/** Names come from model files and from any text: beyond this they name no module that anyone wrote. */
const LONGEST_NAME = 1000;
const MOST_COMPONENTS = 64;

const PARAMETER = /^((in_proj_)?weight|kernel)$/;
/** What exporters and optimizers append to a weight that they changed. */
const CHANGED_WEIGHT = /^(weight)_(transposed|resize|quantized)$/;
const COMPONENT = /^[\w-]+$/;
const INDEX = /^\d+$/;

/** Whether this names a weight of a module, not a module. */
export function isParameter(component: string): boolean {
  return PARAMETER.test(component) || CHANGED_WEIGHT.test(component);
}

/** Whether it says nothing beyond a position: many modules have a "0". */
export function isIndex(component: string): boolean {
  return component === ANY_INDEX || INDEX.test(component);
}

/**
 * The module that a name of a weight, a node or a state-dict key speaks of, or null where it speaks of none (names that an
 * exporter made up, operators without a scope):
 *
 * - PyTorch parameters, `layer1.0.conv1.weight`;
 * - nodes of PyTorch's exporter, `/layer1/layer1.0/conv1/Conv`: the scopes of modules, then the operator;
 * - TensorFlow variables and nodes, `dense_1/kernel:0`, `StatefulPartitionedCall/net/dense_1/MatMul/ReadVariableOp:0`.
 */
export function modulePath(name: string): ModulePath | null {
  if (name.length > LONGEST_NAME) return null;
  const path = name.startsWith("/") ? torchScopes(name) : name.includes("/") ? tensorflowScopes(name) : dotted(name);
  return path !== null && path.length > 0 && path.length <= MOST_COMPONENTS ? path : null;
}

/** An operator as the last part of a name: PyTorch's exporter and TensorFlow number them `Conv_1`. */
const OPERATOR = /^(Conv|ConvTranspose|MatMul|Gemm)(_\d+)?$/;

function dotted(name: string): ModulePath | null {
  const parts = name.split(".");
  if (!parts.every((part) => COMPONENT.test(part)) || OPERATOR.test(name)) return null;
  return isParameter(parts[parts.length - 1]) ? parts.slice(0, -1) : parts;
}

const ONNX_OPERATOR = /^[A-Z]\w*$/;

function torchScopes(name: string): ModulePath | null {
  const scopes = name.slice(1).split("/");
  // A path of the file system may look the same but for the operator at its end.
  if (!ONNX_OPERATOR.test(scopes.pop() ?? "")) return null;
  const path: string[] = [];
  for (const scope of scopes) {
    const parts = scope.split(".");
    if (!parts.every((part) => COMPONENT.test(part))) return null;
    // A scope repeats the containers that lead to it: `conv/conv.0/conv.0.0` is conv.0.0.
    let repeated = parts.length - 1;
    while (repeated > 0 && !endsWith(path, parts.slice(0, repeated))) repeated--;
    path.push(...parts.slice(repeated));
  }
  return path;
}

/** What TensorFlow and its converters append to a layer's name: variables, operators, and how they are read. */
const TENSORFLOW_TAIL =
  /^(kernel|weights?|resource|(Conv[123]D|Conv|MatMul|Gemm|Tensordot|Reshape|Transpose|ExpandDims|Cast|Identity|ReadVariableOp)(_\w+)?)$/;
const TENSORFLOW_COMPONENT = /^[\w.-]*\w$/;

function tensorflowScopes(name: string): ModulePath | null {
  const path = name.replace(/:\d+\w*$/, "").split("/");
  if (!path.every((part) => TENSORFLOW_COMPONENT.test(part))) return null;
  while (path.length > 0 && TENSORFLOW_TAIL.test(path[path.length - 1])) path.pop();
  return /^(Stateful)?PartitionedCall(_\d+)?$/.test(path[0] ?? "") ? path.slice(1) : path;
}

/** Whether the last components of `path` are those of `suffix`; {@link ANY_INDEX} in it stands for any index. */
export function endsWith(path: ModulePath, suffix: ModulePath): boolean {
  const offset = path.length - suffix.length;
  return (
    offset >= 0 &&
    suffix.every((part, i) => part === path[offset + i] || (part === ANY_INDEX && INDEX.test(path[offset + i])))
  );
}

/** What models are held by: wrappers put these in front of every path, and variables of a whole model are called so. */
const HOLDERS = new Set(["module", "model", "net", "network", "_orig_mod"]);

/** Whether a variable of this name is likely to be a whole model, rather than a part of one. */
export function holdsModel(name: string): boolean {
  return HOLDERS.has(name);
}

/** The path without what wrappers (DataParallel, torch.compile, Lightning) put in front; null where there is nothing. */
export function unwrapped(path: ModulePath): ModulePath | null {
  const first = path.findIndex((part) => !HOLDERS.has(part));
  return first > 0 ? path.slice(first) : null;
}
