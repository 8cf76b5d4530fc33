import { elementTypeOf, type Dimension, type ElementType, type Shape, type ValueInfo } from "./schema";
import { signed, VARINT, type Field, type WireReader } from "./wire";

/** ValueInfoProto: the name, and for a dense tensor the element type and the shape. */
export function readValueInfo(wire: WireReader, field: Field): ValueInfo {
  let name = "";
  let elementType: ElementType | null = null;
  let shape: Shape = null;
  for (const part of wire.fields(field.value)) {
    if (part.number === 1) name = wire.string(part);
    if (part.number !== 2) continue;
    for (const type of wire.fields(part.value)) {
      if (type.number !== 1) continue; // TypeProto.tensor_type; sequences, maps and the like stay unknown
      for (const tensor of wire.fields(type.value)) {
        if (tensor.number === 1) elementType = elementTypeOf(signed(tensor.varint));
        if (tensor.number === 2) shape = readShape(wire, tensor);
      }
    }
  }
  return { name, elementType, shape };
}

function readShape(wire: WireReader, field: Field): Dimension[] {
  const dimensions: Dimension[] = [];
  for (const part of wire.fields(field.value)) {
    if (part.number !== 1) continue;
    let dimension: Dimension = null;
    for (const digit of wire.fields(part.value)) {
      if (digit.number === 1 && digit.wireType === VARINT) dimension = signed(digit.varint);
      if (digit.number === 2) dimension = wire.string(digit);
    }
    // Some exporters write −1 or 0 for "unknown", some an empty symbol.
    dimensions.push(dimension === "" || (typeof dimension === "number" && dimension < 1) ? null : dimension);
  }
  return dimensions;
}
