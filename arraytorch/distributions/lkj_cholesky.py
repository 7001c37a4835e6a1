"""The LKJ distribution of correlation matrices, by their Cholesky factors."""

from __future__ import annotations

import math
from typing import Any

from .._size import Size
from .._tensor import Tensor
from .._type_info import finfo
from ..autograd.modes import no_grad
from ..ops import arange, cat, diag_embed, lgamma, randn, zeros
from ..special import multigammaln
from . import constraints
from .beta import Beta
from .distribution import Distribution
from .utils import ONCE, Shape, broadcast_all


class LKJCholesky(Distribution):
    """Cholesky factors of correlation matrices M with densities as det(M) ** (concentration - 1).

    D. Lewandowski, D. Kurowicka and H. Joe, Generating random correlation matrices based on vines
    and extended onion method (2009). Concentration 1 makes all matrices as probable.

    >>> d = torch.distributions.LKJCholesky(2, 1.0)
    >>> d.log_prob(torch.eye(2)).exp()
    tensor(0.5000)
    """

    arg_constraints = {"concentration": constraints.positive}
    support = constraints.corr_cholesky

    def __init__(
        self, dim: int, concentration: Tensor | float = 1.0, validate_args: bool | None = None
    ) -> None:
        if dim < 2:
            raise ValueError(
                f"Expected dim to be an integer greater than or equal to 2. Found dim={dim}."
            )
        self.dim = dim
        (self.concentration,) = broadcast_all(concentration)
        # The onion method: row i of the factor is a direction times a length, whose square has a
        # beta distribution.
        kind: dict[str, Any] = {
            "dtype": self.concentration.dtype,
            "device": self.concentration.device,
        }
        above = self.concentration.unsqueeze(-1) + 0.5 * (dim - 2)
        offset = cat([zeros((1,), **kind), arange(dim - 1, **kind)])
        self._beta = Beta(offset + 0.5, above - 0.5 * offset, validate_args=False)
        super().__init__(self.concentration.shape, Size((dim, dim)), validate_args=validate_args)

    def _expand_rest(self, new: Any, batch_shape: Size) -> None:
        new.dim = self.dim
        new._beta = self._beta.expand((*batch_shape, self.dim))

    def sample(self, sample_shape: Shape = ONCE) -> Tensor:
        shape = self._extended_shape(sample_shape)
        with no_grad():
            square = self._beta.sample(sample_shape).unsqueeze(-1)
            normals = randn(shape, dtype=square.dtype, device=square.device).tril(-1)
            directions = normals / normals.norm(dim=-1, keepdim=True)
            directions[..., 0, :] = 0.0
            below = square.sqrt() * directions
            left = 1 - (below**2).sum(-1)
            return below + diag_embed(left.clamp(min=finfo(below.dtype).tiny).sqrt())

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        n, a = self.dim - 1, self.concentration
        diagonal = value.diagonal(dim1=-1, dim2=-2)[..., 1:]
        order = arange(2, self.dim + 1, dtype=a.dtype, device=a.device)
        order = 2 * (a - 1).unsqueeze(-1) + self.dim - order
        # Page 1999 of the paper.
        half = a + 0.5 * n
        scale = 0.5 * n * math.log(math.pi) + multigammaln(half - 0.5, n) - lgamma(half) * n
        return (order * diagonal.log()).sum(-1) - scale
