import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { executionProviders } from "../../src/runtime/executionProviders";
import { cudaArchive, fileServer, tensorflowPackage, wanted, type FileServer } from "../gpuSupport/standins";
import {
  cliPath,
  expectRefusal,
  expectSuccess,
  newLab,
  start,
  until,
  type Lab,
  type Outcome,
  type Running,
} from "./lab";

let lab: Lab;
beforeAll(() => void (lab = newLab()));
afterAll(() => lab.remove());

/** With a folder for users' data of its own, and as if there were a GPU. */
function begin(...args: string[]): Running {
  const env = {
    XDG_DATA_HOME: lab.at("data"),
    VK_DRIVER_FILES: lab.at("no driver.json"),
    LD_LIBRARY_PATH: undefined,
    npm_config_offline: "true",
  };
  return start(process.execPath, [cliPath(), "devices", ...args], lab.folder, { env });
}
const run = (...args: string[]): Promise<Outcome> => begin(...args).ended;

/** The reasons by provider, as they are printed. */
function listed({ stdout }: Outcome): Record<string, string> {
  return Object.fromEntries(stdout.trimEnd().split("\n").map((line) => line.split(/ {2,}/) as [string, string])); // prettier-ignore
}

describe("ranklens devices", () => {
  it("says of each provider in one line whether it works", async () => {
    const outcome = await run();
    expectSuccess(outcome);
    const found = listed(outcome);
    const names = [...executionProviders.map(({ name }) => name), "@tensorflow/tfjs-node-gpu"];
    expect(Object.keys(found)).toEqual(names);
    expect(found["cpu"]).toBe("works");
    expect(found["@tensorflow/tfjs-node-gpu"]).toBe("not installed");
    expect(Object.values(found)).toContainEqual(expect.stringMatching(/^onnxruntime has none for /));
  });

  it("refuses what makes no sense", async () => {
    expectRefusal(await run("--remove", "cuda"), "there is nothing to remove", "has no cuda");
    for (const args of [
      ["--from", "x"],
      ["--install", "cuda", "--remove", "cuda"],
      ["--install", "opencl"],
    ]) {
      const { status, stderr } = await run(...args);
      expect(status).toBe(2);
      expect(stderr).toMatch(/^error: /);
    }
  });
});

it("ranklens devices --install tensorflow puts it where analyses find it", async () => {
  const name = "@tensorflow/tfjs-node-gpu";
  tensorflowPackage(lab.at("tensorflow package"));
  const installed = await run("--install", "tensorflow", "--from", "tensorflow package");
  expect(installed.status).toBe(0);
  expect(listed(installed)[name]).toBe("works");
  expect(listed(await run("--remove", "tensorflow"))[name]).toBe("not installed");
});

it.skipIf(process.platform === "win32")("leaves nothing where it is stopped while npm's scripts write", async () => {
  const writes = `process.on("SIGTERM", () => undefined);
    const end = Date.now() + 20_000;
    for (let i = 0; Date.now() < end; i++) require("node:fs").writeFileSync("file" + i, "");`;
  tensorflowPackage(lab.at("busy package"), writes);
  const data = lab.at("data", "ranklens");
  const begun = (): boolean =>
    existsSync(data) && readdirSync(data, { recursive: true }).some((name) => path.basename(String(name)) === "file9");
  const running = begin("--install", "tensorflow", "--from", "busy package");
  await until(running, begun);
  running.process.kill("SIGINT");
  const { status, stderr } = await running.ended;
  expect({ status, stderr }).toEqual({ status: 130, stderr: expect.not.stringContaining("error") as string });
  expect(readdirSync(data)).toEqual([]);
});

it.skipIf(process.platform !== "linux" || process.arch !== "x64")("names the driver's reason alone", async () => {
  expect(listed(await run())["webgpu"]).toMatch(/^Failed to get a WebGPU adapter: [^\n]+$/);
});

describe.skipIf(process.platform !== "linux" || process.arch !== "x64")("ranklens devices --install cuda", () => {
  let server: FileServer;
  beforeAll(async () => void (server = await fileServer()));
  afterAll(() => server.close());
  afterEach(() => run("--remove", "cuda"));

  it("puts it where analyses find it, and says which of CUDA's libraries is missing", async () => {
    server.files.set("/cuda.nupkg", cudaArchive("libcudnn.so.9"));
    const outcome = await run("--install", "cuda", "--from", `${server.url}/cuda.nupkg`);
    expectSuccess(outcome);
    expect(listed(outcome)["cuda"]).toBe("libcudnn.so.9 is missing (NVIDIA's package cudnn9-cuda-12)");
    expect(readdirSync(lab.at("data", "ranklens"))).toEqual([`onnxruntime-${wanted().version}-cuda`]);
    const removed = await run("--remove", "cuda");
    expect(listed(removed)["cuda"]).toBe("not installed");
  });

  it("is what onnxruntime then loads from there, and refuses where it is no provider", async () => {
    const outcome = await run("--install", "cuda", "--from", lab.write("archive.nupkg", cudaArchive(null)));
    expectSuccess(outcome);
    const folder = lab.at("data", "ranklens", `onnxruntime-${wanted().version}-cuda`);
    expect(listed(outcome)["cuda"]).toBe(
      `${folder}/libonnxruntime_providers_shared.so: undefined symbol: Provider_SetHost`,
    );
  });

  it("leaves nothing where it is stopped", async () => {
    server.files.set("/slow.nupkg", null);
    const running = begin("--install", "cuda", "--from", `${server.url}/slow.nupkg`);
    while (!server.asked.includes("/slow.nupkg")) await sleep(20);
    await sleep(200);
    running.process.kill("SIGINT");
    expect((await running.ended).status).toBe(130);
    const data = lab.at("data", "ranklens");
    expect(existsSync(data) ? readdirSync(data) : []).toEqual([]);
  });
});
