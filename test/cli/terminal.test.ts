import { spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { modelReportSchema } from "../../src/report";
import { writeImages } from "../fixtures/images";
import { cliPath, cnnLab, expectSuccess, start, type CnnLab } from "./lab";
import { writeSlow } from "./slow";

let lab: CnnLab;
beforeAll(async () => {
  lab = await cnnLab();
  writeSlow(lab);
});
afterAll(() => lab.remove());

/** The CLI in a shell command. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
const ranklens = (): string => `${quoted(process.execPath)} ${quoted(cliPath())}`;
const shell = (command: string): ReturnType<typeof start>["ended"] =>
  start("/bin/sh", ["-c", command], lab.folder).ended;

const hasShell = existsSync("/bin/sh");
if (!hasShell) console.warn("NOT TESTED: pipes, as there is no /bin/sh.");

describe.skipIf(!hasShell)("readers that stop early", () => {
  it("are no fault", async () => {
    for (const reader of ["head -n 1", "true"]) {
      const { status, stderr } = await shell(`(${ranklens()} inspect model.onnx --json; echo $? >status) | ${reader}`);
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(readFileSync(lab.at("status"), "utf8")).toBe("0\n");
    }
  });

  it("do not keep files from being written", async () => {
    const { stderr } = await shell(`(${ranklens()} analyze model.onnx -r report.json; echo $? >status) | true`);
    expect(stderr).not.toContain("EPIPE");
    expect(readFileSync(lab.at("status"), "utf8")).toBe("0\n");
    modelReportSchema.parse(JSON.parse(readFileSync(lab.at("report.json"), "utf8")));
  });

  it("of the progress neither", async () => {
    const { status, stdout } = await shell(
      `{ ${ranklens()} analyze model.onnx 2>&3 | cat; } 3>&1 >out | true; cat out`,
    );
    expect(status).toBe(0);
    expect(stdout).toMatch(/^layer +op[^]*Ranks by/);
  });

  it("whether output is closed or the disk is full, it says so or is quiet, and never crashes", async () => {
    for (const redirection of [">&-", "2>&-", ">&- 2>&-"]) {
      const { status, stdout, stderr } = await shell(`${ranklens()} analyze model.onnx ${redirection}`);
      expect({ status, redirection }).toEqual({ status: 0, redirection });
      expect(stdout + stderr).not.toMatch(/\bat .*js:\d+/);
    }
    if (!existsSync("/dev/full")) return;
    const full = await shell(`${ranklens()} inspect model.onnx >/dev/full`);
    expect(full.status).toBe(1);
    expect(full.stderr).toMatch(/^ranklens: the output could not be written: ENOSPC[^\n]*\n$/);
    expectSuccess(await shell(`${ranklens()} analyze model.onnx 2>/dev/full || [ $? = 1 ]`));
  });

  it("a long output arrives whole", async () => {
    const { stdout } = await shell(`${ranklens()} inspect model.onnx --json | (sleep 1; cat)`);
    expect(JSON.parse(stdout)).toMatchObject({ layers: expect.any(Array) as unknown });
  });
});

/** util-linux's `script` runs a command on a pseudo-terminal. */
const hasScript = spawnSync("script", ["--version"], { encoding: "utf8" }).stdout?.includes("util-linux") ?? false;
if (!hasScript) console.warn("NOT TESTED: the progress bar, as util-linux's `script` is not installed.");

const HIDE = "\u001b[?25l";
const SHOW = "\u001b[?25h";
const NO_WRAP = "\u001b[?7l";
const WRAP = "\u001b[?7h";

describe.skipIf(!hasScript)("on a terminal", () => {
  const terminal = (args: string): string[] => ["-qec", `${ranklens()} ${args}`, "/dev/null"];

  it("a bar shows the progress, and everything is as before when it ends", async () => {
    const { status, stdout } = await start("script", terminal("analyze model.onnx"), lab.folder).ended;
    expect(status).toBe(0);
    expect(stdout).toMatch(/█+░+ \d+% .*Searching ranks: /);
    expect(stdout.lastIndexOf(SHOW)).toBeGreaterThan(stdout.lastIndexOf(HIDE));
    expect(stdout.lastIndexOf(WRAP)).toBeGreaterThan(stdout.lastIndexOf(NO_WRAP));
    expect(stdout.indexOf(HIDE)).toBeGreaterThanOrEqual(0);
    const table = stdout.slice(stdout.lastIndexOf(SHOW));
    expect(table).toMatch(/layer +op +m×d/);
    expect(table).not.toMatch(/Searching ranks/);
  });

  it("it also counts the images that are decoded", async () => {
    await writeImages(lab.at("pictures"), { "0.png": [600, 600, "#336699"] });
    for (let i = 1; i < 300; i++) cpSync(lab.at("pictures/0.png"), lab.at("pictures", `${i}.png`));
    lab.json("pictures.json", { calibration: { source: "pictures" }, preprocess: { resize: 8 } });
    const { status, stdout } = await start("script", terminal("analyze model.onnx -c pictures.json"), lab.folder).ended;
    expect(status).toBe(0);
    const shown = [...stdout.matchAll(/ (\d+)% [^%]*Decoding calibration images: (\d+) of 300/g)];
    expect(shown.length).toBeGreaterThan(0);
    const rounding = shown.map(([, percent, count]) => Math.abs(Number(percent) - Number(count) / 3));
    expect(Math.max(...rounding)).toBeLessThanOrEqual(1);
  });

  it("an error ends the bar too", async () => {
    const { status, stdout } = await start("script", terminal("analyze missing.onnx -c model.ranklens.json"), lab.folder).ended; // prettier-ignore
    expect(status).toBe(1);
    expect(stdout.lastIndexOf(SHOW)).toBeGreaterThan(stdout.lastIndexOf(HIDE));
    expect(stdout).toMatch(/ranklens: .*missing\.onnx: no such file/);
  });

  it("Ctrl-C ends it with 130 and gives the cursor and the line wrap back", async () => {
    const child = spawn("script", terminal("analyze slow.onnx -r slow.json"), { cwd: lab.folder, stdio: "pipe" });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      const searched = output.includes("Searching ranks");
      output += text;
      if (!searched && output.includes("Searching ranks")) child.stdin.write("\u0003");
    });
    const status = await new Promise((resolve) => child.on("close", resolve));
    expect(status).toBe(130);
    expect(output.lastIndexOf(SHOW)).toBeGreaterThan(output.lastIndexOf(HIDE));
    expect(output.lastIndexOf(WRAP)).toBeGreaterThan(output.lastIndexOf(NO_WRAP));
    expect(readdirSync(lab.folder)).not.toContain("slow.json");
  });
});
