"""Functions of sparse tensors, whose gradients are sparse."""

from ..ops.sparse_algebra import addmm as addmm
from ..ops.sparse_algebra import log_softmax as log_softmax
from ..ops.sparse_algebra import mm as mm
from ..ops.sparse_algebra import softmax as softmax
from ..ops.sparse_algebra import sum as sum
from ..ops.sparse_diagonals import spdiags as spdiags
from ._invariants import check_sparse_tensor_invariants as check_sparse_tensor_invariants

__all__ = [
    "addmm",
    "check_sparse_tensor_invariants",
    "log_softmax",
    "mm",
    "softmax",
    "spdiags",
    "sum",
]
