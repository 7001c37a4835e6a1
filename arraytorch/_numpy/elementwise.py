"""The operations that serve NumPy's and SciPy's ufuncs, by their names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import ops
from ..ops import bessel, parts, special
from ..ops.matrix_norms import vecdot

Tensor = Any


def cbrt(x: Tensor) -> Tensor:
    """The real cube root."""
    return ops.copysign(ops.pow(ops.abs(x), 1 / 3), x)


def rint(x: Tensor) -> Tensor:
    """The nearest integer, the even one of two."""
    return ops.round(x)


def magnitude(x: Tensor) -> Tensor:
    """The absolute value as a float."""
    return ops.abs(x * 1.0)


def heaviside(x: Tensor, values: Tensor) -> Tensor:
    """The step function, in the common dtype."""
    shared = ops.result_type(x, values)
    return ops.heaviside(x.to(shared), values.to(shared))


def modf(x: Tensor) -> tuple[Tensor, Tensor]:
    """The fractional and the integer part, both with the sign of x."""
    whole = ops.trunc(x)
    return ops.copysign(ops.where(ops.isinf(x), 0.0, x - whole), x), whole


def divmod(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """The floored quotient and the remainder."""
    return ops.floor_divide(x, y), ops.remainder(x, y)


def matvec(x: Tensor, y: Tensor) -> Tensor:
    """Matrices times vectors."""
    return ops.matmul(x, y.unsqueeze(-1)).squeeze(-1)


def vecmat(x: Tensor, y: Tensor) -> Tensor:
    """Conjugated vectors times matrices."""
    return ops.matmul(ops.conj(x).unsqueeze(-2), y).squeeze(-2)


def dots(x: Tensor, y: Tensor, axis: int = -1) -> Tensor:
    """Products of vectors, the first conjugated."""
    return vecdot(x, y, dim=axis)


def product(x: Tensor, y: Tensor) -> Tensor:
    """The matrix product, in the common dtype."""
    shared = ops.result_type(x, y)
    return ops.matmul(x.to(shared), y.to(shared))


ONE: dict[str, Callable[..., Any]] = {
    "absolute": ops.abs, "arccos": ops.acos, "arccosh": ops.acosh, "arcsin": ops.asin,
    "arcsinh": ops.asinh, "arctan": ops.atan, "arctanh": ops.atanh, "cbrt": cbrt,
    "ceil": ops.ceil, "conjugate": ops.conj, "cos": ops.cos, "cosh": ops.cosh,
    "deg2rad": ops.deg2rad, "degrees": ops.rad2deg, "exp": ops.exp, "exp2": ops.exp2,
    "expm1": ops.expm1, "fabs": magnitude, "floor": ops.floor, "frexp": parts.frexp,
    "invert": ops.bitwise_not, "isfinite": ops.isfinite, "isinf": ops.isinf, "isnan": ops.isnan,
    "log": ops.log, "log10": ops.log10, "log1p": ops.log1p, "log2": ops.log2,
    "logical_not": ops.logical_not, "modf": modf, "negative": ops.neg, "positive": ops.positive,
    "rad2deg": ops.rad2deg, "radians": ops.deg2rad, "reciprocal": ops.reciprocal, "rint": rint,
    "sign": ops.sgn, "signbit": ops.signbit, "sin": ops.sin, "sinh": ops.sinh, "sqrt": ops.sqrt,
    "square": ops.square, "tan": ops.tan, "tanh": ops.tanh, "trunc": ops.trunc,
}  # fmt: skip

TWO: dict[str, Callable[..., Any]] = {
    "add": ops.add, "arctan2": ops.atan2, "bitwise_and": ops.bitwise_and,
    "bitwise_or": ops.bitwise_or, "bitwise_xor": ops.bitwise_xor, "copysign": ops.copysign,
    "divide": ops.true_divide, "divmod": divmod, "equal": ops.eq, "float_power": ops.float_power,
    "floor_divide": ops.floor_divide, "fmax": ops.fmax, "fmin": ops.fmin, "fmod": ops.fmod,
    "gcd": ops.gcd, "greater": ops.gt, "greater_equal": ops.ge, "heaviside": heaviside,
    "hypot": ops.hypot, "lcm": ops.lcm, "ldexp": ops.ldexp, "left_shift": ops.bitwise_left_shift,
    "less": ops.lt, "less_equal": ops.le, "logaddexp": ops.logaddexp,
    "logaddexp2": ops.logaddexp2, "logical_and": ops.logical_and, "logical_or": ops.logical_or,
    "logical_xor": ops.logical_xor, "matmul": product, "matvec": matvec, "maximum": ops.maximum,
    "minimum": ops.minimum, "multiply": ops.mul, "nextafter": ops.nextafter, "not_equal": ops.ne,
    "power": ops.pow, "remainder": ops.remainder, "right_shift": ops.bitwise_right_shift,
    "subtract": ops.sub, "vecdot": dots, "vecmat": vecmat,
}  # fmt: skip

SCIPY: dict[str, Callable[..., Any]] = {
    "entr": special.entr, "erf": ops.erf, "erfc": ops.erfc, "erfcx": special.erfcx,
    "erfinv": ops.erfinv, "exp2": ops.exp2, "expit": ops.sigmoid, "expm1": ops.expm1,
    "gammainc": special.igamma, "gammaincc": special.igammac, "gammaln": ops.lgamma,
    "i0": bessel.i0, "i0e": bessel.i0e, "i1": bessel.i1, "i1e": bessel.i1e, "j0": bessel.bessel_j0,
    "j1": bessel.bessel_j1, "log1p": ops.log1p, "log_ndtr": special.log_ndtr, "logit": ops.logit,
    "ndtr": special.ndtr, "ndtri": special.ndtri, "psi": ops.digamma, "xlog1py": special.xlog1py,
    "xlogy": ops.xlogy, "y0": bessel.bessel_y0, "y1": bessel.bessel_y1,
}  # fmt: skip

# By the library and the name of a ufunc.
UFUNCS = {
    "numpy": ONE | TWO,
    "scipy.special": SCIPY,
}
