import { mkdirSync } from "node:fs";
import path from "node:path";
import { chromium, type Browser, type FrameLocator, type Locator, type Page } from "playwright-core";
import { vi } from "vitest";
import type { PageState } from "../../webview/panel/state";
import { QUIET_ARGS } from "./chromium";
import type { WorkbenchPrograms } from "./provision";
import { Server } from "./server";

/** How long one thing that a user waits for may take on a slow machine. */
const PATIENCE_MS = 90_000;
/** A try within a repeated action: short, since the action is what helps. */
const TRY_MS = 4_000;

const screenshots = path.resolve(import.meta.dirname, "..", "..", "test-output", "screenshots");

const themes = {
  light: { label: "Light Modern", type: "vs" },
  dark: { label: "Dark Modern", type: "vs-dark" },
  "high-contrast": { label: "Dark High Contrast", type: "hc-black" },
} as const;

export type Theme = keyof typeof themes;
export const allThemes = Object.keys(themes) as readonly Theme[];

/** A workbench with the packaged extension, used as a user would use it. Everything waits for what it needs. */
export class Workbench {
  private constructor(
    readonly page: Page,
    readonly server: Server,
    private readonly browser: Browser,
  ) {}

  /** Starts a server with the extension in `vsix` and opens `folder`; the user's files and settings are fresh ones. */
  static async start(programs: WorkbenchPrograms, vsix: string, folder: string): Promise<Workbench> {
    const server = await Server.start(programs, { vsix });
    let browser: Browser | null = null;
    try {
      browser = await chromium.launch({ executablePath: programs.chromium, args: [...QUIET_ARGS] });
      const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
      page.setDefaultTimeout(PATIENCE_MS);
      const workbench = new Workbench(page, server, browser);
      await workbench.openFolder(folder);
      return workbench;
    } catch (error) {
      await browser?.close();
      await server.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.browser.close();
    await this.server.stop();
  }

  async openFolder(folder: string): Promise<void> {
    await this.page.goto(`${this.server.url}/?folder=${encodeURIComponent(folder)}`);
    await this.ready();
  }

  async reloadWindow(): Promise<void> {
    // Unlike a reload of the page, the command keeps what is open.
    await Promise.all([this.page.waitForEvent("load"), this.command("Developer: Reload Window")]);
    await this.ready();
  }

  async useTheme(theme: Theme): Promise<void> {
    const { label, type } = themes[theme];
    await this.command("Preferences: Color Theme");
    await this.quickInput().fill(label);
    await this.pick(label);
    await this.quickInput().waitFor({ state: "hidden" });
    await this.page.locator(`.monaco-workbench.${type}`).waitFor();
    // Away from what lay under the list: it would show its tooltip.
    await this.page.mouse.move(0, 0);
  }

  /** Writes `test-output/screenshots/NAME.png` and gives its path. */
  async screenshot(name: string): Promise<string> {
    mkdirSync(screenshots, { recursive: true });
    const file = path.join(screenshots, `${name}.png`);
    // Animations are at their end: half of a list that fades in tells nobody anything.
    await this.page.screenshot({ path: file, animations: "disabled" });
    return file;
  }

  /** The row of a file, or of a folder, in the explorer; its folder must be open. */
  async explorerRow(name: string): Promise<Locator> {
    const explorer = this.page.locator(".explorer-folders-view");
    if (!(await explorer.isVisible())) await this.command("View: Show Explorer");
    return explorer.getByRole("treeitem", { name, exact: true });
  }

  /** Opens a file with the editor that VS Code chooses for it. */
  async openFile(name: string): Promise<void> {
    await (await this.explorerRow(name)).dblclick();
    await this.page.getByRole("tab", { name: new RegExp(`^${escaped(name)}`), selected: true }).waitFor();
  }

  /** Right-clicks `target` and chooses a command of the menu. */
  async contextMenu(target: Locator, command: string): Promise<void> {
    const item = this.page.locator(".monaco-menu").last().getByRole("menuitem", { name: command });
    await this.repeat(async () => {
      await target.click({ button: "right" });
      await item.hover({ timeout: TRY_MS });
    });
    await item.click();
  }

  /** Runs a command by its title as the palette shows it, such as `RankLens: Analyze Model`. */
  async command(title: string): Promise<void> {
    const row = this.quickPickRow(title);
    await this.repeat(async () => {
      await this.page.keyboard.press("F1");
      await this.quickInput().fill(`>${title}`, { timeout: TRY_MS });
      // A command that is registered after the palette opened never shows up in it.
      await row.waitFor({ timeout: TRY_MS });
    });
    await row.click();
  }

  /** The field of a quick pick or an input box. */
  quickInput(): Locator {
    return this.page.locator(".quick-input-widget:visible .quick-input-box input");
  }

  /** A choice of the quick pick that is open: its label, or its label and what follows it. */
  quickPickRow(label: string): Locator {
    const name = new RegExp(`^${escaped(label)}($|,)`);
    return this.page.locator(".quick-input-widget:visible").getByRole("option", { name }).first();
  }

  async pick(label: string): Promise<void> {
    await this.quickPickRow(label).click();
  }

  /** Fills in the input box that is open, and confirms. */
  async answer(text: string): Promise<void> {
    await this.quickInput().fill(text);
    await this.quickInput().press("Enter");
  }

  /** Points at a word of the text editor; gives the hover that shows. */
  async hoverWord(word: string): Promise<Locator> {
    const hover = this.page.locator(".monaco-hover:visible").last();
    await this.repeat(async () => {
      const { x, y } = await this.placeOf(word);
      // Twice: a pointer that only arrives does not count as pointing.
      await this.page.mouse.move(x - 2, y);
      await this.page.mouse.move(x, y);
      await hover.waitFor({ timeout: TRY_MS });
    });
    return hover;
  }

  /** A notification with this text; `.getByRole("button", { name })` within it answers it. */
  toast(text: string | RegExp): Locator {
    return this.page.locator(".notifications-toasts .notification-list-item").filter({ hasText: text });
  }

  /** The inside of the webview that is to be seen. */
  webview(): FrameLocator {
    return this.page.frameLocator("iframe.webview.ready:visible").frameLocator("#active-frame");
  }

  /** RankLens's panel, once it says that it is in this state. */
  panel(state: PageState): Locator {
    return this.webview().locator(`body[data-state="${state}"]`);
  }

  /** Commands, menus and editors of extensions are there a while after the window; VS Code's own time mark tells when. */
  private async ready(): Promise<void> {
    await this.page.waitForFunction(() => performance.getEntriesByName("code/didLoadExtensions").length > 0);
    await this.page.locator(".monaco-workbench .part.statusbar .statusbar-item").first().waitFor();
  }

  /** Does `action` again, after Escape, until it works. */
  private async repeat(action: () => Promise<void>): Promise<void> {
    await vi.waitFor(
      async () => {
        try {
          await action();
        } catch (error) {
          await this.page.keyboard.press("Escape");
          throw error;
        }
      },
      { timeout: PATIENCE_MS, interval: 100 },
    );
  }

  /** The middle of the first place where `word` is to be seen in the active text editor, in pixels of the page. */
  private async placeOf(word: string): Promise<{ x: number; y: number }> {
    const lines = this.page.locator(".editor-group-container.active .monaco-editor .view-lines");
    return lines.evaluate((root, wanted) => {
      const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
      for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
        const at = node.textContent?.indexOf(wanted) ?? -1;
        if (at < 0) continue;
        const range = document.createRange();
        range.setStart(node, at);
        range.setEnd(node, at + wanted.length);
        const { left, top, width, height } = range.getBoundingClientRect();
        return { x: left + width / 2, y: top + height / 2 };
      }
      throw new Error(`The editor shows no "${wanted}".`);
    }, word);
  }
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
