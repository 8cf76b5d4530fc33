import { createHash } from "node:crypto";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import type { ModelReport } from "../report";
import { readReport, writeReport } from "../reportFile";

/** The reports of the models of a workspace, each in a file that `compress --from` takes. */
export class ReportStore {
  /** @param folder need not exist yet. */
  constructor(private readonly folder: string) {}

  /** Where the report of a model is, whether there is one or not. */
  pathFor(modelPath: string): string {
    return path.join(this.folder, `${createHash("sha256").update(modelPath).digest("hex")}.json`);
  }

  /** Null if there is none. @throws ExpectedError if there is one that cannot be read. */
  load(modelPath: string): ModelReport | null {
    const file = this.pathFor(modelPath);
    return existsSync(file) ? readReport(file) : null;
  }

  /** All or nothing. @throws ExpectedError if it cannot be written. */
  save(modelPath: string, report: ModelReport): void {
    mkdirSync(this.folder, { recursive: true });
    writeReport(report, this.pathFor(modelPath), { force: true });
  }

  remove(modelPath: string): void {
    rmSync(this.pathFor(modelPath), { force: true });
  }
}
