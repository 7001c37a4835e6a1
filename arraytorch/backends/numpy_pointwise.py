"""Elementwise kernels of NumPy arrays where there is a faster way than the obvious ufunc.

Large arrays are computed in blocks, in which a chain of ufuncs stays in the cache, and which threads
share. What has a compiled kernel takes one pass instead, where numba is installed.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from . import numpy_arithmetic
from . import numpy_few as few
from . import numpy_passes as passes
from .activation import ActivationKernels
from .compiled import MANY as _MANY
from .compiled import kernels
from .numpy_numbers import ZERO, nonzero, number
from .pointwise import PointwiseKernels
from .sharing import LARGE, alike, blocked, blockwise, rowwise, shared, shared_one, shared_pair

_SINGLE, _maximum = np.dtype(np.float32), np.maximum
_SOME = 512  # elements from which a pass takes longer than to begin it
_NOUGHT = ZERO[_SINGLE]


def _few(x: Any) -> bool:
    """Whether x holds few ordinary real numbers, and is an array that can be written to."""
    return 0 < x.size < _MANY and x.dtype.char in "fd" and x.ndim > 0


def _plain(x: Any) -> bool:
    """Whether x is a large contiguous array of float32."""
    return x.dtype.char == "f" and x.size >= _MANY and x.flags.c_contiguous


_compiled = partial(blocked, topic="pointwise")


def _large_rows(x: Any) -> bool:
    """Whether x is a large array of float32 in C order, its rows perhaps apart: copying it costs a pass."""
    if x.dtype.char != "f" or x.size < _MANY:
        return False
    steps = x.strides
    return x.flags.c_contiguous or steps[-1] == 4 and all(a >= b for a, b in zip(steps, steps[1:]))


_PAIRS = frozenset({"add", "sub", "mul", "div", "maximum", "minimum", "atan2"})
_COMPARISONS = frozenset({"eq", "ne", "lt", "le", "gt", "ge"})
_ONES = frozenset({"neg", "abs", "square", "floor", "ceil", "trunc", "round"})
_TESTS = frozenset({"isnan", "isinf", "isfinite", "signbit"})


def _slope_of_gap(self: Any, x: Any, y: Any, g: Any, *numbers: Any) -> Any:
    return ActivationKernels.gap_backward(self, g, x, y, *numbers)


class NumpyPointwiseKernels(ActivationKernels, PointwiseKernels):
    """Overrides for large arrays; what is small or of other types mostly goes the generic way."""

    def __init__(self, xp: Any) -> None:
        super().__init__(xp)
        self.pow, self.where = numpy_arithmetic.power, _where
        self.hypot, self.copysign = numpy_arithmetic.hypot, numpy_arithmetic.copysign
        self.logical_not = _logical_not
        self.relu = _relu  # type: ignore[method-assign]  # with `out`, in place
        self.exp, self.exp2, self.expm1 = shared(xp.exp), shared(xp.exp2), shared(xp.expm1)
        self.log, self.log2 = shared(xp.log), shared(xp.log2)
        self.log10, self.log1p = shared(xp.log10), shared(xp.log1p)
        self.sin, self.cos, self.tan = shared(xp.sin), shared(xp.cos), shared(xp.tan)
        self.asin, self.acos, self.atan = shared(xp.arcsin), shared(xp.arccos), shared(xp.arctan)
        self.sinh, self.cosh, self.tanh = shared(xp.sinh), shared(xp.cosh), shared(xp.tanh)
        self.asinh, self.acosh = shared(xp.arcsinh), shared(xp.arccosh)
        self.atanh, self.sqrt = shared(xp.arctanh), shared(xp.sqrt)

    def share_arithmetic(self) -> frozenset[str]:
        """Has threads share the plain arithmetic of large arrays as well; returns the kernels' names."""
        for name in _PAIRS | _COMPARISONS:
            setattr(self, name, shared_pair(getattr(self, name), name in _COMPARISONS))
        for name in _ONES | _TESTS:
            setattr(self, name, shared_one(getattr(self, name), name in _TESTS))
        return _PAIRS | _COMPARISONS | _ONES | _TESTS

    def clamp(self, x: Any, low: Any, high: Any) -> Any:
        if not x.ndim:  # NumPy makes scalars of 0-d arrays, which cannot be written to
            return np.asarray(super().clamp(x, low, high))
        if x.size < _MANY:
            if x.size >= _SOME and x.dtype.char in "fd":
                return self._clamp_some(x, low, high)
            if low.__class__ is float or low.__class__ is int:
                x = np.maximum(x, nonzero(low, x.dtype) if low else number(low, x.dtype))
            elif low is not None:
                x = np.maximum(x, low)
            if high.__class__ is float or high.__class__ is int:
                return np.minimum(x, nonzero(high, x.dtype) if high else number(high, x.dtype))
            return x if high is None else np.minimum(x, high)
        if x.dtype.char not in "fd":
            return super().clamp(x, low, high)
        if not all(b is None or isinstance(b, (int, float)) for b in (low, high)):
            return super().clamp(x, low, high)
        infinity = few.INFINITY[x.dtype]
        low = -infinity if low is None else number(low, x.dtype)
        return _clipped(x, low, infinity if high is None else number(high, x.dtype))

    def _clamp_some(self, x: Any, low: Any, high: Any) -> Any:
        """In one pass, which takes a third of the time of maximum and minimum."""
        dtype = x.dtype
        if low.__class__ is float or low.__class__ is int:
            low = number(low, dtype)
        if high.__class__ is float or high.__class__ is int:
            high = number(high, dtype)
        infinity = few.INFINITY[dtype]
        return few.clip(x, -infinity if low is None else low, infinity if high is None else high)

    def lerp(self, x: Any, y: Any, weight: float) -> Any:
        if x.size >= _MANY:
            return self._lerp(x, y, weight)
        if not x.ndim or not y.ndim or x.dtype.itemsize == 2:
            return super().lerp(x, y, weight)
        near = abs(weight) < 0.5
        span = y - x
        factor = weight if near else 1 - weight
        np.multiply(span, nonzero(factor, x.dtype) if factor else number(factor, x.dtype), span)
        return np.add(x, span, span) if near else np.subtract(y, span, span)

    def sign(self, x: Any) -> Any:
        if x.dtype.char not in "fd":
            return super().sign(x)
        if _plain(x) and (compiled := kernels("pointwise")) is not None:
            return compiled.sign(x)
        if _plain(x):
            return _computed(passes.sign, x)
        if x.size < _MANY and x.ndim:  # a third of the time
            z = np.sign(x)
            nan = z != z
            if np.count_nonzero(nan):
                z[nan] = 0
            return z
        return np.subtract((x > 0).view(np.int8), (x < 0).view(np.int8)).astype(x.dtype)

    def nan_to_num(self, x: Any, nan: float, posinf: float, neginf: float) -> Any:
        generic = super().nan_to_num  # type: ignore[misc]
        if not _plain(x):
            if x.ndim and x.dtype.char in "fd" and np.count_nonzero(np.isfinite(x)) == x.size:
                return x.copy()
            return generic(x, nan, posinf, neginf)
        if (compiled := kernels("pointwise")) is not None:
            return compiled.nan_to_num(x, nan, posinf, neginf)

        def part(x: Any, out: Any) -> None:
            ordinary = np.isfinite(x).all()
            out[...] = x if ordinary else generic(x, nan, posinf, neginf)

        return _computed(part, x)

    def masked_fill(self, x: Any, mask: Any, value: Any) -> Any:
        return self.settled(_where(mask, np.asarray(value, x.dtype), x))

    def sigmoid(self, x: Any) -> Any:
        if _few(x):
            return few.sigmoid(x)
        if not x.ndim or x.dtype.char not in "fd":
            return super().sigmoid(x)
        if _large_rows(x) and (compiled := kernels("pointwise")) is not None:
            return compiled.sigmoids(np.ascontiguousarray(x))
        if not x.flags.c_contiguous:
            return super().sigmoid(x)
        return _computed(passes.sigmoid, x)

    def elu(self, x: Any, alpha: float, scale: float, rate: float) -> Any:
        if _few(x):
            return few.elu(x, alpha, scale, rate)
        return self._elu(x, alpha, scale, rate)

    @_compiled
    def _elu(self, x: Any, alpha: float, scale: float, rate: float) -> Any:
        if not x.ndim or x.dtype.char not in "fd":
            return super().elu(x, alpha, scale, rate)
        left, right = self.clamp(x, None, 0), self.clamp(x, 0, None)
        if rate != 1:
            left *= rate
        np.expm1(left, out=left)
        if alpha * scale != 1:
            left *= number(alpha * scale, x.dtype)
        if scale != 1:
            right *= number(scale, x.dtype)
        right += left
        return right

    def softplus(self, x: Any, beta: float, threshold: float) -> Any:
        if _few(x):
            return few.softplus(x, beta, threshold)
        return self._softplus(x, beta, threshold)

    @_compiled
    def _softplus(self, x: Any, beta: float, threshold: float) -> Any:
        if not x.ndim or x.dtype.char not in "fd":
            return super().softplus(x, beta, threshold)
        scaled = x if beta == 1 else x * number(beta, x.dtype)
        soft = self.clamp(scaled, None, threshold)
        np.exp(soft, out=soft)
        np.log1p(soft, out=soft)
        if beta != 1:
            soft /= number(beta, x.dtype)
        np.copyto(soft, x, where=np.greater(scaled, number(threshold, x.dtype)))
        return soft

    def logsigmoid(self, x: Any) -> Any:
        return few.logsigmoid(x) if _few(x) else self._logsigmoid(x)

    def mish(self, x: Any) -> Any:
        if _few(x):
            return few.mish(x)
        return _computed(passes.mish, x) if _plain(x) else self._mish(x)

    def binary_cross_entropy(self, x: Any, target: Any) -> Any:
        if _few(x) and target.dtype is x.dtype and target.shape == x.shape:
            return few.binary_cross_entropy(x, target)
        return self._binary_cross_entropy(x, target)

    def hardshrink(self, x: Any, size: float) -> Any:
        return few.hardshrink(x, size) if _few(x) else super().hardshrink(x, size)

    def threshold(self, x: Any, least: float, value: float) -> Any:
        if _few(x):
            return few.threshold(x, least, value)
        return super().threshold(x, least, value)

    def outside(self, g: Any, x: Any, low: float, high: float, value: float) -> Any:
        if not (_plain(x) and _plain(g) and g.shape == x.shape):
            return self._outside(g, x, low, high, value)
        if (compiled := kernels("pointwise")) is not None:
            return compiled.outside(g, x, low, high, value)
        least, most, other = passes.numbers(low, high, value)
        if low == -math.inf:
            least = None
        return _computed(lambda g, x, to: passes.outside(g, x, least, most, other, to), g, x)

    def relu_backward(self, g: Any, out: Any) -> Any:
        if out.size < _MANY or not (_plain(out) and _plain(g) and g.shape == out.shape):
            return g * self.step(out)
        return self.outside(g, out, -math.inf, 0.0, 0.0)

    def leaky_relu(self, x: Any, slope: float) -> Any:
        if _few(x):
            return few.leaky_relu(x, slope)
        if _plain(x) and (compiled := kernels("pointwise")) is not None:
            return compiled.leaky_relu(x, slope)
        if x.dtype.char not in "fd" or not x.ndim or not 0 < slope <= 1:
            return self._leaky_relu(x, slope)
        rate = number(slope, x.dtype)
        if not _plain(x):
            return np.maximum(x, x * rate)

        def part(x: Any, out: Any) -> None:
            np.multiply(x, rate, out=out)
            np.maximum(x, out, out=out)

        return _computed(part, x)

    def leaky_relu_backward(self, g: Any, x: Any, slope: float) -> Any:
        if _plain(x) and _plain(g) and (compiled := kernels("pointwise")) is not None:
            return compiled.leaky_relu_backward(g, x, slope)
        if not (_plain(x) and _plain(g)):
            return self._leaky_relu_backward(g, x, slope)
        rate = number(slope, x.dtype)
        step = passes.step_to_one(rate)
        return _computed(lambda x, g, to: passes.leaky_slope(x, g, rate, step, to), x, g)

    def silu(self, x: Any) -> Any:
        if _few(x):
            return few.silu(x)
        if _plain(x) and (compiled := kernels("pointwise")) is not None:
            return compiled.silu(x)
        if x.size < _MANY or x.dtype.char not in "fd" or not x.flags.c_contiguous:
            return super().silu(x)
        return _computed(passes.silu, x)

    def silu_backward(self, g: Any, x: Any) -> Any:
        if _plain(x) and _plain(g) and (compiled := kernels("pointwise")) is not None:
            return compiled.silu_backward(g, x)
        if _plain(x) and _plain(g):
            return _computed(passes.silu_slope, x, g)
        return self._silu_backward(g, x)

    def hardsigmoid(self, x: Any) -> Any:
        if _few(x):
            return few.hardsigmoid(x)
        if not _plain(x):
            return super().hardsigmoid(x)
        if (compiled := kernels("pointwise")) is not None:
            return compiled.hardsigmoid(x)
        return _computed(passes.hardsigmoid, x)

    def hardswish(self, x: Any) -> Any:
        if _few(x):
            return few.hardswish(x)
        if not _plain(x):
            return super().hardswish(x)
        if (compiled := kernels("pointwise")) is not None:
            return compiled.hardswish(x)
        return _computed(passes.hardswish, x)

    def hardswish_backward(self, g: Any, x: Any) -> Any:
        if _plain(x) and _plain(g) and (compiled := kernels("pointwise")) is not None:
            return compiled.hardswish_backward(g, x)
        if not (_plain(x) and _plain(g)):
            return self._hardswish_backward(g, x)
        generic = super().hardswish_backward

        def part(x: Any, g: Any, out: Any) -> None:
            if not passes.hardswish_slope(x, g, out):
                out[...] = generic(g, x)

        return _computed(part, x, g)

    def glu(self, x: Any, dim: int) -> Any:
        if not _plain(x):
            return super().glu(x, dim)
        shape = (*x.shape[:dim], x.shape[dim] // 2, *x.shape[dim + 1 :])
        out = np.empty(shape, x.dtype)
        n = math.prod(shape[:dim])
        rows, to = x.reshape(n, 2, -1), out.reshape(n, -1)
        if (own := kernels("lines")) is not None:
            own.glu(rows, to)
        else:
            rowwise(passes.glu, to, rows)
        return out

    def glu_backward(self, g: Any, x: Any, dim: int) -> Any:
        if not (_plain(x) and _plain(g)):
            return super().glu_backward(g, x, dim)
        out = np.empty_like(x)
        n = math.prod(x.shape[:dim])
        rows, to, slopes = x.reshape(n, 2, -1), out.reshape(n, 2, -1), g.reshape(n, -1)
        if (own := kernels("lines")) is not None:
            own.glu_backward(slopes, rows, to)
        else:
            rowwise(passes.glu_slopes, rows, to, slopes)
        return out

    def gap(self, x: Any, y: Any, kind: str, delta: float, scale: float) -> Any:
        if x.size < _MANY:
            return super().gap(x, y, kind, delta, scale)
        if not (_plain(x) and alike(y, x)) or (own := kernels("pointwise")) is None:
            return self._gap(x, y, kind, delta, scale)
        if kind == "huber":
            return own.huber_gap(x, y, delta, scale)
        return own.squared_gap(x, y) if kind == "square" else own.gap(x, y)

    def gap_backward(self, g: Any, x: Any, y: Any, kind: str, delta: float, scale: float) -> Any:
        if x.size < _MANY:
            return super().gap_backward(g, x, y, kind, delta, scale)
        if any(g.strides) or g.dtype is not x.dtype:
            return self._gap_backward(x, y, g, kind, delta, scale)
        one = g[(0,) * g.ndim]  # as from a mean, whose gradient is the same everywhere
        if not (_plain(x) and alike(y, x)) or (own := kernels("pointwise")) is None:
            return self._gap_backward_of_one(x, y, one, kind, delta, scale)
        if kind == "size":
            return own.slope_of_gap(x, y, one)
        return own.slope_of_huber_gap(x, y, one, delta, scale)

    def huber(self, x: Any, delta: float, scale: float) -> Any:
        if _plain(x) and (compiled := kernels("pointwise")) is not None:
            return compiled.huber(x, delta, scale)
        if not _plain(x):
            return self._huber(x, delta, scale)
        least, most, half, share = passes.numbers(-delta, delta, -0.5, scale)

        def part(x: Any, out: Any) -> None:
            near = x.clip(least, most)
            np.multiply(near, half, out=out)
            out += x
            out *= near
            if scale != 1:
                out *= share

        return _computed(part, x)

    def softshrink(self, x: Any, size: float) -> Any:
        if _few(x):
            return few.softshrink(x, size)
        if not _plain(x):
            return super().softshrink(x, size)
        if (compiled := kernels("pointwise")) is not None:
            return compiled.softshrink(x, size)
        low, high = passes.numbers(-size, size)

        def part(x: Any, out: Any) -> None:
            x.clip(low, high, out=out)
            np.subtract(x, out, out=out)

        return _computed(part, x)

    def logaddexp(self, x: Any, y: Any) -> Any:
        return super().logaddexp(x, y) if x.dtype.kind == "c" else numpy_arithmetic.logaddexp(x, y)

    def erf(self, x: Any) -> Any:
        if not _plain(x):
            large = x.dtype.char == "d" and x.size >= _MANY and x.flags.c_contiguous
            own = kernels("special") if large else None
            return self._erf(x) if own is None else own.erf(x)
        return _computed(lambda x, y: passes.tanh_of(x, passes.ERF, y, np.empty_like(x)), x)

    def gelu(self, x: Any, approximate: str) -> Any:
        if approximate == "tanh" and _few(x):
            return few.gelu_tanh(x)
        if not _plain(x):
            return self._gelu(x, approximate)
        if (compiled := kernels("pointwise")) is not None:
            return compiled.gelu(x, approximate)
        return _computed(passes.gelu if approximate == "none" else passes.gelu_tanh, x)

    def gelu_backward(self, g: Any, x: Any, approximate: str) -> Any:
        if not (_plain(x) and _plain(g)):
            return self._gelu_backward(g, x, approximate)
        if (compiled := kernels("pointwise")) is not None:
            return compiled.gelu_backward(g, x, approximate)
        return _computed(
            passes.gelu_slope if approximate == "none" else passes.gelu_tanh_slope, x, g
        )

    # the generic formulas, in blocks
    _gap = blocked(ActivationKernels.gap, 2, into=passes.gap)
    _gap_backward = blocked(_slope_of_gap, 3, into=passes.slope_of_gap)
    _gap_backward_of_one = blocked(_slope_of_gap, 2, into=passes.slope_of_gap)
    _lerp = _compiled(PointwiseKernels.lerp, 2, into=passes.lerp)
    addcmul = _compiled(PointwiseKernels.addcmul, 3, into=passes.addcmul)
    addcdiv = _compiled(PointwiseKernels.addcdiv, 3, into=passes.addcdiv)
    frac = _compiled(PointwiseKernels.frac, into=passes.frac)
    within = _compiled(ActivationKernels.within, 2, into=passes.within)
    _leaky_relu = blocked(ActivationKernels.leaky_relu)
    _leaky_relu_backward = blocked(ActivationKernels.leaky_relu_backward, 2)
    _silu_backward = blocked(ActivationKernels.silu_backward, 2)
    _gelu = blocked(ActivationKernels.gelu)
    _gelu_backward = blocked(ActivationKernels.gelu_backward, 2)
    _outside = blocked(ActivationKernels.outside, 2)
    elu_backward = _compiled(ActivationKernels.elu_backward, 2)
    _logsigmoid = _compiled(ActivationKernels.logsigmoid)
    _binary_cross_entropy = blocked(ActivationKernels.binary_cross_entropy, 2)
    _mish = blocked(ActivationKernels.mish)
    mish_backward = blocked(ActivationKernels.mish_backward, 2)
    _hardswish_backward = blocked(ActivationKernels.hardswish_backward, 2)
    _huber = blocked(ActivationKernels.huber)
    _erf = blocked(PointwiseKernels.erf)
    rsqrt = _compiled(PointwiseKernels.rsqrt)
    reciprocal = _compiled(PointwiseKernels.reciprocal)


def _computed(kernel: Any, *arrays: Any) -> Any:
    """What an elementwise kernel writes into its last argument."""
    out = np.empty(arrays[0].shape, arrays[0].dtype)
    blockwise(kernel, *arrays, out)
    return out


def _clipped(x: Any, low: Any, high: Any, out: Any = None) -> Any:
    """x within bounds, which are 0-d arrays."""
    if x.size < LARGE or not x.flags.c_contiguous or out is not None and out is not x:
        return few.clip(x, low, high, out)
    if x.dtype.char == "f" and low <= high and (compiled := kernels("pointwise")) is not None:
        return (compiled.clamp if out is None else compiled.clamp_in_place)(x, low, high)
    if out is None:
        out = np.empty(x.shape, x.dtype)
    blockwise(lambda x, out: few.clip(x, low, high, out), x, out)
    return out


def _logical_not(x: Any, out: Any = None) -> Any:
    """Of many numbers a comparison with 0: a fifth of the ufunc's time."""
    if x.size < _MANY or x.dtype.char not in "fd" or out is not None:
        return np.logical_not(x) if out is None else np.logical_not(x, out)
    return np.equal(x, ZERO[x.dtype])


_logical_not.nin = 1  # type: ignore[attr-defined]


def _relu(x: Any, out: Any = None) -> Any:
    dtype = x.dtype
    # A 0-d array as an operand takes 0.2 us less than a Python number.
    zero = _NOUGHT if dtype is _SINGLE else ZERO[dtype]
    if x.size >= _SOME and dtype.char in "fd":  # a third of maximum's time
        infinity = few.INFINITY[dtype]
        if x.size >= _MANY:
            return _clipped(x, zero, infinity, out)
        return few.clip(x, zero, infinity, out)
    return _maximum(x, zero) if out is None else _maximum(x, zero, out=out)


_relu.nin = 1  # type: ignore[attr-defined]  # what the in-place forms know ufuncs by


def _where(condition: Any, x: Any, y: Any) -> Any:
    """np.where, but by masks of bits: branches that nothing predicts take ten times as long."""
    if (
        condition.size < _MANY
        or condition.dtype.char != "?"
        or not condition.flags.c_contiguous
        or not (z := _alike(condition, x, y))
    ):
        return np.where(condition, x, y)
    x, y = z
    if max(x.size, y.size) > 1 and (compiled := kernels("pointwise")) is not None:
        return compiled.where(condition, x, y)
    whole = np.int32 if x.dtype.itemsize == 4 else np.int64
    out: Any = np.empty(condition.shape, x.dtype)
    many = [v.view(whole) for v in (x, y) if v.size != 1]
    one = [v.reshape(()).view(whole) for v in (x, y) if v.size == 1]

    def choose(chosen: Any, to: Any, *given: Any) -> None:
        a, b = given if len(given) == 2 else (*given, *one) if x.size != 1 else (*one, *given)
        if not b.ndim and not b:
            to[...] = chosen
            np.negative(to, out=to)
            to &= a
            return
        if not a.ndim and not a:
            to[...] = chosen
            to -= 1
            to &= b
            return
        mask = chosen.astype(whole)
        np.negative(mask, out=mask)
        np.bitwise_xor(a, b, out=to)
        to &= mask
        to ^= b

    blockwise(choose, condition.view(np.int8), out.view(whole), *many)
    return out


def _alike(condition: Any, x: Any, y: Any) -> tuple[Any, Any] | None:
    """x and y as arrays of one type, contiguous and as large as the condition, or of one element."""
    kinds = [v.dtype for v in (x, y) if isinstance(v, np.ndarray)]
    if not kinds or kinds[0].itemsize not in (4, 8) or kinds[0].kind not in "fi":
        return None
    made = []
    for v in (x, y):
        if not isinstance(v, np.ndarray):
            # A number takes on the array's type, unless it is of a higher kind or does not fit.
            if v.__class__ not in (int, float) or kinds[0].kind != "f":
                return None
            v = np.array(v, kinds[0])
        if v.dtype is not kinds[0] or not v.flags.c_contiguous:
            return None
        if v.size != 1 and v.shape != condition.shape or v.ndim > condition.ndim:
            return None
        made.append(v)
    return made[0], made[1]
