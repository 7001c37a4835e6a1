"""Functions that PyTorch keeps in a module of their own; all of them are in `torch` itself, too."""

from .ops.contractions import chain_matmul, einsum, tensordot
from .ops.counting import unique, unique_consecutive
from .ops.diagonals import block_diag
from .ops.indexing import split
from .ops.lengths import cdist
from .ops.low_rank import pca_lowrank, svd_lowrank
from .ops.lu import lu
from .ops.matrix_norms import norm
from .ops.places import unravel_index
from .ops.rearranging import broadcast_shapes, broadcast_tensors, cartesian_prod, meshgrid
from .ops.short_time import istft, stft
from .ops.stacking import atleast_1d, atleast_2d, atleast_3d

__all__ = [
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "block_diag",
    "broadcast_shapes",
    "broadcast_tensors",
    "cartesian_prod",
    "cdist",
    "chain_matmul",
    "einsum",
    "istft",
    "lu",
    "meshgrid",
    "norm",
    "pca_lowrank",
    "split",
    "stft",
    "svd_lowrank",
    "tensordot",
    "unique",
    "unique_consecutive",
    "unravel_index",
]
