import * as z from "zod";
import { COPY_FORMATS, type FromPanel } from "../editor/panelProtocol";

/** A chart of a large screen is a few megabytes. */
const MOST_PNG_BYTES = 64 * 1024 * 1024;

const schema: z.ZodType<FromPanel> = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("ready") }),
  z.strictObject({ kind: z.literal("analyze"), preview: z.boolean() }),
  z.strictObject({ kind: z.literal("cancel") }),
  z.strictObject({ kind: z.literal("export") }),
  z.strictObject({ kind: z.literal("openConfig") }),
  z.strictObject({ kind: z.literal("showLog") }),
  z.strictObject({ kind: z.literal("copy"), format: z.enum(COPY_FORMATS) }),
  z.strictObject({
    kind: z.literal("savePng"),
    name: z.string().max(1000),
    png: z.instanceof(Uint8Array).refine(({ length }) => length <= MOST_PNG_BYTES),
  }),
]);

/** A message of the panel; null for anything else. A page shows names of a model file, and is not believed blindly. */
export function parseFromPanel(message: unknown): FromPanel | null {
  const result = schema.safeParse(message);
  return result.success ? result.data : null;
}

/** A name from the panel as a file name: letters, digits and a few signs, at most 80 of them. */
export function pngName(name: string): string {
  const safe = name
    .replace(/\.png$/i, "")
    .replace(/[^\p{L}\p{N}._-]+/gu, "-")
    .replace(/^[.-]+|[.-]+$/g, "")
    .slice(0, LONGEST_NAME);
  return `${safe === "" ? "chart" : safe}.png`;
}

const LONGEST_NAME = 80;
