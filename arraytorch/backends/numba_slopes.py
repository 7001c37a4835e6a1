"""Compiled derivatives of elementwise operations: by an operation's name, a gradient times its slopes.

The parameters of an expression are those of the rule that it stands for: g, arrays that were kept, numbers.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from .numba_maps import mapped
from .numba_math import exp, f, helper
from .numba_pointwise import sigmoid

_ZERO, _HALF, _ONE, _TWO, _THREE = f(0), f(0.5), f(1), f(2), f(3)
_LN2, _LN10 = f(math.log(2)), f(math.log(10))
_HEIGHT, _WIDTH = f(2 / math.sqrt(math.pi)), f(math.sqrt(math.pi) / 2)


@helper
def _exp(g, out):  # type: ignore[no-untyped-def]
    return g * out


@helper
def _exp2(g, out):  # type: ignore[no-untyped-def]
    return g * (out * _LN2)


@helper
def _expm1(g, out):  # type: ignore[no-untyped-def]
    return g * (out + _ONE)


@helper
def _log(g, input):  # type: ignore[no-untyped-def]
    return g / input


@helper
def _log2(g, input):  # type: ignore[no-untyped-def]
    return g / (input * _LN2)


@helper
def _log10(g, input):  # type: ignore[no-untyped-def]
    return g / (input * _LN10)


@helper
def _log1p(g, input):  # type: ignore[no-untyped-def]
    return g / (input + _ONE)


@helper
def _tan(g, out):  # type: ignore[no-untyped-def]
    return g * (out * out + _ONE)


@helper
def _tanh(g, out):  # type: ignore[no-untyped-def]
    return g * (_ONE - out * out)


@helper
def _asin(g, input):  # type: ignore[no-untyped-def]
    return g / np.sqrt(_ONE - input * input)


@helper
def _acos(g, input):  # type: ignore[no-untyped-def]
    return -g / np.sqrt(_ONE - input * input)


@helper
def _atan(g, input):  # type: ignore[no-untyped-def]
    return g / (input * input + _ONE)


@helper
def _asinh(g, input):  # type: ignore[no-untyped-def]
    return g / np.sqrt(input * input + _ONE)


@helper
def _acosh(g, input):  # type: ignore[no-untyped-def]
    return g / np.sqrt((input - _ONE) * (input + _ONE) + _ZERO)


@helper
def _atanh(g, input):  # type: ignore[no-untyped-def]
    return g / (_ONE - input * input)


@helper
def _sigmoid(g, out):  # type: ignore[no-untyped-def]
    return g * (out * (_ONE - out))


@helper
def _erf(g, input):  # type: ignore[no-untyped-def]
    return _HEIGHT * g * exp(-(input * input))


@helper
def _erfc(g, input):  # type: ignore[no-untyped-def]
    return -_HEIGHT * g * exp(-(input * input))


@helper
def _erfinv(g, out):  # type: ignore[no-untyped-def]
    return _WIDTH * g * exp(out * out)


@helper
def _square(g, input):  # type: ignore[no-untyped-def]
    return g * (input * _TWO)


@helper
def _cube(g, input):  # type: ignore[no-untyped-def]
    return g * (input * input * _THREE)


@helper
def _sqrt(g, out):  # type: ignore[no-untyped-def]
    return g / (out * _TWO)


@helper
def _rsqrt(g, out):  # type: ignore[no-untyped-def]
    return g * (out * out * out * -_HALF)


@helper
def _reciprocal(g, out):  # type: ignore[no-untyped-def]
    return -g * (out * out)


@helper
def _abs(g, input):  # type: ignore[no-untyped-def]
    return g * (_ONE if input > 0 else (-_ONE if input < 0 else _ZERO))


@helper
def _softplus(g, input, beta, threshold):  # type: ignore[no-untyped-def]
    scaled = input * beta
    slope = g * sigmoid(scaled)
    return g if scaled > threshold else slope


@helper
def _hardtanh(g, input, low, high):  # type: ignore[no-untyped-def]
    return _ZERO if input <= low or input >= high else g


@helper
def _product(g, other):  # type: ignore[no-untyped-def]
    return g * other


@helper
def _quotient(g, other):  # type: ignore[no-untyped-def]
    return g / other


@helper
def _divisor(g, input, other):  # type: ignore[no-untyped-def]
    return -g * ((input / other) / other)


@helper
def _leg(g, input, out):  # type: ignore[no-untyped-def]
    return g * (input / out)


@helper
def _other_leg(g, other, out):  # type: ignore[no-untyped-def]
    return g * (other / out)


@helper
def _distance(x, y):  # type: ignore[no-untyped-def]
    square = x * x + y * y
    return _ONE if square == 0 else square


@helper
def _height(g, input, other):  # type: ignore[no-untyped-def]
    return g * (other / _distance(input, other))


@helper
def _reach(g, input, other):  # type: ignore[no-untyped-def]
    return g * (-input / _distance(input, other))


@helper
def _larger(g, input, other):  # type: ignore[no-untyped-def]
    share = g * _HALF if input == other else g
    return _ZERO if input < other else share


@helper
def _other_larger(g, input, other):  # type: ignore[no-untyped-def]
    share = g * _HALF if input == other else g
    return _ZERO if other < input else share


# For each operation the expressions for its arguments, and how many of their parameters are arrays.
_EXPRESSIONS: dict[str, tuple[tuple[Any, ...], int]] = {
    "exp": ((_exp,), 2), "exp2": ((_exp2,), 2), "expm1": ((_expm1,), 2), "log": ((_log,), 2),
    "log2": ((_log2,), 2), "log10": ((_log10,), 2), "log1p": ((_log1p,), 2), "tan": ((_tan,), 2),
    "tanh": ((_tanh,), 2), "asin": ((_asin,), 2), "acos": ((_acos,), 2), "atan": ((_atan,), 2),
    "asinh": ((_asinh,), 2), "acosh": ((_acosh,), 2), "atanh": ((_atanh,), 2), "erf": ((_erf,), 2),
    "erfc": ((_erfc,), 2), "erfinv": ((_erfinv,), 2), "sigmoid": ((_sigmoid,), 2),
    "square": ((_square,), 2), "pow2": ((_square, None), 2), "pow3": ((_cube, None), 2),
    "sqrt": ((_sqrt,), 2), "rsqrt": ((_rsqrt,), 2), "reciprocal": ((_reciprocal,), 2),
    "abs": ((_abs,), 2), "softplus": ((_softplus,), 2), "_hardtanh": ((_hardtanh,), 2),
    "hypot": ((_leg, _other_leg), 3), "atan2": ((_height, _reach), 3),
    "maximum": ((_larger, _other_larger), 3), "minimum": ((_other_larger, _larger), 3),
}  # fmt: skip


def slopes_of(rules: Any, saved: Any) -> tuple[Any, ...]:
    """For each pullback None, or its kernel and where in ``saved`` the arrays and numbers are; or nothing."""
    name = rules.name
    if name == "pow":
        exponent = saved[rules.saved.index("exponent")]
        name += (
            str(int(exponent)) if exponent.__class__ in (int, float) and exponent in (2, 3) else ""
        )
    return _slopes(name, rules.saved) if name in _EXPRESSIONS else ()


@lru_cache(128)
def _slopes(name: str, saved: tuple[str, ...]) -> tuple[Any, ...]:
    expressions, arrays = _EXPRESSIONS[name]
    made: list[Any] = []
    for expression in expressions:
        if expression is None:
            made.append(None)
            continue
        code = expression.py_func.__code__
        places = [saved.index(n) for n in code.co_varnames[1 : code.co_argcount]]
        made.append((mapped(expression, arrays), places[: arrays - 1], places[arrays - 1 :]))
    return tuple(made)
