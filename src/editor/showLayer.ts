import type { Uri } from "vscode";
import * as z from "zod";

/** Opens the panel of a model at one of its layers. */
export const SHOW_LAYER_COMMAND = "ranklens.showLayer";

const argumentsSchema = z.tuple([z.string(), z.string()]);

/** The model's URI as text, and the layer's name in its report. */
export type ShowLayerArguments = z.infer<typeof argumentsSchema>;

/** What the command was called with, or null where that is something else: links and other extensions may call it. */
export function showLayerArguments(args: readonly unknown[]): ShowLayerArguments | null {
  return argumentsSchema.safeParse(args).data ?? null;
}

/** The target of a Markdown link that runs the command; no character in it can end the link. */
export function showLayerLink(model: Uri, layer: string): string {
  const args: ShowLayerArguments = [model.toString(), layer];
  // JSON writes halves of surrogate pairs as escapes, so that any text can be encoded.
  const encoded = encodeURIComponent(JSON.stringify(args)).replace(
    /[!'()*~]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `command:${SHOW_LAYER_COMMAND}?${encoded}`;
}
