import { element } from "./dom";

/** Milliseconds between two announcements that are not urgent. */
const PAUSE = 10_000;

/** Tells those who hear the page what changes, politely and not too often. */
export class Announcer {
  readonly element = element("div", { class: "hidden", role: "status", "data-testid": "announcer" });
  #last = -Infinity;

  /** What must not be missed is told at once; the rest only now and then. */
  say(text: string, urgency: "now" | "sometimes"): void {
    const time = performance.now();
    if (urgency === "sometimes" && time - this.#last < PAUSE) return;
    this.#last = time;
    this.element.textContent = text;
  }
}
