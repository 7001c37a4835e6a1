"""Exponential families, whose entropy follows from their log-normalizer."""

from __future__ import annotations

from typing import Any

from .._tensor import Tensor
from ..autograd.calculus import grad
from .distribution import Distribution
from .utils import sum_rightmost


class ExponentialFamily(Distribution):
    """Densities exp(<t(x), eta> - F(eta) + k(x)).

    A family says its natural parameters eta, its log-normalizer F, and the mean of the carrier
    measure k. F. Nielsen and R. Nock, Entropies and cross-entropies of exponential families (2010).
    """

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        raise NotImplementedError

    def _log_normalizer(self, *natural_params: Any) -> Tensor:
        raise NotImplementedError

    @property
    def _mean_carrier_measure(self) -> float:
        raise NotImplementedError

    def entropy(self) -> Tensor:
        """Returns F(eta) - <eta, grad F(eta)> - E[k]."""
        natural, normalizer, slopes = bregman_parts(self, self._natural_params)
        result = normalizer - self._mean_carrier_measure
        for eta, slope in zip(natural, slopes, strict=True):
            result = result - sum_rightmost(eta * slope, len(self.event_shape))
        return result


def bregman_parts(
    family: ExponentialFamily, natural_params: tuple[Tensor, ...]
) -> tuple[list[Tensor], Tensor, tuple[Tensor, ...]]:
    """Returns natural parameters as leaves, F of them, and its derivatives, recorded again."""
    natural = [p.detach().requires_grad_() for p in natural_params]
    normalizer = family._log_normalizer(*natural)
    return natural, normalizer, tuple(grad(normalizer.sum(), natural, create_graph=True))
