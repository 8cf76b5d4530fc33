import { describe, expect, it } from "vitest";
import { endsWith, modulePath, unwrapped } from "../../src/sourceNames/modulePath";

describe("the module that a name speaks of", () => {
  it.each([
    ["fc1.weight", "fc1"],
    ["layer1.0.conv1.weight", "layer1.0.conv1"],
    ["encoder.layers.0.self_attn.in_proj_weight", "encoder.layers.0.self_attn"],
    ["bert.encoder.layer.0.attention.self.query.weight_transposed", "bert.encoder.layer.0.attention.self.query"],
    ["h.0.attn.c_attn.weight_resize", "h.0.attn.c_attn"],
    ["l0.wq", "l0.wq"],
    ["lm_head", "lm_head"],
    ["fc1.bias", "fc1.bias"],
    ["/conv1/Conv", "conv1"],
    ["/layer1/layer1.0/conv1/Conv", "layer1.0.conv1"],
    ["/layer1/layer1.0/downsample/downsample.0/Conv", "layer1.0.downsample.0"],
    ["/features/features.1/conv/conv.0/conv.0.0/Conv", "features.1.conv.0.0"],
    ["/encoder/layers.3/self_attn/out_proj/MatMul", "encoder.layers.3.self_attn.out_proj"],
    ["/layers.3/layers.3/Conv_1", "layers.3.layers.3"],
    ["/model/decoder/decoder/2/Conv", "model.decoder.decoder.2"],
    ["dense_1/kernel:0", "dense_1"],
    ["StatefulPartitionedCall/net/dense_1/MatMul/ReadVariableOp:0", "net.dense_1"],
    ["bert/layer_._0/attention/self/query/Tensordot/Reshape_1:0_resize", "bert.layer_._0.attention.self.query"],
    ["conv2d_3/Conv2D", "conv2d_3"],
  ])("%s: %s", (name, expected) => {
    // Components of TensorFlow may hold dots themselves.
    expect(modulePath(name)?.join(".")).toBe(expected);
  });

  it.each([
    ["onnx::Conv_254"],
    ["Conv_12"],
    ["MatMul_28"],
    ["/MatMul_3"],
    ["weight"],
    [""],
    ["/"],
    ["."],
    ["a..b"],
    ["a b.weight"],
    ["fc1.weight\n"],
    ["./fc1.weight"],
    ["/home/me/conv1"],
    ["https://example.org/fc1"],
    ["x".repeat(1001)],
    ["a.".repeat(65) + "weight"],
  ])("%j names none", (name) => {
    expect(modulePath(name)).toBeNull();
  });
});

describe("comparing paths", () => {
  it("goes by whole components", () => {
    expect(endsWith(["layer1", "0", "conv1"], ["0", "conv1"])).toBe(true);
    expect(endsWith(["layer1", "0", "conv1"], ["conv1"])).toBe(true);
    expect(endsWith(["layer1", "0", "myconv1"], ["conv1"])).toBe(false);
    expect(endsWith(["conv1"], ["layer1", "0", "conv1"])).toBe(false);
  });

  it("lets any index be one", () => {
    expect(endsWith(["layer1", "0", "conv1"], ["layer1", "*", "conv1"])).toBe(true);
    expect(endsWith(["layer1", "last", "conv1"], ["layer1", "*", "conv1"])).toBe(false);
  });

  it("takes off what wrappers put in front", () => {
    expect(unwrapped(["module", "_orig_mod", "fc1"])).toEqual(["fc1"]);
    expect(unwrapped(["encoder", "module", "fc1"])).toBeNull();
    expect(unwrapped(["model"])).toBeNull();
  });
});
