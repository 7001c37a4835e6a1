"""Trains an LSTM on the yearly number of sunspots and forecasts the years it has not seen.

The series from 1700 to 2008 comes with statsmodels (pip install -e '.[examples,sunspots]'), so
nothing is downloaded. The model sees the years up to 1958, and then goes on by itself, on its own
forecasts. Apart from the first import, this is plain PyTorch code.

    python examples/sunspots.py --device cpu --steps 300 --seed 0 --out sunspots.png
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

from matplotlib.figure import Figure
from statsmodels.datasets import sunspots
from tqdm import tqdm

import arraytorch as torch
from arraytorch import nn, optim
from arraytorch.nn import functional as F

START = 1700
SPLIT = 1959  # the first year that is not seen


class Forecaster(nn.Module):
    """Reads a series year by year and says, after each, how much the next one differs."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.lstm = nn.LSTM(1, width, batch_first=True)
        self.change = nn.Linear(width, 1)

    def forward(self, series: torch.Tensor, state=None):
        seen, state = self.lstm(series.unsqueeze(-1), state)
        return series + self.change(seen).squeeze(-1), state

    @torch.no_grad()
    def go_on(self, series: torch.Tensor, years: int) -> torch.Tensor:
        """Returns forecasts for the years after the series, each made from those before it."""
        following, state = self(series)
        forecasts = [following[:, -1:]]
        while len(forecasts) < years:
            following, state = self(forecasts[-1], state)
            forecasts.append(following)
        return torch.cat(forecasts, 1)


def load_data() -> torch.Tensor:
    """Returns the roots of the numbers, whose swings are alike in weak and strong cycles."""
    return (
        torch.tensor(sunspots.load().data["SUNACTIVITY"].to_numpy(), dtype=torch.float32).sqrt()
        / 10
    )


def training(
    model: Forecaster, series: torch.Tensor, steps: int, device: torch.device, length: int = 88
) -> Iterator[float]:
    """Trains on random pieces of the series; yields the loss of every step."""
    optimizer = optim.Adam(model.parameters(), lr=5e-3)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    along = torch.arange(length + 1)
    for _ in range(steps):
        pieces = series[torch.randint(len(series) - length, (16, 1)) + along].to(device)
        optimizer.zero_grad()
        # The first years of a piece only tell where in the cycle it begins.
        loss = F.mse_loss(model(pieces[:, :-1])[0][:, 11:], pieces[:, 12:])
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        yield loss.item()


def spots(series: torch.Tensor) -> torch.Tensor:
    """Returns the numbers of sunspots again, on the CPU."""
    return (10 * series.clamp(min=0)).square().flatten().cpu()


def draw(path: Path, truth: torch.Tensor, each: torch.Tensor, alone: torch.Tensor) -> None:
    """Writes the series and both forecasts to a PNG."""
    years = range(START, START + len(truth))
    figure = Figure(figsize=(11, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot(years, truth.numpy(), color="gray", linewidth=1, label="observed")
    axes.axvline(SPLIT - 0.5, color="black", linewidth=0.8, linestyle=":")
    axes.plot(range(SPLIT, SPLIT + len(each)), each.numpy(), color="#1f3a5f", label="a year ahead")
    axes.plot(range(SPLIT, SPLIT + len(alone)), alone.numpy(), color="#d1495b", label="on its own")
    axes.set(title="Sunspots", xlabel="year", ylabel="number", xlim=(1850, years[-1] + 1))
    axes.legend(frameon=False, ncols=3, loc="upper left")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=100)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu", help="where to compute (%(default)s)")
    parser.add_argument("--steps", type=int, default=300, help="of training (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of weights and order (%(default)s)")
    parser.add_argument(
        "--out", type=Path, default=Path("sunspots.png"), help="the picture to write"
    )
    return parser.parse_args()


def main() -> None:
    options = arguments()
    device = torch.device(options.device)
    torch.manual_seed(options.seed)
    series = load_data()
    known = series[: SPLIT - START]
    model = Forecaster().to(device)

    losses: list[float] = []
    start = time.perf_counter()
    with tqdm(total=options.steps, unit="step", desc="training") as bar:
        for loss in training(model, known, options.steps, device):
            losses.append(loss)
            bar.update()
            bar.set_postfix(loss=f"{loss:.4f}", refresh=False)
    milliseconds = (time.perf_counter() - start) / options.steps * 1e3

    truth = spots(series)
    unseen, before = truth[len(known) :], truth[len(known) - 1 : -1]
    with torch.no_grad():
        each = spots(model(series[None, :-1].to(device))[0])[len(known) - 1 :]
    alone = spots(model.go_on(known[None].to(device), len(unseen)))
    draw(options.out, truth, each, alone)
    print(f"loss {losses[0]:.4f}, then {losses[-1]:.4f}; {milliseconds:.1f} ms a step")
    print(f"mean error from {SPLIT} on, in sunspots")
    print(f"  a year ahead        {(each - unseen).abs().mean():6.1f}")
    print(f"  on its own          {(alone - unseen).abs().mean():6.1f}")
    print(f"  as the year before  {(before - unseen).abs().mean():6.1f}")
    print(f"  always the mean     {(truth[: len(known)].mean() - unseen).abs().mean():6.1f}")
    print(f"picture: {options.out}")


if __name__ == "__main__":
    main()
