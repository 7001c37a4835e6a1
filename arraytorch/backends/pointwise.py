"""Elementwise kernels: which function of an array library computes which op."""

from __future__ import annotations

from functools import wraps
from typing import Any

from .dtypes import largest


def rounded_once(arrays: int) -> Any:
    """Has a kernel of so many arrays, and then numbers, compute floats of 16 bits in float32."""

    def attach(kernel: Any) -> Any:
        @wraps(kernel)
        def method(self: Any, x: Any, *others: Any) -> Any:
            if x.dtype.itemsize != 2 or x.dtype.kind in "iu":
                return kernel(self, x, *others)
            wide = [self._widened(a) for a in (x, *others[: arrays - 1])]
            return self.cast(kernel(self, *wide, *others[arrays - 1 :]), x.dtype)

        return method

    return attach


class PointwiseKernels:
    """Elementwise kernels over the namespace ``xp``; most are its ufuncs, called with no detour."""

    xp: Any
    double: Any
    cast: Any
    _widened: Any

    def __init__(self, xp: Any) -> None:
        self.xp = xp
        self.add, self.sub, self.mul, self.div = xp.add, xp.subtract, xp.multiply, xp.true_divide
        self.floor_divide, self.remainder, self.fmod = xp.floor_divide, xp.remainder, xp.fmod
        self.pow, self.neg, self.square, self.sqrt = xp.power, xp.negative, xp.square, xp.sqrt
        self.abs, self.positive = xp.absolute, xp.positive
        self.floor, self.ceil, self.trunc, self.round = xp.floor, xp.ceil, xp.trunc, xp.rint
        self.exp, self.exp2, self.expm1 = xp.exp, xp.exp2, xp.expm1
        self.log, self.log2, self.log10, self.log1p = xp.log, xp.log2, xp.log10, xp.log1p
        self.sin, self.cos, self.tan = xp.sin, xp.cos, xp.tan
        self.asin, self.acos, self.atan = xp.arcsin, xp.arccos, xp.arctan
        self.sinh, self.cosh, self.tanh = xp.sinh, xp.cosh, xp.tanh
        self.asinh, self.acosh, self.atanh = xp.arcsinh, xp.arccosh, xp.arctanh
        self.atan2, self.hypot, self.copysign = xp.arctan2, xp.hypot, xp.copysign
        self.logaddexp2 = xp.logaddexp2
        self.maximum, self.minimum, self.fmax, self.fmin = xp.maximum, xp.minimum, xp.fmax, xp.fmin
        self.eq, self.ne, self.lt = xp.equal, xp.not_equal, xp.less
        self.le, self.gt, self.ge = xp.less_equal, xp.greater, xp.greater_equal
        self.logical_and, self.logical_or = xp.logical_and, xp.logical_or
        self.logical_xor, self.logical_not = xp.logical_xor, xp.logical_not
        self.bitwise_and, self.bitwise_or = xp.bitwise_and, xp.bitwise_or
        self.bitwise_xor, self.bitwise_not = xp.bitwise_xor, xp.invert
        self.bitwise_left_shift, self.bitwise_right_shift = xp.left_shift, xp.right_shift
        self.isnan, self.isinf, self.isfinite = xp.isnan, xp.isinf, xp.isfinite
        self.signbit, self.where = xp.signbit, xp.where
        self.nextafter, self.gcd, self.lcm = xp.nextafter, xp.gcd, xp.lcm

    def sign(self, x: Any) -> Any:
        """-1, 0 or 1, and 0 of NaN; of bools themselves."""
        if x.dtype.kind in "iu":
            return self.xp.sign(x)
        return x.copy() if x.dtype.kind == "b" else (x > 0).astype(x.dtype) - (x < 0)

    def heaviside(self, x: Any, values: Any) -> Any:
        """0 below 0 and for NaN, 1 above, and ``values`` at 0."""
        # of fmax's arguments NaN is the lesser; NumPy's own result for it would be NaN
        return self.xp.heaviside(x if x.dtype.kind in "biu" else self.xp.fmax(x, -1), values)

    def integer_pow(self, x: Any, y: Any) -> Any:
        """x ** y of integers; a negative power, which `pow` refuses, gives 0 unless x is 1 or -1."""
        xp = self.xp
        of_unit = xp.where(y % 2 == 0, x * x, x)
        inverse = xp.where(xp.abs(x) == 1, of_unit, 0)
        return xp.where(y < 0, inverse, xp.power(x, xp.maximum(y, 0))).astype(x.dtype)

    def reciprocal(self, x: Any) -> Any:
        """1 / x, also for integers, where NumPy's own would stay an integer."""
        return 1 / x

    def trunc_divide(self, x: Any, y: Any) -> Any:
        """x / y rounded to zero; exact for integers, whose quotient a float may not hold."""
        if x.dtype.kind not in "iu":
            return self.xp.trunc(x / y)
        q = self.xp.floor_divide(x, y)
        return q + ((q < 0) & (q * y != x))

    @rounded_once(1)
    def rsqrt(self, x: Any) -> Any:
        """1 / sqrt(x)."""
        return 1 / self.xp.sqrt(x)

    @rounded_once(1)
    def sigmoid(self, x: Any) -> Any:
        """1 / (1 + exp(-x)); exp may overflow to infinity, which gives the right 0."""
        return 1 / (1 + self.xp.exp(-x))

    def relu(self, x: Any) -> Any:
        """max(x, 0), with NaN kept."""
        return self.xp.maximum(x, 0)

    def logaddexp(self, x: Any, y: Any) -> Any:
        """log(exp(x) + exp(y)), from the number with the larger real part on."""
        xp = self.xp
        if x.dtype.kind != "c":
            return xp.logaddexp(x, y)
        first = x.real >= y.real
        high, low = xp.where(first, x, y), xp.where(first, y, x)
        return high + xp.log1p(xp.exp(xp.where(high == low, 0, low - high)))

    def conj(self, x: Any) -> Any:
        """The complex conjugate, of a Python number too; a real array comes back as it is."""
        try:
            return self.xp.conjugate(x) if x.dtype.kind == "c" else x
        except AttributeError:  # a Python number
            return x.conjugate()

    def real(self, x: Any) -> Any:
        """The real part, as a view of a complex array."""
        return x.real if x.dtype.kind == "c" else x

    def imag(self, x: Any) -> Any:
        """The imaginary part of a complex array, as a view."""
        return x.imag

    def complex(self, real: Any, imag: Any) -> Any:
        """real + i imag, keeping infinities and signed zeros apart."""
        xp = self.xp
        shape = xp.broadcast_shapes(real.shape, imag.shape)
        out = xp.empty(shape, "c8" if real.dtype.itemsize <= 4 else "c16")
        out.real, out.imag = real, imag
        return out

    def real_pairs(self, x: Any) -> Any:
        """A complex array as a view of reals, with a last dimension of size 2."""
        part = x.real.dtype
        return x[..., None].view(part)

    def angle(self, x: Any) -> Any:
        """The argument of a complex number; pi for negative reals."""
        # a real zero has the argument 0, whatever its sign
        out = self.xp.angle(x if x.dtype.kind in "biuc" else x + 0.0)
        return out if x.dtype.kind in "biuc" else out.astype(x.dtype, copy=False)

    def clamp(self, x: Any, low: Any, high: Any) -> Any:
        """min(max(x, low), high), where either bound may be None; NaN in x or a bound stays."""
        if low is not None:
            x = self.xp.maximum(x, low)
        return x if high is None else self.xp.minimum(x, high)

    @rounded_once(2)
    def add_scaled(self, x: Any, y: Any, alpha: float) -> Any:
        """x + alpha y."""
        return x + y * alpha

    @rounded_once(2)
    def lerp(self, x: Any, y: Any, weight: float) -> Any:
        """x + weight (y - x), from the nearer end, which keeps the ends themselves exact."""
        span = y - x
        return x + span * weight if abs(weight) < 0.5 else y - span * (1 - weight)

    @rounded_once(3)
    def addcmul(self, x: Any, y: Any, z: Any, value: float) -> Any:
        """x + value y z."""
        product = y * z
        return x + (product if value == 1 else product * value)

    @rounded_once(3)
    def addcdiv(self, x: Any, y: Any, z: Any, value: float) -> Any:
        """x + value y / z."""
        quotient = y / z
        return x + (quotient if value == 1 else quotient * value)

    def frac(self, x: Any) -> Any:
        """x without its integer part."""
        return x - self.xp.trunc(x)

    def step(self, x: Any) -> Any:
        """0 where x <= 0, else 1, NaN too, in x's own type: the slope of relu, which is 0 at 0."""
        return (~(x <= 0)).astype(x.dtype)

    def relu_backward(self, g: Any, out: Any) -> Any:
        """g where the result of relu is positive, also for NaN, else 0."""
        return g * self.step(out)

    def largest(self, dtype: Any) -> float:
        """The largest finite number of a floating-point type."""
        return largest(dtype)

    def sgn(self, x: Any) -> Any:
        """x / |x|, and 0 for 0."""
        if x.dtype.kind != "c":
            return self.sign(x)
        size = self.xp.absolute(x)
        return self.xp.where(size == 0, 0, x / self.xp.where(size == 0, 1, size)).astype(x.dtype)

    def erf(self, x: Any) -> Any:
        """The error function."""
        return self._special("erf", x)

    def erfc(self, x: Any) -> Any:
        """1 - erf(x)."""
        return self._special("erfc", x)

    def erfinv(self, x: Any) -> Any:
        """The inverse of erf."""
        return self._special("erfinv", x)

    def lgamma(self, x: Any) -> Any:
        """The logarithm of the absolute value of the gamma function; of -inf, too, infinity."""
        z = self._special("gammaln", x)
        return self.xp.where(x == -self.xp.inf, self.xp.inf, z).astype(z.dtype, copy=False)

    def digamma(self, x: Any) -> Any:
        """The derivative of lgamma; -inf at 0 and NaN at negative integers, as in PyTorch."""
        out = self._special("psi", x)
        zero = self.xp.copysign(self.xp.asarray(self.xp.inf, out.dtype), -x)
        wide = self.xp.where(x == 0, zero, out)
        return self.xp.where((x < 0) & (x == self.xp.floor(x)), self.xp.nan, wide).astype(out.dtype)

    def polygamma(self, n: int, x: Any) -> Any:
        """The nth derivative of digamma."""
        wide = x if x.dtype.itemsize >= 4 else x.astype("f4")
        return self._special_namespace().polygamma(n, wide).astype(x.dtype)

    def _special(self, name: str, x: Any) -> Any:
        function = getattr(self._special_namespace(), name)
        if x.dtype.kind in "fc" and x.dtype.itemsize >= 4:
            return function(x)
        if x.dtype.kind in "biu":
            return function(x.astype(self.double))  # the dispatcher asks again with a floating type
        return function(x.astype("f4")).astype(x.dtype)

    def _special_namespace(self) -> Any:
        """scipy.special or the vendor's equal, imported when first needed."""
        raise NotImplementedError
