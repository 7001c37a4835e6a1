"""Normal deviates from uniform ones, rounded step by step as PyTorch's CPU kernels round them.

Box and Muller: with u1, u2 uniform, sqrt(-2 log u1) times cos and sin of 2 pi u2 are two
independent standard normals. In float32 PyTorch takes logarithm, sine and cosine from the
polynomials of Cephes (S. Moshier, logf.c and sinf.c), with fused multiply-adds. NumPy has none,
but a product of two float32 is exact in float64, so that adding there and rounding to float32 is
one, and the results are PyTorch's to the last bit on any machine.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from math import cos, log1p, pi, sin, sqrt
from typing import Any

import numpy as np

from .compiled import MANY, kernels
from .sharing import rowwise

Array = np.ndarray[Any, Any]

SMALL = 128  # up to here the C library's functions one by one, which PyTorch calls, bit for bit

_LOG = (
    -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
    -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
)  # fmt: skip
_SIN = (8.3321608736e-3, -1.6666654611e-1)
_COS = (-1.388731625493765e-3, 4.166664568298827e-2)
_QUARTER_PI = (-0.78515625, -2.4187564849853515625e-4, -3.77489497744594108e-8)  # in three parts


def _f(x: float) -> float:
    """Returns the float32 nearest to a constant."""
    return float(np.float32(x))


def fill_blocks32(u: Array, mean: float, std: float) -> None:
    """Turns blocks of 16 float32 uniforms into normals in place: the first 8 give radii, the rest angles."""
    if u.size >= MANY and u.flags.c_contiguous and (compiled := kernels("normals")) is not None:
        compiled.normals(u)
    else:
        rowwise(_fill_blocks32, u.reshape(-1, 16))
    if mean != 0.0 or std != 1.0:
        fused32(u, std, mean, u)


def _fill_blocks32(u: Array) -> None:
    block = u.reshape(-1, 2, 8)
    radius = np.sqrt(np.float32(-2) * _log32(np.float32(1) - block[:, 0]))
    sin, cos = _sin_cos32(np.float32(2 * math.pi) * block[:, 1])
    block[:, 0] = radius * cos
    block[:, 1] = radius * sin


def fused32(x: Array, factor: Any, summand: Any, out: Array) -> None:
    """Writes x * factor + summand, rounded once, where all are float32."""
    y = x.astype(np.float64)
    y *= _f(factor)
    y += _f(summand)
    out[...] = y


def _log32(u: Array) -> Array:
    """Returns the natural logarithm of float32 numbers in (0, 1]."""
    bits = np.ascontiguousarray(u).view(np.int32)
    exponent = (bits - 0x3F3504F3) >> 23  # the power of two that leaves a rest in [0.707, 1.414)
    rest = (bits - (exponent << 23)).view(np.float32) - np.float32(1)
    e, x = exponent.astype(np.float64), rest.astype(np.float64)
    y, buffer = np.full(x.shape, _f(7.0376836292e-2)), np.empty(x.shape, np.float32)
    z = _round(x * x, buffer)
    for c in _LOG:
        y = _fused(y, x, _f(c), buffer)
    y *= x
    y = _fused(_round(y, buffer), z, _round(e * _f(-2.12194440e-4), buffer), buffer)
    z *= 0.5
    y -= z
    x += _round(y, buffer)
    return _fused(e, _f(0.693359375), _round(x, buffer), buffer).astype(np.float32)


def _sin_cos32(angle: Array) -> tuple[Array, Array]:
    """Returns sine and cosine of float32 numbers in [0, 2 pi]."""
    octant = (angle * np.float32(1.27323954473516)).astype(np.int32)
    octant += 1
    octant &= ~1
    x, j = angle.astype(np.float64), octant.astype(np.float64)
    buffer = np.empty(x.shape, np.float32)
    for part in _QUARTER_PI:
        x += j * _f(part)
        _round(x, buffer)
    z = _round(x * x, buffer)
    sin = _polynomial(_f(-1.9515295891e-4), _SIN, z, buffer)
    sin = _fused(sin, x, x, buffer)
    cos = _polynomial(_f(2.443315711809948e-5), _COS, z, buffer)
    cos = _fused(cos, z, z * -0.5, buffer)
    cos += 1
    return _by_octant(octant, sin.astype(np.float32), cos.astype(np.float32))


def _by_octant(octant: Array, sin: Array, cos: Array) -> tuple[Array, Array]:
    """Swaps sine and cosine and sets their signs, by arithmetic on the bits: 5 times np.where's speed."""
    s, c = sin.view(np.int32), cos.view(np.int32)
    differ = (s ^ c) & -((octant >> 1) & 1)
    s ^= differ
    c ^= differ
    s ^= (octant & 4) << 29
    c ^= ((octant + 2) & 4) << 29
    return sin, cos


def _polynomial(lead: float, rest: tuple[float, ...], z: Array, buffer: Array) -> Array:
    y = np.full(z.shape, lead)
    for c in rest:
        y = _fused(y, z, _f(c), buffer)
    y *= z
    return _round(y, buffer)


def _fused(y: Array, x: Any, c: Any, buffer: Array) -> Array:
    """Turns y, float64 with float32 values as all here, into y * x + c."""
    y *= x
    y += c
    return _round(y, buffer)


def _round(y: Array, buffer: Array) -> Array:
    buffer[...] = y
    y[...] = buffer
    return y


# ------------------------------------------------------------------------------------- float64


def fill_blocks64(u: Array, mean: float, std: float) -> None:
    """Turns blocks of 16 float64 uniforms into normals in place, as `fill_blocks32` does."""
    block = u.reshape(-1, 2, 8)
    radius = np.sqrt(-2.0 * libm(math.log, np.log, 1.0 - block[:, 0]))
    angle = 2.0 * math.pi * block[:, 1]
    sin, cos = libm(math.sin, np.sin, angle), libm(math.cos, np.cos, angle)
    block[:, 0] = fused64(radius * cos, std, mean)
    block[:, 1] = fused64(radius * sin, std, mean)


def pairs64(u: Array) -> Array:
    """Returns standard normals from pairs of float64 uniforms: angle and radius, cosine and sine."""
    u = u.reshape(-1, 2)
    radius = np.sqrt(-2.0 * np.log1p(-u[:, 1]))
    angle = 2.0 * math.pi * u[:, 0]
    out = np.empty_like(u)
    out[:, 0] = radius * np.cos(angle)
    out[:, 1] = radius * np.sin(angle)
    out[-1] = pair(*u[-1].tolist())  # of the C library, as its second half may be kept
    return out.reshape(-1)


def pair(u: float, v: float) -> tuple[float, float]:
    """Returns the two standard normals of a pair of uniforms."""
    radius = math.sqrt(-2.0 * math.log1p(-v))
    angle = 2.0 * math.pi * u
    return radius * math.cos(angle), radius * math.sin(angle)


def few_pairs(uniforms: list[float]) -> list[float]:
    """Returns the normals of all pairs, one after the other, in half the time of as many calls."""
    normals: list[float] = []
    numbers = iter(uniforms)
    for u, v in zip(numbers, numbers):
        radius, angle = sqrt(-2.0 * log1p(-v)), 2.0 * pi * u
        normals.append(radius * cos(angle))
        normals.append(radius * sin(angle))
    return normals


def libm(one: Callable[[float], float], many: Callable[[Array], Array], x: Array) -> Array:
    """Returns a function of all elements: by the C library if they are few, else NumPy's own.

    NumPy's may differ from the C library's in the last bit, but is 10 times as fast.
    """
    if x.size > SMALL:
        return many(x)
    return np.array([one(v) for v in x.ravel().tolist()]).reshape(x.shape)


def fused64(x: Array, factor: float, summand: float) -> Array:
    """Returns x * factor + summand, rounded once.

    The rounding errors of product and sum are recovered exactly (T. J. Dekker, 1971; D. E. Knuth)
    and added at the end.
    """
    product = x * factor
    if summand == 0.0 or abs(factor) > 1e290:  # the halves of larger numbers overflow
        return product + summand
    total = product + summand
    back = total - product
    lost = (product - (total - back)) + (summand - back)
    return total + (lost + _product_error(x, factor, product))


def _product_error(x: Array, factor: float, product: Array) -> Array:
    high, low = _halves(x)
    f_high, f_low = _halves(factor)
    return ((high * f_high - product) + high * f_low + low * f_high) + low * f_low


def _halves(x: Any) -> tuple[Any, Any]:
    """Returns two numbers of 26 bits that add up to x."""
    scaled = x * 134217729.0
    high = scaled - (scaled - x)
    return high, x - high
