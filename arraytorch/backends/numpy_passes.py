"""Activations of large arrays: what NumPy's functions do to a block that stays in the cache, in place.

Each takes arrays of float32 and writes into the last of them, or the one called ``out``.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

# erf(x) = tanh(x P(x^2)): a polynomial of low degree, whose errors tanh damps, and which needs no
# limits. Coefficients from the highest on, fitted to SciPy's erf by least squares, reweighted until
# the relative error of the result was level; with the rounding of float32 it is at most 3e-7.
ERF_TERMS = (
    1.4185218381943134e-07,
    -5.6684750871057935e-06,
    8.763732542763527e-05,
    -0.0006197846576585254,
    -0.00019183079866145325,
    0.10276905578854494,
    1.1283792743069496,
)
_ROOT_2_PI = math.sqrt(2 / math.pi)


def numbers(*values: float) -> list[Any]:
    """Operands of float32: 0-d arrays, which take less time than Python's numbers."""
    return [np.array(v, np.float32) for v in values]


ERF = numbers(*ERF_TERMS)
# erf(x / sqrt(2)) = tanh(x (s + f) (c + b / ((s + p) s + q))), s = x^2, fitted likewise: a division takes
# no longer than three products and sums, and saves more of these. GELU is exact to 7e-7.
_F, _P, _Q = 62.59555283040285, 20.781732168834175, 316.5048992290301
_B, _C = -1.816863383814413, 0.018487018619941037
_TANH = numbers(_P, _Q, _B, _C, _F)
# 1 + tanh(u) = 2 / (1 + exp(-2 u)) as a power of 2, which takes half the time of tanh where it has vectors.
_POWER = numbers(_P, _Q, -2 / math.log(2) * _B, -2 / math.log(2) * _C, _F)
_DENSITY = numbers(-0.5 / math.log(2))[0]
_GELU_TANH = numbers(0.044715 * _ROOT_2_PI, _ROOT_2_PI)
_INNER = numbers(3 * 0.044715 * _ROOT_2_PI, _ROOT_2_PI)  # the slope of what tanh is taken of
_ONE, _HALF, _MINUS_HALF, _HEIGHT = numbers(1, 0.5, -0.5, 1 / math.sqrt(2 * math.pi))
_TWO, *_BELOW_20 = numbers(2, -math.inf, 20)
_NONE, _THREE, _SIX, _SIXTH = numbers(0, 3, 6, 1 / 6)
_MAGNITUDE = np.array(0x7FFFFFFF, np.int32)  # all bits but the sign's
_ALL, _UNIT = np.array(31, np.int32), np.array(1, np.int8)


@lru_cache(1)
def powers_are_quick() -> bool:
    """Whether NumPy has vectors for exp2 of float32 here: it then takes half the time of exp."""
    found = np.lib.introspect.opt_func_info(func_name="^exp2$", signature="float32")
    names = [kind["current"] for kinds in found.values() for kind in kinds.values()]
    return any("AVX512" in name or "X86_V4" in name for name in names)


def hardsigmoid(x: Any, out: Any) -> None:
    """min(max(x + 3, 0), 6) / 6."""
    np.add(x, _THREE, out=out)
    out.clip(_NONE, _SIX, out=out)
    out *= _SIXTH


def hardswish(x: Any, out: Any) -> None:
    """x times hardsigmoid(x)."""
    np.add(x, _THREE, out=out)
    out.clip(_NONE, _SIX, out=out)
    out *= x
    out *= _SIXTH


def outside(g: Any, x: Any, low: Any, high: Any, value: Any, out: Any) -> None:
    """g where x lies outside of [low, high], also for NaN, else a value; by masks of bits.

    ``low`` may be None, for minus infinity.
    """
    to, given, bits = out.view(np.int32), g.view(np.int32), value.view(np.int32)
    if low is not None and low == -high and not bits:
        # The bits of magnitudes are in their order: a difference of them has the sign that tells.
        np.bitwise_and(x.view(np.int32), _MAGNITUDE, out=to)
        np.subtract(high.view(np.int32), to, out=to)
        np.right_shift(to, _ALL, out=to)
        np.bitwise_and(to, given, out=to)
        return
    if low is None:
        inside = x <= high
    else:
        inside = x >= low
        inside &= x <= high
    kept = inside.view(np.int8)
    kept -= _UNIT  # 0, or -1, which is a mask of ones
    if not bits:
        np.copyto(to, kept)
        to &= given
        return
    mask = kept.astype(np.int32)
    np.bitwise_xor(given, bits, out=to)
    to &= mask
    to ^= bits


def within(g: Any, x: Any, low: Any, high: Any, scale: Any, out: Any) -> None:
    """g times a scale where x lies between low and high, else 0, also for NaN."""
    between = x > low
    between &= x < high
    kept, to = between.view(np.int8), out.view(f"i{out.itemsize}")
    np.negative(kept, out=kept)
    np.copyto(to, kept)
    to &= g.view(to.dtype)
    if scale != 1:
        out *= scale


def step_to_one(slope: Any) -> Any:
    """What is to be added to the bits of a number, for them to be those of 1."""
    return np.subtract(_ONE.view(np.int32), slope.view(np.int32), out=np.empty(1, np.int32))


def leaky_slope(x: Any, g: Any, slope: Any, step: Any, out: Any) -> None:
    """g where x is positive, else g times the slope."""
    to = out.view(np.int32)
    np.copyto(to, x > _NONE)
    to *= step
    to += slope.view(np.int32)
    out *= g


def sign(x: Any, out: Any) -> None:
    """-1, 0 or 1, and 0 of NaN."""
    above, below = (x > _NONE).view(np.int8), (x < _NONE).view(np.int8)
    above -= below
    np.copyto(out, above)


def mish(x: Any, out: Any) -> None:
    """x tanh(log(1 + n)), n = exp(x), which is x m / (m + 2), m = n (n + 2); beyond 20 it is x."""
    x.clip(*_BELOW_20, out=out)
    np.exp(out, out=out)
    m = out + _TWO
    m *= out
    np.add(m, _TWO, out=out)
    np.divide(m, out, out=out)
    out *= x


def hardswish_slope(x: Any, g: Any, out: Any) -> bool:
    """g times x / 3 + 1/2 within -3 and 3, less 1/2 from 3 on, plus 1/2 up to -3; False if there is NaN."""
    if x.max() != x.max():
        return False
    beyond = (x >= 3).view(np.int8)
    beyond -= (x <= -3).view(np.int8)
    half = beyond.astype(x.dtype)
    half *= _HALF
    x.clip(-_THREE, _THREE, out=out)
    out /= _THREE
    out += _HALF
    out -= half
    out *= g
    return True


def silu_slope(x: Any, g: Any, out: Any) -> None:
    """g s (1 + x (1 - s)) with s = sigmoid(x)."""
    s = np.empty_like(x)
    sigmoid(x, s)
    np.subtract(1, s, out=out)
    out *= x
    out += 1
    out *= s
    out *= g


def silu(x: Any, out: Any) -> None:
    """x / (1 + exp(-x))."""
    np.negative(x, out=out)
    np.exp(out, out=out)
    out += 1
    np.divide(x, out, out=out)


def sigmoid(x: Any, out: Any) -> None:
    """1 / (1 + exp(-x)); a division takes half of what `reciprocal` does."""
    np.negative(x, out=out)
    np.exp(out, out=out)
    out += 1
    np.divide(1, out, out=out)


def gap(x: Any, y: Any, kind: str, delta: float, scale: float, out: Any) -> None:
    """The "square" of x - y, its "size", or scale times the Huber loss of it."""
    np.subtract(x, y, out=out)
    if kind == "square":
        out *= out
        return
    if kind == "size":
        np.abs(out, out=out)
        return
    near = out.clip(-delta, delta)  # n (d - n / 2) is what sizes would give
    half = near * (-0.5)
    out += half
    if scale != 1:
        near *= scale
    out *= near


def slope_of_gap(x: Any, y: Any, g: Any, kind: str, delta: float, scale: float, out: Any) -> None:
    """g times the sign of x - y, or scale times what is limited to +-delta."""
    np.subtract(x, y, out=out)
    if kind == "size":
        np.subtract((out > 0).view(np.int8), (out < 0).view(np.int8), out=out)
    else:
        if delta != math.inf:
            out.clip(-delta, delta, out=out)
        out *= scale
    out *= g


def lerp(x: Any, y: Any, weight: float, out: Any) -> None:
    """x + weight (y - x), from the nearer end."""
    np.subtract(y, x, out=out)
    near = abs(weight) < 0.5
    out *= weight if near else weight - 1
    out += x if near else y


def addcmul(x: Any, y: Any, z: Any, value: float, out: Any) -> None:
    """x + value y z."""
    np.multiply(y, z, out=out)
    if value != 1:
        out *= value
    out += x


def addcdiv(x: Any, y: Any, z: Any, value: float, out: Any) -> None:
    """x + value y / z."""
    np.divide(y, z, out=out)
    if value != 1:
        out *= value
    out += x


def frac(x: Any, out: Any) -> None:
    """x without its integer part."""
    np.trunc(x, out=out)
    np.subtract(x, out, out=out)


def glu(out: Any, x: Any) -> None:
    """The first half of each row times the sigmoid of the second."""
    np.negative(x[:, 1], out=out)
    np.exp(out, out=out)
    out += 1
    np.divide(x[:, 0], out, out=out)


def glu_slopes(x: Any, out: Any, g: Any) -> None:
    """g times the sigmoid s of the second half, and that times the first half and 1 - s."""
    first, second = out[:, 0], out[:, 1]
    s = np.empty(second.shape, x.dtype)
    np.negative(x[:, 1], out=s)
    np.exp(s, out=s)
    s += 1
    np.divide(1, s, out=s)
    np.multiply(g, s, out=first)
    np.subtract(1, s, out=s)
    s *= x[:, 0]
    np.multiply(first, s, out=second)


def tanh_of(x: Any, coefficients: list[Any], out: Any, scratch: Any) -> None:
    """tanh(x P(x^2))."""
    np.multiply(x, x, out=scratch)
    np.multiply(scratch, coefficients[0], out=out)
    for c in coefficients[1:-1]:
        out += c
        out *= scratch
    out += coefficients[-1]
    out *= x
    np.tanh(out, out=out)


def _rational(x: Any, coefficients: list[Any], out: Any, scratch: Any) -> None:
    """x (s + f) (c + b / ((s + p) s + q)), s = x^2, which are left in ``scratch``."""
    p, q, b, c, f = coefficients
    np.multiply(x, x, out=scratch)
    np.add(scratch, p, out=out)
    out *= scratch
    out += q
    np.divide(b, out, out=out)
    out += c
    scratch += f
    out *= scratch
    out *= x


def gelu(x: Any, out: Any) -> None:
    """x times the normal distribution function."""
    if powers_are_quick():
        _rational(x, _POWER, out, np.empty_like(x))
        np.exp2(out, out=out)
        out += _ONE
        np.divide(x, out, out=out)
        return
    _rational(x, _TANH, out, np.empty_like(x))
    np.tanh(out, out=out)
    out += _ONE
    out *= _HALF  # before x, whose double may overflow
    out *= x


def gelu_slope(x: Any, g: Any, out: Any) -> None:
    """g times the normal distribution function and x times its density."""
    t, quick = np.empty_like(x), powers_are_quick()
    if quick:
        _rational(x, _POWER, out, t)
        np.exp2(out, out=out)
        out += _ONE
        np.divide(_ONE, out, out=out)
    else:
        _rational(x, _TANH, out, t)
        np.tanh(out, out=out)
        out += _ONE
        out *= _HALF
    np.multiply(x, x, out=t)
    t *= _DENSITY if quick else _MINUS_HALF
    (np.exp2 if quick else np.exp)(t, out=t)
    t *= x
    t *= _HEIGHT
    out += t
    out *= g


def gelu_tanh(x: Any, out: Any) -> None:
    """x times the approximate distribution function."""
    tanh_of(x, _GELU_TANH, out, np.empty_like(x))
    out += _ONE
    out *= _HALF
    out *= x


def gelu_tanh_slope(x: Any, g: Any, out: Any) -> None:
    """(1 + tanh) / 2 has the slope (1 - tanh) (1 + tanh) / 2."""
    t = np.empty_like(x)
    tanh_of(x, _GELU_TANH, out, t)
    np.multiply(x, x, out=t)
    t *= _INNER[0]
    t += _INNER[1]
    t *= x
    t -= t * out
    t += _ONE
    out += _ONE
    out *= t
    out *= g
    out *= _HALF
