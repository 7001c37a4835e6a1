"""What compare.py measures. A workload takes a module, torch or arraytorch, and returns a call.

The call returns a tensor or a number, whose first values are compared between the two modules.
Inputs come from NumPy with a fixed seed; models draw their weights from the module's own generator
after `manual_seed(0)`: that both then train alike is part of what is measured.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

Call = Callable[[], Any]


@dataclass(frozen=True)
class Workload:
    """A named measurement; ``aim`` is the ratio to PyTorch's time that the project holds itself to."""

    group: str
    name: str
    build: Callable[[ModuleType], Call]
    aim: float | None = None
    tolerance: float = 1e-4


WORKLOADS: list[Workload] = []


def workload(group: str, name: str, **options: float) -> Callable[..., Any]:
    """Enters the decorated function into the list of workloads."""

    def enter(build: Callable[[ModuleType], Call]) -> Callable[[ModuleType], Call]:
        WORKLOADS.append(Workload(group, name, build, **options))
        return build

    return enter


def floats(M: ModuleType, *shape: int, seed: int = 0, grad: bool = False) -> Any:
    """Standard normal float32 numbers, the same in every module."""
    array = np.random.default_rng(seed).standard_normal(shape, np.float32)
    return M.tensor(array, requires_grad=grad)


def integers(M: ModuleType, high: int, *shape: int, seed: int = 0) -> Any:
    """Integers from zero to below ``high``, the same in every module."""
    return M.tensor(np.random.default_rng(seed).integers(0, high, shape))


# What a call costs that computes almost nothing


@workload("overhead", "a + b, 4 floats", aim=0.75)
def add_small(M: ModuleType) -> Call:
    a, b = floats(M, 4, seed=1), floats(M, 4, seed=2)
    return lambda: a + b


@workload("overhead", "a * b recorded, 4 floats", aim=0.75)
def mul_recorded(M: ModuleType) -> Call:
    a, b = floats(M, 4, seed=1, grad=True), floats(M, 4, seed=2, grad=True)
    return lambda: a * b


@workload("overhead", "a * 2.5, 4 floats")
def mul_scalar(M: ModuleType) -> Call:
    a = floats(M, 4)
    return lambda: a * 2.5


@workload("overhead", "a @ b, 4 x 4")
def matmul_small(M: ModuleType) -> Call:
    a, b = floats(M, 4, 4, seed=1), floats(M, 4, 4, seed=2)
    return lambda: a @ b


@workload("overhead", "a.sum(1), 4 x 4")
def sum_small(M: ModuleType) -> Call:
    a = floats(M, 4, 4)
    return lambda: a.sum(1)


@workload("overhead", "a[1:3, 0], 4 x 4")
def index_small(M: ModuleType) -> Call:
    a = floats(M, 4, 4)
    return lambda: a[1:3, 0]


@workload("overhead", "a.reshape(2, 8).t(), 4 x 4")
def reshape_small(M: ModuleType) -> Call:
    a = floats(M, 4, 4)
    return lambda: a.reshape(2, 8).t()


# Forward and backward of small graphs


@workload("autograd", "one mul and its backward, 4 floats")
def mul_backward(M: ModuleType) -> Call:
    a, b = floats(M, 4, seed=1, grad=True), floats(M, 4, seed=2, grad=True)
    g = M.ones(4)

    def call() -> Any:
        a.grad = b.grad = None
        (a * b).backward(g)
        return a.grad

    return call


@workload("autograd", "chain of 10 ops and its backward, 4 floats", aim=0.75)
def chain_backward(M: ModuleType) -> Call:
    a, b = floats(M, 4, seed=1, grad=True), floats(M, 4, seed=2, grad=True)
    g = M.ones(4)

    def call() -> Any:
        a.grad = b.grad = None
        x = a
        for _ in range(5):
            x = x * b
            x = x + a
        x.backward(g)
        return a.grad

    return call


@workload("autograd", "second derivative of x * x * x, 4 floats")
def second_derivative(M: ModuleType) -> Call:
    x = floats(M, 4, grad=True)

    def call() -> Any:
        (first,) = M.autograd.grad((x * x * x).sum(), x, create_graph=True)
        (second,) = M.autograd.grad(first.sum(), x)
        return second

    return call


# What is limited by arithmetic and memory


@workload("throughput", "a + b, 1M")
def add_large(M: ModuleType) -> Call:
    a, b = floats(M, 1_000_000, seed=1), floats(M, 1_000_000, seed=2)
    return lambda: a + b


@workload("throughput", "exp, 1M")
def exp_large(M: ModuleType) -> Call:
    a = floats(M, 1_000_000)
    return lambda: M.exp(a)


@workload("throughput", "sum of rows, 1000 x 1000")
def sum_large(M: ModuleType) -> Call:
    a = floats(M, 1000, 1000)
    return lambda: a.sum(1)


@workload("throughput", "matmul, 512 x 512")
def matmul_large(M: ModuleType) -> Call:
    a, b = floats(M, 512, 512, seed=1), floats(M, 512, 512, seed=2)
    return lambda: a @ b


@workload("throughput", "softmax, 4096 x 256")
def softmax(M: ModuleType) -> Call:
    a = floats(M, 4096, 256)
    return lambda: M.softmax(a, 1)


@workload("throughput", "layer_norm and its backward, 4096 x 256")
def layer_norm(M: ModuleType) -> Call:
    x, g = floats(M, 4096, 256, grad=True), floats(M, 4096, 256, seed=1)
    weight, bias = floats(M, 256, seed=2), floats(M, 256, seed=3)

    def call() -> Any:
        x.grad = None
        M.nn.functional.layer_norm(x, (256,), weight, bias).backward(g)
        return x.grad

    return call


@workload("throughput", "conv2d 16 to 32 and its backward, 32 x 32 x 32")
def conv2d(M: ModuleType) -> Call:
    x, weight = floats(M, 32, 16, 32, 32, grad=True), floats(M, 32, 16, 3, 3, seed=1, grad=True)

    def call() -> Any:
        x.grad = weight.grad = None
        M.nn.functional.conv2d(x, weight, padding=1).sum().backward()
        return weight.grad

    return call


@workload("throughput", "max_pool2d and its backward, 32 x 16 x 32 x 32")
def max_pool2d(M: ModuleType) -> Call:
    x = floats(M, 32, 16, 32, 32, grad=True)

    def call() -> Any:
        x.grad = None
        M.nn.functional.max_pool2d(x, 2).sum().backward()
        return x.grad

    return call


@workload("throughput", "embedding and its backward, 4096 of 1000 x 128")
def embedding(M: ModuleType) -> Call:
    table, rows = floats(M, 1000, 128, grad=True), integers(M, 1000, 4096)
    g = floats(M, 4096, 128, seed=1)

    def call() -> Any:
        table.grad = None
        M.nn.functional.embedding(rows, table).backward(g)
        return table.grad

    return call


# Whole training steps: forward, loss, backward, update


def training_step(M: ModuleType, model: Any, optimizer: Any, x: Any, y: Any) -> Call:
    """A step on one batch; returns its loss."""
    criterion = M.nn.CrossEntropyLoss()

    def step() -> Any:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return step


def mlp(M: ModuleType, batch: int, *widths: int) -> tuple[Any, Any, Any]:
    """A network of linear layers and ReLU with PyTorch's weights for seed 0, and a batch for it."""
    M.manual_seed(0)
    layers: list[Any] = []
    for i, (before, after) in enumerate(itertools.pairwise(widths)):
        layers += [M.nn.ReLU()] if i else []
        layers.append(M.nn.Linear(before, after))
    x, y = floats(M, batch, widths[0], seed=3), integers(M, widths[-1], batch, seed=4)
    return M.nn.Sequential(*layers), x, y


@workload("training", "MLP 64-64-10, batch 32, Adam", aim=0.45, tolerance=1e-5)
def mlp_adam(M: ModuleType) -> Call:
    model, x, y = mlp(M, 32, 64, 64, 10)
    return training_step(M, model, M.optim.Adam(model.parameters(), lr=1e-3), x, y)


@workload("training", "MLP 64-64-10, batch 32, SGD", aim=0.6, tolerance=1e-5)
def mlp_sgd(M: ModuleType) -> Call:
    model, x, y = mlp(M, 32, 64, 64, 10)
    return training_step(M, model, M.optim.SGD(model.parameters(), lr=0.1), x, y)


@workload("training", "MLP 784-512-10, batch 128, SGD with momentum", tolerance=1e-5)
def mlp_wide(M: ModuleType) -> Call:
    model, x, y = mlp(M, 128, 784, 512, 10)
    optimizer = M.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    return training_step(M, model, optimizer, x, y)


@workload("training", "CNN of examples/digits.py, batch 64, AdamW")
def digits(M: ModuleType) -> Call:
    M.manual_seed(0)
    nn = M.nn
    layers: list[Any] = []
    for before, after, pool in ((1, 16, False), (16, 32, True), (32, 64, True)):
        layers += [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU()]
        layers += [nn.MaxPool2d(2)] if pool else []
    model = nn.Sequential(*layers, nn.Flatten(), nn.Linear(256, 10))
    x, y = floats(M, 64, 1, 8, 8, seed=3), integers(M, 10, 64, seed=4)
    return training_step(M, model, M.optim.AdamW(model.parameters(), lr=4e-3), x, y)
