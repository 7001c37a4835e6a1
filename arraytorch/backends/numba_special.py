"""Compiled special functions of float32, in float64, where a dozen terms of a series leave no error.

There is erf of float64, too. Nothing branches, so that loops over them vectorise; what is not a number, or infinite, is chosen at the end.
"""

from __future__ import annotations

import math

import numpy as np

from .numba_maps import mapped
from .numba_math import f, from_bits64, helper, to_bits64

d = np.float64


_LN2, _LOG2_E, _PI = math.log(2), 1 / math.log(2), math.pi
_HALF_LOG_2PI = math.log(2 * math.pi) / 2
# Series, from the last coefficient on: exp(x), log((1 + s) / (1 - s)) / s, sin(x) / x and cos(x)
# in x^2, what Stirling's formula lacks (in 1 / x^2), and its derivative.
_EXP = tuple([1 / math.factorial(k) for k in range(10, -1, -1)])
_ATANH = tuple([2 / (2 * k + 1) for k in range(10, -1, -1)])
_SIN = tuple([(-1) ** k / math.factorial(2 * k + 1) for k in range(10, -1, -1)])
_COS = tuple([(-1) ** k / math.factorial(2 * k) for k in range(10, -1, -1)])
_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730)
_STIRLING = tuple([b / ((2 * k + 2) * (2 * k + 1)) for k, b in enumerate(_BERNOULLI)][::-1])
_SLOPE = tuple([-b / (2 * k + 2) for k, b in enumerate(_BERNOULLI)][::-1])
# Fitted for this file by least squares, reweighted until the relative error was level.
# exp(x^2) erfc(x) / t in t = 1 / (1 + x / 2), for x from 0 to 10.1, to 3e-10:
_ERFC = (
    -0.029112311212068115, 0.21926101132820586, -0.7028273512266263, 1.2134848499769881,
    -1.163767273632105, 0.5997714177285568, -0.2693330653707445, 0.15758129765538947,
    0.16231978679581885, 0.2485513114999652, 0.2819716345054244, 0.2820986922430009,
)  # fmt: skip
# erfinv(x) / x in w = -log(1 - x^2) up to 6, to 5e-9, and in sqrt(w) beyond, to 3e-8:
_NEAR = (
    6.255651255783663e-10, -2.4240463959473033e-08, 3.8280191627482066e-07, -2.911746024671796e-06,
    7.241272620526493e-06, 3.75628464336270e-05, -0.00011834701777478949, -0.0023411246786233203,
    0.011551245228820367, 0.23201343477484027, 0.8862269300371789,
)  # fmt: skip
_FAR = (
    -0.0002335759446350475, 0.006244631712294023, -0.07171694557495391, 0.45916184859178566,
    -1.7729949796496807, 4.139945728461629, -4.423985265508265, 2.909887611740265,
)  # fmt: skip
# Interpolated at Chebyshev's nodes: erf(x) / x in 2 x^2 - 1 up to 1, to 2e-15, and from there to 6
# exp(x^2) erfc(x) / t in (24 t - 11) / 5, t = 1 / (1 + x / 2), to 5e-15 of a sixth of erf.
_ERF = (
    8.960589845876463e-12, -2.0454587518708485e-10, 4.116335555243662e-09, -7.51146987841945e-08,
    1.223382291470898e-06, -1.753716986038514e-05, 0.00021751715619202435, -0.0022854855610728157,
    0.019852496688964952, -0.14053608902272038, 0.9654687386698678,
)  # fmt: skip
_TAIL = (
    1.0913936421275139e-11, 5.993570084683598e-11, -5.252180320288365e-10, -9.271540572323527e-11,
    1.285997234627226e-08, -3.115486038041126e-08, -2.6776250943901416e-07, 1.3738919652913256e-06,
    6.4793546371011415e-06, -4.948907024284743e-05, -0.0002789266302759645, 0.0015599066400577882,
    0.02339452354510438, 0.1336227862416383, 0.4831189968653059,
)  # fmt: skip
_LONG_EXP = tuple([1 / math.factorial(k) for k in range(13, -1, -1)])


@helper
def _series(x, terms):  # type: ignore[no-untyped-def]
    total = terms[0]
    for c in terms[1:]:
        total = total * x + c
    return total


@helper
def _exp(x):  # type: ignore[no-untyped-def]
    """e to the power x, to 13 digits, for x from -700 to 700."""
    n = np.floor(x * _LOG2_E + 0.5)
    scale = from_bits64((np.int64(n) + np.int64(1023)) << np.int64(52))
    return _series(x - n * _LN2, _EXP) * scale


@helper
def _log(x):  # type: ignore[no-untyped-def]
    """The logarithm of a normal positive number, to 15 digits."""
    bits = to_bits64(x)
    n = (bits - np.int64(0x3FE6A09E667F3BCD)) >> np.int64(52)  # from the root of a half on
    m = from_bits64(bits - (n << np.int64(52)))
    s = (m - 1.0) / (m + 1.0)
    return d(n) * _LN2 + s * _series(s * s, _ATANH)


@helper
def _erfc(x):  # type: ignore[no-untyped-def]
    """1 - erf(x)."""
    size = min(abs(d(x)), 11.0)
    t = 1.0 / (1.0 + 0.5 * size)
    tail = t * _series(t, _ERFC) * _exp(-size * size)
    return f(x) if x != x else f(2.0 - tail if x < 0 else tail)


@helper
def _erf(x):  # type: ignore[no-untyped-def]
    """The error function of float64."""
    size = abs(x)
    square = min(size, 6.0) ** 2
    n = np.floor(0.5 - square * _LOG2_E)
    scale = from_bits64((np.int64(n) + np.int64(1023)) << np.int64(52))
    t = 1.0 / (1.0 + 0.5 * size)
    tail = t * _series((24.0 * t - 11.0) * 0.2, _TAIL) * _series(-square - n * _LN2, _LONG_EXP)
    far = 1.0 if size > 6.0 else 1.0 - tail * scale
    far = far if x > 0 else -far
    return x * _series(2.0 * square - 1.0, _ERF) if size < 1.0 else (far if x == x else x)


@helper
def _erfinv(x):  # type: ignore[no-untyped-def]
    """The inverse of erf; infinite at 1, NaN beyond."""
    size = abs(d(x))
    rest = (1.0 - size) * (1.0 + size)
    w = -_log(rest if rest > 0 else 1.0)
    z = d(x) * (_series(w, _NEAR) if w < 6.0 else _series(np.sqrt(w), _FAR))
    return f(z) if size < 1.0 else f(d(x) / rest if size == 1.0 else np.nan)


@helper
def _sine(x):  # type: ignore[no-untyped-def]
    """sin(pi x) but for the sign, and cos(pi x) with the sign that makes their quotient right."""
    angle = (x - np.floor(x + 0.5)) * _PI
    return angle * _series(angle * angle, _SIN), _series(angle * angle, _COS)


@helper
def _shifted(z):  # type: ignore[no-untyped-def]
    """z, or z + 8 if it is small; then the product of z ... z + 7, and the sum of their reciprocals."""
    product, slope = z, 1.0
    for k in range(1, 8):
        slope = slope * (z + k) + product
        product *= z + k
    small = z < 8.0
    return z + 8.0 if small else z, product if small else 1.0, slope / product if small else 0.0


@helper
def _lgamma(x):  # type: ignore[no-untyped-def]
    """log |gamma(x)|; by reflection below 0."""
    y = d(x)
    z, product, _ = _shifted(1.0 - y if y < 0 else y)
    r = 1.0 / z
    value = (z - 0.5) * _log(z) - z + _HALF_LOG_2PI + r * _series(r * r, _STIRLING)
    pole = y <= 0 and y == np.floor(y)
    sine = 1.0 if pole else abs(_sine(y)[0])
    below = -value + _log(
        _PI / sine * product
    )  # of which the second is the gamma function's product
    value = below if y < 0 else value - _log(1.0 if pole else product)
    value = 0.0 if y == 1.0 or y == 2.0 else value  # exactly
    return f(x) if x != x else f(np.inf if pole or abs(y) == np.inf else value)


@helper
def _digamma(x):  # type: ignore[no-untyped-def]
    """The derivative of lgamma; -inf at 0, and NaN at negative integers."""
    y = d(x)
    z, _, slope = _shifted(1.0 - y if y < 0 else y)
    r = 1.0 / z
    value = _log(z) - 0.5 * r + r * r * _series(r * r, _SLOPE) - slope
    sine, cosine = _sine(y)
    value -= _PI * cosine / sine if y < 0 else 0.0
    if y == 0:
        return f(math.copysign(np.inf, -y))
    return f(x) if x != x or x == np.inf else f(np.nan if y < 0 and y == np.floor(y) else value)


erf, erfc, erfinv = mapped(_erf), mapped(_erfc), mapped(_erfinv)
lgamma, digamma = mapped(_lgamma), mapped(_digamma)
