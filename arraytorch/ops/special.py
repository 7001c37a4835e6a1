"""Error, gamma and zeta functions and the like, elementwise.

Definitions and derivatives: NIST Digital Library of Mathematical Functions, chapters 5, 7, 8, 25.
"""

from __future__ import annotations

import math
from typing import Any, NoReturn

from ..autograd.tape import TensorBase
from ._declare import pointwise
from ._inplace import inplace
from ._results import finished, floating, refuse
from .elementary import _polygamma, digamma, lgamma

Tensor = Any
Number = int | float | complex | bool
_SQRT_PI, _SQRT_2, _SQRT_2PI = math.sqrt(math.pi), math.sqrt(2), math.sqrt(2 * math.pi)


@pointwise(
    result="float",
    refuses="c",
    name="SpecialEntrBackward0",
    d_input=lambda B, g, input: g * (-1 - B.log(input)),
)
def entr(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the summands of an entropy: ``-x * log(x)``, 0 at 0, -inf for negative numbers.

    >>> torch.special.entr(torch.tensor([0.0, 0.5, -1.0]))
    tensor([0.0000, 0.3466,   -inf])
    """
    ...


@pointwise(
    result="float",
    refuses="c",
    name="SpecialErfcxBackward0",
    d_input=lambda g, input, out: g * (2 * input * out - 2 / _SQRT_PI),
)
def erfcx(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns ``exp(x * x) * erfc(x)``, which does not underflow for large x.

    >>> torch.special.erfcx(torch.tensor([0.0, 100.0]))
    tensor([1.0000, 0.0056])
    """
    ...


@pointwise(
    result="float",
    refuses="c",
    d_input=lambda B, g, input: g * (B.exp(input * input * -0.5) / _SQRT_2PI),
)
def ndtr(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the area under the standard normal density from -inf to x.

    >>> torch.special.ndtr(torch.tensor([0.0, 2.0]))
    tensor([0.5000, 0.9772])
    """
    ...


@pointwise(
    result="float",
    refuses="c",
    name="SpecialNdtriBackward0",
    d_input=lambda B, g, out: g * (B.exp(out * out * 0.5) * _SQRT_2PI),
)
def ndtri(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the inverse of `ndtr`: the quantiles of the standard normal distribution.

    >>> torch.special.ndtri(torch.tensor([0.0, 0.5, 0.9772]))
    tensor([  -inf, 0.0000, 1.9991])
    """
    ...


@pointwise(
    result="float",
    refuses="c",
    name="SpecialLogNdtrBackward0",
    d_input=lambda B, g, input: g * (2 / _SQRT_2PI) / B.erfcx(input * (-1 / _SQRT_2)),
)
def log_ndtr(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the logarithm of `ndtr`, accurate where that underflows.

    >>> torch.special.log_ndtr(torch.tensor([0.0, -20.0]))
    tensor([  -0.6931, -203.9172])
    """
    ...


def _underived(what: str) -> NoReturn:
    raise NotImplementedError(f"the derivative for '{what}' is not implemented.")


def _density(B: Any, a: Any, x: Any) -> Any:
    """The derivative of `igamma` in x: https://dlmf.nist.gov/8.8#E13."""
    return B.exp((a - 1) * B.log(x) - x - B.lgamma(a))


@pointwise(
    refuses="biuc",
    d_input=lambda g: _underived("igamma: input"),
    d_other=lambda B, g, input, other: g * _density(B, input, other),
)
def igamma(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the regularized lower incomplete gamma function P(input, other).

    It is the integral of ``t ** (input - 1) * exp(-t)`` from 0 to ``other``, divided by the gamma
    function of ``input``. There is a gradient for ``other`` only.

    >>> torch.special.gammainc(torch.tensor([4.0]), torch.tensor([3.0, 4.0]))
    tensor([0.3528, 0.5665])
    """
    ...


@pointwise(
    refuses="biuc",
    d_input=lambda g: _underived("igammac: input"),
    d_other=lambda B, g, input, other: -g * _density(B, input, other),
)
def igammac(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the regularized upper incomplete gamma function, 1 - P(input, other).

    >>> torch.special.gammaincc(torch.tensor([4.0]), torch.tensor([3.0, 4.0]))
    tensor([0.6472, 0.4335])
    """
    ...


@pointwise(
    result="float",
    refuses="c",
    name="SpecialZetaBackward0",
    d_input=lambda g: _underived("zeta"),
    d_other=lambda B, g, input, other: g * -input * B.zeta(input + 1, other),
)
def zeta(input: Tensor | Number, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Returns the Hurwitz zeta function: the sum of ``(k + other) ** -input`` over k = 0, 1, ...

    With ``other`` 1 that is Riemann's. There is a gradient for ``other`` only.

    >>> torch.special.zeta(torch.tensor([2.0, 4.0]), 1)
    tensor([1.6449, 1.0823])
    """
    ...


def _log1p_but_at_0(B: Any, g: Any, input: Any, other: Any) -> Any:
    """The slope in x, 0 where x is 0 and the logarithm infinite or none: the product is 0 there."""
    nothing = (input == 0) & (other <= -1)
    return B.masked_fill(g * B.log1p(other), nothing, 0)


@pointwise(
    result="float",
    refuses="c",
    name="SpecialXlog1PyBackward0",
    d_input=_log1p_but_at_0,
    d_other=lambda g, input, other: g * (input / (other + 1)),
)
def xlog1py(input: Tensor | Number, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Returns ``input * log(1 + other)``, 0 where ``input`` is 0, NaN where ``other`` is NaN.

    >>> torch.special.xlog1py(torch.tensor([0.0, 2.0]), torch.tensor([-1.0, 1.0]))
    tensor([0.0000, 1.3863])
    """
    ...


def _integer(name: str, value: Any, what: str, position: int) -> int:
    if isinstance(value, (bool, float, TensorBase)) or not hasattr(value, "__index__"):
        raise TypeError(
            f"{name}(): argument '{what}' (position {position}) must be int, "
            f"not {type(value).__name__}"
        )
    return value.__index__()


def polygamma(n: int, input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the nth derivative of `digamma`: https://dlmf.nist.gov/5.15.

    >>> torch.special.polygamma(1, torch.tensor([1.0, 2.0]))
    tensor([1.6449, 0.6449])
    """
    n = _integer("polygamma", n, "n", 1)
    refuse("polygamma", input, "c")
    if n < 0:
        raise RuntimeError("polygamma(n, x) does not support negative n.")
    x = floating(input)
    return finished("polygamma", _polygamma(n, x) if n else digamma(x), out, (input,))


def polygamma_of(self: Tensor, n: int) -> Tensor:
    """Returns `polygamma`, as a method of the tensor that it is taken of.

    >>> torch.tensor([1.0, 2.0]).polygamma(1)
    tensor([1.6449, 0.6449])
    """
    return polygamma(n, self)


def mvlgamma(input: Tensor, p: int, *, out: Tensor | None = None) -> Tensor:
    """Returns the logarithm of the gamma function of p dimensions: https://dlmf.nist.gov/35.3#E6.

    >>> torch.special.multigammaln(torch.tensor([2.0, 3.0]), 2)
    tensor([0.4516, 1.5502])
    """
    refuse("mvlgamma", input, "c")
    p = _integer("mvlgamma", p, "p", 2)
    if p < 1:
        raise RuntimeError("p has to be greater than or equal to 1")
    x = floating(input)
    result = lgamma(x) + p * (p - 1) / 4 * math.log(math.pi)
    for k in range(1, p):
        result = result + lgamma(x - k / 2)
    return finished("mvlgamma", result, out, (input,))


igamma_, igammac_ = inplace(igamma), inplace(igammac)
mvlgamma_, polygamma_ = inplace(mvlgamma), inplace(polygamma_of, "polygamma_")
