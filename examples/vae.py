"""Trains a variational autoencoder on handwritten digits and draws digits that nobody wrote.

The 1,797 images of the UCI set come with scikit-learn, so nothing is downloaded. A fifth of them is
held back. Apart from the first import, this is plain PyTorch code.

    python examples/vae.py --device cpu --epochs 40 --seed 0 --out vae.png
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
from arraytorch.distributions import Normal, kl_divergence
from arraytorch.nn import functional as F

PIXELS = 8 * 8
BATCH = 64


class VAE(nn.Module):
    """A digit becomes a cloud of points in a small space, and a point a digit (Kingma, 2013)."""

    def __init__(self, latent: int = 8, width: int = 128) -> None:
        super().__init__()
        self.latent = latent
        self.encoder = nn.Sequential(
            nn.Linear(PIXELS, width), nn.SiLU(), nn.Linear(width, 2 * latent)
        )
        self.decoder = nn.Sequential(nn.Linear(latent, width), nn.SiLU(), nn.Linear(width, PIXELS))

    def cloud(self, images: torch.Tensor) -> Normal:
        """Returns where in the small space the images may lie."""
        middle, spread = self.encoder(images).chunk(2, dim=1)
        return Normal(middle, F.softplus(spread) + 1e-4)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Returns minus the evidence lower bound, per image."""
        cloud = self.cloud(images)
        ink = self.decoder(cloud.rsample())
        unlike = F.binary_cross_entropy_with_logits(ink, images, reduction="none").sum(1)
        return (unlike + kl_divergence(cloud, Normal(0.0, 1.0)).sum(1)).mean()

    def decode(self, points: torch.Tensor) -> torch.Tensor:
        """Returns the images that belong to points."""
        return self.decoder(points).sigmoid()


def load_data() -> tuple[torch.Tensor, torch.Tensor]:
    """Returns the images to train on, in random order, and the fifth that is held back."""
    images = torch.tensor(load_digits().data / 16, dtype=torch.float32)
    images = images[torch.randperm(len(images))]
    return images[len(images) // 5 :], images[: len(images) // 5]


def training(
    model: VAE, images: torch.Tensor, epochs: int, device: torch.device
) -> Iterator[float]:
    """Trains the model; yields the loss of every step."""
    optimizer = optim.Adam(model.parameters(), lr=2e-3)
    for _ in range(epochs):
        for picked in torch.randperm(len(images)).split(BATCH):
            optimizer.zero_grad()
            loss = model(images[picked].to(device))
            loss.backward()
            optimizer.step()
            yield loss.item()


@torch.no_grad()
def draw(path: Path, model: VAE, images: torch.Tensor, device: torch.device) -> None:
    """Writes digits held back, the same after a detour through the small space, and new ones."""
    shown = images[:30].to(device)
    again = model.decode(model.cloud(shown).mean)
    new = model.decode(torch.randn(60, model.latent, device=device))
    figure = Figure(figsize=(11, 4), layout="constrained")
    figure.suptitle(f"{PIXELS} pixels through {model.latent} numbers")
    left, right = figure.subplots(1, 2)
    pairs = torch.stack([shown.view(3, 10, PIXELS), again.view(3, 10, PIXELS)], 1)
    left.imshow(sheet(pairs.reshape(60, PIXELS)), cmap="gray_r")
    left.set_title("Held back, and below each row its reconstruction", fontsize=10)
    right.imshow(sheet(new), cmap="gray_r")
    right.set_title("Samples", fontsize=10)
    for axes in (left, right):
        axes.axis("off")
    figure.savefig(path, dpi=100)


def sheet(images: torch.Tensor):
    """Returns images side by side, ten in a row, as an array to draw."""
    rows = F.pad(images.view(-1, 10, 8, 8), (1, 1, 1, 1))
    return rows.permute(0, 2, 1, 3).reshape(-1, 100).cpu().numpy()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu", help="where to compute (%(default)s)")
    parser.add_argument("--epochs", type=int, default=40, help="passes over the data (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of all that is random (%(default)s)")
    parser.add_argument("--out", type=Path, default=Path("vae.png"), help="the picture to write")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    device = torch.device(options.device)
    torch.manual_seed(options.seed)
    images, held_back = load_data()
    model = VAE().to(device)

    losses: list[float] = []
    start = time.perf_counter()
    steps = options.epochs * -(-len(images) // BATCH)
    with tqdm(total=steps, unit="step", desc="training") as bar:
        for loss in training(model, images, options.epochs, device):
            losses.append(loss)
            bar.update()
            bar.set_postfix(loss=f"{loss:.2f}", refresh=False)
    milliseconds = (time.perf_counter() - start) / steps * 1e3

    with torch.no_grad():
        bound = model(held_back.to(device)).item()
    draw(options.out, model, held_back, device)
    print(f"loss {losses[0]:.2f}, then {losses[-1]:.2f}; {milliseconds:.1f} ms a step")
    print(f"{bound:.2f} nats for a digit held back; picture: {options.out}")


if __name__ == "__main__":
    main()
