import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { SampleType } from "../../src/calibration/source";
import { relativeConfig, type Config } from "../../src/config";
import type { Shape } from "../../src/onnx/schema";
import { proposeConfig } from "../../src/propose";
import type { Proposal } from "../../src/propose/proposal";
import { modelBytes, node, untyped, value } from "../fixtures/model";
import { npyBytes, writeNpy } from "../fixtures/npy";
import { zipBytes } from "../fixtures/zip";

export const RGB: Shape = ["n", 3, 8, 8];
export const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

export const pixel = (index: number): number => (37 * index) % 256;
export const label = (index: number): number => index % 5;

/** The values of an array by their index. */
export function filled(dims: readonly number[], next: (index: number) => number): number[] {
  return Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, index) => next(index));
}

/** What a proposal says about something. */
export function about({ assumptions }: Pick<Proposal, "assumptions">, what: string): string {
  const lines = assumptions.filter((one) => one.about === what);
  return lines.map(({ text }) => text).join("\n");
}

/** A proposal whose paths start at the folder. */
export interface Proposed extends Omit<Proposal, "config"> {
  readonly config: Config;
}

/** A fresh folder for data and models. */
export interface DataFolder {
  /** Path of something in the folder. */
  readonly at: (...names: string[]) => string;
  /** A model with inputs of these shapes. */
  readonly modelOf: (inputs: Readonly<Record<string, Shape>>) => string;
  readonly array: (name: string, type: SampleType, dims: readonly number[], next?: (index: number) => number) => string;
  readonly archive: (name: string, arrays: Readonly<Record<string, [SampleType, number[]]>>) => string;
  readonly propose: (model: string, ...data: string[]) => Promise<Proposed>;
  readonly remove: () => void;
}

export function newDataFolder(): DataFolder {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), "ranklens-propose-")));
  const at = (...names: string[]): string => path.join(folder, ...names);
  let models = 0;
  return {
    at,
    modelOf(inputs) {
      const names = Object.keys(inputs);
      const file = at(`model${models++}.onnx`);
      const bytes = modelBytes({
        nodes: [node("Sum", names, "y")],
        inputs: names.map((name) => value(name, inputs[name])),
        outputs: [untyped("y")],
      });
      writeFileSync(file, bytes);
      return file;
    },
    array(name, type, dims, next = pixel) {
      mkdirSync(path.dirname(at(name)), { recursive: true });
      return writeNpy(at(name), type, dims, filled(dims, next));
    },
    archive(name, arrays) {
      const entries = Object.entries(arrays).map(([member, [type, dims]]) => ({
        name: `${member}.npy`,
        data: npyBytes(type, dims, filled(dims, type === "int64" ? label : pixel)),
      }));
      writeFileSync(at(name), zipBytes(entries));
      return at(name);
    },
    async propose(model, ...data) {
      const proposal = await proposeConfig({ model, data: data.map((name) => at(name)) });
      return { ...proposal, config: relativeConfig(proposal.config, folder) };
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}
