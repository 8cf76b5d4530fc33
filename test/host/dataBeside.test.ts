import { afterAll, describe, expect, it } from "vitest";
import { arraysBeside } from "../../src/host/dataBeside";
import { newLab } from "../cli/lab";

describe("data beside a model", () => {
  const lab = newLab();
  afterAll(() => lab.remove());

  it("is every NumPy file there and one folder below, the nearest first", () => {
    for (const name of ["model.onnx", "b.npy", "a.NPZ", "readme.txt", ".hidden.npy", "data/c.npy", "data/deep/d.npy"]) {
      lab.write(name, "");
    }
    lab.write("node_modules/e.npy", "");
    lab.write("folder.npy/f.npz", "");
    const found = ["a.NPZ", "b.npy", "data/c.npy", "folder.npy/f.npz"].map((name) => lab.at(...name.split("/")));
    expect(arraysBeside(lab.at("model.onnx"))).toEqual(found);
  });

  it("is no more than one can look through", () => {
    for (let i = 0; i < 300; i++) lab.write(`many/${i}.npy`, "");
    expect(arraysBeside(lab.at("many", "model.onnx"))).toHaveLength(200);
  });

  it("is nothing in a folder that is not there", () => {
    expect(arraysBeside(lab.at("nowhere", "model.onnx"))).toEqual([]);
  });
});
