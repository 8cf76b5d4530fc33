// The README's pictures: the top of the HTML report of the bundled example, as a browser shows it, and the extension at work.
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import sharp from "sharp";
import { analyze } from "../src/analyze";
import { reportHtml } from "../src/html/page";
import { findBrowser, openPage } from "../test/html/browser";
import { bundledExample } from "./models";

/** CSS pixels. The window is higher than what is shown: the rest is cut off. */
const WINDOW = { width: 1100, height: 1600 };
/** Pixels of the picture for a CSS pixel. */
const RESOLUTION = 2;
/** CSS pixels around what is shown. */
const MARGIN = 32;
const MOST_BYTES = 200_000;

/** What Blink calls the values of prefers-color-scheme. */
const SCHEMES = { dark: 0, light: 1 } as const;

/** Writes the pictures in media/. Needs Chromium. */
export async function writePictures(): Promise<void> {
  const browser = findBrowser();
  if (!browser) throw new Error("no Chromium here (Debian: chromium); the environment variable CHROMIUM names one");
  const { path: model, config } = bundledExample();
  const page = topOf(reportHtml(await analyze(model, { config })));
  mkdirSync("media", { recursive: true });
  for (const [scheme, value] of Object.entries(SCHEMES)) {
    const target = path.join("media", `report-${scheme}.png`);
    await photograph(browser, page, value, target);
    const { size } = statSync(target);
    console.log(`${target}: ${size.toLocaleString("en-US")} bytes`);
    if (size > MOST_BYTES) throw new Error(`${target} is larger than ${MOST_BYTES.toLocaleString("en-US")} bytes`);
  }
  await writeWorkbenchPictures();
}

/** Pictures of the extension at work, from the last run of its tests in a workbench. */
const WORKBENCH = { "report.png": "vscode-panel.png", "hover.png": "vscode-hover.png" } as const;

async function writeWorkbenchPictures(): Promise<void> {
  for (const [from, to] of Object.entries(WORKBENCH)) {
    const shot = path.join("test-output", "screenshots", from);
    if (!existsSync(shot)) {
      console.log(`${to} stays as it is: there is no ${shot}, which "npm test" makes`);
      continue;
    }
    const target = path.join("media", to);
    await sharp(shot).png({ palette: true, colours: 128, effort: 10 }).toFile(target);
    console.log(`${target}: ${statSync(target).size.toLocaleString("en-US")} bytes`);
  }
}

/** The page down to the utilization snapshot. */
function topOf(html: string): string {
  const top = html.replace(/<section id="layers"[^]*<\/footer>/, "</main>");
  if (top === html) throw new Error("the report has no section #layers and footer to cut off");
  return top;
}

async function photograph(browser: string, page: string, scheme: number, target: string): Promise<void> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "ranklens-picture-"));
  const shot = path.join(folder, "shot.png");
  try {
    await openPage(browser, page, [
      "--hide-scrollbars",
      `--force-device-scale-factor=${RESOLUTION}`,
      `--window-size=${WINDOW.width},${WINDOW.height}`,
      `--blink-settings=preferredColorScheme=${scheme}`,
      `--screenshot=${shot}`,
    ]);
    const [r, g, b] = await sharp(shot)
      .extract({ left: 0, top: 0, width: 1, height: 1 })
      .removeAlpha()
      .raw()
      .toBuffer();
    const margin = MARGIN * RESOLUTION;
    const background = { r, g, b };
    // A palette keeps flat colours and smooth letters, in a third of the bytes.
    const trimmed = await sharp(shot).removeAlpha().trim({ background, threshold: 0 }).toBuffer();
    await sharp(trimmed)
      .extend({ top: margin, bottom: margin, left: margin, right: margin, background })
      .png({ palette: true, colours: 128, effort: 10 })
      .toFile(target);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
