"""Kernels of the optimizers' steps: in place, and with few passes over the memory.

A step is a chain of a dozen elementwise operations. For small tensors the calls cost more than
the work, so the tensors of a group are laid end to end (`Flat`) and the chain runs once; for
large ones memory traffic counts, so the chain runs block by block, each of which stays in cache.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any


class Flat:
    """What belongs to tensors of one type, laid end to end in one array per quantity.

    ``state`` are the flat arrays by name, ``parts`` their views, one per tensor and in its shape.
    """

    __slots__ = (
        "constants",
        "dtype",
        "grad",
        "parts",
        "shapes",
        "sizes",
        "state",
        "update",
        "updates",
    )

    def __init__(self, shapes: Sequence[tuple[int, ...]], dtype: Any) -> None:
        self.shapes, self.dtype = list(shapes), dtype
        self.sizes = [math.prod(shape) for shape in shapes]
        self.state: dict[str, Any] = {}
        self.parts: dict[str, list[Any]] = {}
        self.constants: Any = None  # what a backend keeps the numbers of a step in
        # Scratch, and the tensors' parts of the second where that is as long as all of them.
        self.grad: Any = None
        self.update: Any = None
        self.updates: list[Any] = []

    def views(self, whole: Any) -> list[Any]:
        """Returns the tensors' parts of a flat array."""
        parts, start = [], 0
        for shape, size in zip(self.shapes, self.sizes):
            parts.append(whole[start : start + size].reshape(shape))
            start += size
        return parts

    def part(self, i: int) -> Flat:
        """Returns the same for one of the tensors alone, in the same memory."""
        one = Flat(self.shapes[i : i + 1], self.dtype)
        n, start = one.sizes[0], sum(self.sizes[:i])
        one.constants = self.constants
        for name, whole in self.state.items():
            one.state[name] = whole[start : start + n]
            one.parts[name] = self.parts[name][i : i + 1]
        one.grad, one.update = self.grad[:n], self.update[:n]
        one.updates = one.views(one.update) if one.update.size == n else []
        return one


class OptimizerKernels:
    """Optimizer steps over the namespace ``xp``."""

    xp: Any
    # Elements that are updated at a time: those that are in use should fit into the cache.
    # None stands for all, where starting a kernel is what costs.
    optimizer_block: int | None = None

    def unscale(self, grads: list[Any], factor: Any) -> Any:
        """Multiplies gradients by a 0-d array, in place, or not if it is None.

        Returns a 0-d float32 array: 1 if an element was infinite or NaN, else 0.
        """
        kernels: Any = self
        finite = None
        for g in grads:
            here = self.xp.all(self.xp.isfinite(g))
            finite = here if finite is None else self.xp.logical_and(finite, here)
            if factor is not None:
                kernels.write(g, kernels.cast(g * factor, g.dtype))
        return kernels.asarray(self.xp.logical_not(finite).astype("f4"))

    def flats(
        self, shapes: Sequence[tuple[int, ...]], dtype: Any, names: Sequence[str]
    ) -> list[tuple[list[int], Flat]]:
        """Lays tensors out, with zeros for each named quantity; a tensor above a block is alone.

        Returns the indices of the tensors in each `Flat`. All of them share scratch memory, so
        only one may be stepped at a time.
        """
        limit = self.optimizer_block or math.inf
        members: list[list[int]] = []
        room = -1.0
        for i, shape in enumerate(shapes):
            size = math.prod(shape)
            if size <= room:
                members[-1].append(i)
                room -= size
            else:
                members.append([i])
                room = limit - size
        flats = [self._flat([shapes[i] for i in part], dtype, names) for part in members]
        longest = max(sum(flat.sizes) for flat in flats)
        grad, update = self.xp.empty((2, int(min(longest, limit))), dtype=dtype)
        for flat in flats:
            n = sum(flat.sizes)
            flat.grad, flat.update = grad[:n], update[:n]
            flat.updates = flat.views(flat.update) if n <= limit else []
        return list(zip(members, flats))

    def _flat(self, shapes: Sequence[Any], dtype: Any, names: Sequence[str]) -> Flat:
        flat = Flat(shapes, dtype)
        for name in names:
            whole = flat.state[name] = self.xp.zeros(sum(flat.sizes), dtype=dtype)
            flat.parts[name] = flat.views(whole)
        return flat

    def _scalars(self, flat: Flat, *numbers: float) -> Sequence[Any]:
        """The numbers of a step as operands."""
        return numbers

    def _chunks(self, flat: Flat, params: list[Any], grads: list[Any]) -> Iterator[tuple[Any, ...]]:
        """Yields what is updated at a time.

        That is: the arrays to write to, the views of the update that belong to them, the flat
        gradient (which is not ours to change), scratch for it, the flat update, and the place in
        the state.
        """
        block = self.optimizer_block
        if len(params) > 1:
            self.xp.concatenate(grads, axis=None, out=flat.grad)
            yield params, flat.updates, flat.grad, flat.grad, flat.update, slice(None)
            return
        param, grad = params[0], grads[0].reshape(-1)
        if grad.dtype.kind == "c":  # only a contiguous array has a view as real numbers
            grad = self.xp.ascontiguousarray(grad)
        n = flat.sizes[0]
        if block is None or n <= block:
            yield params, flat.updates, grad, flat.grad, flat.update, slice(None)
        elif param.flags.c_contiguous:
            values = param.reshape(-1)
            for start in range(0, n, block):
                at = slice(start, min(start + block, n))
                size = at.stop - start
                g, u = flat.grad[:size], flat.update[:size]
                yield [values[at]], [u], grad[at], g, u, at
        else:
            g, u = self.xp.empty((2, n), dtype=flat.dtype)
            yield params, [u.reshape(param.shape)], grad, g, u, slice(None)

    def _penalized(self, targets: list[Any], grad: Any, g: Any, u: Any, decay: Any) -> Any:
        """The gradient plus the parameters times ``decay``, in the scratch ``g``."""
        xp = self.xp
        if len(targets) > 1:
            xp.concatenate(targets, axis=None, out=u)
            xp.multiply(u, decay, u)
        else:
            xp.multiply(targets[0].reshape(-1), decay, u)
        return xp.add(grad, u, g)

    def _rounding(self, flat: Flat) -> tuple[Any, Any, Any]:
        """How PyTorch computes with 16-bit floats: in float32, rounding each operation's result.

        Returns three functions: what makes float32 of an array, what writes such numbers to an array
        and returns them rounded, and the rounding of numbers that are added or multiply what is added;
        PyTorch rounds those too. It takes other numbers as float32.
        """
        kernels: Any = self
        single = self.xp.dtype("f4")

        def wide(x: Any) -> Any:
            return kernels.cast(x, single)

        def rounded(x: Any, to: Any = None) -> Any:
            z = kernels.cast(x, flat.dtype)
            if to is not None:
                to[...] = z
            return wide(z)

        def short(number: float) -> float:
            return float(self.xp.full((), number, dtype=flat.dtype))

        return wide, rounded, short

    def _pieces(
        self, flat: Flat, params: list[Any], grads: list[Any], names: Sequence[str]
    ) -> Iterator[list[Any]]:
        """Yields parameters and gradients, and the quantities of those names, a block at a time."""
        block = 4 * (self.optimizer_block or math.inf)  # fewer calls: each value takes several
        for i, (param, grad) in enumerate(zip(params, grads)):
            arrays = [param, grad, *[flat.parts[name][i] for name in names]]
            if param.size <= block or not param.flags.c_contiguous:
                yield arrays
                continue
            arrays = [x.reshape(-1) for x in arrays]
            for start in range(0, param.size, int(block)):
                yield [x[start : start + int(block)] for x in arrays]

    def one_pass(self, name: str, arrays: Sequence[Any], numbers: Sequence[float]) -> bool:
        """Takes a step of an optimizer by one kernel, where there is one; tells whether it did."""
        return False

    # SGD

    def sgd_step(
        self,
        flat: Flat,
        params: list[Any],
        grads: list[Any],
        lr: float,
        momentum: float,
        dampening: float,
        weight_decay: float,
        nesterov: bool,
        maximize: bool,
        first: bool,
    ) -> None:
        """A step of stochastic gradient descent; ``first`` starts the momentum buffers."""
        if flat.dtype.itemsize == 2:
            self._sgd_rounded(flat, params, grads, lr, momentum, dampening, weight_decay,
                              nesterov, maximize, first)  # fmt: skip
            return
        xp = self.xp
        multiply, subtract = xp.multiply, xp.subtract
        if momentum == 0 == weight_decay and not maximize and len(params) > 1:
            # Two operations each cost less than gathering the gradients for one on all of them.
            rate = self._scalars(flat, lr)[0]
            for target, grad, update in zip(params, grads, flat.updates):
                subtract(target, multiply(grad, rate, update), target)
            return
        numbers = self._scalars(flat, lr, momentum, 1 - dampening, weight_decay)
        rate, keep, take, decay = numbers[:4]
        for targets, views, grad, g, u, at in self._chunks(flat, params, grads):
            if maximize:
                grad = xp.negative(grad, g)
            if weight_decay != 0:
                grad = self._penalized(targets, grad, g, u, decay)
            if momentum != 0:
                buffer = flat.state["momentum_buffer"][at]
                if first:
                    buffer[...] = grad
                else:
                    multiply(buffer, keep, buffer)
                    xp.add(buffer, multiply(grad, take, u) if dampening else grad, buffer)
                if nesterov:
                    grad = xp.add(grad, multiply(buffer, keep, u), g)
                else:
                    grad = buffer
            multiply(grad, rate, u)
            for target, update in zip(targets, views):
                subtract(target, update, target)

    def _sgd_rounded(
        self, flat: Flat, params: list[Any], grads: list[Any], lr: float, momentum: float,
        dampening: float, weight_decay: float, nesterov: bool, maximize: bool, first: bool,
    ) -> None:  # fmt: skip
        """The step for 16-bit floats, rounded where PyTorch rounds (see `_rounding`)."""
        wide, rounded, short = self._rounding(flat)
        names = ["momentum_buffer"] if momentum != 0 else []
        for param, grad, *state in self._pieces(flat, params, grads, names):
            p, g = wide(param), wide(grad)
            if maximize:
                g = -g
            if weight_decay != 0:
                g = rounded(g + p * short(weight_decay))
            for buffer in state:
                b = g
                if not first:
                    b = rounded(wide(buffer) * momentum) + g * short(1 - dampening)
                b = rounded(b, buffer)
                g = rounded(g + b * short(momentum)) if nesterov else b
            rounded(p - g * short(lr), param)

    # Adam

    def adam_step(
        self,
        flat: Flat,
        params: list[Any],
        grads: list[Any],
        step: float,
        lr: float,
        beta1: float,
        beta2: float,
        eps: float,
        weight_decay: float,
        amsgrad: bool,
        decoupled: bool,
        maximize: bool,
    ) -> None:
        """Step number ``step`` (from 1) of Adam or, with ``decoupled`` weight decay, of AdamW."""
        rate = lr / (1 - beta1**step)
        bias = math.sqrt(1 - beta2**step)
        if flat.dtype.itemsize == 2:
            self._adam_rounded(flat, params, grads, rate, bias, lr, beta1, beta2, eps,
                               weight_decay, amsgrad, decoupled, maximize)  # fmt: skip
            return
        # rate * m / (sqrt(v) / bias + eps) takes one operation less with the rate in the
        # denominator, where it is not so small or large that this could overflow.
        folded = 1e-20 < rate < 1e8 and (eps > 1e-25 or eps == 0)
        l2 = weight_decay != 0 and not decoupled
        numbers = self._scalars(
            flat,
            beta1 if beta1 <= 0.5 else 1 - beta1,
            1 - beta2,
            beta2,
            1 / (bias * rate) if folded else 1 / bias,
            eps / rate if folded else eps,
            rate,
            weight_decay if l2 else 1 - lr * weight_decay,
        )
        shrink = numbers[6]
        for targets, views, grad, g, u, at in self._chunks(flat, params, grads):
            if maximize:
                grad = self.xp.negative(grad, g)
            if l2:
                grad = self._penalized(targets, grad, g, u, shrink)
            m, v = flat.state["exp_avg"][at], flat.state["exp_avg_sq"][at]
            highest = flat.state["max_exp_avg_sq"][at] if amsgrad else None
            self._adam_update(grad, g, u, m, v, highest, numbers, beta1 <= 0.5, folded)
            if weight_decay != 0 and decoupled:
                for target in targets:
                    self.xp.multiply(target, shrink, target)
            for target, update in zip(targets, views):
                self.xp.subtract(target, update, target)

    def _adam_update(
        self, grad: Any, g: Any, u: Any, m: Any, v: Any, highest: Any,
        numbers: Sequence[Any], forgetful: bool, folded: bool,
    ) -> None:  # fmt: skip
        """Updates the moments ``m`` and ``v`` and leaves in ``u`` what is to be subtracted."""
        xp = self.xp
        add, multiply = xp.add, xp.multiply
        if m.dtype.kind == "c":  # real and imaginary parts are parameters of their own
            real = "f4" if m.dtype.itemsize == 8 else "f8"
            grad, g, u, m, v = (x.view(real) for x in (grad, g, u, m, v))
            highest = None if highest is None else highest.view(real)
        mix, take, keep, scale, eps, rate = numbers[:6]
        xp.subtract(grad, m, u)
        multiply(u, mix, u)
        if forgetful:  # m + (grad - m) would lose a small gradient beside a large m
            xp.subtract(grad, u, m)
        else:
            add(m, u, m)
        multiply(grad, grad, g)
        multiply(g, take, g)
        multiply(v, keep, v)
        add(v, g, v)
        if highest is not None:
            v = xp.maximum(highest, v, out=highest)
        xp.sqrt(v, g)
        multiply(g, scale, g)
        add(g, eps, g)
        xp.divide(m, g, u)
        if not folded:
            multiply(u, rate, u)

    def _adam_rounded(
        self, flat: Flat, params: list[Any], grads: list[Any], rate: float, bias: float, lr: float,
        beta1: float, beta2: float, eps: float, weight_decay: float, amsgrad: bool,
        decoupled: bool, maximize: bool,
    ) -> None:  # fmt: skip
        """The step for 16-bit floats, rounded where PyTorch rounds (see `_rounding`)."""
        wide, rounded, short = self._rounding(flat)
        names = ["exp_avg", "exp_avg_sq", *(["max_exp_avg_sq"] if amsgrad else [])]
        for param, grad, exp_avg, exp_avg_sq, *state in self._pieces(flat, params, grads, names):
            p, g = wide(param), wide(grad)
            if maximize:
                g = -g
            if weight_decay != 0:
                if decoupled:
                    p = rounded(p * (1 - lr * weight_decay))
                else:
                    g = rounded(g + p * short(weight_decay))
            m = wide(exp_avg)
            m = g - (g - m) * beta1 if beta1 <= 0.5 else m + (g - m) * (1 - beta1)
            m = rounded(m, exp_avg)
            v = rounded(wide(exp_avg_sq) * beta2)
            v = rounded(v + g * g * (1 - beta2), exp_avg_sq)
            for highest in state:
                v = rounded(self.xp.maximum(wide(highest), v), highest)
            denominator = rounded(rounded(rounded(self.xp.sqrt(v)) / bias) + short(eps))
            rounded(p + m * -rate / denominator, param)
