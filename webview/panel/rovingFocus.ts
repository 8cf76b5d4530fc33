/** Rows that a page key moves by. */
const PAGE = 10;

/** Where a key moves to in a list of `count`, from the place `at`; null for a key that does not move. */
export function movedIndex(
  { key, altKey, ctrlKey, metaKey }: Pick<KeyboardEvent, "key" | "altKey" | "ctrlKey" | "metaKey">,
  at: number,
  count: number,
  axis: "vertical" | "horizontal",
): number | null {
  if (altKey || ctrlKey || metaKey || count === 0) return null;
  const [back, forth] = axis === "vertical" ? ["ArrowUp", "ArrowDown"] : ["ArrowLeft", "ArrowRight"];
  const wanted: Readonly<Record<string, number>> = {
    [back]: at - 1,
    [forth]: at + 1,
    Home: 0,
    End: count - 1,
    ...(axis === "vertical" ? { PageUp: at - PAGE, PageDown: at + PAGE } : {}),
  };
  const next = wanted[key];
  return next === undefined ? null : Math.min(Math.max(next, 0), count - 1);
}

/** Focuses one of several, and makes it the one that the Tab key reaches. */
export function moveTo(all: readonly HTMLElement[], index: number): void {
  all.forEach((one, i) => one.setAttribute("tabindex", i === index ? "0" : "-1"));
  all[index].focus();
}
