/** Where a model can run. `auto` takes the first provider of the table that works and is no slower than the processor. */
export const deviceChoices = ["auto", "cuda", "webgpu", "dml", "coreml", "cpu"] as const;
export type DeviceChoice = (typeof deviceChoices)[number];
export type Device = Exclude<DeviceChoice, "auto">;

/** An execution provider of onnxruntime. */
export interface ExecutionProvider {
  /** Its name in onnxruntime, and in `--device`. */
  readonly name: Device;
  readonly title: string;
  /** `process.platform` and `process.arch` for which onnxruntime-node has it. */
  readonly platforms: readonly string[];
  /** The file beside onnxruntime's own without which it cannot be loaded, where it is not part of the package. */
  readonly library: string | null;
}

/**
 * In the order in which `auto` tries them: CUDA first, since it is there only where somebody has installed it; the
 * processor last, which every platform has.
 */
export const executionProviders: readonly ExecutionProvider[] = [
  {
    name: "cuda",
    title: "CUDA",
    platforms: ["linux-x64"],
    library: "libonnxruntime_providers_cuda.so",
  },
  {
    name: "webgpu",
    title: "WebGPU",
    platforms: ["linux-x64", "win32-x64", "win32-arm64", "darwin-arm64"],

    library: null,
  },
  { name: "dml", title: "DirectML", platforms: ["win32-x64", "win32-arm64"], library: null },
  { name: "coreml", title: "Core ML", platforms: ["darwin-arm64"], library: null },
  {
    name: "cpu",
    title: "the processor",
    platforms: ["linux-x64", "linux-arm64", "win32-x64", "win32-arm64", "darwin-arm64"],

    library: null,
  },
];
