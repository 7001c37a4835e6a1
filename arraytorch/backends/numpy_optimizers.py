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

    def sgd_step(
        self, flat: Flat, params: list[Any], grads: list[Any], lr: float, momentum: float,
        dampening: float, weight_decay: float, nesterov: bool, maximize: bool, first: bool,
    ) -> None:  # fmt: skip
        if momentum == 0 == weight_decay and not maximize and len(params) == 1:
            p, g = params[0], grads[0]
            if p.size >= MANY and p.dtype.char in "fd" and p.flags.c_contiguous and alike(g, p):
                if (own := kernels("optimizers")) is not None:
                    own.sgd(p, g, lr)
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
