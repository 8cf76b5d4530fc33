"""Prints, as JSON by path, the shapes that ONNX's own inference finds in models, or why it refuses them."""
import json
import sys

import onnx
import onnx.shape_inference


def shapes(path):
    model = onnx.load(path, load_external_data=False)
    graph = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    found = {}
    for value in [*graph.value_info, *graph.output]:
        tensor = value.type.tensor_type
        if value.type.HasField("tensor_type") and tensor.HasField("shape"):
            found[value.name] = [d.dim_value if d.HasField("dim_value") else None for d in tensor.shape.dim]
    return {"shapes": found}


results = {}
for path in sys.argv[1:]:
    try:
        results[path] = shapes(path)
    except Exception as error:
        results[path] = {"refused": str(error).strip().splitlines()[-1][:160]}
print(json.dumps(results))
