import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import path from "node:path";
import type { AxeResults } from "axe-core";
import { chromium, type Browser, type Page } from "playwright-core";
import { panelHtml } from "../../../src/editor/panelHtml";
import type { FromPanel, ToPanel } from "../../../src/editor/panelProtocol";
import { panelStrings } from "../../../src/editor/panelStrings";
import { QUIET_ARGS } from "../../workbench/chromium";
import themes from "./themes.json";

const root = path.resolve(import.meta.dirname, "../../..");
const NONCE = "bm9uY2U";
const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Themes as VS Code 1.139 hands them to a webview, as far as the panel uses them. */
export type Theme = keyof typeof themes;
export const THEMES = Object.keys(themes) as readonly Theme[];

/** What the stub of the webview's API leaves in the page. */
interface Stub {
  readonly posted: FromPanel[];
  readonly violations: string[];
  kept: unknown;
}

/** What VS Code puts before the style of every webview. */
const EDITOR_STYLE = `html { scrollbar-color: auto; } body { overscroll-behavior-x: none; background-color: transparent;
  color: var(--vscode-editor-foreground); font-family: var(--vscode-font-family); font-weight: var(--vscode-font-weight);
  font-size: var(--vscode-font-size); margin: 0; padding: 0 20px; }
  a { color: var(--vscode-textLink-foreground); } a:focus, input:focus, select:focus, textarea:focus
  { outline: 1px solid -webkit-focus-ring-color; outline-offset: -1px; }
  code { color: var(--vscode-textPreformat-foreground); background-color: var(--vscode-textPreformat-background);
  padding: 1px 3px; border-radius: 4px; }`;

/** Sets a theme as the editor does: variables on the document, the kind on the body. Runs in the page. */
function applyTheme({ variables, bodyClass }: (typeof themes)[Theme]): void {
  document.documentElement.removeAttribute("style");
  for (const [name, value] of Object.entries(variables)) document.documentElement.style.setProperty(name, value);
  document.body.className = bodyClass;
}

/** The built panel, served as the editor serves it: the page by its function, script and style as files. */
export class PanelServer {
  private constructor(
    private readonly server: Server,
    private readonly browser: Browser,
  ) {}

  static async start(executablePath: string): Promise<PanelServer> {
    execFileSync(process.execPath, ["esbuild.mjs", "--panel"], { cwd: root });
    const server = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
      const theme = searchParams.get("theme") as Theme;
      if (pathname === "/favicon.ico") return void response.writeHead(204).end();
      const file = (name: string): string => readFileSync(path.join(root, "dist/webview", name), "utf8");
      const [type, body] =
        pathname === "/panel.js"
          ? ["text/javascript", file("panel.js")]
          : pathname === "/panel.css"
            ? ["text/css", file("panel.css")]
            : pathname === "/editor.css"
              ? ["text/css", EDITOR_STYLE]
              : ["text/html", pageOf(`http://${request.headers.host}`, theme)];
      response.setHeader("content-type", `${type}; charset=utf-8`);
      response.end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new PanelServer(server, await chromium.launch({ executablePath, args: [...QUIET_ARGS] }));
  }

  /** A panel that is ready for messages. `kept` is what the editor kept of an earlier one. */
  async open(options: { theme?: Theme; width?: number; height?: number; kept?: unknown } = {}): Promise<PanelPage> {
    const { theme = "Dark Modern", width = 1200, height = 900, kept = null } = options;
    const page = await this.browser.newPage({ viewport: { width, height }, reducedMotion: "reduce" });
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
    await page.addInitScript((initial) => {
      const stub: Stub = { posted: [], violations: [], kept: initial };
      Object.assign(window, {
        stub,
        acquireVsCodeApi: () => ({
          // As the real one, it takes only what can be cloned.
          postMessage: (message: FromPanel) => stub.posted.push(structuredClone(message)),
          getState: () => stub.kept,
          setState: (state: unknown) => {
            stub.kept = structuredClone(state);
          },
        }),
      });
      addEventListener("securitypolicyviolation", (event) => {
        stub.violations.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`);
      });
    }, kept);
    const { port } = this.server.address() as AddressInfo;
    await page.goto(`http://127.0.0.1:${port}/?theme=${encodeURIComponent(theme)}`);
    await page.waitForFunction(() =>
      (window as unknown as { stub: Stub }).stub.posted.some(({ kind }) => kind === "ready"),
    );
    return new PanelPage(page, errors);
  }

  async stop(): Promise<void> {
    await this.browser.close();
    this.server.close();
  }
}

function pageOf(origin: string, theme: Theme): string {
  const html = panelHtml({
    cspSource: origin,
    nonce: NONCE,
    scriptUri: `${origin}/panel.js`,
    styleUri: `${origin}/panel.css`,
    strings: panelStrings((english) => english),
  });
  const set = `(${applyTheme.toString()})(${JSON.stringify(themes[theme])})`;
  return html
    .replace("<link", `<link rel="stylesheet" href="${origin}/editor.css">\n<link`)
    .replace('<div id="panel">', `<script nonce="${NONCE}">${set}</script>\n$&`);
}

export class PanelPage {
  constructor(
    readonly page: Page,
    private readonly errors: readonly string[],
  ) {}

  /** Sends messages as the host does, and waits until they are shown. */
  async send(...messages: readonly ToPanel[]): Promise<void> {
    await this.page.evaluate((all) => {
      for (const message of all) window.postMessage(message, "*");
    }, messages as ToPanel[]);
    await this.settled();
  }

  /** Two frames: messages are shown in the next one. */
  async settled(): Promise<void> {
    await this.page.evaluate(
      () => new Promise((resolve) => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(resolve)), 0)),
    );
  }

  async posted(): Promise<FromPanel[]> {
    return this.page.evaluate(() => (window as unknown as { stub: Stub }).stub.posted);
  }

  async kept(): Promise<unknown> {
    return this.page.evaluate(() => (window as unknown as { stub: Stub }).stub.kept);
  }

  /** Everything that must not have happened: errors, and what the content security policy stopped. */
  async complaints(): Promise<string[]> {
    const violations = await this.page.evaluate(() => (window as unknown as { stub: Stub }).stub.violations);
    return [...this.errors, ...violations];
  }

  async switchTheme(theme: Theme): Promise<void> {
    await this.page.evaluate(applyTheme, themes[theme]);
    await this.settled();
    await this.settled();
  }

  /** Pixels of a canvas that are not transparent, as a share, and how many colours there are. */
  async painted(testId: string): Promise<{ share: number; colours: string[] }> {
    return this.page.getByTestId(testId).evaluate((canvas: HTMLCanvasElement) => {
      const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
      const colours = new Map<string, number>();
      let inked = 0;
      for (let i = 0; i < data.length; i += 4) {
        if (data[i + 3] === 0) continue;
        inked++;
        if (data[i + 3] !== 255) continue;
        const colour = `#${[0, 1, 2].map((c) => data[i + c].toString(16).padStart(2, "0")).join("")}`;
        colours.set(colour, (colours.get(colour) ?? 0) + 1);
      }
      const common = [...colours].sort(([, a], [, b]) => b - a).slice(0, 30);
      return { share: inked / (data.length / 4), colours: common.map(([colour]) => colour) };
    });
  }

  /** What axe finds wrong, one line for each element. */
  async accessibilityProblems(rules: "all" | "colours"): Promise<string[]> {
    if (!(await this.page.evaluate("'axe' in window"))) await this.page.evaluate(axeSource);
    const only = rules === "all" ? "" : ", runOnly: { type: 'rule', values: ['color-contrast'] }";
    const { violations } = await this.page.evaluate<AxeResults>(`axe.run({ resultTypes: ['violations']${only} })`);
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary}`)); // prettier-ignore
  }

  /** Keeps a picture of the whole page for people to look at. */
  async screenshot(name: string, fullPage = true): Promise<void> {
    const folder = path.join(root, "test-output/screenshots/panel");
    mkdirSync(folder, { recursive: true });
    await this.page.screenshot({ path: path.join(folder, `${name}.png`), fullPage });
  }

  async close(): Promise<void> {
    await this.page.close();
  }
}
