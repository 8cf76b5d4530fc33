/** Files of which a part can be named: an array of an archive, a column, a field. */
const WITH_PARTS = /^(.+\.(?:npz|csv|tsv|jsonl))#([^/\\]+)$/i;

/** `images.npz#x` → the file `images.npz` and its part `x`; other paths name no part. */
export function splitMember(path: string): { file: string; member: string | null } {
  const match = WITH_PARTS.exec(path);
  return match === null ? { file: path, member: null } : { file: match[1], member: match[2] };
}
