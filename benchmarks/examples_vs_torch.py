"""Trains the examples in real PyTorch and in arraytorch and compares the loss of every step.

    python benchmarks/examples_vs_torch.py [gpt resnet ...] [--steps 20] [--seed 0] [--tolerance 1e-3]

Both run the very same source, but for the name of the module in its imports, from the same seed:
the choice of data, the weights, the order of the batches, what is drawn inside the model and each
update have to agree. Nothing is copied from one to the other.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path

EXAMPLES = Path(__file__).parent.parent / "examples"


def digits(E: types.ModuleType, seed: int) -> Iterator[float]:
    train_set, _ = E.load_data(seed)
    model = E.DigitNet()
    loader = E.DataLoader(train_set, batch_size=E.BATCH, shuffle=True)
    return E.training(model, loader, 15, E.torch.device("cpu"))


def gpt(E: types.ModuleType, seed: int) -> Iterator[float]:
    text, letters = E.load_text()
    model = E.GPT(len(letters), 64, 96, 4, 3)
    return E.training(model, text, 16, 1000, E.torch.device("cpu"))


def resnet(E: types.ModuleType, seed: int) -> Iterator[float]:
    images, labels = E.load_data(16)
    return E.training(E.ResNet18(10, 16), images, labels, 32, 150, E.torch.device("cpu"))


def vae(E: types.ModuleType, seed: int) -> Iterator[float]:
    images, _ = E.load_data()
    return E.training(E.VAE(), images, 40, E.torch.device("cpu"))


def sunspots(E: types.ModuleType, seed: int) -> Iterator[float]:
    known = E.load_data()[: E.SPLIT - E.START]
    return E.training(E.Forecaster(), known, 300, E.torch.device("cpu"))


RECIPES: dict[str, Callable[[types.ModuleType, int], Iterator[float]]] = {
    recipe.__name__: recipe for recipe in (digits, gpt, resnet, vae, sunspots)
}


def example_with(module: str, name: str) -> types.ModuleType:
    """The example as a module that imports ``module`` where it says arraytorch."""
    example = types.ModuleType(f"{name}_with_{module}")
    path = EXAMPLES / f"{name}.py"
    source = path.read_text("utf-8").replace("arraytorch", module)
    exec(compile(source, f"{path} with {module}", "exec"), example.__dict__)
    return example


def losses(module: str, name: str, seed: int, steps: int) -> list[float]:
    """The losses of the first steps of training."""
    example = example_with(module, name)
    example.torch.manual_seed(seed)
    return list(itertools.islice(RECIPES[name](example, seed), steps))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(RECIPES)}")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tolerance", type=float, default=1e-3, help="relative")
    options = parser.parse_args()
    worst = {}
    for name in options.names or RECIPES:
        expected, own = (
            losses(m, name, options.seed, options.steps) for m in ("torch", "arraytorch")
        )
        differences = [abs(a - b) / abs(a) for a, b in zip(expected, own, strict=True)]
        print(f"{name}\n{'step':>4}{'torch':>12}{'arraytorch':>12}{'relative':>12}")
        for step, row in enumerate(zip(expected, own, differences, strict=True), start=1):
            print(f"{step:4}{row[0]:12.6f}{row[1]:12.6f}{row[2]:12.1e}")
        worst[name] = max(differences, key=lambda x: float("inf") if x != x else x)
    for name, difference in worst.items():
        print(f"{name}: at most {difference:.1e} apart in {options.steps} steps, relatively")
    if not all(difference <= options.tolerance for difference in worst.values()):  # also for NaN
        sys.exit(f"more than {options.tolerance}")


if __name__ == "__main__":
    main()
