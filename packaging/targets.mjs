// The platforms that a VSIX is built for. A VSIX holds the native files of one of them; Marketplace hands each user theirs.
// onnxruntime-node 1.30 has no binary for Intel Macs.

/**
 * For each target: the folder of its binaries in onnxruntime-node and their names, and sharp's platform packages with what is
 * needed of them. `@img/sharp-win32-x64` brings libvips itself.
 */
export const targets = {
  "linux-x64": {
    onnxruntime: ["linux/x64", ["libonnxruntime.so.1", "onnxruntime_binding.node"]],
    sharp: unixSharp("linux-x64"),
  },
  "linux-arm64": {
    onnxruntime: ["linux/arm64", ["libonnxruntime.so.1", "onnxruntime_binding.node"]],
    sharp: unixSharp("linux-arm64"),
  },
  "darwin-arm64": {
    // The binding asks for this name; libonnxruntime.1.30.0.dylib is the same file again.
    onnxruntime: ["darwin/arm64", ["libonnxruntime.1.dylib", "onnxruntime_binding.node"]],
    sharp: unixSharp("darwin-arm64"),
  },
  "win32-x64": {
    // DirectML and the DirectX compiler are for the GPU providers.
    onnxruntime: [
      "win32/x64",
      ["DirectML.dll", "dxcompiler.dll", "dxil.dll", "onnxruntime.dll", "onnxruntime_binding.node"],
    ],
    sharp: {
      "@img/sharp-win32-x64": [
        ...["package.json", "LICENSE", "README.md", "index.cjs", "versions.json"],
        ...["lib/*.node", "lib/*.dll"],
      ],
    },
  },
};

function unixSharp(target) {
  return {
    [`@img/sharp-${target}`]: ["package.json", "LICENSE", "index.cjs", "lib/*.node"],
    // The README lists the libraries within libvips with their licences.
    [`@img/sharp-libvips-${target}`]: [
      "package.json",
      "README.md",
      "versions.json",
      "lib/index.js",
      "lib/libvips-cpp.*",
    ],
  };
}

/** The target of the machine that this runs on. */
export const hostTarget = `${process.platform}-${process.arch}`;
