import { describe, expect, it } from "vitest";
import { namedLayer, placesIn, sample } from "./places";

const CONV = { rows: 64, columns: 576 };
const resnet = [
  namedLayer("conv1.weight", { rows: 64, columns: 147 }),
  ...["layer1.0.conv1", "layer1.0.conv2", "layer1.1.conv1", "layer1.1.conv2"].map((name) => namedLayer(`${name}.weight`, CONV)), // prettier-ignore
  ...["layer2.0.conv1", "layer2.0.conv2", "layer2.0.downsample.0"].map((name) => namedLayer(`${name}.weight`, CONV)),
  ...["layer2.1.conv1", "layer2.1.conv2"].map((name) => namedLayer(`${name}.weight`, CONV)),
  namedLayer("fc.weight", { rows: 10, columns: 128 }),
];
const blocks = (attribute: string): string =>
  ["layer1.0", "layer1.1", "layer2.0", "layer2.1"].map((block) => `${block}.${attribute}.weight`).join(", ");

describe("names in a residual network", () => {
  const places = placesIn(sample("resnet.py"), [resnet]);

  it("attributes are those of the class they stand in", () => {
    expect(places).toContain("63: conv1 [definition] → conv1.weight");
    expect(places).toContain("69: fc [definition] → fc.weight");
    expect(places).toContain(`27: conv1 [definition] → ${blocks("conv1")}`);
    expect(places).toContain(`30: conv2 [definition] → ${blocks("conv2")}`);
  });

  it("uses, parameters, keys and parts of containers", () => {
    expect(places).toContain("88: conv1 [use] → conv1.weight");
    expect(places).toContain(`36: conv1 [use] → ${blocks("conv1")}`);
    expect(places).toContain("73: fc.weight [name] → fc.weight");
    expect(places).toContain('100: "fc.weight" [name] → fc.weight');
    expect(places).toContain('100: "module.fc.weight" [name] → fc.weight');
    expect(places).toContain('101: "layer1.0.conv1.weight" [name] → layer1.0.conv1.weight');
    expect(places).toContain("103: conv2 [use] → layer1.0.conv2.weight, layer1.1.conv2.weight");
    expect(places).toContain("104: [0].weight [name] → layer2.0.downsample.0.weight");
    expect(places).toContain("104: conv1.weight [name] → conv1.weight");
    expect(places).toContain(
      "79: conv1x1(self.inplanes, planes * block.expansion, stride) [definition] → layer2.0.downsample.0.weight",
    );
  });

  it("the end of a key may be that of several", () => {
    expect(places).toContain(`105: "conv1.weight" [name] → conv1.weight, ${blocks("conv1")}`);
  });

  it("nothing else: no comment, docstring, f-string, bias, argument or other attribute", () => {
    const lines = new Set(places.map((place) => Number(place.split(":")[0])));
    expect([...lines]).toEqual([27, 30, 36, 37, 48, 50, 63, 69, 73, 79, 88, 90, 100, 101, 103, 104, 105, 106]);
    expect(places.filter((place) => place.startsWith("101:"))).toHaveLength(1);
  });

  it("other sizes are other layers", () => {
    const other = resnet.map((layer) => (layer.name === "fc.weight" ? { ...layer, rows: 1000 } : layer));
    // `model.fc = nn.Linear(128, 10)` is not the layer of 1000 outputs; `num_classes` may be.
    const found = placesIn(sample("resnet.py"), [other]);
    expect(found).toContain("69: fc [definition] → fc.weight");
    expect(found.filter((place) => place.startsWith("106:"))).toEqual([]);
  });
});

describe("names in a transformer", () => {
  const layers = (prefix: string, names: readonly string[]) =>
    names.map((name) => namedLayer(`${prefix}.${name}.weight`));
  const attention = ["self_attn.qkv", "self_attn.out_proj"];
  const vit = [
    namedLayer("patch_embed.weight", { rows: 192, columns: 768 }),
    ...[0, 1].flatMap((i) => layers(`encoder.layers.${i}`, [...attention, "mlp.fc1", "mlp.fc2"])),
    ...layers("decoder.layers.0", [...attention, "cross_attn.qkv", "cross_attn.out_proj", "linear1", "linear2"]),
    namedLayer("head.1.weight", { rows: 64, columns: 192 }),
    namedLayer("head.3.weight", { rows: 10, columns: 64 }),
    namedLayer("aux.weight"),
  ];
  const places = placesIn(sample("vit.py"), [vit]);

  it("are found in containers by index and by key", () => {
    expect(places).toContain("57: nn.Linear(dim, 64) [definition] → head.1.weight");
    expect(places).toContain("59: nn.Linear(64, classes) [definition] → head.3.weight");
    expect(places).toContain(
      '25: "fc1" [definition] → encoder.layers.0.mlp.fc1.weight, encoder.layers.1.mlp.fc1.weight',
    );
  });

  it("are found behind annotations, conditions and weight_norm", () => {
    expect(places).toContain("61: aux [definition] → aux.weight");
  });

  it("a class is where it is made, and nowhere else", () => {
    expect(places).toContain("33: linear1 [definition] → decoder.layers.0.linear1.weight");
    const qkv = places.find((place) => place.startsWith("12: qkv"));
    expect(qkv?.split(", ")).toHaveLength(4);
    // Encoder and decoder layers with the same attributes: only what makes them tells them apart.
    const twins = vit
      .filter(({ name }) => !name.includes("cross_attn") && !name.includes("mlp"))
      .concat(layers("encoder.layers.0", ["linear1"]));
    const source = sample("vit.py").replace("self.mlp =", "self.linear1 = nn.Linear(dim, hidden)\n        self.mlp =");
    const found = placesIn(source, [twins]).filter((place) => place.includes(" linear1 ["));
    expect(found).toEqual([
      "25: linear1 [definition] → encoder.layers.0.linear1.weight",
      "34: linear1 [definition] → decoder.layers.0.linear1.weight",
    ]);
  });
});

describe("names of Keras layers", () => {
  const mnist = [
    namedLayer("mnist/conv_in/kernel:0", { rows: 32, columns: 9 }),
    namedLayer("dense_1/kernel:0"),
    namedLayer("StatefulPartitionedCall/mnist/logits/MatMul/ReadVariableOp:0", { rows: 10 }),
  ];

  it("are the strings that name them", () => {
    expect(placesIn(sample("keras_mnist.py"), [mnist])).toEqual([
      '9: "conv_in" [name] → mnist/conv_in/kernel:0',
      '11: "dense_1" [name] → dense_1/kernel:0',
      "12: 'logits' [name] → StatefulPartitionedCall/mnist/logits/MatMul/ReadVariableOp:0",
      '24: "dense_1" [name] → dense_1/kernel:0',
      '25: "logits" [name] → StatefulPartitionedCall/mnist/logits/MatMul/ReadVariableOp:0',
      '26: "dense_1/kernel:0" [name] → dense_1/kernel:0',
    ]);
  });

  it("in TensorFlow.js too", () => {
    expect(placesIn(sample("tfjs.js"), [mnist], "javascript")).toEqual([
      '6: "conv_in" [name] → mnist/conv_in/kernel:0',
      '8: "dense_1" [name] → dense_1/kernel:0',
      '9: "logits" [name] → StatefulPartitionedCall/mnist/logits/MatMul/ReadVariableOp:0',
      '13: "dense_1" [name] → dense_1/kernel:0',
      '14: "dense_1/kernel" [name] → dense_1/kernel:0',
    ]);
  });

  it.each(["javascript", "javascriptreact", "typescript", "typescriptreact"] as const)("in %s", (language) => {
    const text = 'const a = model.getLayer("dense_1"); // "dense_1/kernel"\n"dense_1/kernel";\n';
    expect(placesIn(text, [mnist], language)).toEqual(['1: "dense_1" [name] → dense_1/kernel:0']);
  });
});
