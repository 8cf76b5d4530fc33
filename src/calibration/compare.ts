import { ExpectedError } from "../errors";
import type { Dataset } from "./dataset";
import { splitMember } from "./member";

/** Class names shown in a message. */
const MOST_NAMES = 5;

/**
 * Where both data sets have class folders, they must be the same ones: otherwise their numbers mean different classes.
 * @throws ExpectedError with the classes that only one of them has.
 */
export function checkSameClasses(calibration: Dataset, validation: Dataset): void {
  const [a, b] = [calibration, validation].map(({ labelOrigin, classNames }) => labelOrigin?.folders && classNames);
  if (!a || !b || !calibration.labelOrigin || !validation.labelOrigin) return;
  const differences = [
    ...onlyIn(calibration.labelOrigin.path, a, b),
    ...onlyIn(validation.labelOrigin.path, b, a),
    ...(a.length === b.length && a.every((name) => b.includes(name)) ? reordered(a, b) : []),
  ];
  if (differences.length === 0) return;
  throw new ExpectedError(
    `calibration and validation data have different class folders: ${differences.join("; ")}; ` +
      `make them the same, or number the folders of both in the config: "classes": {"${a[0]}": 0, …}`,
  );
}

function onlyIn(path: string, own: readonly string[], other: readonly string[]): string[] {
  const names = own.filter((name) => !other.includes(name));
  if (names.length === 0) return [];
  const shown = names.slice(0, MOST_NAMES).map((name) => `"${name}"`);
  const rest = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : "";
  return [`only ${path} has ${shown.join(", ")}${rest}`];
}

/** The same names in another order, as two lists in the config may have them. */
function reordered(a: readonly string[], b: readonly string[]): string[] {
  const at = a.findIndex((name, index) => b[index] !== name);
  return at < 0 ? [] : [`class ${at} is "${a[at]}" in one and "${b[at]}" in the other`];
}

/** Whether two data sets have the same source: the same path, or the same bytes. */
export async function isSameSource(a: Dataset, b: Dataset): Promise<boolean> {
  const same = (key: (path: string) => string | null): boolean =>
    a.sources.length === b.sources.length && a.sources.every((path, at) => key(path) === key(b.sources[at]));
  if (same((path) => path)) return true;
  // Different arrays of one archive have the same file, and so the same hash.
  if (!same((path) => splitMember(path).member)) return false;
  return (await a.sha256()).source === (await b.sha256()).source;
}
