import { fileURLToPath } from "node:url";
import { format, resolveConfig } from "prettier";
import { expect, it } from "vitest";
import { caseModel, CASES, DTYPES } from "./cases";
import { coverageOf, type Coverage } from "./coverage";
import { QUANTIZED_CASES } from "./quantizedCases";

const INTRODUCTION = `# What RankLens can do with which operator

<!-- Written by \`npx vitest run test/coverage -u\`, from models with one such operator each: every cell was run. -->

**listed**: shown, with the reason why it is not analysed. **analysed**: its utilized rank is measured on data.
**compressed**: it becomes two layers, stored as the weight was; onnxruntime has run the file. Numbers are notes.
`;

const SHORT: Readonly<Record<Coverage["step"], string>> = {
  nothing: "–",
  listed: "listed",
  analysed: "analysed",
  compressed: "**compressed**",
};

function tableOf(head: readonly string[], rows: readonly string[]): string {
  return [`| ${head.join(" | ")} |`, `| ${head.map(() => "---").join(" | ")} |`, ...rows].join("\n");
}

it("the coverage table is what running gives", { timeout: 240_000 }, async () => {
  const notes: string[] = [];
  const cell = ({ step, reason }: Coverage): string => {
    if (reason === null) return SHORT[step];
    // Without the file's own path, and what follows of onnxruntime's message.
    const note = reason.replace(/^\S*model\.onnx /, "").replace(/\. (Export|Check) .*$/, ".");
    if (!notes.includes(note)) notes.push(note);
    return `${SHORT[step]} (${notes.indexOf(note) + 1})`;
  };
  const rows: string[] = [];
  for (const one of CASES) {
    const cells: string[] = [];
    for (const dtype of DTYPES) cells.push(cell(await coverageOf(caseModel(one, dtype), one.sample)));
    rows.push(`| ${[one.name, ...cells].join(" | ")} |`);
  }
  const table = tableOf(["weight stored as", ...DTYPES], rows);
  const quantized: string[] = [];
  for (const { name, bytes, sample } of QUANTIZED_CASES) {
    quantized.push(`| ${name} | ${cell(await coverageOf(bytes, sample))} |`);
  }
  const second = tableOf(["operator on whole numbers", ""], quantized);
  const list = notes.map((note, at) => `${at + 1}. ${note}`).join("\n");
  const style = await resolveConfig(fileURLToPath(import.meta.url));
  const page = await format(`${INTRODUCTION}\n${table}\n\n${second}\n\n${list}\n`, { ...style, parser: "markdown" });
  await expect(page).toMatchFileSnapshot("../../docs/coverage.md");
});
