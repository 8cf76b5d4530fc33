// Writes the ResNet-20 example of the README from a real run.
import { readFileSync, writeFileSync, mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { analyze } from "../src/analyze";
import { compressionText, reportText } from "../src/cli/reportText";
import { compress } from "../src/compress";
import { writeReport } from "../src/reportFile";
import { cifarConfig, missingReference, referenceFolder } from "../test/reference/data";

const BEGIN = '<!-- resnet20:begin, written by "npm run bench -- readme" -->';
const END = "<!-- resnet20:end -->";

export async function writeReadmeExample(): Promise<void> {
  const missing = missingReference();
  if (missing !== undefined) {
    console.log(`SKIPPED: ${missing}`);
    return;
  }
  const folder = mkdtempSync(path.join(os.tmpdir(), "ranklens-readme-"));
  try {
    const model = path.join(referenceFolder, "models", "resnet20.onnx");
    const report = await analyze(model, { config: cifarConfig(), tolerance: 0.5 });
    const from = path.join(folder, "report.json");
    writeReport(report, from, { force: false });
    const smaller = await compress(model, { from, output: path.join(folder, "smaller.onnx") });
    const shown = { ...smaller, compressed: smaller.compressed && { ...smaller.compressed, path: "smaller.onnx" } };
    const text = `\`\`\`text\n${reportText(report)}\n\n${compressionText(shown)}\n\`\`\``;
    const readme = readFileSync("README.md", "utf8");
    const [before, rest] = readme.split(BEGIN);
    const after = rest?.split(END)[1];
    if (after === undefined) throw new Error("README.md has lost its markers");
    writeFileSync("README.md", `${before}${BEGIN}\n\n${text}\n\n${END}${after}`);
    console.log(text);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
