import { darkPalette, lightPalette, type Palette } from "../charts";

/** Red, green and blue of 0…255, and opacity of 0…1. */
type Colour = readonly [number, number, number, number];

/** The variables of a theme, without their `--vscode-`; an empty string for one that the theme leaves out. */
export type ThemeReader = (name: string) => string;

/** Contrast (WCAG 2) of text, and of lines and areas, with what is behind them. */
const TEXT_CONTRAST = 4.5;
const LINE_CONTRAST = 3;
/** How far grid lines stand out from the surface. */
const GRID_SHARE = 0.12;
const GRID_SHARE_HIGH_CONTRAST = 0.3;

/**
 * The colours of the charts in a theme: its own chart colours, made opaque and moved towards its text colour until they
 * stand out. Some themes leave some of them out, and give orange a third of its opacity.
 */
export function themePalette(read: ThemeReader, highContrast: boolean): Palette {
  const opaque = (names: readonly string[], fallback: string): Colour => {
    const found = names.map((name) => parseColour(read(name))).find((colour) => colour !== null);
    return found ?? parseColour(fallback)!;
  };
  const surface = opaque(["editor-background"], lightPalette.surface);
  const defaults = luminance(surface) < 0.5 ? darkPalette : lightPalette;
  const text = readable(opaque(["editor-foreground", "foreground"], defaults.text), surface, TEXT_CONTRAST);
  const line = (fallback: string, ...names: string[]): string =>
    hex(readable(opaque(names, fallback), surface, highContrast ? TEXT_CONTRAST : LINE_CONTRAST));
  const muted = over(opaque(["descriptionForeground"], defaults.muted), surface);
  const orange = line(defaults.weight, "charts-orange", "editorWarning-foreground");
  return {
    surface: hex(surface),
    text: hex(text),
    muted: hex(readable(muted, surface, TEXT_CONTRAST)),
    grid: hex(mixed(surface, text, highContrast ? GRID_SHARE_HIGH_CONTRAST : GRID_SHARE)),
    maximum: hex(readable(mixed(surface, text, 0.5), surface, LINE_CONTRAST)),
    weight: orange,
    utilized: line(defaults.utilized, "charts-blue"),
    input: line(defaults.input, "charts-green"),
    output: orange,
    projected: line(defaults.projected, "charts-purple"),
  };
}

/** `#rgb`, `#rrggbb`, `#rrggbbaa`, `rgb()` and `rgba()`: what themes are given out as. Null for anything else. */
export function parseColour(text: string): Colour | null {
  const digits = /^#([0-9a-f]{3,8})$/i.exec(text.trim())?.[1];
  if (digits && [3, 4, 6, 8].includes(digits.length)) {
    const size = digits.length < 6 ? 1 : 2;
    const part = (i: number): number => parseInt(digits.slice(i * size, (i + 1) * size).repeat(size === 1 ? 2 : 1), 16);
    return [part(0), part(1), part(2), digits.length % 4 === 0 ? part(3) / 255 : 1];
  }
  const numbers = /^rgba?\(([\d.]+)[, ]+([\d.]+)[, ]+([\d.]+)(?:[,/ ]+([\d.]+))?\)$/i.exec(text.trim());
  if (!numbers) return null;
  const [red, green, blue, alpha] = numbers.slice(1).map((part) => (part === undefined ? 1 : Number(part)));
  return [red, green, blue, alpha];
}

function over([red, green, blue, alpha]: Colour, surface: Colour): Colour {
  return mixed(surface, [red, green, blue, 1], alpha);
}

function mixed(from: Colour, to: Colour, share: number): Colour {
  const part = (i: 0 | 1 | 2): number => from[i] + (to[i] - from[i]) * share;
  return [part(0), part(1), part(2), 1];
}

/** The colour, moved towards black or white (what is farther from the surface) until it stands out enough. */
function readable(colour: Colour, surface: Colour, contrast: number): Colour {
  const target: Colour = luminance(surface) < 0.18 ? [255, 255, 255, 1] : [0, 0, 0, 1];
  for (let share = 0; share < 1; share += 0.05) {
    const moved = mixed(colour, target, share);
    if (contrastOf(moved, surface) >= contrast) return moved;
  }
  return target;
}

function contrastOf(a: Colour, b: Colour): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

function luminance([red, green, blue]: Colour): number {
  const linear = (value: number): number => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}

function hex([red, green, blue]: Colour): string {
  return `#${[red, green, blue].map((part) => Math.round(part).toString(16).padStart(2, "0")).join("")}`;
}
