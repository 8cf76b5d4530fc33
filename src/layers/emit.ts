import type { Emission } from "./layer";

/** A Reshape to a constant shape (one entry may be −1). Its target is an input, as since opset 5. */
export function reshapeTo(input: string, output: string, shape: readonly number[]): Emission {
  const target = `${output}/shape`;
  return {
    nodes: [{ opType: "Reshape", name: `${output}/reshape`, inputs: [input, target], outputs: [output] }],
    initializers: [{ name: target, dims: [shape.length], data: BigInt64Array.from(shape.map(BigInt)) }],
  };
}

export function joined(...emissions: readonly Emission[]): Emission {
  return {
    nodes: emissions.flatMap(({ nodes }) => nodes),
    initializers: emissions.flatMap(({ initializers }) => initializers),
  };
}
