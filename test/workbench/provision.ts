import path from "node:path";
import { provideChromium } from "./chromium";
import { installCodeServer, type CodeServer } from "./codeServer";

const cache = path.resolve(import.meta.dirname, "..", "..", ".vscode-test");

/** The programs that a workbench in a browser needs, by absolute paths. */
export interface WorkbenchPrograms extends CodeServer {
  readonly chromium: string;
}

/**
 * Installs what is missing: code-server into `.vscode-test/`, and a Chromium. Takes half a minute and 800 MB once. Null, after
 * saying why, where there is no workbench for this machine.
 */
export async function provisionWorkbench(): Promise<WorkbenchPrograms | null> {
  if (process.platform !== "linux" || process.arch !== "x64") {
    console.warn(
      `The tests in a real workbench were SKIPPED: they run on Linux x64, this is ${process.platform} ${process.arch}. ` +
        '"npm run test:electron" runs those inside the extension host.',
    );
    return null;
  }
  const chromium = provideChromium();
  if (chromium === null) {
    console.warn("The tests in a real workbench were SKIPPED for want of a Chromium.");
    return null;
  }
  return { ...(await installCodeServer(cache)), chromium };
}
