/** Names come from the model file: control characters could move the cursor or change colours. */
export function printable(text: string): string {
  // eslint-disable-next-line no-control-regex -- they are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, "�");
}

/** Line ends beyond ASCII, and the marks that turn the writing direction round. */
const MOVING = /[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Text without characters that move what is around them: control characters, and marks of the writing direction. */
export function visible(text: string): string {
  return printable(text).replace(MOVING, "�");
}

/** The parts of a name between which a line may break: after separators. */
export function nameParts(name: string): string[] {
  return visible(name).split(/(?<=[/.:_])/);
}

/** Longest name in a table or a tooltip: what is longer loses its middle. */
const LONGEST_NAME = 52;

/** One name for a line of its own. */
export function shortName(name: string): string {
  return elided(visible(name));
}

/** Text without its middle, where it is longer than it may be. */
export function elided(name: string, longest = LONGEST_NAME): string {
  if (name.length <= longest) return name;
  const half = (longest - 1) / 2;
  return `${name.slice(0, Math.floor(half))}…${name.slice(-Math.ceil(half))}`;
}

/** The last part of a path, whichever system wrote it: a page that is passed on says nothing of anyone's folders. */
export function fileName(file: string): string {
  return file.split(/[\\/]/).at(-1) || file;
}
