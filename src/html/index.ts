import { writeFileAtomically } from "../atomicFile";
import type { ModelReport } from "../report";
import { reportHtml } from "./page";

export { reportHtml } from "./page";

/** Writes the report as one HTML page, all or nothing. */
export function writeHtmlReport(report: ModelReport, target: string, options: { force: boolean }): void {
  writeFileAtomically(target, [Buffer.from(reportHtml(report))], options);
}
