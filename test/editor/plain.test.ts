import { expect, it } from "vitest";
import { plain } from "../../src/editor/plain";

/** VS Code's pattern of a link in a notification (vs/base/common/linkedText.ts). */
const LINK = /\[([^\]]+)\]\(((?:https?:\/\/|command:|file:)[^)\s]+)(?: (["'])(.+?)(\3))?\)/i;

it("a notification has no links in names of files and layers", () => {
  const hostile = "[Show report](command:workbench.extensions.installExtension?%22evil%22).onnx";
  expect(hostile).toMatch(LINK);
  expect(plain(`Analyzing ${hostile}`)).not.toMatch(LINK);
  expect(plain("[a][b](command:x)](file://y)")).not.toMatch(LINK);
  expect(plain("conv (3×3) [0]")).toBe("conv (3×3) [0]");
});
