"""Elementwise kernels of declared expressions: one compiled pass, which threads share.

An expression is a `helper` of one element of each array, and of numbers. `mapped` makes the loop around
it. numba keeps a loop on disk under the expression that it was made for, which is why `helper` gives
each expression an identity that it has again in the next process.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .numba_math import EXACT, compiled
from .numba_rounding import LOAD, STORE, itself
from .sharing import share


def _of_one(f: Any) -> Any:
    @compiled(EXACT)
    def loop(start, stop, x, numbers, out):  # type: ignore[no-untyped-def]
        x, out = x[start:stop], out[start:stop]
        for i in range(out.size):
            out[i] = f(x[i], *numbers)

    return loop


def _of_two(f: Any) -> Any:
    @compiled(EXACT)
    def loop(start, stop, x, y, numbers, out):  # type: ignore[no-untyped-def]
        x, y, out = x[start:stop], y[start:stop], out[start:stop]
        for i in range(out.size):
            out[i] = f(x[i], y[i], *numbers)

    return loop


def _of_three(f: Any) -> Any:
    @compiled(EXACT)
    def loop(start, stop, x, y, z, numbers, out):  # type: ignore[no-untyped-def]
        x, y, z, out = x[start:stop], y[start:stop], z[start:stop], out[start:stop]
        for i in range(out.size):
            out[i] = f(x[i], y[i], z[i], *numbers)

    return loop


_LOOPS = {1: _of_one, 2: _of_two, 3: _of_three}

# The same of floats of 16 bits, which become float32 where they are read and are rounded once.


def _of_one_half(f: Any, load: Any, store: Any) -> Any:
    @compiled(EXACT)
    def loop(start, stop, x, numbers, out):  # type: ignore[no-untyped-def]
        x, out = x[start:stop], out[start:stop]
        for i in range(out.size):
            out[i] = store(f(load(x[i]), *numbers))

    return loop


def _of_two_halves(f: Any, load: Any, store: Any) -> Any:
    @compiled(EXACT)
    def loop(start, stop, x, y, numbers, out):  # type: ignore[no-untyped-def]
        x, y, out = x[start:stop], y[start:stop], out[start:stop]
        for i in range(out.size):
            out[i] = store(f(load(x[i]), load(y[i]), *numbers))

    return loop


def _of_three_halves(f: Any, load: Any, store: Any) -> Any:
    @compiled(EXACT)
    def loop(start, stop, x, y, z, numbers, out):  # type: ignore[no-untyped-def]
        x, y, z, out = x[start:stop], y[start:stop], z[start:stop], out[start:stop]
        for i in range(out.size):
            out[i] = store(f(load(x[i]), load(y[i]), load(z[i]), *numbers))

    return loop


_HALF_LOOPS = {1: _of_one_half, 2: _of_two_halves, 3: _of_three_halves}


def mapped(expression: Any, arrays: int = 1, result: Any = None) -> Any:
    """The function of so many contiguous arrays of one shape, and then numbers, that maps an expression.

    Numbers take the type of the first array, and so does the result, unless that is given; with floats
    of 16 bits they are float32.
    """
    loop = _LOOPS[arrays](expression)
    of_halves: dict[str, Any] = {}

    def rounding(*args: Any) -> Any:
        x = args[0]
        kind, bits = x.dtype.char, np.uint16
        if kind not in of_halves:
            store = STORE[kind] if result is None else itself
            of_halves[kind] = _HALF_LOOPS[arrays](expression, LOAD[kind], store)
        out = np.empty(x.shape, result or bits)
        flat = [v.reshape(-1).view(bits) for v in args[:arrays]]
        numbers = tuple([np.float32(v) for v in args[arrays:]])
        share(of_halves[kind], out.size, out.size, *flat, numbers, out.reshape(-1))
        return out if result else out.view(x.dtype)

    def kernel(*args: Any) -> Any:
        x = args[0]
        if x.dtype.char in LOAD:
            return rounding(*args)
        number = x.dtype.type
        out = np.empty(x.shape, result or x.dtype)
        numbers = tuple([number(v) for v in args[arrays:]])
        flat = [v.reshape(-1) for v in args[:arrays]]
        share(loop, out.size, out.size, *flat, numbers, out.reshape(-1))
        return out

    return kernel


def in_place(expression: Any) -> Any:
    """The function that maps an expression of one number, and of further ones, over an array itself."""

    @compiled(EXACT)
    def loop(start, stop, x, numbers):  # type: ignore[no-untyped-def]
        x = x[start:stop]
        for i in range(x.size):
            x[i] = expression(x[i], *numbers)

    def kernel(x: Any, *numbers: Any) -> Any:
        share(loop, x.size, x.size, x.reshape(-1), tuple([x.dtype.type(v) for v in numbers]))
        return x

    return kernel


def of_pairs(expression: Any) -> Any:
    """The function (x, y, out) that maps an expression of two numbers, which also tells whether it holds.

    It returns whether all results hold; y is an array like x, or 0-d.
    """

    @compiled(EXACT)
    def of_arrays(x, y, out):  # type: ignore[no-untyped-def]
        wrong = 0
        for i in range(out.size):
            out[i], holds = expression(x[i], y[i])
            wrong += 0 if holds else 1
        return wrong == 0

    @compiled(EXACT)
    def of_number(x, y, out):  # type: ignore[no-untyped-def]
        wrong = 0
        for i in range(out.size):
            out[i], holds = expression(x[i], y)
            wrong += 0 if holds else 1
        return wrong == 0

    def part(x: Any, y: Any, out: Any) -> bool:
        return of_arrays(x, y, out) if y.ndim else of_number(x, y[()], out)  # type: ignore[no-any-return]

    return part
