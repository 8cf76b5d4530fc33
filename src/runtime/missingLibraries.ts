import { execFileSync } from "node:child_process";

/** Which package of NVIDIA's has a library, for CUDA 12 and cuDNN 9, with which onnxruntime's provider is built. */
const PACKAGES: readonly (readonly [library: RegExp, package_: string])[] = [
  [/^libcudnn/, "NVIDIA's package cudnn9-cuda-12"],
  [/^lib(cuda|nvidia-ml)\.so/, "part of NVIDIA's driver"],
  [/^lib(cublas|cudart|cufft|curand|cusolver|cusparse|nvrtc|nvJitLink)/, "NVIDIA's package cuda-toolkit-12"],
];

/**
 * Which libraries that a library needs are not found, by the same search as when it is loaded, but without loading it:
 * onnxruntime keeps the loader's reason to itself.
 */
export function missingLibraries(library: string): string[] {
  let listed: string;
  try {
    listed = execFileSync("ldd", [library], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      timeout: 10_000,
    });
  } catch {
    // Without the tool, or for what it cannot read: the trial tells.
    return [];
  }
  return [...listed.matchAll(/^\s*(\S+) => not found$/gm)].map(([, name]) => name);
}

/** "libcublas.so.12 is missing (NVIDIA's package …), and 2 more libraries"; null where none is. */
export function describeMissing([first, ...more]: readonly string[]): string | null {
  if (first === undefined) return null;
  const from = PACKAGES.find(([library]) => library.test(first));
  const others = more.length === 0 ? "" : `, and ${more.length} more librar${more.length === 1 ? "y" : "ies"}`;
  return `${first} is missing${from ? ` (${from[1]})` : ""}${others}`;
}
