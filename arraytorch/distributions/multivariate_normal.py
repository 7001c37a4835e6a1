"""The multivariate normal distribution."""

from __future__ import annotations

import math
from typing import Any

from .._size import Size
from .._tensor import Tensor
from ..linalg import cholesky, solve_triangular
from ..ops import broadcast_shapes, broadcast_tensors, eye
from ..ops.solving import cholesky_inverse
from . import constraints
from .distribution import Distribution
from .utils import ONCE, Shape, lazy_property, standard_normal


class MultivariateNormal(Distribution):
    """Normal vectors of mean ``loc`` and of a covariance, given by one of three matrices.

    They are the covariance matrix itself, its inverse ``precision_matrix``, and its lower Cholesky
    factor ``scale_tril``, which is what computations need.

    >>> d = torch.distributions.MultivariateNormal(torch.zeros(2), torch.eye(2))
    >>> d.log_prob(torch.zeros(2))
    tensor(-1.8379)
    """

    arg_constraints = {
        "loc": constraints.real_vector,
        "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite,
        "scale_tril": constraints.lower_cholesky,
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self,
        loc: Tensor,
        covariance_matrix: Tensor | None = None,
        precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        if loc.dim() < 1:
            raise ValueError("loc must be at least one-dimensional.")
        name, matrix = one_matrix(covariance_matrix, precision_matrix, scale_tril)
        if matrix.dim() < 2:
            what = "scale_tril matrix" if name == "scale_tril" else name
            raise ValueError(
                f"{what} must be at least two-dimensional, with optional leading batch dimensions"
            )
        batch_shape = broadcast_shapes(matrix.shape[:-2], loc.shape[:-1])
        self.loc = loc.expand((*batch_shape, loc.shape[-1]))
        self.__dict__[name] = matrix.expand((*batch_shape, *matrix.shape[-2:]))
        super().__init__(batch_shape, loc.shape[-1:], validate_args=validate_args)
        # What has fewer batch dimensions than loc is factored and multiplied once for all of them.
        self._unbroadcasted_scale_tril = factor_of(name, matrix)

    def _expand_rest(self, new: Any, batch_shape: Size) -> None:
        new._unbroadcasted_scale_tril = self._unbroadcasted_scale_tril

    def _whole(self, matrix: Tensor) -> Tensor:
        return matrix.expand(self._batch_shape + self._event_shape + self._event_shape)

    @lazy_property
    def scale_tril(self) -> Tensor:
        """The lower Cholesky factor of the covariance."""
        return self._whole(self._unbroadcasted_scale_tril)

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """The covariance."""
        return self._whole(self._unbroadcasted_scale_tril @ self._unbroadcasted_scale_tril.mT)

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """The inverse of the covariance."""
        return self._whole(cholesky_inverse(self._unbroadcasted_scale_tril))

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        rows = self._unbroadcasted_scale_tril.pow(2).sum(-1)
        return rows.expand(self._batch_shape + self._event_shape)

    def rsample(self, sample_shape: Shape = ONCE) -> Tensor:
        shape = self._extended_shape(sample_shape)
        z = standard_normal(shape, self.loc.dtype, self.loc.device)
        return self.loc + times(self._unbroadcasted_scale_tril, z)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        factor, n = self._unbroadcasted_scale_tril, self._event_shape[0]
        square = mahalanobis(factor, value - self.loc)
        return -0.5 * (n * math.log(2 * math.pi) + square) - half_log_det(factor)

    def entropy(self) -> Tensor:
        n = self._event_shape[0]
        size = half_log_det(self._unbroadcasted_scale_tril)
        return (0.5 * n * (1.0 + math.log(2 * math.pi)) + size).expand(self._batch_shape)


def one_matrix(covariance: Any, precision: Any, factor: Any) -> tuple[str, Tensor]:
    """Returns the matrix that was given, with its name. Raises ValueError unless it is just one."""
    names = ("covariance_matrix", "precision_matrix", "scale_tril")
    found = [(n, m) for n, m in zip(names, (covariance, precision, factor)) if m is not None]
    if len(found) != 1:
        raise ValueError(
            "Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified."
        )
    return found[0]


def factor_of(name: str, matrix: Tensor) -> Tensor:
    """Returns the Cholesky factor of the covariance, given one of the three matrices."""
    if name == "scale_tril":
        return matrix
    return cholesky(matrix) if name == "covariance_matrix" else precision_to_scale_tril(matrix)


def precision_to_scale_tril(precision: Tensor) -> Tensor:
    """Returns the Cholesky factor of the inverse, without computing the inverse.

    With the order of rows and columns reversed, the lower factor of the precision is the inverse of
    an upper one, transposed.
    """
    reversed_factor = cholesky(precision.flip((-2, -1)))
    inverse = reversed_factor.flip((-2, -1)).mT
    identity = eye(precision.shape[-1], dtype=precision.dtype, device=precision.device)
    return solve_triangular(inverse, identity, upper=False)


def times(matrix: Tensor, vector: Tensor) -> Tensor:
    """Returns products of matrices and vectors."""
    return (matrix @ vector.unsqueeze(-1)).squeeze(-1)


def half_log_det(factor: Tensor) -> Tensor:
    """Returns half the logarithm of the determinant of factor @ factor.mT."""
    return factor.diagonal(dim1=-2, dim2=-1).log().sum(-1)


def mahalanobis(factor: Tensor, x: Tensor) -> Tensor:
    """Returns the squares of the lengths of factor^-1 @ x, for a batch of vectors x.

    Many vectors to one matrix are solved as columns of one right-hand side.
    """
    batch = factor.shape[:-2]
    if not batch:
        columns = x.reshape(-1, x.shape[-1]).T
        solved = solve_triangular(factor, columns, upper=False)
        return solved.pow(2).sum(0).reshape(x.shape[:-1])
    factor, _ = broadcast_tensors(factor, x.unsqueeze(-1).expand((*x.shape, factor.shape[-1])))
    return solve_triangular(factor, x.unsqueeze(-1), upper=False).squeeze(-1).pow(2).sum(-1)
