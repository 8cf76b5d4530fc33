import type { PanelStrings, ToPanel } from "../src/editor/panelProtocol";
import { ChartBoard } from "./chartBoard";
import { Announcer } from "./panel/announcer";
import { modelCard } from "./panel/card";
import { whenChanged, type Context, type View } from "./panel/context";
import { element } from "./panel/dom";
import { header } from "./panel/header";
import { Host } from "./panel/host";
import { layersSection } from "./panel/layersSection";
import { layerView } from "./panel/layerView";
import { PanelMemory } from "./panel/memory";
import { notices } from "./panel/notices";
import { progressView } from "./panel/progress";
import { measurementView, resultsView } from "./panel/results";
import { shownLayers, type ShownLayers } from "./panel/rows";
import { skippedView } from "./panel/skipped";
import { snapshotView } from "./panel/snapshotView";
import { INITIAL_STATE, pageState, received, type PanelState } from "./panel/state";
import { applyPalette, currentPalette, onThemeChange } from "./panel/theme";
import { debounced } from "./panel/timing";
import { Tips } from "./panel/tips";

/** Milliseconds of rest after which the place on the page is remembered. */
const SCROLLING = 200;

function start(strings: PanelStrings): void {
  const host = new Host();
  const palette = currentPalette();
  applyPalette(document.body, palette);
  const context: Context = {
    host,
    strings,
    memory: new PanelMemory(host),
    tips: new Tips(),
    board: new ChartBoard(palette),
    announcer: new Announcer(),
  };
  const panel = new Panel(context);
  document.getElementById("panel")!.append(panel.element);
  onThemeChange((changed) => {
    applyPalette(document.body, changed);
    context.board.repaint(changed);
  });
  host.onMessage((message) => panel.receive(message));
  host.post({ kind: "ready" });
}

/** The parts of the panel, shown anew once a frame however many messages came. */
class Panel {
  readonly element = element("div", { class: "page" });
  readonly #layers;
  readonly #layer;
  readonly #views: readonly View[];
  readonly #loading: HTMLElement;
  #state: PanelState = INITIAL_STATE;
  #shown: ShownLayers = { mode: "inspected", rows: [] };
  #waiting = false;
  #restored = false;
  /** Where the page was left, until it is long enough to go there or the reader goes elsewhere. */
  #left: number | null;
  /** Asked for by the host before the layers were there. */
  #wanted: string | null = null;

  constructor(private readonly context: Context) {
    const { memory, strings, announcer } = context;
    this.#layers = layersSection(context, (key, how) => this.#open(key, how === "key"));
    this.#layer = layerView(context, {
      onChoose: (key) => this.#open(key, false),
      onClose: (key) => {
        this.#open(null, false);
        this.#layers.table.focus(key);
      },
    });
    this.#left = memory.now.scroll;
    for (const sign of ["wheel", "pointerdown", "keydown"]) {
      addEventListener(sign, () => (this.#left = null), { once: true, passive: true });
    }
    const top = header(context);
    const progress = progressView(context);
    const inMain = [
      notices(context),
      progress,
      modelCard(context),
      resultsView(context),
      snapshotView(context, (key) => this.#open(key, false)),
      this.#layers,
      this.#layer,
      skippedView(context),
      measurementView(context),
    ];
    // Progress looks where the focus is before buttons around it go.
    this.#views = [progress, top, ...inMain.filter((view) => view !== progress)];
    this.#loading = element("p", { class: "loading", "data-testid": "loading" }, strings.loading);
    const main = element("main", {}, this.#loading, ...inMain.map((view) => view.element));
    this.element.append(top.element, main, announcer.element);
    addEventListener(
      "scroll",
      debounced(SCROLLING, () => memory.remember({ scroll: scrollY })),
      { passive: true },
    );
  }

  receive(message: ToPanel): void {
    if (message.kind === "showLayer") this.#wanted = message.name;
    else this.#state = received(this.#state, message);
    if (!this.#waiting) requestAnimationFrame(() => this.#show());
    this.#waiting = true;
  }

  /** Of the state, what the layers depend on; progress alone changes none of it. */
  readonly #updateLayers = whenChanged<readonly unknown[]>(() => {
    this.#shown = shownLayers(this.#state);
  });

  #show(): void {
    this.#waiting = false;
    const { model, report, found, analysis } = this.#state;
    this.#updateLayers(model, report, found, analysis.kind === "running");
    for (const view of this.#views) view.show(this.#state, this.#shown);
    this.#loading.hidden = model !== null;
    document.body.dataset["state"] = pageState(this.#state);
    if (this.#shown.rows.length === 0) return;
    if (!this.#restored) this.#restore();
    if (this.#left !== null && document.documentElement.scrollHeight - innerHeight >= this.#left) {
      scrollTo({ top: this.#left });
      this.#left = null;
    }
    if (this.#wanted !== null) this.#showWanted(this.#wanted);
  }

  /** Opens the layer that was open. */
  #restore(): void {
    const { open } = this.context.memory.now;
    this.#restored = true;
    if (open !== null && this.#shown.rows.some(({ key }) => key === open)) {
      this.#layers.table.setOpen(open);
      this.#layer.open(open, false);
    }
  }

  #showWanted(name: string): void {
    const row = this.#shown.rows.find((one) => one.name === name || one.key === name || one.nodes.includes(name));
    this.#wanted = null;
    if (row) this.#open(row.key, true);
  }

  #open(key: string | null, focus: boolean): void {
    this.context.memory.remember({ open: key });
    this.#layers.table.setOpen(key);
    this.#layer.open(key, focus);
    if (key !== null) this.#layers.table.reveal(key);
  }
}

start(JSON.parse(document.getElementById("strings")!.textContent ?? "") as PanelStrings);
