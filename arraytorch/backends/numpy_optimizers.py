"""What NumPy and numba do better in the optimizers' steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .compiled import MANY, kernels
from .optimizers import Flat, OptimizerKernels
from .sharing import alike


class NumpyOptimizerKernels(OptimizerKernels):
    """Steps in blocks that fit the cache, or in one pass."""

    # Four or five float32 arrays of this size lie in 1 to 2 MB of level 2 cache. Measured with
    # Adam on a million parameters: 1.63 ms with blocks of 16384, 1.27 ms with these.
    optimizer_block = 1 << 16

    def _scalars(self, flat: Flat, *numbers: float) -> Sequence[Any]:
        # A 0-d array as an operand takes 0.3 us less than a Python number, in ten calls a step.
        if flat.constants is None:
            real = np.float64 if flat.dtype.char in "dD" else np.float32
            memory = np.zeros(8, real)
            flat.constants = memory, [memory[i : i + 1].reshape(()) for i in range(8)]
        memory, operands = flat.constants
        for i, number in enumerate(numbers):
            memory[i] = number
        return operands

    def one_pass(self, name: str, arrays: Sequence[Any], numbers: Sequence[float]) -> bool:
        """Takes a step of an optimizer in one pass over large arrays; False where that cannot be."""
        p = arrays[0]
        if p.size < MANY or p.dtype.char not in "fd" or not all(alike(x, p) for x in arrays):
            return False
        if (own := kernels("optimizers")) is not None:
            own.step(name, arrays, numbers)
        return own is not None

    def sgd_step(
        self, flat: Flat, params: list[Any], grads: list[Any], lr: float, momentum: float,
        dampening: float, weight_decay: float, nesterov: bool, maximize: bool, first: bool,
    ) -> None:  # fmt: skip
        if len(params) == 1 and not maximize and not first:
            p, g = params[0], grads[0]
            if momentum != 0:
                kept = (p, g, flat.state["momentum_buffer"].reshape(p.shape))
                numbers = (momentum, 1 - dampening, weight_decay, lr)
                if self.one_pass("nesterov" if nesterov else "momentum", kept, numbers):
                    return
            elif weight_decay == 0 and self.one_pass("sgd", (p, g), (lr,)):
                return
        super().sgd_step(flat, params, grads, lr, momentum, dampening, weight_decay, nesterov,
                         maximize, first)  # fmt: skip

    def _adam_update(
        self, grad: Any, g: Any, u: Any, m: Any, v: Any, highest: Any,
        numbers: Sequence[Any], forgetful: bool, folded: bool,
    ) -> None:  # fmt: skip
        compiled = None
        if m.size >= MANY and highest is None and m.dtype.char in "fd":
            compiled = kernels("optimizers")
        if compiled is None or not grad.flags.c_contiguous:
            super()._adam_update(grad, g, u, m, v, highest, numbers, forgetful, folded)
            return
        rate = 1 if folded else numbers[5]
        compiled.adam(grad, m, v, u, (*numbers[:5], rate), forgetful)
