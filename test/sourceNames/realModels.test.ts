import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { inspect } from "../../src/inspect";
import { indexLayers, layersAt } from "../../src/sourceNames/layerIndex";
import { placesIn, sample } from "./places";

/** The file of a model that is kept beside the repository; says so where it is not there. */
function real(name: string): { skip: boolean; file: string } {
  const file = fileURLToPath(new URL(`../../../shared/${name}`, import.meta.url));
  const skip = !existsSync(file);
  if (skip) console.warn(`NOT TESTED: names of a real model, as there is no file ${file}.`);
  return { skip, file };
}

const resnets = [real("reference/models/resnet20.onnx"), real("reference/models/resnet20_bn.onnx")];

// The first has names of nodes (`/layer1/layer1.0/conv1/Conv`), the second those of parameters.
it.skipIf(resnets.some(({ skip }) => skip))("a ResNet and its source, whatever its exporter did to the names", () => {
  const [folded, plain] = resnets.map(({ file }) => inspect(file).layers);
  const blocks = folded.slice(1, -1);
  const list = (conv: string): string => blocks.filter(({ name }) => name.includes(conv)).map(({ name }) => name).join(", "); // prettier-ignore
  expect(list("conv1").split(", ")).toHaveLength(9);
  expect(placesIn(sample("resnet_cifar.py"), [folded])).toEqual([
    `15: conv1 [definition] → ${list("conv1")}`,
    `17: conv2 [definition] → ${list("conv2")}`,
    "27: conv1 [definition] → /conv1/Conv",
    "32: linear [definition] → linear.weight",
    "42: conv1 [use] → /conv1/Conv",
    "43: linear [use] → linear.weight",
  ]);
  expect(placesIn("sd['layer1.0.conv1.weight']; model.layer3[2].conv2.weight", [folded, plain])).toEqual([
    "1: 'layer1.0.conv1.weight' [name] → /layer1/layer1.0/conv1/Conv | layer1.0.conv1.weight",
    "1: conv2.weight [name] → /layer3/layer3.2/conv2/Conv | layer3.2.conv2.weight",
  ]);
  expect(placesIn("sd['linear.weight']; sd['layer4.0.conv1.weight']", [folded, plain])).toHaveLength(1);
});

const others: readonly [file: string, text: string, layer: string][] = [
  ["bert-toy-optimized.onnx", "sd['bert.encoder.layer.0.attention.self.query.weight']", "bert.encoder.layer.0.attention.self.query.weight_transposed"], // prettier-ignore
  ["gpt2-past-toy.onnx", "sd['h.0.attn.c_attn.weight']", "h.0.attn.c_attn.weight_resize"],
  ["llama-aidreams260K-derived.onnx", "sd['l0.wq']", "l0.wq"],
  ["llama-aidreams260K-derived.onnx", "class A(nn.Module):\n  def f(self):\n    self.lm_head = nn.Linear(64, 512)", "lm_head"], // prettier-ignore
  ["dtln-1.onnx", "Dense(257, name='dense_2')", "dense_2/kernel:0"],
  ["silero-vad-16k-op15.onnx", "model.decoder.decoder[2].weight", "model.decoder.decoder.2.weight"],
  ["silero-vad-16k-op15.onnx", "sd['stft.forward_basis_buffer']", "model.stft.forward_basis_buffer"],
  ["ultraface-slim320.onnx", "sd['module.base_net.0.0.weight']", "base_net.0.0.weight"],
  ["squeezenet-winml-small.onnx", "initializers['convolution3_W']", "convolution3_W"],
  ["bert-squad-tf21-toy.onnx", "Dense(2, name='qa_outputs')", "tf_bert_for_question_answering/qa_outputs/Tensordot/Reshape_1:0_resize"], // prettier-ignore
];

for (const [name, text, layer] of others) {
  const { skip, file } = real(`zoo/${name}`);
  it.skipIf(skip)(`${name}: ${text.split("\n").at(-1)!.trim()}`, () => {
    const { layers } = inspect(file);
    expect(placesIn(text, [layers]).map((place) => place.split("→ ")[1])).toEqual([layer]);
  });
}

const named = [
  "bert-squad-tf21-toy",
  "bert-toy-optimized",
  "gpt2-past-toy",
  "silero-vad-16k-op15",
  "ultraface-slim320",
];
for (const name of named) {
  const { skip, file } = real(`zoo/${name}.onnx`);
  it.skipIf(skip)(`every layer of ${name} has a path of its own`, () => {
    const { layers } = inspect(file);
    const { root, called } = indexLayers(layers);
    for (const layer of layers) expect(called(layer.name)).toContain(layer);
    const paths: string[] = [];
    const visit = (node: typeof root, path: readonly string[]): void => {
      if (node.layers.length > 0) paths.push(path.join("."));
      for (const [key, child] of node.children) visit(child, [...path, key]);
    };
    visit(root, []);
    expect(paths.length).toBeGreaterThanOrEqual(layers.length);
    const reached = new Set(paths.flatMap((path) => layersAt(root, path.split("."))));
    // TensorFlow's components may hold dots.
    if (!name.startsWith("bert-squad")) expect(reached.size).toBe(layers.length);
  });
}
