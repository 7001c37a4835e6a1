"""The sample table, elementwise ops: one line per op. See `sample.sample` for what a row says."""

from __future__ import annotations

import numpy as np
import samples_fft
import samples_functional
import samples_linalg
import samples_masked
import samples_nn
import samples_recurrent
import samples_shape
import samples_special
import samples_vision
from sample import ALL, BOOL, COMPLEX, FLOAT, INT, REAL, Sample, binary, case, sample, unary
from scipy import special

NUMBERS = INT + REAL + COMPLEX
F_NUMBERS = REAL + COMPLEX
I_REAL = INT + REAL


def _trunc_divide(x, y, rounding_mode):
    return np.trunc(x / y)


def _sgn(x):
    return np.where(x == 0, 0, x / np.where(x == 0, 1, np.abs(x)))


POINTWISE = [
    binary("add", np.add, dtypes=ALL),
    binary("sub", np.subtract, dtypes=NUMBERS),
    binary("rsub", lambda x, y: y - x, dtypes=NUMBERS),
    binary("mul", np.multiply, dtypes=ALL),
    binary("div", np.true_divide, 0.5, 3, dtypes=I_REAL + COMPLEX, result="float"),
    binary("true_divide", np.true_divide, 1, 5, dtypes=BOOL[:0] + I_REAL, result="float"),
    binary("floor_divide", np.floor_divide, 1, 9, dtypes=INT + FLOAT, grad=False),
    sample("div", _trunc_divide, case((2, 3), (3,), rounding_mode="trunc"), low=1, high=9,
           dtypes=INT + FLOAT, grad=False),
    binary("remainder", np.remainder, 1.1, 4.9, dtypes=INT + FLOAT),
    binary("fmod", np.fmod, 1.1, 4.9, dtypes=INT + FLOAT),
    binary("pow", np.power, 0.3, 3, dtypes=I_REAL + COMPLEX),
    binary("float_power", np.float_power, 0.3, 3, dtypes=FLOAT, result=None),
    unary("neg", np.negative, dtypes=NUMBERS),
    unary("positive", np.positive, dtypes=NUMBERS),
    unary("abs", np.abs, dtypes=NUMBERS, result="real"),
    unary("sign", lambda x: np.sign(x + 0), dtypes=BOOL + I_REAL, grad=False),
    unary("sgn", _sgn, dtypes=FLOAT + COMPLEX, gradgrad=False),
    unary("square", np.square, dtypes=NUMBERS),
    unary("sqrt", np.sqrt, 0.2, 4, dtypes=I_REAL + COMPLEX, result="float"),
    unary("rsqrt", lambda x: 1 / np.sqrt(x), 0.3, 4, dtypes=REAL + COMPLEX),
    unary("reciprocal", lambda x: 1 / x, 0.4, 3, dtypes=F_NUMBERS),
    unary("floor", np.floor, dtypes=I_REAL, grad=False),
    unary("ceil", np.ceil, dtypes=I_REAL, grad=False),
    unary("trunc", np.trunc, dtypes=I_REAL, grad=False),
    unary("round", np.round, dtypes=I_REAL, grad=False),
    unary("frac", lambda x: x - np.trunc(x), 0.1, 0.9, dtypes=FLOAT),
    binary("maximum", np.maximum, dtypes=BOOL + I_REAL),
    binary("minimum", np.minimum, dtypes=BOOL + I_REAL),
    binary("fmax", np.fmax, dtypes=BOOL + I_REAL),
    binary("fmin", np.fmin, dtypes=BOOL + I_REAL),
    sample("clamp", np.clip, case((2, 3), args=(-0.5, 1.0)), case((3,), (), (3,)), case((), args=(-1.0, 1.0)),
           dtypes=FLOAT),
    # elementary
    unary("exp", np.exp, dtypes=ALL, result="float"),
    unary("exp2", np.exp2, dtypes=BOOL + I_REAL, result="float"),
    unary("expm1", np.expm1, dtypes=I_REAL, result="float"),
    unary("log", np.log, 0.3, 4, dtypes=I_REAL + COMPLEX, result="float"),
    unary("log2", np.log2, 0.3, 4, dtypes=I_REAL, result="float"),
    unary("log10", np.log10, 0.3, 4, dtypes=I_REAL, result="float"),
    unary("log1p", np.log1p, -0.6, 4, dtypes=I_REAL, result="float"),
    unary("sin", np.sin, dtypes=ALL, result="float"),
    unary("cos", np.cos, dtypes=ALL, result="float"),
    unary("tan", np.tan, -1, 1, dtypes=I_REAL + COMPLEX, result="float"),
    unary("asin", np.arcsin, -0.9, 0.9, dtypes=F_NUMBERS),
    unary("acos", np.arccos, -0.9, 0.9, dtypes=F_NUMBERS),
    unary("atan", np.arctan, -0.9, 0.9, dtypes=I_REAL + COMPLEX, result="float"),
    unary("sinh", np.sinh, dtypes=I_REAL + COMPLEX, result="float"),
    unary("cosh", np.cosh, dtypes=I_REAL + COMPLEX, result="float"),
    unary("tanh", np.tanh, dtypes=I_REAL + COMPLEX, result="float"),
    unary("asinh", np.arcsinh, dtypes=I_REAL, result="float"),
    unary("acosh", np.arccosh, 1.2, 4, dtypes=I_REAL + COMPLEX, result="float"),
    unary("atanh", np.arctanh, -0.9, 0.9, dtypes=F_NUMBERS),
    binary("atan2", np.arctan2, dtypes=I_REAL, result="float"),
    binary("hypot", np.hypot, 0.2, 2, dtypes=REAL),
    binary("copysign", np.copysign, dtypes=I_REAL, result="float"),
    binary("logaddexp", np.logaddexp, dtypes=REAL),
    binary("logaddexp2", np.logaddexp2, dtypes=REAL),
    unary("sigmoid", special.expit, dtypes=I_REAL, result="float"),
    unary("relu", lambda x: np.maximum(x, 0), dtypes=I_REAL),
    unary("erf", special.erf, dtypes=I_REAL, result="float"),
    unary("erfc", special.erfc, dtypes=I_REAL, result="float"),
    unary("erfinv", special.erfinv, -0.9, 0.9, dtypes=REAL),
    unary("lgamma", special.gammaln, 0.3, 4, dtypes=I_REAL, result="float"),
    unary("digamma", special.psi, 0.5, 4, dtypes=I_REAL, result="float"),
    # comparisons, logic, bits: none has a gradient
    binary("eq", np.equal, dtypes=ALL, result="bool", grad=False),
    binary("ne", np.not_equal, dtypes=ALL, result="bool", grad=False),
    binary("lt", np.less, dtypes=BOOL + I_REAL, result="bool", grad=False),
    binary("le", np.less_equal, dtypes=BOOL + I_REAL, result="bool", grad=False),
    binary("gt", np.greater, dtypes=BOOL + I_REAL, result="bool", grad=False),
    binary("ge", np.greater_equal, dtypes=BOOL + I_REAL, result="bool", grad=False),
    binary("logical_and", np.logical_and, dtypes=ALL, result="bool", grad=False),
    binary("logical_or", np.logical_or, dtypes=ALL, result="bool", grad=False),
    binary("logical_xor", np.logical_xor, dtypes=ALL, result="bool", grad=False),
    unary("logical_not", np.logical_not, dtypes=ALL, result="bool", grad=False),
    binary("bitwise_and", np.bitwise_and, dtypes=BOOL + INT, grad=False),
    binary("bitwise_or", np.bitwise_or, dtypes=BOOL + INT, grad=False),
    binary("bitwise_xor", np.bitwise_xor, dtypes=BOOL + INT, grad=False),
    unary("bitwise_not", np.invert, dtypes=BOOL + INT, grad=False),
    binary("bitwise_left_shift", np.left_shift, 0, 3, dtypes=INT, grad=False),
    binary("bitwise_right_shift", np.right_shift, 0, 3, dtypes=INT, grad=False),
    unary("isnan", np.isnan, dtypes=ALL, result="bool", grad=False),
    unary("isinf", np.isinf, dtypes=ALL, result="bool", grad=False),
    unary("isfinite", np.isfinite, dtypes=ALL, result="bool", grad=False),
    unary("signbit", np.signbit, dtypes=I_REAL, result="bool", grad=False),
    # complex numbers
    unary("conj", np.conj, dtypes=FLOAT + COMPLEX),
    unary("conj_physical", np.conj, dtypes=FLOAT + COMPLEX),
    unary("angle", np.angle, 0.2, 2, dtypes=I_REAL + COMPLEX, result="real float"),
    unary("real", np.real, dtypes=COMPLEX, result="real"),
    unary("imag", np.imag, dtypes=COMPLEX, result="real"),
    binary("complex", lambda x, y: x + 1j * y, result=None),
    binary("polar", lambda r, a: r * np.exp(1j * a), 0.3, 2, result=None),
    sample("view_as_real", lambda x: np.stack([x.real, x.imag], -1), ((2, 3),), dtypes=COMPLEX, result="real"),
    sample("view_as_complex", lambda x: x[..., 0] + 1j * x[..., 1], ((3, 2),), result=None,
           strided=False),
]  # fmt: skip

SAMPLES: list[Sample] = [
    *POINTWISE,
    *samples_shape.SAMPLES,
    *samples_linalg.SAMPLES,
    *samples_nn.SAMPLES,
    *samples_special.SAMPLES,
    *samples_fft.SAMPLES,
    *samples_masked.SAMPLES,
    *samples_functional.SAMPLES,
    *samples_recurrent.SAMPLES,
    *samples_vision.SAMPLES,
]
