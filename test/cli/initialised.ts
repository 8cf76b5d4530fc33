import { readFileSync } from "node:fs";
import { configSchema, type Config } from "../../src/config/schema";
import { modelReportSchema, type LayerReport } from "../../src/report";
import { expectSuccess, type Lab, type Outcome } from "./lab";

/** The config that was written. */
export function configIn(lab: Lab, name = "model.ranklens.json"): Config {
  return configSchema.parse(JSON.parse(readFileSync(lab.at(name), "utf8")));
}

/** What analyze finds by that config, at 90% of the energy. */
export async function layersOf(lab: Lab, ...args: string[]): Promise<readonly LayerReport[]> {
  expectSuccess(
    await lab.run("analyze", "model.onnx", "--energy", "0.9", "--report", "report.json", "--force", ...args),
  );
  return modelReportSchema.parse(JSON.parse(readFileSync(lab.at("report.json"), "utf8"))).layers;
}

/** What the command said about something. */
export function said({ stdout }: Outcome, about: string): string {
  const line = stdout.split("\n").find((one) => one.startsWith(`${about}  `));
  return line?.slice(about.length).trim() ?? "";
}
