import { elementTypeOf, type ByteRange, type TensorInfo, type TensorPayload } from "./schema";
import { signed, signedNumbers, type Field, type WireReader } from "./wire";

/** Field numbers of TensorProto. */
export const TENSOR = { dims: 1, dataType: 2, name: 8, raw: 9, external: 13, location: 14 };
/** Its fields of typed elements: float_data and the like. */
export const TYPED_FIELDS = { float: 4, int32: 5, string: 6, int64: 7, double: 10, uint64: 11 } as const;
const typedFields = new Set<number>(Object.values(TYPED_FIELDS));
/** All that says what a tensor's elements are, or where. */
export const TENSOR_DATA: ReadonlySet<number> = new Set([...typedFields, TENSOR.raw, TENSOR.external, TENSOR.location]);
const EXTERNAL_LOCATION = 1;

/** What a TensorProto says of itself; its elements are not read. */
export function readTensorInfo(wire: WireReader, field: Field): TensorInfo {
  const dims: number[] = [];
  const typed = new Map<number, ByteRange[]>();
  const external = new Map<string, string>();
  let name = "";
  let dataType = 0;
  let raw: ByteRange | undefined;
  let isExternal = false;
  for (const part of wire.fields(field.value)) {
    switch (part.number) {
      case TENSOR.dims:
        for (const dim of signedNumbers(wire, part)) dims.push(dim);
        break;
      case TENSOR.dataType:
        dataType = signed(part.varint);
        break;
      case TENSOR.name:
        name = wire.string(part);
        break;
      case TENSOR.raw:
        raw = part.value;
        break;
      case TENSOR.external: {
        const [key, value] = readEntry(wire, part);
        external.set(key, value);
        break;
      }
      case TENSOR.location:
        isExternal = signed(part.varint) === EXTERNAL_LOCATION;
        break;
      default:
        if (typedFields.has(part.number)) {
          const ranges = typed.get(part.number);
          if (ranges) ranges.push(part.value);
          else typed.set(part.number, [part.value]);
        }
    }
  }
  const payload = isExternal ? externalPayload(external) : inlinePayload(raw, typed);
  return { name, elementType: elementTypeOf(dataType), dims, payload, field: field.whole };
}

function inlinePayload(raw: ByteRange | undefined, typed: ReadonlyMap<number, ByteRange[]>): TensorPayload {
  if (raw) return { kind: "raw", range: raw };
  for (const [field, ranges] of typed) return { kind: "typed", field, ranges };
  return { kind: "none" };
}

function externalPayload(entries: ReadonlyMap<string, string>): TensorPayload {
  const length = entries.get("length");
  return {
    kind: "external",
    location: entries.get("location") ?? "",
    offset: Number(entries.get("offset") ?? 0),
    length: length === undefined ? null : Number(length),
  };
}

/** StringStringEntryProto. */
function readEntry(wire: WireReader, field: Field): [string, string] {
  let key = "";
  let value = "";
  for (const part of wire.fields(field.value)) {
    if (part.number === 1) key = wire.string(part);
    if (part.number === 2) value = wire.string(part);
  }
  return [key, value];
}
