"""Resampling on NumPy: one pass by a compiled kernel where there is one, else products of matrices."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from .compiled import MANY, kernels
from .numpy_products import batched
from .resampling import ResamplingKernels, Taps

_MANY_TAPS = 8  # of which a product with a matrix is faster than a loop over them


class NumpyResampling(ResamplingKernels):
    """The kernel of `ResamplingKernels`, for large arrays faster."""

    def resample(self, x: Any, dim: int, taps: Taps) -> Any:
        if (
            x.size < MANY
            or x.dtype.char not in "fd"
            or taps.weight is None
            or len(taps.index[0]) > _MANY_TAPS
            or (own := kernels("lines")) is None
        ):
            return super().resample(x, dim, taps)
        index, weight = taps.columns(np, x.dtype)
        planes = x.reshape(prod(x.shape[:dim]), taps.n, prod(x.shape[dim + 1 :]))
        mixed = own.mixed(np.ascontiguousarray(planes), index, weight)
        return mixed.reshape(*x.shape[:dim], index.shape[1], *x.shape[dim + 1 :])

    def _by_matrix(self, x: Any, dim: int, matrix: Any) -> Any:
        shape = *x.shape[:dim], len(matrix), *x.shape[dim + 1 :]
        if dim == x.ndim - 1:
            return x.reshape(-1, x.shape[dim]).dot(matrix.T).reshape(shape)
        planes = x.reshape(prod(x.shape[:dim]), x.shape[dim], prod(x.shape[dim + 1 :]))
        each = np.broadcast_to(matrix, (len(planes), *matrix.shape))
        return batched(each, planes).reshape(shape)
