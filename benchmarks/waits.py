"""Whether a training step makes the host wait for a CUDA or ROCm device; needs one.

Two ways to know. CuPy itself raises where it would wait (cupyx.allow_synchronize). And a step that is
queued behind a kernel which does nothing for a long time returns before that kernel ends.

    python benchmarks/waits.py
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import cupy
import cupyx

import arraytorch as torch
from arraytorch import nn
from arraytorch.nn import functional as F

IDLE = 0.5  # seconds that the device idles ahead of a step
_SPIN = """
extern "C" __global__ void spin(long long ticks) {
  long long start = clock64();
  while (clock64() - start < ticks) {}
}
"""


class Attends(nn.Module):
    """A block of a transformer over an embedding."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(100, 64)
        self.block = nn.TransformerEncoderLayer(64, 4, 128, batch_first=True)
        self.top = nn.Linear(64, 10)

    def forward(self, words: torch.Tensor) -> torch.Tensor:
        return self.top(self.block(self.words(words)).mean(1))


def step_of(model: nn.Module, x: torch.Tensor, optimizer: Callable) -> Callable[[], None]:
    """A training step as a call."""
    model, x, labels = model.to("cuda"), x.to("cuda"), (torch.arange(len(x)) % 10).to("cuda")
    step = optimizer(model.parameters())

    def call() -> None:
        step.zero_grad()
        F.cross_entropy(model(x), labels).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        step.step()

    return call


def steps() -> dict[str, Callable[[], None]]:
    """Training steps by name."""
    network = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
        nn.Dropout(0.1), nn.Flatten(), nn.Linear(16 * 16, 10),
    )  # fmt: skip
    sgd = lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9)
    adamw = lambda p: torch.optim.AdamW(p, lr=1e-3)
    return {
        "convolutions, SGD": step_of(network, torch.randn(32, 1, 8, 8), sgd),
        "a transformer's block, AdamW": step_of(Attends(), torch.randint(100, (16, 20)), adamw),
    }


def ticks_of(seconds: float, spin: cupy.RawKernel) -> int:
    """How many ticks of the device's clock last so long."""
    spin((1,), (1,), (1_000_000,))
    cupy.cuda.runtime.deviceSynchronize()
    start = time.perf_counter()
    spin((1,), (1,), (50_000_000,))
    cupy.cuda.runtime.deviceSynchronize()
    return int(50_000_000 * seconds / (time.perf_counter() - start))


def main() -> None:
    spin = cupy.RawKernel(_SPIN, "spin")
    ticks, good = ticks_of(IDLE, spin), True
    for name, call in steps().items():
        for _ in range(3):  # compiles kernels, fills the memory pool
            call()
        cupy.cuda.runtime.deviceSynchronize()
        told = "CuPy saw no synchronization"
        try:
            with cupyx.allow_synchronize(False):
                call()
        except cupyx.DeviceSynchronized as error:
            told, good = f"CuPy saw a synchronization: {error}", False
        cupy.cuda.runtime.deviceSynchronize()
        spin((1,), (1,), (ticks,))
        start = time.perf_counter()
        call()
        taken = time.perf_counter() - start
        cupy.cuda.runtime.deviceSynchronize()
        free = taken < IDLE / 2
        good = good and free
        print(f"{name}: {told}; behind {IDLE} s of idling, the step returned after {taken:.3f} s"
              f" ({'did not wait' if free else 'WAITED'})")  # fmt: skip
    sys.exit(not good)


if __name__ == "__main__":
    main()
