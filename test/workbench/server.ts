import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { processes } from "./processes";
import type { WorkbenchPrograms } from "./provision";

const START_MS = 60_000;
/** After this long without an end, a server that was asked to end is killed. */
const STOP_MS = 5_000;

/** Nothing that opens by itself, asks, or reaches for the network. */
const QUIET_SETTINGS: Readonly<Record<string, unknown>> = {
  "workbench.startupEditor": "none",
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "workbench.tips.enabled": false,
  // Some editors would lie over the workbench as a dialog.
  "workbench.editor.useModal": "off",
  "workbench.enableExperiments": false,
  "chat.disableAIFeatures": true,
  "git.enabled": false,
  "telemetry.telemetryLevel": "off",
  "extensions.autoCheckUpdates": false,
  "extensions.autoUpdate": false,
  "extensions.ignoreRecommendations": true,
  "security.workspace.trust.enabled": false,
  "update.mode": "none",
  // Every test begins anew.
  "ranklens.cache": false,
};

export interface ServerOptions {
  /** A packaged extension, installed before the start. */
  readonly vsix?: string;
  /** Added to the environment of the server, and so of the extension host. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A running code-server with a user and extensions of its own. */
export class Server {
  private constructor(
    /** `http://127.0.0.1:PORT`, without a slash at the end. */
    readonly url: string,
    private readonly process: ChildProcess,
    private readonly folder: string,
    private readonly log: readonly string[],
  ) {}

  static async start(programs: WorkbenchPrograms, { vsix, env = {} }: ServerOptions = {}): Promise<Server> {
    const folder = mkdtempSync(path.join(tmpdir(), "ranklens-workbench-"));
    const user = path.join(folder, "user", "User");
    mkdirSync(user, { recursive: true });
    writeFileSync(path.join(user, "settings.json"), JSON.stringify(QUIET_SETTINGS));
    const args = [
      programs.codeServer,
      ...["--config", path.join(folder, "config.yaml")],
      ...["--user-data-dir", path.join(folder, "user"), "--extensions-dir", path.join(folder, "extensions")],
    ];
    // Without a gallery there is nothing to look up in the network.
    const environment = { ...cleanEnvironment(), EXTENSIONS_GALLERY: "{}", ...env };
    if (vsix !== undefined) installExtension(programs.node, [...args, "--install-extension", vsix], environment);
    const child = spawn(
      programs.node,
      [
        ...args,
        ...["--auth", "none", "--bind-addr", "127.0.0.1:0"],
        ...["--disable-telemetry", "--disable-update-check", "--disable-workspace-trust"],
      ],
      // A process group of its own, so that extension hosts end with it.
      { env: environment, stdio: ["ignore", "pipe", "pipe"], detached: true },
    );
    const log: string[] = [];
    process.once("exit", () => signalGroup(child, "SIGKILL"));
    try {
      return new Server(await listening(child, log), child, folder, log);
    } catch (error) {
      signalGroup(child, "SIGKILL");
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** The processes that run a script of the installed extension, such as `worker.js`, by their ids. */
  running(script: string): number[] {
    const isThis = (argument: string): boolean =>
      argument.startsWith(this.folder) && path.basename(argument) === script;
    return processes()
      .filter(({ command }) => command.some(isThis))
      .map(({ pid }) => pid);
  }

  /** What the server has said, for a message about a failure. */
  output(): string {
    return this.log.join("");
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.process.once("close", resolve));
    if (this.process.exitCode === null && this.process.signalCode === null) {
      signalGroup(this.process, "SIGTERM");
      const timer = setTimeout(() => signalGroup(this.process, "SIGKILL"), STOP_MS);
      await ended;
      clearTimeout(timer);
    }
    // What of the group outlived the server.
    signalGroup(this.process, "SIGKILL");
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Without what a VS Code that this may run in tells its children. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(VSCODE|ELECTRON)_/.test(name)));
}

function installExtension(node: string, args: readonly string[], env: NodeJS.ProcessEnv): void {
  const { status, stdout, stderr } = spawnSync(node, args, { env, encoding: "utf8" });
  if (status !== 0 || !/was successfully installed/.test(stdout)) {
    throw new Error(`code-server did not install the extension (${status ?? "killed"}): ${stdout}${stderr}`);
  }
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal);
  } catch {
    // All of them have ended already.
  }
}

/** The address that the server says it listens on. */
async function listening(child: ChildProcess, log: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (what: string): void => reject(new Error(`code-server ${what}:\n${log.join("")}`));
    const timer = setTimeout(() => fail(`did not start within ${START_MS / 1000} s`), START_MS);
    const read = (chunk: Buffer): void => {
      log.push(chunk.toString());
      const address = /HTTP server listening on (http:\/\/[\d.]+:\d+)/.exec(log.join(""));
      if (address === null) return;
      clearTimeout(timer);
      resolve(address[1]);
    };
    child.stdout!.on("data", read);
    child.stderr!.on("data", read);
    child.once("error", reject);
    child.once("close", (status) => {
      clearTimeout(timer);
      fail(`ended (${status ?? "killed"})`);
    });
  });
}
