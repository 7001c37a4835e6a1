"""Orthogonal polynomials, elementwise in the argument and the degree.

Definitions: Abramowitz and Stegun, Handbook of Mathematical Functions, chapter 22; Chebyshev
polynomials of the third and fourth kind: Mason and Handscomb, Chebyshev Polynomials, chapter 1.
PyTorch differentiates none of them: results do not require gradients.
"""

from __future__ import annotations

from typing import Any

from ..autograd.tape import TensorBase, wrap
from ..backends import outermost
from ._promote import broadcast_shape, is_number
from ._results import finished, floating, promoted, refuse

Tensor = Any
Number = int | float | complex | bool


def _polynomial(name: str, family: str, x: Any, n: Any, out: Any, shifted: bool = False) -> Tensor:
    if not any(isinstance(t, TensorBase) for t in (x, n)):
        raise TypeError(
            f"{name}() received an invalid combination of arguments - got "
            f"({type(x).__name__}, {type(n).__name__}), but one of them must be a Tensor"
        )
    for position, (what, t) in enumerate((("input", x), ("n", n)), 1):
        if not isinstance(t, TensorBase) and not is_number(t):
            raise TypeError(
                f"{name}(): argument '{what}' (position {position}) must be Tensor or Number, "
                f"not {type(t).__name__}"
            )
    given = [t for t in (x, n) if isinstance(t, TensorBase)]
    broadcast_shape(name, *[t._data.shape for t in given])
    first, second = promoted(name, x, n)
    refuse(name, first, "c")
    first, second = floating(first), floating(second)
    B = outermost(first._data, second._data)
    argument = B.cast(first._data, B.double)
    z = B.polynomial(family, argument * 2 - 1 if shifted else argument, second._data)
    return finished(name, wrap(B.cast(B.asarray(z), first._data.dtype)), out, given)


def chebyshev_polynomial_t(
    input: Tensor | Number, n: Tensor | Number, *, out: Tensor | None = None
) -> Tensor:
    """Returns Chebyshev polynomials of the first kind: T(cos a) = cos(n a).

    >>> torch.special.chebyshev_polynomial_t(torch.tensor([0.5, 2.0]), 2)
    tensor([-0.5000,  7.0000])
    """
    return _polynomial("chebyshev_polynomial_t", "chebyshev_t", input, n, out)


def chebyshev_polynomial_u(
    input: Tensor | Number, n: Tensor | Number, *, out: Tensor | None = None
) -> Tensor:
    """Returns Chebyshev polynomials of the second kind: U(cos a) = sin((n + 1) a) / sin(a).

    >>> torch.special.chebyshev_polynomial_u(torch.tensor([0.5, 2.0]), 2)
    tensor([ 0., 15.])
    """
    return _polynomial("chebyshev_polynomial_u", "chebyshev_u", input, n, out)


def chebyshev_polynomial_v(
    input: Tensor | Number, n: Tensor | Number, *, out: Tensor | None = None
) -> Tensor:
    """Returns Chebyshev polynomials of the third kind: V(cos a) = cos((n + 1/2) a) / cos(a / 2).

    >>> torch.special.chebyshev_polynomial_v(torch.tensor([0.5, 2.0]), 2)
    tensor([-1., 11.])
    """
    return _polynomial("chebyshev_polynomial_v", "chebyshev_v", input, n, out)


def chebyshev_polynomial_w(
    input: Tensor | Number, n: Tensor | Number, *, out: Tensor | None = None
) -> Tensor:
    """Returns Chebyshev polynomials of the fourth kind: W(cos a) = sin((n + 1/2) a) / sin(a / 2).

    >>> torch.special.chebyshev_polynomial_w(torch.tensor([0.5, 2.0]), 2)
    tensor([ 1., 19.])
    """
    return _polynomial("chebyshev_polynomial_w", "chebyshev_w", input, n, out)


def shifted_chebyshev_polynomial_t(
    input: Tensor | Number, n: Tensor | Number, *, out: Tensor | None = None
) -> Tensor:
    """Returns `chebyshev_polynomial_t` of 2 x - 1, which is orthogonal on [0, 1].

    >>> torch.special.shifted_chebyshev_polynomial_t(torch.tensor([0.75, 1.5]), 2)
    tensor([-0.5000,  7.0000])
    """
    return _polynomial("shifted_chebyshev_polynomial_t", "chebyshev_t", input, n, out, True)


def shifted_chebyshev_polynomial_u(
    input: Tensor | Number, n: Tensor | Number, *, out: Tensor | None = None
) -> Tensor:
    """Returns `chebyshev_polynomial_u` of 2 x - 1, which is orthogonal on [0, 1].

    >>> torch.special.shifted_chebyshev_polynomial_u(torch.tensor([0.75, 1.5]), 2)
    tensor([ 0., 15.])
    """
    return _polynomial("shifted_chebyshev_polynomial_u", "chebyshev_u", input, n, out, True)


def shifted_chebyshev_polynomial_v(
    input: Tensor | Number, n: Tensor | Number, *, out: Tensor | None = None
) -> Tensor:
    """Returns `chebyshev_polynomial_v` of 2 x - 1, which is orthogonal on [0, 1].

    >>> torch.special.shifted_chebyshev_polynomial_v(torch.tensor([0.75, 1.5]), 2)
    tensor([-1., 11.])
    """
    return _polynomial("shifted_chebyshev_polynomial_v", "chebyshev_v", input, n, out, True)


def shifted_chebyshev_polynomial_w(
    input: Tensor | Number, n: Tensor | Number, *, out: Tensor | None = None
) -> Tensor:
    """Returns `chebyshev_polynomial_w` of 2 x - 1, which is orthogonal on [0, 1].

    >>> torch.special.shifted_chebyshev_polynomial_w(torch.tensor([0.75, 1.5]), 2)
    tensor([ 1., 19.])
    """
    return _polynomial("shifted_chebyshev_polynomial_w", "chebyshev_w", input, n, out, True)


def hermite_polynomial_h(
    input: Tensor | Number, n: Tensor | Number, *, out: Tensor | None = None
) -> Tensor:
    """Returns the physicists' Hermite polynomials; NaN for degrees above 512.

    >>> torch.special.hermite_polynomial_h(torch.tensor([0.5, 2.0]), 2)
    tensor([-1., 14.])
    """
    return _polynomial("hermite_polynomial_h", "hermite_h", input, n, out)


def hermite_polynomial_he(
    input: Tensor | Number, n: Tensor | Number, *, out: Tensor | None = None
) -> Tensor:
    """Returns the probabilists' Hermite polynomials; NaN for degrees above 512.

    >>> torch.special.hermite_polynomial_he(torch.tensor([0.5, 2.0]), 2)
    tensor([-0.7500,  3.0000])
    """
    return _polynomial("hermite_polynomial_he", "hermite_he", input, n, out)


def laguerre_polynomial_l(
    input: Tensor | Number, n: Tensor | Number, *, out: Tensor | None = None
) -> Tensor:
    """Returns Laguerre polynomials.

    >>> torch.special.laguerre_polynomial_l(torch.tensor([0.5, 2.0]), 2)
    tensor([ 0.1250, -1.0000])
    """
    return _polynomial("laguerre_polynomial_l", "laguerre_l", input, n, out)


def legendre_polynomial_p(
    input: Tensor | Number, n: Tensor | Number, *, out: Tensor | None = None
) -> Tensor:
    """Returns Legendre polynomials.

    >>> torch.special.legendre_polynomial_p(torch.tensor([0.5, 2.0]), 2)
    tensor([-0.1250,  5.5000])
    """
    return _polynomial("legendre_polynomial_p", "legendre_p", input, n, out)
