"""Gamma and Dirichlet deviates that have gradients with respect to their shapes.

The public faces of these ops, which PyTorch does not document, are in torch.distributions.
"""

from __future__ import annotations

from typing import Any, NoReturn

from ..autograd.tape import taped
from ..backends import backend_of, dtype_of
from ._declare import derivative
from .sampling import core, unsupported

Tensor = Any
Generator = Any


def _underived(what: str) -> NoReturn:
    raise NotImplementedError(f"the derivative for '{what}' is not implemented.")


@derivative(
    kernel="standard_gamma_grad",
    d_self=lambda g: _underived("self"),
    d_output=lambda g: _underived("output"),
)
def _standard_gamma_grad(self: Tensor, output: Tensor) -> Tensor:
    """Returns the derivative of gamma deviates, ``output``, with respect to their shapes.

    >>> torch._standard_gamma_grad(torch.tensor([1.0]), torch.tensor([2.0]))
    tensor([1.6317])
    """
    x = output._data
    slopes = backend_of(x).standard_gamma_grad(self._data, x)
    return taped(_standard_gamma_grad, slopes, (self, output))


@derivative(
    kernel="dirichlet_grad",
    d_x=lambda g: _underived("x"),
    d_alpha=lambda g: _underived("alpha"),
    d_total=lambda g: _underived("total"),
)
def _dirichlet_grad(x: Tensor, alpha: Tensor, total: Tensor) -> Tensor:
    """Returns the derivative of beta deviates with respect to their first shape, over 1 - x.

    The shapes are ``alpha`` and ``total - alpha``.

    >>> x, alpha = torch.tensor([0.5]), torch.tensor([1.0])
    >>> torch._dirichlet_grad(x, alpha, 2 * alpha)
    tensor([0.6931])
    """
    slopes = backend_of(x._data).dirichlet_grad(x._data, alpha._data, total._data)
    return taped(_dirichlet_grad, slopes, (x, alpha, total))


@derivative(
    saves=("self", "out"), d_self=lambda B, g, self, out: g * B.standard_gamma_grad(self, out)
)
def _standard_gamma(self: Tensor, generator: Generator | None = None) -> Tensor:
    """Returns gamma deviates of the shapes in ``self`` and of scale 1, in its dtype.

    >>> _ = torch.manual_seed(0)
    >>> torch._standard_gamma(torch.tensor([0.5, 3.0]))
    tensor([7.8936e-04, 1.2728e+00])
    """
    x = self._data
    if not dtype_of(x).is_floating_point:
        raise unsupported("gamma_cpu", self)
    drawn = core(generator, backend_of(x), x).standard_gamma(x)
    return taped(_standard_gamma, drawn, (self,), (self, drawn))


def _dirichlet_pullback(B: Any, g: Any, self: Any, out: Any) -> Any:
    last = (out.ndim - 1,)
    total = B.expand(B.sum(self, last, True), out.shape)
    return B.dirichlet_grad(out, self, total) * (g - B.sum(out * g, last, True))


@derivative(saves=("self", "out"), d_self=_dirichlet_pullback)
def _sample_dirichlet(self: Tensor, generator: Generator | None = None) -> Tensor:
    """Returns Dirichlet deviates of the shapes along the last dimension of ``self``.

    >>> _ = torch.manual_seed(0)
    >>> torch._sample_dirichlet(torch.tensor([0.5, 3.0]))
    tensor([6.1977e-04, 9.9938e-01])
    """
    x = self._data
    if not dtype_of(x).is_floating_point:
        raise unsupported("dirichlet", self)
    drawn = core(generator, backend_of(x), x).dirichlet(x)
    return taped(_sample_dirichlet, drawn, (self,), (self, drawn))
