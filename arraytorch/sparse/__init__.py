"""Functions of sparse tensors, whose gradients are sparse."""

from ..ops.sparse_algebra import addmm as addmm
from ..ops.sparse_algebra import log_softmax as log_softmax
from ..ops.sparse_algebra import mm as mm
from ..ops.sparse_algebra import softmax as softmax
from ..ops.sparse_algebra import sum as sum
from ..ops.sparse_diagonals import spdiags as spdiags
from ._invariants import check_sparse_tensor_invariants as check_sparse_tensor_invariants
from ._types import BFloat16Tensor as BFloat16Tensor
from ._types import ByteTensor as ByteTensor
from ._types import CharTensor as CharTensor
from ._types import DoubleTensor as DoubleTensor
from ._types import FloatTensor as FloatTensor
from ._types import HalfTensor as HalfTensor
from ._types import IntTensor as IntTensor
from ._types import LongTensor as LongTensor
from ._types import ShortTensor as ShortTensor

__all__ = [
    "addmm",
    "check_sparse_tensor_invariants",
    "log_softmax",
    "mm",
    "softmax",
    "spdiags",
    "sum",
]
