/** A share as a bar, with a mark where a second one ends. */
export interface UtilizationBar {
  /** 0…1, as the mark. */
  readonly share: number;
  readonly mark: number | null;
  readonly of: "data" | "weights";
}

/** The picture of a bar is this high and 100 wide, stretched to its place. */
export const BAR_HEIGHT = 8;
const MARK_WIDTH = 2;

/** The rectangles that a bar is drawn of, back to front. */
export function barParts({ share, mark }: UtilizationBar): { name: "track" | "fill" | "mark"; x: number; width: number }[] {
  return [
    { name: "track", x: 0, width: 100 },
    { name: "fill", x: 0, width: placed(share) },
    ...(mark === null ? [] : [{ name: "mark" as const, x: Math.min(placed(mark), 100 - MARK_WIDTH), width: MARK_WIDTH }]),
  ];
} // prettier-ignore

function placed(share: number): number {
  return Number((100 * Math.min(Math.max(share, 0), 1)).toFixed(2));
}
