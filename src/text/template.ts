/** "{0} of {1}" and its values → text. A place without a value stays as it is. */
export function fill(template: string, ...values: readonly (string | number)[]): string {
  return template.replace(/\{(\d)\}/g, (place, index: string) => String(values[Number(index)] ?? place));
}

/** The template for one thing or for several; {0} is how many. */
export function counted(count: number, one: string, several: string): string {
  return fill(count === 1 ? one : several, count.toLocaleString("en-US"));
}

/** Text of which a part stands out. */
export type Note = readonly (string | { readonly strong: string })[];

/** A template whose {0} stands out. */
export function emphasized(template: string, value: string): Note {
  const [before, after = ""] = template.split("{0}");
  return [before, { strong: value }, after].filter((part) => part !== "");
}
