"""Makes all files of the shapes example: `python3 train.py` (Python 3.9+, numpy, torch, onnx).

Users of RankLens do not need it: what it writes is part of the repository. Seeds are fixed; another machine or another
version of torch still gives a slightly different network.
"""

import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

from images import SIZE, render_many
from network import ShapesNet, without_batch_norm

FOLDER = Path(__file__).resolve().parent
SEED = 7
# (seed, images) of each set of images: no two share any.
TRAINING = (1, 30_000)
CALIBRATION = (2, 250)
VALIDATION = (3, 1_000)
MEAN, STD = 0.5, 0.25
EPOCHS, BATCH = 8, 100
PEAK_RATE, WEIGHT_DECAY = 0.1, 1.5e-3


def main() -> None:
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    network = train(ShapesNet(), *render_many(*TRAINING))
    network = without_batch_norm(network)
    save_images("calibration", *render_many(*CALIBRATION))
    images, labels = render_many(*VALIDATION)
    save_images("validation", images, labels)
    print(f"accuracy on the validation images: {accuracy(network, images, labels):.2%}")
    export(network)
    print(f"{sum(file.stat().st_size for file in FOLDER.iterdir() if file.is_file()):,} bytes in all")


def model_input(images: np.ndarray) -> torch.Tensor:
    """N×H×W×C uint8 → N×C×H×W float32, as `preprocess` in model.ranklens.json says."""
    return ((torch.from_numpy(images).float() / 255 - MEAN) / STD).permute(0, 3, 1, 2).contiguous()


def train(network: ShapesNet, images: np.ndarray, labels: np.ndarray) -> ShapesNet:
    inputs, targets = model_input(images), torch.from_numpy(labels).long()
    steps = len(images) // BATCH
    optimizer = torch.optim.SGD(network.parameters(), PEAK_RATE, 0.9, weight_decay=WEIGHT_DECAY, nesterov=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, epochs=EPOCHS, steps_per_epoch=steps)
    loss_function = nn.CrossEntropyLoss()
    for epoch in range(EPOCHS):
        network.train()
        started, total = time.perf_counter(), 0.0
        for batch in torch.randperm(len(inputs)).split(BATCH):
            optimizer.zero_grad()
            loss = loss_function(network(inputs[batch]), targets[batch])
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        print(f"epoch {epoch + 1}: loss {total / steps:.3f}, {time.perf_counter() - started:.0f} s", flush=True)
    return network


def accuracy(network: ShapesNet, images: np.ndarray, labels: np.ndarray) -> float:
    with torch.no_grad():
        return float(np.mean(network(model_input(images)).argmax(1).numpy() == labels))


def save_images(name: str, images: np.ndarray, labels: np.ndarray) -> None:
    np.save(FOLDER / f"{name}_images.npy", images)
    np.save(FOLDER / f"{name}_labels.npy", labels)


def export(network: ShapesNet) -> None:
    torch.onnx.export(
        network,
        torch.zeros(1, 3, SIZE, SIZE),
        str(FOLDER / "model.onnx"),
        opset_version=13,
        input_names=["images"],
        output_names=["scores"],
        dynamic_axes={"images": {0: "batch"}, "scores": {0: "batch"}},
    )


if __name__ == "__main__":
    main()
