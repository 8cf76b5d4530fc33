import type { FromPanel, ToPanel } from "../../src/editor/panelProtocol";

interface WebviewApi {
  postMessage(message: FromPanel): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare function acquireVsCodeApi(): WebviewApi;

/** The extension host, and what it keeps for this panel while the panel is gone. */
export class Host {
  readonly #api = acquireVsCodeApi();

  post(message: FromPanel): void {
    this.#api.postMessage(message);
  }

  /** Only the frame that holds the panel speaks for the host. VS Code takes `window.parent` away, but it is of the same origin. */
  onMessage(receive: (message: ToPanel) => void): void {
    addEventListener("message", (event: MessageEvent<ToPanel>) => {
      if (event.origin !== window.origin) return;
      receive(event.data);
    });
  }

  get kept(): unknown {
    return this.#api.getState();
  }

  keep(state: unknown): void {
    this.#api.setState(state);
  }
}
