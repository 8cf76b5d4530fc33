import { describe, expect, it } from "vitest";
import { describeEnd, describeOutOfMemory, type WorkerEnd } from "../../src/worker/endings";

const nothing: WorkerEnd = { code: null, signal: null, stderrTail: "", oomKills: 0, peakBytes: 2.3 * 2 ** 30 };

/** As V8 writes it, shortened. */
const V8 = `
<--- Last few GCs --->
[1:0x1] 63 ms: Mark-Compact (reduce) 48.5 (51.6) -> 48.4 (51.1) MB

FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory
----- Native stack trace -----
 1: 0xb8d0a3 node::OOMErrorHandler(char const*, v8::OOMDetails const&) [node]
`;

describe("the line on how a process ended", () => {
  it.each<[string, Partial<WorkerEnd>, RegExp]>([
    ["V8's heap", { signal: "SIGABRT", stderrTail: V8 }, /ran out of memory \(JavaScript heap out of memory\); it had used 2\.3 GB\. Raise/], // prettier-ignore
    ["V8's heap, as a status", { code: 134, stderrTail: V8 }, /ran out of memory \(JavaScript heap/],
    ["C++", { signal: "SIGABRT", stderrTail: "terminate called after throwing an instance of 'std::bad_alloc'\n  what():  std::bad_alloc\n" }, /out of memory \(std::bad_alloc\)/], // prettier-ignore
    ["C++, otherwise", { signal: "SIGABRT", stderrTail: "terminate called after throwing an instance of 'std::logic_error'\n  what():  odd\n" }, /crashed \(SIGABRT: what\(\): {2}odd\)/], // prettier-ignore
    ["the kernel, for certain", { signal: "SIGKILL", oomKills: 1 }, /ran out of memory \(the system ended the analysis process to free memory\); it had used 2\.3 GB\. Use a lower --memory/], // prettier-ignore
    [
      "the kernel, perhaps",
      { signal: "SIGKILL" },
      /was killed \(SIGKILL\), which usually means .*; it had used 2\.3 GB/,
    ],
    ["the kernel, unseen", { signal: "SIGKILL", oomKills: null, peakBytes: null }, /means that the machine ran out of memory\. Use/], // prettier-ignore
    ["a fault", { signal: "SIGSEGV" }, /crashed \(SIGSEGV\)\. .*please report it/],
    ["another fault", { signal: "SIGBUS", stderrTail: "some noise\n" }, /crashed \(SIGBUS\)\./],
    ["a request", { code: 143 }, /stopped from outside \(SIGTERM\)\.$/],
    ["a request before it listened", { signal: "SIGTERM" }, /stopped from outside \(SIGTERM\)\.$/],
    ["a user's signal", { signal: "SIGUSR1" }, /stopped from outside \(SIGUSR1\)\.$/],
    [
      "a status",
      { code: 3, stderrTail: "a\nTypeError: b\n    at c\n\nNode.js v20.0.0\n" },
      /\(exit status 3: TypeError: b\)/,
    ],
    ["success too early", { code: 0 }, /ended before it was done \(exit status 0\)/],
  ])("%s", (_, end, line) => {
    const text = describeEnd({ ...nothing, ...end });
    expect(text).toMatch(line);
    expect(text).toMatch(/^The analysis .*\.$/);
  });

  it.each([
    "RangeError: Array buffer allocation failed",
    "RangeError: WebAssembly.Memory(): could not allocate memory",
    "RangeError: WebAssembly.Memory.grow(): Unable to grow instance memory",
    "ExpectedError: m.onnx could not be run by onnxruntime: std::bad_alloc",
    "ExpectedError: m.onnx could not be run by onnxruntime: … bfc_arena.cc:360 Failed to allocate memory for requested buffer of size 4096", // prettier-ignore
    "Error: ENOMEM: not enough memory, read",
  ])("an error that means that memory ran out: %s", (message) => {
    const line = describeOutOfMemory(message, 12.3 * 2 ** 20);
    expect(line).toMatch(/^The analysis ran out of memory \([^)]{6,}(\(\)[^)]*)?\); it had used 12\.3 MB\. Use/);
  });

  it.each([
    "TypeError: x is not a function",
    "ExpectedError: memory.onnx: no such file",
    "RangeError: Invalid typed array length: -1",
    "ExpectedError: allocate.onnx could not be run by onnxruntime: the Conv node failed",
  ])("any other error is not: %s", (message) => {
    expect(describeOutOfMemory(message, null)).toBeNull();
  });
});
