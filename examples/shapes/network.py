"""The network of the shapes example: six convolutions and two linear layers, wider than the task needs."""

from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def convolution(inputs: int, outputs: int, stride: int = 1) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]


class ShapesNet(nn.Module):
    """24×24×3 images → scores of 10 classes."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *convolution(3, 24),
            *convolution(24, 32, stride=2),
            *convolution(32, 48),
            *convolution(48, 64, stride=2),
            *convolution(64, 64),
            *convolution(64, 64),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )
        self.classifier = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(self.features(images))


def without_batch_norm(network: ShapesNet) -> ShapesNet:
    """The trained network with every BatchNormalization merged into the convolution before it; names stay."""
    network.eval()
    features = network.features
    for index, module in enumerate(features):
        if isinstance(module, nn.BatchNorm2d):
            features[index - 1] = fuse_conv_bn_eval(features[index - 1], module)
            features[index] = nn.Identity()
    return network
