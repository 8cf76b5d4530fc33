// Writes the README's example from a real run on the bundled model.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { analyze } from "../src/analyze";
import { compressionText, reportText } from "../src/cli/reportText";
import { compress } from "../src/compress";
import { writeReport } from "../src/reportFile";

const MODEL = path.join("examples", "shapes", "model.onnx");
const BEGIN = '<!-- example:begin, written by "npm run bench -- readme" -->';
const END = "<!-- example:end -->";

export async function writeReadmeExample(): Promise<void> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "ranklens-readme-"));
  try {
    const report = await analyze(MODEL, {});
    const from = path.join(folder, "report.json");
    writeReport(report, from, { force: false });
    const smaller = await compress(MODEL, { from, output: path.join(folder, "smaller.onnx") });
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
