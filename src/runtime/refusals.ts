import { ExpectedError } from "../errors";
import type { TensorValues } from "./session";

const WEIGHTS_ALONE = "or look at the weights alone (analyze --weights-only)";

/** Reasons that have a remedy, by what onnxruntime says. */
const LOADING: readonly (readonly [pattern: RegExp, say: (...found: string[]) => string])[] = [
  [
    /([\w.-]*):(\w+)\(-?\d+\) is not a registered function\/op/,
    (domain, operator) =>
      `it does not know the operator ${operator} of the domain ${domain || "ai.onnx"}. Export the model with standard operators, ${WEIGHTS_ALONE}.`,
  ],
  [
    /No Op registered for (\w+) with domain_version of (\d+)/,
    (operator, opset) =>
      `it does not know the operator ${operator} in opset ${opset}. Export the model with standard operators, ${WEIGHTS_ALONE}.`,
  ],
  [
    /Opset (\d+) is under development.*support for domain (\S+) is till opset (\d+)/,
    (opset, domain, most) =>
      `the model is of opset ${opset} of ${domain}, and at most ${most} is supported. Export it with a lower opset, ${WEIGHTS_ALONE}.`,
  ],
  [
    /Unsupported model IR version: (\d+), max supported IR version: (\d+)/,
    (version, most) =>
      `the model is of IR version ${version}, and at most ${most} is supported. Export it with a lower one, ${WEIGHTS_ALONE}.`,
  ],
];

/** onnxruntime does not load a model, or a part of one. */
export class LoadRefusal extends ExpectedError {
  constructor(
    /** What it does not load, as messages call it. */
    readonly what: string,
    /** Its reason, with what to do. */
    readonly reason: string,
    options: { cause: unknown },
  ) {
    super(`${what} could not be loaded by onnxruntime: ${reason}`, options);
  }
}

/** Why onnxruntime does not load a model, and what to do where that can be told. */
export function refusalToLoad(what: string, error: unknown): LoadRefusal {
  const message = messageOf(error);
  const known = LOADING.map(([pattern, say]) => {
    const found = pattern.exec(message);
    return found && say(...found.slice(1));
  }).find((text) => text !== null);
  return new LoadRefusal(what, known ?? message, { cause: error });
}

/** Why onnxruntime does not run a model on `feeds`: declared sizes may be free where the nodes inside leave no choice. */
export function refusalToRun(what: string, feeds: TensorValues, error: unknown): ExpectedError {
  const message = messageOf(error).replace(
    // The name of a source file may follow.
    /^Non-zero status code returned while running (\w+) node\. Name:'([^']*)' Status Message: (\S+\.(h|cc):\d+ \S+ )?/,
    (_, operator: string, name: string) => `its ${operator} node${name === "" ? "" : ` "${name}"`} failed: `,
  );
  const sizes = [...feeds].map(([name, { dims }]) => `${name} [${dims.join(", ")}]`).join(", ");
  const advice = /alloc/i.test(message) ? "" : ". Check that the data has the sizes that the model was made for";
  return new ExpectedError(`${what} could not be run by onnxruntime on ${sizes}: ${message}${advice}.`, {
    cause: error,
  });
}

/** On one line, without what is said of onnxruntime's source. */
function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return (
    text
      .replace(/\s+/g, " ")
      .replace(/^\S*onnxruntime_src\/\S+:\d+ /, "")
      // A condition of its source, with the function that it stands in.
      .replace(/^(\w+ )*onnxruntime::.*? was false\. (?=\S)/, "")
      .trim()
      .replace(/\.$/, "")
  );
}
