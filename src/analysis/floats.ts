/** The float64 of an entry of the cache; null where there is none, or where it is not `least` numbers or more. */
export function floats(bytes: Uint8Array | null, least: number): Float64Array | null {
  if (!bytes || bytes.byteLength % 8 !== 0 || bytes.byteLength < 8 * least) return null;
  // A copy: an entry lies somewhere in its file, and numbers need to be aligned.
  return new Float64Array(new Uint8Array(bytes).buffer);
}

/** The bytes of several arrays, one after the other. */
export function bytesOf(arrays: readonly Float64Array[]): Uint8Array {
  return Buffer.concat(
    arrays.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength)),
  );
}
