"""Bessel functions and Airy's, elementwise.

Definitions and derivatives: NIST Digital Library of Mathematical Functions, chapters 9 and 10.
"""

from __future__ import annotations

from typing import Any

from ._declare import pointwise
from ._inplace import inplace

Tensor = Any


@pointwise(result="float", refuses="c", d_input=lambda B, g, input: g * B.i1(input))
def i0(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the modified Bessel function of the first kind and order 0.

    Its derivative is i1: https://dlmf.nist.gov/10.29#E3.

    >>> torch.special.i0(torch.tensor([0.0, 1.0]))
    tensor([1.0000, 1.2661])
    """
    ...


def _slope_of_i1(B: Any, g: Any, input: Any, out: Any) -> Any:
    """i0(x) - i1(x) / x, the limit 1/2 at 0."""
    zero = input == 0
    return g * (B.i0(input) - B.masked_fill(out / B.masked_fill(input, zero, 1), zero, 0.5))


@pointwise(result="float", refuses="c", name="SpecialI1Backward0", d_input=_slope_of_i1)
def i1(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the modified Bessel function of the first kind and order 1.

    >>> torch.special.i1(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.5652])
    """
    ...


@pointwise(
    result="float",
    refuses="c",
    name="SpecialI0EBackward0",
    d_input=lambda B, g, input, out: g * (B.i1e(input) - B.sgn(input) * out),
)
def i0e(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns ``exp(-|x|) * i0(x)``, which does not overflow.

    >>> torch.special.i0e(torch.tensor([0.0, 1000.0]))
    tensor([1.0000, 0.0126])
    """
    ...


def _slope_of_i1e(B: Any, g: Any, input: Any, out: Any) -> Any:
    """i0e(x) - i1e(x) (sign(x) + 1 / x), the limit 1/2 at 0."""
    zero = input == 0
    part = B.masked_fill(out / B.masked_fill(input, zero, 1), zero, 0.5)
    return g * (B.i0e(input) - B.sgn(input) * out - part)


@pointwise(result="float", refuses="c", name="SpecialI1EBackward0", d_input=_slope_of_i1e)
def i1e(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns ``exp(-|x|) * i1(x)``, which does not overflow.

    >>> torch.special.i1e(torch.tensor([0.0, 1000.0]))
    tensor([0.0000, 0.0126])
    """
    ...


# PyTorch differentiates none of those that follow: results do not require gradients.


@pointwise(result="float", refuses="c")
def airy_ai(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the Airy function Ai: the solution of y'' = x y that vanishes at infinity.

    >>> torch.special.airy_ai(torch.tensor([0.0, 1.0]))
    tensor([0.3550, 0.1353])
    """
    ...


@pointwise(result="float", refuses="c")
def bessel_j0(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the Bessel function of the first kind and order 0.

    >>> torch.special.bessel_j0(torch.tensor([0.0, 1.0]))
    tensor([1.0000, 0.7652])
    """
    ...


@pointwise(result="float", refuses="c")
def bessel_j1(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the Bessel function of the first kind and order 1.

    >>> torch.special.bessel_j1(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.4401])
    """
    ...


@pointwise(result="float", refuses="c")
def bessel_y0(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the Bessel function of the second kind and order 0; -inf at 0, NaN below.

    >>> torch.special.bessel_y0(torch.tensor([0.0, 1.0]))
    tensor([  -inf, 0.0883])
    """
    ...


@pointwise(result="float", refuses="c")
def bessel_y1(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the Bessel function of the second kind and order 1; -inf at 0, NaN below.

    >>> torch.special.bessel_y1(torch.tensor([0.0, 1.0]))
    tensor([   -inf, -0.7812])
    """
    ...


@pointwise(result="float", refuses="c")
def modified_bessel_i0(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns what `i0` does, without a derivative.

    >>> torch.special.modified_bessel_i0(torch.tensor([0.0, 1.0]))
    tensor([1.0000, 1.2661])
    """
    ...


@pointwise(result="float", refuses="c")
def modified_bessel_i1(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns what `i1` does, without a derivative.

    >>> torch.special.modified_bessel_i1(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.5652])
    """
    ...


@pointwise(result="float", refuses="c")
def modified_bessel_k0(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the modified Bessel function of the second kind and order 0; inf at 0, NaN below.

    >>> torch.special.modified_bessel_k0(torch.tensor([0.0, 1.0]))
    tensor([   inf, 0.4210])
    """
    ...


@pointwise(result="float", refuses="c")
def modified_bessel_k1(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the modified Bessel function of the second kind and order 1; inf at 0, NaN below.

    >>> torch.special.modified_bessel_k1(torch.tensor([0.0, 1.0]))
    tensor([   inf, 0.6019])
    """
    ...


@pointwise(result="float", refuses="c")
def scaled_modified_bessel_k0(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns ``exp(x) * modified_bessel_k0(x)``.

    >>> torch.special.scaled_modified_bessel_k0(torch.tensor([1.0, 1000.0]))
    tensor([1.1445, 0.0396])
    """
    ...


@pointwise(result="float", refuses="c")
def scaled_modified_bessel_k1(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns ``exp(x) * modified_bessel_k1(x)``.

    >>> torch.special.scaled_modified_bessel_k1(torch.tensor([1.0, 1000.0]))
    tensor([1.6362, 0.0396])
    """
    ...


@pointwise(result="float", refuses="c")
def spherical_bessel_j0(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the spherical Bessel function of the first kind and order 0, sin(x) / x.

    >>> torch.special.spherical_bessel_j0(torch.tensor([0.0, 1.0]))
    tensor([1.0000, 0.8415])
    """
    ...


i0_ = inplace(i0)
