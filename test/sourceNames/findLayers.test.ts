import { describe, expect, it } from "vitest";
import { namedLayer, placesIn } from "./places";

const fc = namedLayer("fc1.weight", { rows: 128, columns: 784 });
const module = (...body: string[]): string =>
  ["class Net(nn.Module):", "  def __init__(self):", ...body.map((line) => `    ${line}`)].join("\n");

describe("one name", () => {
  it.each([
    ["the class as it is", module("self.fc1 = nn.Linear(784, 128)"), "fc1"],
    ["another name for self", module("pass").replace("self", "s") + "\n    s.fc1 = nn.Linear(784, 128)", "fc1"],
    ["keyword arguments", module("self.fc1 = Linear(in_features=784, out_features=128)"), "fc1"],
    ["several targets", module("self.fc1, self.act = nn.Linear(784, 128), nn.ReLU()"), "fc1"],
    ["branches", module("if a:", "  self.fc1 = nn.Linear(784, 128)"), "fc1"],
    ["parentheses", module("self.fc1 = (", "  nn.Linear(784, 128)", ")"), "fc1"],
    ["add_module", module("self.add_module('fc1', nn.Linear(784, 128))"), "'fc1'"],
    ["a part of the class", module("self.fc1 = nn.Linear(784, 128)", "self.fc2 = nn.Linear(128, 10)"), "fc1"],
    ["getattr", "getattr(model, 'fc1')", "'fc1'"],
    ["a key", "sd['fc1.weight']", "'fc1.weight'"],
    ["a raw string", "sd[r'fc1.weight']", "r'fc1.weight'"],
    ["a key of a wrapped model", "sd['module.fc1.weight']", "'module.fc1.weight'"],
    ["a parameter", "print(model.fc1.weight.data.norm())", "fc1.weight"],
    ["a parameter by key", "modules['fc1'].weight", "['fc1'].weight"],
    ["a parameter of a wrapped model", "print(ddp.module.fc1.weight)", "fc1.weight"],
    ["a replaced layer", "model.fc1 = nn.Linear(784, 128)", "fc1"],
    ["a text with mistakes", "class A(\n  def :\nsd['fc1.weight'", "'fc1.weight'"],
  ])("%s", (_, text, token) => {
    const [place, ...more] = placesIn(text, [[fc]]);
    expect(more).toEqual([]);
    expect(place?.split(/^\d+: /)[1]?.replace(/ \[.*/, "")).toBe(token);
  });

  it.each(["FusedGemm", "MatMulNBits", "QGemm"])("a linear layer that became a %s", (op) => {
    const layer = namedLayer("fc1.weight", { rows: 128, columns: 784, op });
    expect(placesIn(module("self.fc1 = nn.Linear(784, 128)"), [[layer]])).toHaveLength(1);
  });

  it.each([
    ["a comment", "# self.fc1 = nn.Linear(784, 128) 'fc1.weight'"],
    ["a docstring", "def f():\n  'fc1.weight'\n  return 1"],
    ["a long docstring", 'class A:\n  """\n  fc1.weight\n  """'],
    ["an f-string", "sd[f'fc1.weight']; sd[f'{x}fc1.weight']; f\"{sd['fc1.weight']}\""],
    ["bytes", "sd[b'fc1.weight']"],
    ["parts of one string", "sd['fc1.' 'weight']; sd['x' 'fc1.weight']"],
    ["another parameter", "sd['fc1.bias']; model.fc1.bias"],
    ["a longer component", "sd['myfc1.weight']; model.fc11.weight"],
    ["a deeper path", "sd['encoder.fc1.weight']"],
    ["a bare word", "mode = 'fc1'; f('fc1', x='fc1')"],
    ["an attribute of something", "args.fc1; F.fc1(x)"],
    ["a number", module("self.fc1 = 3")],
    ["another operator", module("self.fc1 = nn.Conv2d(784, 128, 1)")],
    ["a layer without weights", module("self.fc1 = nn.ReLU()")],
    ["another size", module("self.fc1 = nn.Linear(784, 64)")],
    ["an attribute in another class's way", "class Trainer:\n  def f(self):\n    self.fc1(1)"],
    ["a variable", "fc1 = nn.Linear(784, 128)"],
  ])("not %s", (_, text) => {
    expect(placesIn(text, [[fc, namedLayer("other.weight")]])).toEqual([]);
  });
});

describe("names that an exporter made up", () => {
  it("the node tells the module", () => {
    const layer = namedLayer(["/encoder/layers.3/self_attn/out_proj/MatMul", "/encoder/layers.3/self_attn/out_proj/MatMul"], {
      initializer: "onnx::MatMul_254",
    }); // prettier-ignore
    const places = (text: string): number => placesIn(text, [[layer]]).length;
    expect(places("sd['encoder.layers.3.self_attn.out_proj.weight']")).toBe(1);
    expect(places("sd['self_attn.out_proj.weight']")).toBe(1);
    expect(places("model.encoder.layers[3].self_attn.out_proj")).toBe(1);
    expect(places("f('/encoder/layers.3/self_attn/out_proj/MatMul')")).toBe(1);
    expect(places("f('onnx::MatMul_254')")).toBe(1);
    expect(places("sd['encoder.layers.2.self_attn.out_proj.weight']")).toBe(0);
  });

  it("a weight that two modules share is named by both", () => {
    const tied = namedLayer("embed.weight", { nodes: ["/embed/MatMul", "/lm_head/MatMul"] });
    expect(placesIn("sd['lm_head.weight']; sd['embed.weight']", [[tied]])).toHaveLength(2);
  });
});

describe("several models", () => {
  const a = [namedLayer("fc1.weight"), namedLayer("fc2.weight")];
  const b = [namedLayer("backbone.fc1.weight"), namedLayer("head.fc1.weight")];

  it("each has its own answer", () => {
    const copy = [namedLayer("fc1.weight")];
    expect(placesIn("sd['fc1.weight']", [a, copy, []])).toEqual([
      "1: 'fc1.weight' [name] → fc1.weight | fc1.weight | ",
    ]);
    expect(placesIn("x + 'fc1.weight'", [a, b])).toEqual([
      "1: 'fc1.weight' [name] → fc1.weight | backbone.fc1.weight, head.fc1.weight",
    ]);
  });

  it("the whole name in one rules out the end of a name in another", () => {
    expect(placesIn("sd['fc1.weight']", [b, a])).toEqual(["1: 'fc1.weight' [name] →  | fc1.weight"]);
  });

  it("a class that one is made of is not looked for in others", () => {
    const text = module("self.fc1 = nn.Linear(a, b)", "self.fc2 = nn.Linear(a, b)");
    const places = placesIn(text, [a, [namedLayer("head.fc1.weight"), namedLayer("head.fc3.weight")]]);
    expect(places).toEqual(["3: fc1 [definition] → fc1.weight | ", "4: fc2 [definition] → fc2.weight | "]);
  });
});

describe("classes", () => {
  const layers = ["a.fc", "a.proj", "b.fc", "b.proj", "b.extra"].map((name) => namedLayer(`${name}.weight`));
  const text = [
    "class Base(nn.Module):",
    "  def __init__(self):",
    "    self.fc = nn.Linear(x, y)",
    "    self.proj = nn.Linear(x, y)",
    "class More(Base):",
    "  def __init__(self):",
    "    super().__init__()",
    "    self.extra = nn.Linear(x, y)",
  ].join("\n");

  it("declare what their bases declare", () => {
    expect(placesIn(text, [layers])).toEqual([
      "3: fc [definition] → a.fc.weight, b.fc.weight",
      "4: proj [definition] → a.proj.weight, b.proj.weight",
      "8: extra [definition] → b.extra.weight",
    ]);
  });

  it("that inherit from each other are no endless loop", () => {
    const circle = text.replace("Base(nn.Module)", "Base(More)");
    expect(placesIn(circle, [layers]).length).toBeGreaterThan(0);
  });

  it("with members made by name may have any", () => {
    const dynamic = `${text}\n    setattr(self, f"layer{i}", nn.Linear(x, y))`;
    const deeper = [...layers, namedLayer("b.layer7.weight")];
    expect(placesIn(dynamic, [deeper])).toContain("8: extra [definition] → b.extra.weight");
  });

  it("a function that gives back a container is one too", () => {
    const factory = [
      "def block(x): return nn.Sequential(nn.Conv2d(x, x, 3), nn.ReLU())",
      "class Net(nn.Module):",
      "  def __init__(self):",
      "    self.first = block(3)",
    ].join("\n");
    expect(placesIn(factory, [[namedLayer("first.0.weight", { op: "Conv" })]])).toEqual([
      "1: nn.Conv2d(x, x, 3) [definition] → first.0.weight",
    ]);
  });

  it("a model that is a container alone", () => {
    const text = "model = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))";
    const layers = [
      namedLayer("1.weight", { rows: 128, columns: 784 }),
      namedLayer("3.weight", { rows: 10, columns: 128 }),
    ];
    expect(placesIn(text, [layers])).toEqual([
      "1: nn.Linear(784, 128) [definition] → 1.weight",
      "1: nn.Linear(128, 10) [definition] → 3.weight",
    ]);
  });
});
