"""Trains a ResNet-18 on handwritten digits.

The 1,797 images of the UCI set come with scikit-learn, so nothing is downloaded. A fifth of them is
held back. Apart from the first import, this is plain PyTorch code.

    python examples/resnet.py --device cpu --steps 60 --size 16 --seed 0
"""

from __future__ import annotations

import argparse
import time

from sklearn.datasets import load_digits

import arraytorch as torch
from arraytorch import nn, optim
from arraytorch.nn import functional as F


class Block(nn.Module):
    """Two convolutions, added to what comes in."""

    def __init__(self, inside: int, out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inside, out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.downsample = nn.Sequential()
        if stride != 1 or inside != out:
            self.downsample = nn.Sequential(
                nn.Conv2d(inside, out, 1, stride, bias=False), nn.BatchNorm2d(out)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.downsample(x))


class ResNet18(nn.Module):
    """Eight blocks in four stages (He, Zhang, Ren and Sun, 2015), with a stem for small images."""

    def __init__(self, classes: int, width: int = 64, channels: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        stages, inside = [], width
        for k in range(4):
            out = width * 2**k
            stages += [Block(inside, out, 1 if k == 0 else 2), Block(out, out, 1)]
            inside = out
        self.stages = nn.Sequential(*stages)
        self.fc = nn.Linear(inside, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stages(F.relu(self.bn1(self.conv1(x))))
        return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))


def load_data(size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns the digits, enlarged to ``size``, and what they are."""
    digits = load_digits()
    images = torch.tensor(digits.images / 16, dtype=torch.float32).unsqueeze(1)
    images = F.interpolate(images, size=(size, size), mode="bilinear", align_corners=False)
    return images, torch.tensor(digits.target, dtype=torch.int64)


@torch.no_grad()
def accuracy(model: nn.Module, images: torch.Tensor, labels: torch.Tensor, device: str) -> float:
    """Returns the share of images that the model reads correctly."""
    model.eval()
    right = 0
    for start in range(0, len(images), 128):
        scores = model(images[start : start + 128].to(device))
        right += (scores.argmax(1).cpu() == labels[start : start + 128]).sum().item()
    return right / len(images)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu", help="where to compute (%(default)s)")
    parser.add_argument("--steps", type=int, default=60, help="of training (%(default)s)")
    parser.add_argument("--batch", type=int, default=32, help="images (%(default)s)")
    parser.add_argument("--size", type=int, default=16, help="of an image's edge (%(default)s)")
    parser.add_argument("--width", type=int, default=16, help="64 is He et al.'s (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of weights and order (%(default)s)")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    torch.manual_seed(options.seed)
    images, labels = load_data(options.size)
    order = torch.randperm(len(images))
    held, order = order[: len(images) // 5], order[len(images) // 5 :]
    model = ResNet18(10, options.width).to(options.device)
    optimizer = optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=options.steps)

    start = time.perf_counter()
    first = loss = None
    for step in range(options.steps):
        picked = order[torch.randint(len(order), (options.batch,))]
        seen, wanted = images[picked].to(options.device), labels[picked].to(options.device)
        optimizer.zero_grad()
        loss = F.cross_entropy(model(seen), wanted)
        loss.backward()
        optimizer.step()
        schedule.step()
        first = loss.detach() if step == 0 else first
    last = loss.item()
    seconds = time.perf_counter() - start
    print(
        f"loss {first.item():.3f}, then {last:.3f}; {seconds / options.steps * 1e3:.1f} ms a step"
    )
    print(f"held-back accuracy {accuracy(model, images[held], labels[held], options.device):.2%}")


if __name__ == "__main__":
    main()
