import { withSubscripts } from "../legend";
import { element, freshId } from "./dom";

/** Milliseconds that the pointer rests before a tip is shown, and that a tip stays after it left. */
const REST = 500;
const GRACE = 150;
const GAP = 6;
/** From the edges of the window. */
const MARGIN = 8;

type Content = () => readonly string[];

/**
 * Tips on hover and on keyboard focus, in one element above all others. A tip stays while the pointer is on it, and goes
 * with Escape. Its text only ever becomes text.
 */
export class Tips {
  readonly #tip = element("div", { class: "tip", role: "tooltip", popover: "manual", "data-testid": "tip" });
  readonly #contents = new WeakMap<Element, Content>();
  #anchor: Element | null = null;
  #timer = 0;

  constructor() {
    document.body.append(this.#tip);
    document.addEventListener("pointerover", (event) => this.#hover(event));
    document.addEventListener("focusin", ({ target }) => {
      const anchor = this.#anchorOf(target);
      if (anchor?.matches(":focus-visible")) this.#show(anchor);
    });
    document.addEventListener("focusout", () => this.#hide());
    document.addEventListener("scroll", () => this.#scrolled(), { capture: true, passive: true });
    document.addEventListener("keydown", ({ key }) => {
      if (key === "Escape") this.#hide();
    });
  }

  /** A sentence about `target`, also for those who hear the page. */
  describe(target: HTMLElement, sentence: string): void {
    const description = element("span", { id: freshId(), hidden: true }, sentence);
    target.after(description);
    target.setAttribute("aria-describedby", description.id);
    this.attach(target, () => [sentence]);
  }

  /** Lines about `target`, asked for when they are shown, whose text is also elsewhere. */
  attach(target: Element, content: Content): void {
    this.#contents.set(target, content);
    target.setAttribute("data-tip", "");
  }

  #anchorOf(target: EventTarget | null): Element | null {
    return target instanceof Element ? target.closest("[data-tip]") : null;
  }

  #hover({ target, clientX }: PointerEvent): void {
    clearTimeout(this.#timer);
    if (target instanceof Node && this.#tip.contains(target)) return;
    const anchor = this.#anchorOf(target);
    if (anchor !== null && anchor === this.#anchor) return;
    const next = (): void => {
      if (anchor?.matches(":hover")) this.#show(anchor, clientX);
      else if (!this.#isFocused()) this.#hide();
    };
    this.#timer = window.setTimeout(next, anchor ? REST : GRACE);
  }

  #show(anchor: Element, pointerX: number | null = null): void {
    const lines = this.#contents.get(anchor)?.() ?? [];
    if (lines.length === 0 || !anchor.isConnected) return;
    this.#anchor = anchor;
    this.#tip.replaceChildren(...lines.map((line) => element("p", {}, ...withSubscripts(line))));
    this.#tip.showPopover();
    this.#place(anchor, pointerX);
  }

  #place(anchor: Element, pointerX: number | null = null): void {
    const place = anchor.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = this.#tip;
    const left = Math.min(Math.max(pointerX ?? place.left, MARGIN), innerWidth - width - MARGIN);
    const below = place.bottom + GAP;
    const top = below + height + MARGIN > innerHeight ? place.top - GAP - height : below;
    this.#tip.style.left = `${Math.max(left, MARGIN)}px`;
    this.#tip.style.top = `${Math.max(top, MARGIN)}px`;
  }

  /** Focus itself scrolls what it goes to into view, and so moves what is under the pointer: the tip goes along. */
  #scrolled(): void {
    if (this.#anchor !== null && this.#isFocused()) this.#place(this.#anchor);
    else if (this.#anchor !== null) this.#hide();
  }

  /** Whether the tip is that of what the keyboard is at. */
  #isFocused(): boolean {
    return this.#anchor !== null && this.#anchor === document.activeElement && this.#anchor.matches(":focus-visible");
  }

  #hide(): void {
    clearTimeout(this.#timer);
    this.#anchor = null;
    this.#tip.hidePopover();
  }
}
