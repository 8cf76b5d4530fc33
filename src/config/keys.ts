import * as z from "zod";

/**
 * The text that problem messages show for a key: what it allows. It takes the place of zod's own wording, and follows
 * the value found: `tolerance: "high" is not …`.
 */
export function allow(error: string): { error: string } {
  return { error };
}

export function pathText(title: string, description: string) {
  const allowed = allow("a path: text that is not empty");
  // A zero byte ends a path for the operating system, so that no file can have one in its name.
  return z
    .string(allowed)
    .min(1, allowed)
    .regex(/^[^\0]*$/, allowed)
    .meta({ title, description });
}
