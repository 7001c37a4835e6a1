"""Trains a small GPT, letter by letter, on arraytorch's own documentation, and lets it write.

The text is the Markdown of this repository, so nothing is downloaded. Apart from the first import,
this is plain PyTorch code.

    python examples/gpt.py --device cpu --steps 300 --seed 0
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import arraytorch as torch
from arraytorch import nn, optim
from arraytorch.nn import functional as F

ROOT = Path(__file__).resolve().parent.parent


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


def load_text() -> str:
    """Returns the repository's documentation as one text."""
    pages = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
    return "\n".join(page.read_text("utf-8") for page in pages)


def batches(text: torch.Tensor, length: int, size: int, steps: int, device: torch.device):
    """Yields pieces of the text from random places, and the letters that come next."""
    along = torch.arange(length)
    for _ in range(steps):
        starts = torch.randint(len(text) - length - 1, (size, 1))
        yield text[starts + along].to(device), text[starts + along + 1].to(device)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu", help="where to compute (%(default)s)")
    parser.add_argument("--steps", type=int, default=300, help="of training (%(default)s)")
    parser.add_argument("--batch", type=int, default=16, help="pieces of text (%(default)s)")
    parser.add_argument("--length", type=int, default=64, help="of a piece (%(default)s)")
    parser.add_argument("--width", type=int, default=96, help="of the model (%(default)s)")
    parser.add_argument("--depth", type=int, default=3, help="blocks (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of weights and text (%(default)s)")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    device = torch.device(options.device)
    torch.manual_seed(options.seed)
    text = load_text()
    letters = sorted(set(text))
    numbers = {letter: i for i, letter in enumerate(letters)}
    encoded = torch.tensor([numbers[letter] for letter in text])
    model = GPT(len(letters), options.length, options.width, 4, options.depth).to(device)
    optimizer = optim.AdamW(model.parameters(), lr=1e-3)
    print(f"{len(text)} letters, {len(letters)} different ones; "
          f"{sum(p.numel() for p in model.parameters())} parameters")  # fmt: skip

    start = time.perf_counter()
    first = loss = None
    for step, (seen, wanted) in enumerate(
        batches(encoded, options.length, options.batch, options.steps, device), 1
    ):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(seen).flatten(0, 1), wanted.flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        first = loss.detach() if first is None else first
        if step % 100 == 0:
            print(f"step {step}: loss {loss.item():.3f}")
    last = loss.item()
    seconds = time.perf_counter() - start
    print(
        f"loss {first.item():.3f}, then {last:.3f}; {seconds / options.steps * 1e3:.1f} ms a step"
    )
    model.eval()
    written = model.write(encoded[None, :16].to(device), 120)[0].tolist()
    print("".join(letters[i] for i in written))


if __name__ == "__main__":
    main()
