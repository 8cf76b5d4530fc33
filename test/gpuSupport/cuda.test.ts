import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { ExpectedError } from "../../src/errors";
import { openArchive } from "../../src/gpuSupport/archive";
import { installCuda } from "../../src/gpuSupport/cuda";
import { download } from "../../src/gpuSupport/download";
import { foldersOf, installed, placeOf, removeSupport, supportEnvironment } from "../../src/gpuSupport/places";
import { cudaPackage } from "../../src/runtime/cudaPackage";
import { NOT_INSTALLED, whyAbsent } from "../../src/runtime/providersHere";
import { executionProviders } from "../../src/runtime/executionProviders";
import { describeMissing } from "../../src/runtime/missingLibraries";
import { UnwritableError } from "../../src/unwritable";
import { cudaArchive, fileServer, library, serveFeed, wanted, type FileServer } from "./standins";

/** The feed that onnxruntime's metadata are made to name. */
let feed = "";
/** Whether onnxruntime's metadata are as if they were gone. */
let pruned = false;
vi.mock("../../src/runtime/cudaPackage", async (importOriginal) => {
  const original = await importOriginal<typeof import("../../src/runtime/cudaPackage")>();
  return {
    cudaPackage: () => {
      if (pruned) throw new ExpectedError("pruned");
      const found = original.cudaPackage();
      return found && { ...found, feed: feed === "" ? found.feed : feed };
    },
  };
});

const here = `${process.platform}-${process.arch}`;
const hasCuda = here === "linux-x64";
if (!hasCuda) console.warn(`onnxruntime has no CUDA provider for ${here}: its installation was not tested.`);

describe("what is to be installed", () => {
  it.skipIf(!hasCuda)("is what onnxruntime-node's own script would take, but for TensorRT", () => {
    const { name, version, libraries } = wanted();
    const { version: installedVersion } = JSON.parse(
      readFileSync(path.join("node_modules", "onnxruntime-node", "package.json"), "utf8"),
    ) as { version: string };
    expect([name, version]).toEqual(["Microsoft.ML.OnnxRuntime.Gpu.Linux", installedVersion]);
    expect(wanted().feed).toBe("https://api.nuget.org/v3/index.json");
    expect(libraries.map((one) => one.name)).toEqual([
      "libonnxruntime_providers_cuda.so",
      "libonnxruntime_providers_shared.so",
    ]);
  });

  const pretend = (platform: string, arch: string): void => {
    vi.spyOn(process, "platform", "get").mockReturnValue(platform as NodeJS.Platform);
    vi.spyOn(process, "arch", "get").mockReturnValue(arch as NodeJS.Architecture);
  };
  afterEach(() => void vi.restoreAllMocks());

  it.each([
    ["darwin", "arm64"],
    ["win32", "x64"],
    ["linux", "arm64"],
  ])("is nothing on %s %s", async (platform, arch) => {
    pretend(platform, arch);
    expect(cudaPackage()).toBeNull();
    await expect(installCuda(path.join(tmpdir(), "ranklens-never"))).rejects.toThrow(/^(On|onnxruntime has no GPU)/);
    expect(existsSync(path.join(tmpdir(), "ranklens-never"))).toBe(false);
  });
});

describe.skipIf(!hasCuda)("the CUDA provider", () => {
  const root = mkdtempSync(path.join(tmpdir(), "ranklens-cuda-"));
  const folder = path.join(root, "data");
  let server: FileServer;
  let whole: Buffer;
  beforeAll(async () => {
    server = await fileServer();
    whole = cudaArchive("libcublasLt.so.12");
  });
  afterAll(async () => {
    await server.close();
    rmSync(root, { recursive: true });
  });
  beforeEach(() => server.files.clear());
  afterEach(() => {
    feed = "";
    pruned = false;
    rmSync(folder, { recursive: true, force: true });
  });

  const provider = executionProviders.find(({ name }) => name === "cuda")!;
  /** Why the provider is not there for a process with this environment. */
  const absentWith = (environment: Record<string, string>): string | null => {
    vi.stubEnv("LD_LIBRARY_PATH", environment["LD_LIBRARY_PATH"]);
    // As if there were a GPU.
    vi.stubEnv("VK_DRIVER_FILES", "driver.json");
    try {
      return whyAbsent(provider);
    } finally {
      vi.unstubAllEnvs();
    }
  };

  it("comes from the feed that onnxruntime names, and is found in the environment of an analysis", async () => {
    feed = serveFeed(server, whole);
    const progress: number[] = [];
    expect(absentWith(supportEnvironment(folder))).toBe(NOT_INSTALLED);
    const at = await installCuda(folder, { onProgress: (bytes) => progress.push(bytes) });
    expect(at).toBe(path.join(folder, `onnxruntime-${wanted().version}-cuda`));
    expect(readdirSync(folder)).toEqual([path.basename(at)]);
    expect(readdirSync(at).sort()).toEqual([
      "libonnxruntime.so.1",
      "libonnxruntime_providers_cuda.so",
      "libonnxruntime_providers_shared.so",
    ]);
    expect(readFileSync(path.join(at, "libonnxruntime_providers_cuda.so")).equals(library("libcublasLt.so.12"))).toBe(
      true,
    );
    expect(progress.at(-1)).toBe(whole.length);
    expect(absentWith(supportEnvironment(folder))).toBe(
      "libcublasLt.so.12 is missing (NVIDIA's package cuda-toolkit-12)",
    );
    expect(removeSupport("cuda", folder)).toBe(true);
    expect(removeSupport("cuda", folder)).toBe(false);
    expect(absentWith(supportEnvironment(folder))).toBe(NOT_INSTALLED);
  });

  it("takes the place of one for another onnxruntime, and stands in front of a search path that is there", async () => {
    const old = path.join(folder, "onnxruntime-1.2.3-cuda");
    mkdirSync(old, { recursive: true });
    server.files.set("/cuda.nupkg", cudaArchive(null));
    const at = await installCuda(folder, { from: `${server.url}/cuda.nupkg` });
    expect(readdirSync(folder)).toEqual([path.basename(at)]);
    expect(absentWith(supportEnvironment(folder))).toBeNull();
    vi.stubEnv("LD_LIBRARY_PATH", "/somewhere");
    expect(supportEnvironment(folder)).toEqual({ LD_LIBRARY_PATH: `${at}:/somewhere` });
    vi.unstubAllEnvs();
  });

  it("is not looked for where nothing was ever installed, and is none where onnxruntime does not say which", async () => {
    const old = path.join(folder, "onnxruntime-1.2.3-cuda");
    pruned = true;
    expect(supportEnvironment(folder)).toEqual({});
    mkdirSync(old, { recursive: true });
    expect(supportEnvironment(folder)).toEqual({});
    expect(placeOf("cuda", folder)).toBeNull();
    await expect(installCuda(folder)).rejects.toThrow("pruned");
    expect(foldersOf("cuda", folder)).toEqual([old]);
    expect(removeSupport("cuda", folder)).toBe(true);
  });

  it("is refused in one line, without advice to download it another way, where the disk does not take it", async () => {
    const file = await written(whole);
    await expect(installCuda(path.join(file, "data"), { from: file })).rejects.toThrow(
      /^\S+ could not be written: [^\n]+$/,
    );
    await expect(installCuda(path.join(file, "data"), { from: file })).rejects.not.toThrow(/another way/);
    // A device that is always full.
    server.files.set("/cuda.nupkg", whole);
    const full = /^\/dev\/full could not be written: the disk is full\.$/;
    const downloaded = download(`${server.url}/cuda.nupkg`, "/dev/full");
    await expect(downloaded).rejects.toThrow(full);
    await expect(downloaded).rejects.toBeInstanceOf(UnwritableError);
    const archive = await openArchive(file, "it");
    const unpacked = archive.extract(wanted().libraries[0].pathInArchive, "/dev/full", undefined);
    await expect(unpacked).rejects.toThrow(full);
    await expect(unpacked).rejects.toBeInstanceOf(UnwritableError);
    archive.close();
  });

  const spoilEntry = (change: { checksum?: number; name?: string }) => () =>
    cudaArchive(null, { spoil: (entries) => entries.map((one, i) => (i === 3 ? { ...one, ...change } : one)) });
  const cases: [string, () => Buffer, RegExp][] = [
    [
      "of another version",
      () => cudaArchive(null, { version: "1.2.3" }),
      /Gpu\.Linux 1\.2\.3, and it takes .*Linux 1\.\d/,
    ],
    ["of another package", () => cudaArchive(null, { name: "Newtonsoft.Json" }), /is Newtonsoft\.Json .*and it takes/],
    [
      "damaged inside",
      spoilEntry({ checksum: 1 }),
      /not a readable NuGet package: the checksum of runtimes\/.* is another/,
    ],
    ["without a library", spoilEntry({ name: "other.so" }), /has no runtimes\/linux-x64\/native\/libonnx/],
    ["cut off", () => whole.subarray(0, 10_000), /is not a readable NuGet package/],
    ["no archive", () => Buffer.from("<html>Sign in</html>"), /is not a readable NuGet package/],
  ];
  it.each(cases)("is refused from an archive %s, and what is there stays", async (_, archive, why) => {
    const before = await installCuda(folder, { from: await written(whole) });
    const failed = installCuda(folder, { from: await written(archive()) });
    await expect(failed).rejects.toThrow(why);
    await expect(failed).rejects.toThrow(/^CUDA's provider is not installed: [^\n]* and install from that file[^\n]*$/);
    expect(readdirSync(folder)).toEqual([path.basename(before)]);
  });

  async function written(archive: Buffer): Promise<string> {
    const file = path.join(root, "archive.nupkg");
    writeFileSync(file, archive);
    return Promise.resolve(file);
  }

  it("is refused where the feed announces other bytes, has none, or cannot be reached", async () => {
    const other = Buffer.from(whole).fill(1, 500, 600);
    feed = serveFeed(server, other, whole);
    await expect(installCuda(folder)).rejects.toThrow(/was damaged on its way/);
    server.files.delete("/catalog.json");
    await expect(installCuda(folder)).rejects.toThrow(/catalog\.json could not be downloaded: HTTP status 404/);
    server.files.set("/index.json", "[]");
    await expect(installCuda(folder)).rejects.toThrow(/is not what a NuGet feed answers/);
    server.files.set("/index.json", "<html>");
    await expect(installCuda(folder)).rejects.toThrow(/index\.json could not be downloaded: .*JSON/);
    feed = "http://127.0.0.1:9/index.json";
    await expect(installCuda(folder)).rejects.toThrow(/could not be downloaded: .+ Download https:\/\/www\.nuget\.org/);
    await expect(installCuda(folder, { from: "nowhere.nupkg" })).rejects.toThrow(/there is no file nowhere\.nupkg/);
    expect(readdirSync(folder)).toEqual([]);
  });

  it("is given up at once where the download is cancelled, and nothing is left", async () => {
    feed = serveFeed(server, null, whole);
    const stop = new AbortController();
    const failed = installCuda(folder, {
      signal: stop.signal,
      onProgress: () => stop.abort(new Error("enough")),
    });
    await expect(failed).rejects.toThrow("enough");
    expect(readdirSync(folder)).toEqual([]);
    expect(installed("cuda", folder)).toBeNull();
    expect(placeOf("cuda", folder)).not.toBeNull();
  });
});

describe("missing libraries", () => {
  it.each([
    [["libcudnn.so.9"], "libcudnn.so.9 is missing (NVIDIA's package cudnn9-cuda-12)"],
    [["libcuda.so.1", "libcudart.so.12"], "libcuda.so.1 is missing (part of NVIDIA's driver), and 1 more library"],
    [["libx.so", "a", "b"], "libx.so is missing, and 2 more libraries"],
  ])("are named with their package: %s", (missing, text) => expect(describeMissing(missing)).toBe(text));

  it("are none where none are", () => expect(describeMissing([])).toBeNull());
});
