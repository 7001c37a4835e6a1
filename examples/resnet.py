"""Trains a ResNet-18 on handwritten digits.

The 1,797 images of the UCI set come with scikit-learn, so nothing is downloaded. A fifth of them is
held back. Apart from the first import, this is plain PyTorch code.

    python examples/resnet.py --device cpu --steps 150 --size 16 --seed 0 --out resnet.png
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from tqdm import tqdm

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
        nn.init.zeros_(self.bn2.weight)  # at first the shortcut alone counts: a calm start
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


def training(
    model: nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    batch: int,
    steps: int,
    device: torch.device,
) -> Iterator[float]:
    """Trains on random images; yields the loss of every step."""
    optimizer = optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, 0.05, total_steps=steps)
    model.train()
    for _ in range(steps):
        picked = torch.randint(len(images), (batch,))
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images[picked].to(device)), labels[picked].to(device))
        loss.backward()
        optimizer.step()
        schedule.step()
        yield loss.item()


@torch.no_grad()
def predict(model: nn.Module, images: torch.Tensor, device: torch.device) -> torch.Tensor:
    """Returns the model's scores for every image, one row each, on the CPU."""
    model.eval()
    return torch.cat([model(some.to(device)).cpu() for some in images.split(128)])


def draw(
    path: Path,
    losses: list[float],
    images: torch.Tensor,
    labels: torch.Tensor,
    scores: torch.Tensor,
) -> None:
    """Writes the learning curve and the digits that the model is least sure of to a PNG."""
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(1.2, 1))
    axes = left.subplots()
    axes.plot(losses, color="#1f3a5f")
    axes.set(title="Loss", xlabel="step", yscale="log")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.2)
    right.suptitle("Least certain of the digits held back", fontsize=11)
    sure, guess = scores.softmax(1).max(1)
    for axes, i in zip(right.subplots(4, 5).flat, sure.argsort().tolist(), strict=False):
        wrong = guess[i] != labels[i]
        axes.imshow(images[i, 0].numpy(), cmap="gray_r")
        axes.set_title(
            f"{guess[i]} ({sure[i]:.0%})", fontsize=8, pad=2, color="#d1495b" if wrong else "black"
        )
        axes.axis("off")
    figure.savefig(path, dpi=100)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu", help="where to compute (%(default)s)")
    parser.add_argument("--steps", type=int, default=150, help="of training (%(default)s)")
    parser.add_argument("--batch", type=int, default=32, help="images (%(default)s)")
    parser.add_argument("--size", type=int, default=16, help="of an image's edge (%(default)s)")
    parser.add_argument("--width", type=int, default=16, help="64 is He et al.'s (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of weights and order (%(default)s)")
    parser.add_argument("--out", type=Path, default=Path("resnet.png"), help="the picture to write")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    device = torch.device(options.device)
    torch.manual_seed(options.seed)
    images, labels = load_data(options.size)
    order = torch.randperm(len(images))
    held, rest = order[: len(images) // 5], order[len(images) // 5 :]
    model = ResNet18(10, options.width).to(device)

    losses: list[float] = []
    start = time.perf_counter()
    with tqdm(total=options.steps, unit="step", desc="training") as bar:
        for loss in training(
            model, images[rest], labels[rest], options.batch, options.steps, device
        ):
            losses.append(loss)
            bar.update()
            bar.set_postfix(loss=f"{loss:.3f}", refresh=False)
    milliseconds = (time.perf_counter() - start) / options.steps * 1e3

    scores = predict(model, images[held], device)
    right = (scores.argmax(1) == labels[held]).float().mean().item()
    draw(options.out, losses, images[held], labels[held], scores)
    print(f"loss {losses[0]:.3f}, then {losses[-1]:.3f}; {milliseconds:.1f} ms a step")
    print(f"held-back accuracy {right:.2%}; picture: {options.out}")


if __name__ == "__main__":
    main()
