"""Trains a small GPT, letter by letter, on Python's own help pages, and lets it write.

The text is that of `help("topics")`, which every Python has, so nothing is downloaded. Apart from
the first import, this is plain PyTorch code.

    python examples/gpt.py --device cpu --steps 1000 --seed 0 --out gpt.png
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from pydoc_data.topics import topics

import numpy as np
from matplotlib.figure import Figure
from tqdm import tqdm

import arraytorch as torch
from arraytorch import nn, optim
from arraytorch.nn import functional as F


class Attention(nn.Module):
    """Each place looks at those before it, through several heads."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.taken = nn.Linear(width, 3 * width)
        self.given = nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, length, width = x.shape
        parts = self.taken(x).view(batch, length, 3, self.heads, width // self.heads)
        q, k, v = parts.permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.given(seen.transpose(1, 2).reshape(batch, length, width))


class Block(nn.Module):
    """Attention, then two layers for each place by itself; both are added to what comes in."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.before = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.between = nn.LayerNorm(width)
        self.layers = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.attention(self.before(x))
        return x + self.layers(self.between(x))


class GPT(nn.Module):
    """Scores for the letter after each place of a text (Radford et al., 2019)."""

    def __init__(self, letters: int, length: int, width: int, heads: int, depth: int) -> None:
        super().__init__()
        self.length = length
        self.letters = nn.Embedding(letters, width)
        self.places = nn.Embedding(length, width)
        self.blocks = nn.Sequential(*[Block(width, heads) for _ in range(depth)])
        self.last = nn.LayerNorm(width)
        self.top = nn.Linear(width, letters, bias=False)
        self.apply(self._start)
        self.top.weight = self.letters.weight

    @staticmethod
    def _start(module: nn.Module) -> None:
        if isinstance(module, (nn.Linear, nn.Embedding)):
            nn.init.normal_(module.weight, std=0.02)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)

    def forward(self, text: torch.Tensor) -> torch.Tensor:
        places = torch.arange(text.shape[1], device=text.device)
        x = self.letters(text) + self.places(places)
        return self.top(self.last(self.blocks(x)))

    @torch.no_grad()
    def write(self, text: torch.Tensor, count: int, heat: float = 0.8) -> torch.Tensor:
        """Returns the text with ``count`` more letters, drawn one after the other."""
        for _ in range(count):
            scores = self(text[:, -self.length :])[:, -1] / heat
            drawn = torch.multinomial(scores.softmax(-1), 1)
            text = torch.cat([text, drawn], 1)
        return text


def load_text() -> tuple[torch.Tensor, list[str]]:
    """Returns the help pages as numbers of letters, and the letters."""
    text = "\n".join(topics[name] for name in sorted(topics))
    letters = sorted(set(text))
    numbers = {letter: i for i, letter in enumerate(letters)}
    return torch.tensor([numbers[letter] for letter in text]), letters


def training(
    model: GPT, text: torch.Tensor, batch: int, steps: int, device: torch.device
) -> Iterator[float]:
    """Trains on pieces from random places of the text; yields the loss of every step."""
    optimizer = optim.AdamW(model.parameters())
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, 5e-3, total_steps=steps)
    along = torch.arange(model.length + 1)
    model.train()
    for _ in range(steps):
        pieces = text[torch.randint(len(text) - model.length, (batch, 1)) + along].to(device)
        optimizer.zero_grad()
        scores = model(pieces[:, :-1])
        loss = F.cross_entropy(scores.flatten(0, 1), pieces[:, 1:].flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        yield loss.item()


def draw(path: Path, losses: list[float], letters: int, written: str) -> None:
    """Writes the learning curve, with what the model wrote beside it, to a PNG."""
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    window = min(20, len(losses))
    smooth = np.convolve(losses, np.ones(window) / window, "valid")
    left.axhline(np.log(letters), color="gray", linestyle=":", label="guessing")
    left.plot(losses, color="#1f3a5f", alpha=0.3, linewidth=0.8)
    left.plot(range(window - 1, len(losses)), smooth, color="#1f3a5f", label=f"mean of {window}")
    left.set(title="Loss per letter", xlabel="step")
    left.legend(frameon=False)
    left.spines[["top", "right"]].set_visible(False)
    right.set(title="What it writes")
    right.axis("off")
    lines = written.replace("$", r"\$").splitlines()[:20]
    shown = "\n".join(line[:64] for line in lines)
    right.text(0, 0.98, shown, va="top", family="monospace", fontsize=8)
    figure.savefig(path, dpi=100)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu", help="where to compute (%(default)s)")
    parser.add_argument("--steps", type=int, default=1000, help="of training (%(default)s)")
    parser.add_argument("--batch", type=int, default=16, help="pieces of text (%(default)s)")
    parser.add_argument("--length", type=int, default=64, help="of a piece (%(default)s)")
    parser.add_argument("--width", type=int, default=96, help="of the model (%(default)s)")
    parser.add_argument("--depth", type=int, default=3, help="blocks (%(default)s)")
    parser.add_argument("--letters", type=int, default=500, help="to write (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of weights and text (%(default)s)")
    parser.add_argument("--out", type=Path, default=Path("gpt.png"), help="the picture to write")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    device = torch.device(options.device)
    torch.manual_seed(options.seed)
    text, letters = load_text()
    model = GPT(len(letters), options.length, options.width, 4, options.depth).to(device)
    weights = sum(p.numel() for p in model.parameters())
    print(f"{len(text)} letters, {len(letters)} different ones; {weights} parameters")

    losses: list[float] = []
    start = time.perf_counter()
    with tqdm(total=options.steps, unit="step", desc="training") as bar:
        for loss in training(model, text, options.batch, options.steps, device):
            losses.append(loss)
            bar.update()
            bar.set_postfix(loss=f"{loss:.3f}", refresh=False)
    milliseconds = (time.perf_counter() - start) / options.steps * 1e3

    model.eval()
    newline = torch.tensor([[letters.index("\n")]], device=device)
    written = "".join(letters[i] for i in model.write(newline, options.letters)[0].tolist())
    draw(options.out, losses, len(letters), written)
    print(f"loss {losses[0]:.3f}, then {losses[-1]:.3f}; {milliseconds:.1f} ms a step")
    print(f"picture: {options.out}; a sample:")
    print(written)


if __name__ == "__main__":
    main()
