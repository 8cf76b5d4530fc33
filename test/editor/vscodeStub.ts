import type { TextDocument, Uri } from "vscode";

/** The few parts of VS Code that hovers and hints use; `vi.mock("vscode", () => import("./vscodeStub"))`. */

export class Position {
  constructor(
    readonly line: number,
    readonly character: number,
  ) {}
}

export class Range {
  constructor(
    readonly start: Position,
    readonly end: Position,
  ) {}
}

export class MarkdownString {
  isTrusted?: unknown;
  supportHtml?: boolean;
  constructor(readonly value: string) {}
}

export class Hover {
  constructor(
    readonly contents: MarkdownString,
    readonly range: Range,
  ) {}
}

export class InlayHint {
  paddingLeft?: boolean;
  tooltip?: MarkdownString;
  constructor(
    readonly position: Position,
    readonly label: string,
  ) {}
}

export class Disposable {
  constructor(readonly dispose: () => void) {}
  static from(...all: { dispose: () => unknown }[]): Disposable {
    return new Disposable(() => all.forEach((one) => one.dispose()));
  }
}

export class EventEmitter<T> {
  readonly listeners = new Set<(value: T) => void>();
  readonly event = (listener: (value: T) => void): Disposable => {
    this.listeners.add(listener);
    return new Disposable(() => this.listeners.delete(listener));
  };
  fire(value: T): void {
    for (const listener of this.listeners) listener(value);
  }
  dispose(): void {
    this.listeners.clear();
  }
}

/** What was registered, and the settings, for tests to look at and to change. */
export const registered: { hovers: unknown[]; hints: unknown[]; selectors: unknown[] } = { hovers: [], hints: [], selectors: [] }; // prettier-ignore
export const settings = new Map<string, unknown>();
export const configurationChanges = new EventEmitter<{ affectsConfiguration: (section: string) => boolean }>();

function register(list: unknown[], selector: unknown, provider: unknown): Disposable {
  registered.selectors.push(selector);
  list.push(provider);
  return new Disposable(() => list.splice(list.indexOf(provider), 1));
}

export const languages = {
  registerHoverProvider: (selector: unknown, provider: unknown) => register(registered.hovers, selector, provider),
  registerInlayHintsProvider: (selector: unknown, provider: unknown) => register(registered.hints, selector, provider),
};

export const workspace = {
  onDidChangeConfiguration: configurationChanges.event,
  getConfiguration: () => ({ get: (key: string, otherwise: unknown) => settings.get(key) ?? otherwise }),
};

export const l10n = {
  t: (message: string, ...args: (string | number)[]) =>
    message.replace(/\{(\d+)\}/g, (_, index: string) => String(args[Number(index)])),
};

/** A document of one version, and how often its text was asked for. */
export function textDocument(text: string, languageId = "python"): TextDocument & { reads: number; version: number; edit: (text: string) => void } {
  const document = {
    languageId,
    version: 1,
    reads: 0,
    getText: () => {
      document.reads++;
      return text;
    },
    edit: (changed: string) => {
      text = changed;
      document.version++;
    },
    offsetAt: ({ line, character }: Position) => {
      const lines = text.split("\n");
      return lines.slice(0, line).reduce((sum, one) => sum + one.length + 1, 0) + character;
    },
    positionAt: (offset: number) => {
      const before = text.slice(0, offset).split("\n");
      return new Position(before.length - 1, before.at(-1)!.length);
    },
  };
  return document as unknown as ReturnType<typeof textDocument>;
} // prettier-ignore

/** Only what becomes of a URI as text is used. */
export function textUri(text: string): Uri {
  return { toString: () => text } as unknown as Uri;
}
