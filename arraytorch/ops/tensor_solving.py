"""Linear equations whose unknowns are tensors, and Vandermonde matrices in batches."""

from __future__ import annotations

from math import prod
from typing import Any

from ..autograd.tape import wrap
from ..backends import backend_of
from ._results import check_tensor, finished
from .joining import cat
from .scan import cumprod
from .shape import expand, movedim, reshape, unsqueeze
from .solving import inv, solve

Tensor = Any


def tensorinv(A: Tensor, ind: int = 2, *, out: Tensor | None = None) -> Tensor:
    """Returns the inverse of ``tensordot`` with A over its dimensions from ``ind`` on.

    >>> torch.linalg.tensorinv(torch.eye(6).reshape(2, 3, 6), ind=2).shape
    torch.Size([6, 2, 3])
    """
    check_tensor("linalg.tensorinv", A, names=("A",))
    if ind <= 0:
        raise RuntimeError("Expected a strictly positive integer for 'ind'")
    shape = A._data.shape
    lead, rest = shape[:ind], shape[ind:]
    if prod(lead) != prod(rest):
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[ind:]) == "
            f"prod(self.shape[:ind]), but got {prod(rest)} != {prod(lead)}"
        )
    result = reshape(inv(reshape(A, (prod(lead), prod(rest)))), (*rest, *lead))
    return finished("linalg.tensorinv", result, out, (A,))


def tensorsolve(A: Tensor, B: Tensor, dims: Any = None, *, out: Tensor | None = None) -> Tensor:
    """Returns X with ``tensordot(A, X, X.ndim) = B``; ``dims`` of A are moved to its end first.

    >>> A = torch.eye(6).reshape(2, 3, 6)
    >>> torch.linalg.tensorsolve(A, torch.ones(2, 3)).shape
    torch.Size([6])
    """
    check_tensor("linalg.tensorsolve", A, B, names=("A", "B"))
    M = A
    if dims is not None:
        dims = tuple(dims) if isinstance(dims, (tuple, list)) else (dims,)
        M = movedim(A, dims, tuple(range(A._data.ndim - len(dims), A._data.ndim)))
    rest = M._data.shape[B._data.ndim :]
    n = prod(rest)
    if n * n != M._data.size or n != B._data.size:
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == "
            f"prod(self.shape[:other.ndim]), but got {n} != {B._data.size}"
        )
    result = reshape(solve(reshape(M, (n, n)), reshape(B, (-1,))), rest)
    return finished("linalg.tensorsolve", result, out, (A, B))


def batched_vander(x: Tensor, N: int | None = None) -> Tensor:
    """Returns the matrices of the powers 0 to ``N`` - 1 of vectors, as many as there are elements.

    >>> torch.linalg.vander(torch.tensor([1, 2, 3]))
    tensor([[1, 1, 1],
            [1, 2, 4],
            [1, 3, 9]])
    """
    check_tensor("linalg.vander", x, names=("x",))
    a = x._data
    if not a.ndim and N is None:
        raise RuntimeError("linalg.vander: N is needed where x has no dimensions.")
    x = x if a.ndim else reshape(x, (1,))
    a = x._data
    count = a.shape[-1] if N is None else N
    if count <= 1 and N is not None:
        raise RuntimeError("linalg.vander: N must be greater than 1.")
    x = x * 1 if a.dtype.kind in "fc" else x.long()
    one = wrap(backend_of(a).full((1,) * (a.ndim + 1), 1, x._data.dtype))
    rest = expand(unsqueeze(x, -1), *a.shape, max(count - 1, 0))
    return cumprod(cat([expand(one, *a.shape, 1), rest], -1), -1)
