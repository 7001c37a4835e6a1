"""Trains examples/digits.py in real PyTorch and in arraytorch and compares the loss of every step.

    python benchmarks/digits_vs_torch.py [--steps 50] [--seed 0] [--tolerance 1e-4]

Both run the very same source, but for the name of the module in its imports, from the same seed:
the split, the weights, the order of the batches and each update have to agree. Nothing is copied
from one to the other.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import types
from pathlib import Path

EXAMPLE = Path(__file__).parent.parent / "examples" / "digits.py"


def example_with(module: str) -> types.ModuleType:
    """The example as a module that imports ``module`` where it says arraytorch."""
    example = types.ModuleType(f"digits_with_{module}")
    source = EXAMPLE.read_text("utf-8").replace("arraytorch", module)
    exec(compile(source, f"{EXAMPLE} with {module}", "exec"), example.__dict__)
    return example


def losses(module: str, seed: int, steps: int) -> list[float]:
    """The losses of the first steps of training."""
    example = example_with(module)
    M = example.torch
    M.manual_seed(seed)
    train_set, _ = example.load_data(seed)
    model = example.DigitNet()
    loader = example.DataLoader(train_set, batch_size=example.BATCH, shuffle=True)
    training = example.training(model, loader, 15, M.device("cpu"))
    return list(itertools.islice(training, steps))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tolerance", type=float, default=1e-4)
    options = parser.parse_args()
    expected, own = (losses(m, options.seed, options.steps) for m in ("torch", "arraytorch"))
    differences = [abs(a - b) for a, b in zip(expected, own, strict=True)]
    print(f"{'step':>4}{'torch':>12}{'arraytorch':>12}{'difference':>12}")
    for step, row in enumerate(zip(expected, own, differences, strict=True), start=1):
        print(f"{step:4}{row[0]:12.6f}{row[1]:12.6f}{row[2]:12.1e}")
    print(f"largest difference in {len(own)} steps: {max(differences):.1e}")
    if not max(differences) <= options.tolerance:  # also where one is NaN
        sys.exit(f"more than {options.tolerance}")


if __name__ == "__main__":
    main()
