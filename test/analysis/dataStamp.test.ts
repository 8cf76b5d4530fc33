import { mkdirSync } from "node:fs";
import { afterEach, beforeEach, expect, it } from "vitest";
import { watchData } from "../../src/analysis/dataStamp";
import { newLab, type Lab } from "../cli/lab";

let lab: Lab;
beforeEach(() => {
  lab = newLab();
  lab.array("x.npy", "float32", [2, 1], [1, 2]);
  lab.array("y.npy", "int64", [2], [0, 1]);
});
afterEach(() => lab.remove());

it("data that is written to after it was opened is noticed", () => {
  const data = { source: lab.at("x.npy"), labels: lab.at("y.npy") };
  const unchanged = watchData({ calibration: data, validation: data });
  expect(unchanged()).toBe(true);
  lab.array("y.npy", "int64", [2], [1, 1]);
  expect(unchanged()).toBe(false);
});

it("so are the files of a folder of images, which are looked at once", () => {
  mkdirSync(lab.at("images"));
  for (let i = 0; i < 150; i++) lab.write(`images/${i}.png`, "");
  const config = { calibration: { source: lab.at("images") } };
  const [early, late] = [watchData(config), watchData(config)];
  expect(early()).toBe(true);
  lab.write("images/7.png", "changed");
  expect([early(), late()]).toEqual([true, false]);
});
