import type { Inspection, InspectedValue } from "../inspect";
import { printable } from "../text/names";
import { short, thousands } from "../text/numbers";
import { shortNames, table } from "./format";
import { definitions } from "./reportText";

/** The structure of a model as the terminal shows it. */
export function inspectText({ model, inputs, outputs, layers, skipped }: Inspection): string {
  const opsets = Object.entries(model.opsets).map(([domain, version]) => `${domain || "ai.onnx"} ${version}`);
  const parts = [
    definitions([
      ["Model", `${printable(model.path)}, ${thousands(model.bytes)} bytes, ${model.nodes} nodes`],
      [
        "Format",
        printable(
          `IR ${model.irVersion}, opset ${opsets.join(", ") || "not stated"}; ${model.producer || "producer unknown"}`,
        ),
      ],
      ["Parameters", thousands(model.parameters)],
      ["Inputs", inputs.map(value).join("; ") || "none"],
      ["Outputs", outputs.map(value).join("; ") || "none"],
    ]),
  ];
  const right = { align: "right" } as const;
  const names = shortNames(layers.map(({ name }) => name));
  if (layers.length === 0) {
    parts.push("No analysable layer.");
  } else {
    parts.push(
      table(
        [
          { title: "layer" },
          { title: "op" },
          { title: "m×d", ...right },
          { title: "parameters", ...right },
          { title: "MACs", ...right },
          { title: "used by" },
        ],
        layers.map((layer, i) => [
          names[i],
          layer.op,
          `${layer.groups > 1 ? `${layer.groups}·` : ""}${layer.rows}×${layer.columns}`,
          thousands(layer.parameters),
          layer.macs === null ? "–" : short(layer.macs),
          layer.nodes.length > 1 ? `${layer.nodes.length} nodes` : "",
        ]),
      ),
    );
  }
  if (skipped.length > 0) {
    const lines = skipped.map(({ name, op, reason }) => `  ${printable(`${op} ${name}: ${reason}`)}`);
    parts.push(`Constant weights that are not analysed:\n${lines.join("\n")}`);
  }
  return parts.join("\n\n");
}

function value({ name, type, shape }: InspectedValue): string {
  const dims = shape ? `[${shape.map((dim) => dim ?? "?").join(", ")}]` : "(shape unknown)";
  return printable(`${name} ${type ?? "(not a tensor)"} ${dims}`);
}
