/** The colours of a chart, by what they stand for. The page's style sheet uses the same ones. */
export interface Palette {
  readonly surface: string;
  readonly text: string;
  readonly muted: string;
  readonly grid: string;
  readonly maximum: string;
  readonly weight: string;
  readonly utilized: string;
  readonly input: string;
  readonly output: string;
  readonly projected: string;
}

/** Hues after Okabe and Ito: told apart with every kind of colour blindness, and never without a second sign (dash, shape). */
export const lightPalette: Palette = {
  surface: "#ffffff",
  text: "#1c1e21",
  muted: "#5b616b",
  grid: "#e6e7ea",
  maximum: "#8b929c",
  weight: "#b34700",
  utilized: "#0068a8",
  input: "#007a5a",
  output: "#b34700",
  projected: "#8f3d76",
};

export const darkPalette: Palette = {
  surface: "#16181c",
  text: "#e9eaec",
  muted: "#a3aab5",
  grid: "#2c3037",
  maximum: "#7f8793",
  weight: "#f0a04b",
  utilized: "#56b4e9",
  input: "#2fc298",
  output: "#f0a04b",
  projected: "#dd8fc0",
};

/** `#0068a8` at 20% → `#0068a833`. */
export function translucent(colour: string, share: number): string {
  return `${colour}${Math.round(255 * share)
    .toString(16)
    .padStart(2, "0")}`;
}
