"""Trains a small convolutional network on handwritten digits and shows what it learned.

The 1,797 images of the UCI set come with scikit-learn, so nothing is downloaded. A fifth of them
is held back and never trained on. Apart from the first import, this is plain PyTorch code.

    python examples/digits.py --device cpu --epochs 15 --seed 0 --out digits.png
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import PercentFormatter
from sklearn.datasets import load_digits
from tqdm import tqdm

import arraytorch as torch
from arraytorch import nn, optim
from arraytorch.utils.data import DataLoader, Dataset, TensorDataset, random_split

BATCH = 64
INK = "#1f3a5f"
ACCENT = "#d1495b"


class DigitNet(nn.Module):
    """Three convolutions with batch normalisation, pooling, and a linear layer on top."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, kernel_size=3, padding=1),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.Conv2d(16, 32, kernel_size=3, padding=1),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 64, kernel_size=3, padding=1),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        self.classifier = nn.Linear(64 * 2 * 2, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.features(images).flatten(1))


def load_data(seed: int) -> tuple[Dataset, Dataset]:
    """Returns the digits to train on and the fifth that is held back."""
    digits = load_digits()
    images = torch.tensor(digits.images / 16, dtype=torch.float32).unsqueeze(1)
    labels = torch.tensor(digits.target, dtype=torch.int64)
    dataset = TensorDataset(images, labels)
    held_back = len(dataset) // 5
    lengths = [len(dataset) - held_back, held_back]
    return random_split(dataset, lengths, generator=torch.Generator().manual_seed(seed))


def training(
    model: nn.Module, loader: DataLoader, epochs: int, device: torch.device
) -> Iterator[float]:
    """Trains the model; yields the loss of every step."""
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.AdamW(model.parameters(), lr=1e-3, weight_decay=1e-2)
    scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs * len(loader))
    for _ in range(epochs):
        model.train()
        for images, labels in loader:
            optimizer.zero_grad()
            loss = criterion(model(images.to(device)), labels.to(device))
            loss.backward()
            optimizer.step()
            scheduler.step()
            yield loss.item()


@torch.no_grad()
def predict(model: nn.Module, dataset: Dataset, device: torch.device) -> torch.Tensor:
    """Returns the model's scores for every image, one row each, on the CPU."""
    model.eval()
    scores = [model(images.to(device)).cpu() for images, _ in DataLoader(dataset, batch_size=256)]
    return torch.cat(scores)


def gather(dataset: Dataset) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns all images and all labels of a dataset."""
    return next(iter(DataLoader(dataset, batch_size=len(dataset))))


def accuracy(scores: torch.Tensor, labels: torch.Tensor) -> float:
    """Returns the share of rows whose highest score is the label's."""
    return (scores.argmax(1) == labels).float().mean().item()


def draw(
    path: Path,
    losses: list[float],
    accuracies: list[float],
    images: torch.Tensor,
    labels: torch.Tensor,
    scores: torch.Tensor,
) -> None:
    """Writes the learning curve, the confusion matrix and the misclassified digits to a PNG."""
    truth, guess = labels.numpy(), scores.argmax(1).numpy()
    confidence = scores.softmax(1).amax(1).numpy()
    figure = Figure(figsize=(12, 4.4), layout="constrained")
    figure.suptitle(
        f"{len(truth)} handwritten digits held back, {accuracies[-1]:.1%} of them read correctly",
        fontsize=14,
        color=INK,
    )
    left, middle, right = figure.subfigures(1, 3, width_ratios=(1.15, 1.05, 1), wspace=0.03)
    draw_curve(left, losses, accuracies)
    draw_confusion(middle, truth, guess)
    draw_mistakes(right, images.numpy()[:, 0], truth, guess, confidence)
    figure.savefig(path, dpi=100)


def draw_curve(figure: SubFigure, losses: list[float], accuracies: list[float]) -> None:
    """Draws the loss of every step above the accuracy after every epoch, on one time axis."""
    figure.suptitle("Learning curve", fontsize=11)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(1.4, 1))
    epochs = np.arange(1, len(losses) + 1) * len(accuracies) / len(losses)
    window = min(15, len(losses))
    smooth = np.convolve(losses, np.ones(window) / window, "valid")
    top.plot(epochs, losses, color=INK, alpha=0.3, linewidth=0.8, label="each step")
    top.plot(epochs[window - 1 :], smooth, color=INK, label=f"mean of {window}")
    top.set(yscale="log", ylabel="training loss")
    top.legend(frameon=False, fontsize=8)
    bottom.plot(range(1, len(accuracies) + 1), accuracies, ".-", color=ACCENT)
    bottom.set(xlabel="epoch", ylabel="held-back accuracy")
    bottom.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    for axes in (top, bottom):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.2)
        axes.tick_params(labelsize=8)


def draw_confusion(figure: SubFigure, truth: np.ndarray, guess: np.ndarray) -> None:
    """Draws how often each digit was read as which; mistakes stand out in red."""
    figure.suptitle("Confusion matrix", fontsize=11)
    axes = figure.subplots()
    counts = np.zeros((10, 10), int)
    np.add.at(counts, (truth, guess), 1)
    right = np.eye(10, dtype=bool)
    axes.imshow(np.ma.masked_where(~right, counts), cmap="Blues", vmin=0, vmax=counts.max())
    axes.imshow(np.ma.masked_where(right | (counts == 0), counts), cmap="Reds", vmin=-2, vmax=4)
    for (row, column), count in np.ndenumerate(counts):
        if count:
            dark = row == column and count > counts.max() / 2
            colour = "white" if dark else "black"
            axes.text(column, row, count, ha="center", va="center", fontsize=8, color=colour)
    axes.set(xticks=range(10), yticks=range(10), xlabel="read as", ylabel="digit")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)


def draw_mistakes(
    figure: SubFigure,
    images: np.ndarray,
    truth: np.ndarray,
    guess: np.ndarray,
    confidence: np.ndarray,
) -> None:
    """Draws the misclassified digits; room that is left goes to the least certain right ones."""
    mistakes = int((truth != guess).sum())
    side = min(max(3, math.ceil(math.sqrt(mistakes))), 6)
    rest = ", then the least certain" if mistakes < side * side else ""
    figure.suptitle(f"{mistakes} misclassified{rest}", fontsize=11)
    # False sorts first: mistakes before right answers, and the least certain first among each.
    order = np.lexsort((confidence, truth == guess))
    for axes, i in zip(figure.subplots(side, side).flat, order, strict=False):
        colour = INK if truth[i] == guess[i] else ACCENT
        axes.imshow(images[i], cmap="gray_r")
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_color(colour)
        title = f"{truth[i]}" if truth[i] == guess[i] else f"{truth[i]} read as {guess[i]}"
        axes.set_title(f"{title} ({confidence[i]:.0%})", fontsize=24 / side, color=colour, pad=3)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu", help="where to compute (%(default)s)")
    parser.add_argument("--epochs", type=int, default=15, help="passes over the data (%(default)s)")
    parser.add_argument(
        "--seed", type=int, default=0, help="of split, weights, order (%(default)s)"
    )
    parser.add_argument("--out", type=Path, default=Path("digits.png"), help="the picture to write")
    options = parser.parse_args()
    if options.epochs < 1:
        parser.error("--epochs must be at least 1")
    return options


def main() -> None:
    options = arguments()
    device = torch.device(options.device)
    torch.manual_seed(options.seed)
    train_set, held_back = load_data(options.seed)
    images, labels = gather(held_back)
    model = DigitNet().to(device)
    loader = DataLoader(train_set, batch_size=BATCH, shuffle=True)

    losses: list[float] = []
    accuracies: list[float] = []
    start = time.perf_counter()
    with tqdm(total=options.epochs * len(loader), unit="step", desc="training") as bar:
        for loss in training(model, loader, options.epochs, device):
            losses.append(loss)
            bar.update()
            if len(losses) % len(loader) == 0:
                accuracies.append(accuracy(predict(model, held_back, device), labels))
                bar.set_postfix(loss=f"{loss:.4f}", held_back=f"{accuracies[-1]:.2%}")
    seconds = time.perf_counter() - start

    scores = predict(model, held_back, device)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    weights = options.out.with_suffix(".pt")
    torch.save(model.state_dict(), weights)
    loaded = DigitNet().to(device)
    loaded.load_state_dict(torch.load(weights, map_location=device))
    scores_again = predict(loaded, held_back, device)
    draw(options.out, losses, accuracies, images, labels, scores)

    right, total = int((scores.argmax(1) == labels).sum()), len(labels)
    print(f"trained on {len(train_set)} digits for {options.epochs} epochs in {seconds:.1f} s")
    print(f"held-back accuracy {right / total:.2%} ({right} of {total})")
    print(f"the same from the weights in {weights}: {accuracy(scores_again, labels):.2%}")
    print(f"picture: {options.out}")
    if not torch.equal(scores, scores_again):
        raise SystemExit("the loaded weights give other scores than the trained model")


if __name__ == "__main__":
    main()
