import { describe, expect, it } from "vitest";
import packageJson from "../../package.json";
import { parseConfig } from "../../src/config";
import {
  completedConfig,
  defaultSettings,
  parseSettings,
  processOptions,
  settingNames,
  type AnalysisSettings,
} from "../../src/host/analysisOptions";
import { deviceChoices } from "../../src/runtime/executionProviders";
import { searchKinds } from "../../src/searchKind";

const properties = packageJson.contributes.configuration.properties;

describe("the settings of an analysis", () => {
  it("have in package.json the defaults that the code has", () => {
    const declared = settingNames.map((name) => [name, properties[`ranklens.${name}`].default]);
    expect(Object.fromEntries(declared)).toEqual(defaultSettings);
    expect(properties["ranklens.device"].enum).toEqual(deviceChoices);
    expect(properties["ranklens.search"].enum).toEqual(searchKinds);
    expect(parseSettings(defaultSettings)).toEqual(defaultSettings);
  });

  it("accept in the settings editor the sizes that they accept here", () => {
    const pattern = new RegExp(properties["ranklens.memory"].pattern);
    for (const memory of ["", "2GB", "512 MB", "1.5g", " 2GiB ", "1073741824"]) {
      expect(pattern.test(memory), memory).toBe(true);
      expect(parseSettings({ ...defaultSettings, memory }).memory).toBe(memory);
    }
    for (const memory of ["much", "2 apples", "-1GB"]) {
      expect(pattern.test(memory), memory).toBe(false);
      expect(() => parseSettings({ ...defaultSettings, memory })).toThrow(/ranklens\.memory/);
    }
  });

  it.each([
    [
      "tolerance",
      "high",
      'The setting ranklens.tolerance is "high"; it must be a number of percentage points from 0 to 100.',
    ],
    ["tolerance", -1, "The setting ranklens.tolerance is -1; it must be a number"],
    [
      "validationLimit",
      0,
      "The setting ranklens.validationLimit is 0; it must be a whole number of samples, 1 or more",
    ],
    ["device", "tpu", 'The setting ranklens.device is "tpu"; it must be one of auto'],
    ["memory", "1KB", 'The setting ranklens.memory is "1KB"; it must be a size of at least 1MB'],
    ["nodePath", null, "The setting ranklens.nodePath is null; it must be a path, or empty."],
  ] as const)("are refused where %s is %j", (name, value, message) => {
    expect(() => parseSettings({ ...defaultSettings, [name]: value })).toThrow(message);
  });

  it("fill in what a config leaves open, and nothing else", () => {
    const settings = { ...defaultSettings, tolerance: 0.7, calibrationLimit: 10, validationLimit: 20 };
    const own = parseConfig(
      { calibration: { source: "/c.npy", limit: 3 }, validation: { source: "/v.npy" }, tolerance: 0.2 },
      "x",
      "/",
    );
    expect(completedConfig(own, settings)).toEqual({
      calibration: { source: "/c.npy", limit: 3 },
      validation: { source: "/v.npy", limit: 20 },
      tolerance: 0.2,
    });
    expect(completedConfig({}, settings)).toEqual({ tolerance: 0.7 });
    expect(completedConfig(own, defaultSettings)).toEqual(own);
  });

  it("name memory in bytes, where they name it", () => {
    expect(processOptions(defaultSettings, "/kept")).toEqual({ device: "auto", search: "exact", cache: "/kept" });
    const own: AnalysisSettings = { ...defaultSettings, device: "cpu", search: "fast", memory: "2GB", cache: false };
    expect(processOptions(own, "/kept")).toEqual({
      device: "cpu",
      search: "fast",
      memory: 2 ** 31,
    });
  });
});
