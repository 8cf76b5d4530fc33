import type { ChartOptions } from "chart.js";
import { percent } from "../../src/text/numbers";
import type { Palette } from "./palette";

export interface Point {
  readonly x: number;
  readonly y: number;
}

type LineOptions = ChartOptions<"line">;
type Axis = NonNullable<NonNullable<LineOptions["scales"]>[string]>;
type Tooltip = NonNullable<NonNullable<LineOptions["plugins"]>["tooltip"]>;

const TICK_SIZE = 11;
const LABEL_SIZE = 12;
/** A round rank closer to the last one than this factor goes without a label. */
const CLEAR_OF_END = 1.7;

/** No animation: the picture is the same on paper, and nothing moves for those who do not want it. */
export const stillOptions = { animation: false, responsive: true, maintainAspectRatio: false } as const;

export function tooltip(palette: Palette): Tooltip {
  return {
    backgroundColor: palette.surface,
    titleColor: palette.text,
    bodyColor: palette.text,
    footerColor: palette.muted,
    footerFont: { weight: "normal", size: TICK_SIZE },
    footerMarginTop: 8,
    borderColor: palette.maximum,
    borderWidth: 1,
    padding: 10,
    cornerRadius: 3,
    usePointStyle: true,
    boxPadding: 6,
  };
}

/** Title, ticks and lines of an axis; the scale's own options come on top. */
export function axis(palette: Palette, title: string, own: Axis = {}): Axis {
  return {
    ...own,
    border: { color: palette.grid },
    title: { display: true, text: title, color: palette.muted, font: { size: LABEL_SIZE } },
    grid: { color: palette.grid, tickLength: 4, ...own.grid },
    ticks: { color: palette.muted, maxRotation: 0, autoSkipPadding: 10, font: { size: TICK_SIZE }, ...own.ticks },
  };
}

/** Shares as per cent, with as many digits as the distance of the ticks needs. */
export function shareLabel(value: number | string, _index: number, ticks: readonly { value: number }[]): string {
  const step = ticks.length > 1 ? Math.abs(ticks[1].value - ticks[0].value) : 1;
  return percent(Number(value), step >= 0.0099 ? 0 : step >= 0.00099 ? 1 : 2);
}

/** Ranks from 1 to `full`, logarithmic: what is small beside the full width stays readable. */
export function rankAxis(palette: Palette, title: string, full: number): Axis {
  const label = (value: number | string): string | null => {
    const k = Number(value);
    return k === full || (isRound(k) && k * CLEAR_OF_END < full) ? String(k) : null;
  };
  return axis(palette, title, { type: "logarithmic", min: 1, max: Math.max(full, 2), ticks: { callback: label } });
}

/** 1, 2, 5, 10, 20, 50, … */
export function isRound(value: number): boolean {
  const mantissa = value / 10 ** Math.floor(Math.log10(value) + 1e-9);
  return [1, 2, 5].some((digit) => Math.abs(mantissa - digit) < 1e-9);
}
