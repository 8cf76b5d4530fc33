import type { Inspection, InspectedValue } from "../inspect";
import { printable, shortName } from "../text/names";
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
      ...listed("Inputs", inputs),
      ...listed("Outputs", outputs),
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
          layer.macs === null ? UNKNOWN : short(layer.macs),
          layer.nodes.length > 1 ? `${layer.nodes.length} nodes` : "",
        ]),
      ),
    );
  }
  if (layers.some(({ macs }) => macs === null)) {
    parts.push(
      `${UNKNOWN}  MACs unknown without running the model: it leaves sizes open, or has operators whose shapes cannot be inferred.`,
    );
  }
  if (skipped.length > 0) {
    const lines = skipped.map(({ name, op, reason }) => `  ${printable(`${op} ${name}: ${reason}`)}`);
    parts.push(`Constant weights that are not analysed:\n${lines.join("\n")}`);
  }
  return parts.join("\n\n");
}

/** What stands for MACs that cannot be counted. */
const UNKNOWN = "–";

/** Inputs, or outputs, that are shown: models with a cache have a hundred of each. */
const MOST_VALUES = 8;

/** One value on each line. */
function listed(term: string, values: readonly InspectedValue[]): [string, string][] {
  const lines = values.slice(0, MOST_VALUES).map(valueText);
  const rest = values.length - lines.length;
  if (rest > 0) lines.push(`and ${rest} more (--json lists them all)`);
  if (lines.length === 0) lines.push("none");
  return lines.map((line, i) => [i === 0 ? term : "", line]);
}

function valueText({ name, type, shape }: InspectedValue): string {
  if (type === null && shape === null) return `${shortName(name)} (type and shape unknown)`;
  const dims = shape ? `[${shape.map((dim) => dim ?? "?").join(", ")}]` : "(shape unknown)";
  return printable(`${shortName(name)} ${type ?? "(type unknown)"} ${dims}`);
}
