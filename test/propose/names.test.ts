import { describe, expect, test } from "vitest";
import { isNamedAs, saysLabels, saysSamples, splitOfName, splitOfPath } from "../../src/propose/names";

test.each([
  ["train", "training"],
  ["x_train.npy", "training"],
  ["trainImages", "training"],
  ["train-images-idx3-ubyte.gz", "training"],
  ["cal_u8.npy", "training"],
  ["Calibration Data", "training"],
  ["ILSVRC2012_val", "validation"],
  ["y_valid", "validation"],
  ["t10k-labels-idx1-ubyte", "test"],
  ["X_test", "test"],
  ["images.npy", null],
  ["constraint.npy", null],
  ["latest.npy", null],
  ["interval.npy", null],
  ["train_test.npy", null],
])("%s is called %s data", (name, split) => {
  expect(splitOfName(name)).toBe(split);
});

describe("of a path", () => {
  test("the array's name goes before the file's, and the file's before its folder's", () => {
    expect(splitOfPath("/d/train.npz#x_val", true)).toBe("validation");
    expect(splitOfPath("/d/train.npz#x", true)).toBe("training");
    expect(splitOfPath("/test/train.npy", true)).toBe("training");
    expect(splitOfPath("/test/images.npy", true)).toBe("test");
  });

  test("the folder tells only if asked, and only if it is called just so", () => {
    expect(splitOfPath("/test/images.npy", false)).toBeNull();
    expect(splitOfPath("/my-test-project/images.npy", true)).toBeNull();
  });
});

test.each([
  ["/d/labels.npy", true, false],
  ["/d/data.npz#y_train", true, false],
  ["/d/trainLabels.npy", true, false],
  ["/d/x_test.npy", false, true],
  ["/d/t10k-images-idx3-ubyte", false, true],
  ["/d/yield.npy", false, false],
  ["/labels/one.npy", false, false],
])("%s: labels %s, samples %s", (path, labels, samples) => {
  expect([saysLabels(path), saysSamples(path)]).toEqual([labels, samples]);
});

test.each([
  ["/d/left.npy", "left", true],
  ["/d/train_left.npy", "left", true],
  ["/d/data.npz#input_ids", "input_ids", true],
  ["/d/inputIds_val.npy", "input_ids", true],
  ["/d/left2.npy", "left", false],
  ["/d/train.npy", "val", false],
  ["/d/data.npz#test", "test", true],
])("%s is named as the input %s: %s", (path, input, expected) => {
  expect(isNamedAs(path, input)).toBe(expected);
});
