import type { PanelStrings } from "../../src/editor/panelProtocol";
import type { ChartBoard } from "../chartBoard";
import type { Announcer } from "./announcer";
import type { Host } from "./host";
import type { PanelMemory } from "./memory";
import type { ShownLayers } from "./rows";
import type { PanelState } from "./state";
import type { Tips } from "./tips";

/** What the parts of the panel work with. */
export interface Context {
  readonly host: Host;
  readonly strings: PanelStrings;
  readonly memory: PanelMemory;
  readonly tips: Tips;
  readonly board: ChartBoard;
  readonly announcer: Announcer;
}

/** A part of the panel: its element, and how it shows a state. */
export interface View {
  readonly element: HTMLElement;
  /** `layers` is the same object for as long as nothing of it changed. */
  show(state: PanelState, layers: ShownLayers): void;
}

/** Calls `act` only when one of the values is another than the last time: elements are left alone otherwise. */
export function whenChanged<Values extends readonly unknown[]>(act: (...values: Values) => void): (...values: Values) => void {
  let last: Values | null = null;
  return (...values) => {
    if (last !== null && values.every((value, i) => Object.is(value, last![i]))) return;
    last = values;
    act(...values);
  };
} // prettier-ignore
