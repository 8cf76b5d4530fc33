import { afterAll, describe, expect, it } from "vitest";
import { dataBeside } from "../../src/host/dataBeside";
import { newLab } from "../cli/lab";

describe("data beside a model", () => {
  const lab = newLab();
  afterAll(() => lab.remove());

  it("is every file there and one folder below that may have samples, arrays and the nearest first", () => {
    for (const name of [
      "model.onnx",
      "b.npy",
      "a.NPZ",
      "readme.txt",
      ".hidden.npy",
      "data/c.npy",
      "data/deep/d.npy",
      "train.csv",
      "data/lines.txt",
      "model.ranklens.json",
    ]) {
      lab.write(name, "");
    }
    lab.write("node_modules/e.npy", "");
    lab.write("folder.npy/f.npz", "");
    const found = ["a.NPZ", "b.npy", "data/c.npy", "folder.npy/f.npz", "train.csv", "data/lines.txt"].map((name) =>
      lab.at(...name.split("/")),
    );
    expect(dataBeside(lab.at("model.onnx"))).toEqual(found);
  });

  it("is no more than one can look through", () => {
    for (let i = 0; i < 300; i++) lab.write(`many/${i}.npy`, "");
    expect(dataBeside(lab.at("many", "model.onnx"))).toHaveLength(200);
  });

  it("is nothing in a folder that is not there", () => {
    expect(dataBeside(lab.at("nowhere", "model.onnx"))).toEqual([]);
  });
});
