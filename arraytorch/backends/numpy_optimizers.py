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

    def _sgd_rounded(
        self, flat: Flat, params: list[Any], grads: list[Any], lr: float, momentum: float,
        dampening: float, weight_decay: float, nesterov: bool, maximize: bool, first: bool,
    ) -> None:  # fmt: skip
        given = lr, momentum, dampening, weight_decay, nesterov, maximize, first
        names = ["momentum_buffer"] if momentum != 0 else []
        if (own := _compiled(flat, params, grads)) is None:
            super()._sgd_rounded(flat, params, grads, *given)
            return
        short = self._rounding(flat)[2]
        numbers = [
            short(weight_decay), momentum, short(1 - dampening), short(momentum), short(lr)
        ]  # fmt: skip
        choices = weight_decay != 0, momentum != 0, first, nesterov, maximize
        for i, (p, g) in enumerate(zip(params, grads)):
            b = flat.parts[names[0]][i] if names else p
            own.rounded("sgd", (p, g, b), numbers, choices)

    def _adam_rounded(
        self, flat: Flat, params: list[Any], grads: list[Any], rate: float, bias: float, lr: float,
        beta1: float, beta2: float, eps: float, weight_decay: float, amsgrad: bool,
        decoupled: bool, maximize: bool,
    ) -> None:  # fmt: skip
        if amsgrad or (own := _compiled(flat, params, grads)) is None:
            super()._adam_rounded(flat, params, grads, rate, bias, lr, beta1, beta2, eps,
                                  weight_decay, amsgrad, decoupled, maximize)  # fmt: skip
            return
        short = self._rounding(flat)[2]
        numbers = [
            short(weight_decay), 1 - lr * weight_decay, beta1, 1 - beta1, beta2, 1 - beta2, bias,
            short(eps), rate,
        ]  # fmt: skip
        decays = weight_decay != 0
        choices = decays and not decoupled, decays and decoupled, beta1 <= 0.5, maximize
        moments = zip(flat.parts["exp_avg"], flat.parts["exp_avg_sq"])
        for p, g, (m, v) in zip(params, grads, moments):
            own.rounded("adam", (p, g, m, v), numbers, choices)


def _compiled(flat: Flat, params: list[Any], grads: list[Any]) -> Any:
    """The compiled steps, if there is enough to do for them."""
    if sum(flat.sizes) < MANY or not all(x.flags.c_contiguous for x in (*params, *grads)):
        return None
    return kernels("half_optimizers")
