"""Look-ups: rows of a table by their numbers, and numbers as rows of zeros and a one."""

from __future__ import annotations

import math
from typing import Any

from ..autograd.modes import no_grad
from ..autograd.tape import TensorBase, taped, wrap
from ..backends import backend_of
from ..backends.host import ndarray
from ._declare import derivative
from ._late import loaded
from ._promote import integer
from ._results import check_tensor
from .arithmetic import abs, pow, sqrt
from .comparison import gt
from .extremes import amax
from .indexing import getitem, setitem
from .reduction import sum
from .selection import where
from .shape import detach

Tensor = Any
_FEW = 1024  # elements of rows with a one up to which they are made by comparing


@derivative(
    saves=("index", "padding", "scale"),
    d_grad=lambda B, g, index, padding, scale: B.embedding_gather(g, index, padding, scale),
)
def embedding_backward(grad: Tensor, index: Tensor, rows: int, padding: int, scale: bool) -> Tensor:
    """Returns the gradient of a table of ``rows`` rows: the slices of ``grad`` added to theirs."""
    x = grad._data
    z = backend_of(x).embedding_backward(x, index._data, rows, padding, scale)
    return taped(embedding_backward, z, (grad,), (index, padding, scale))


@derivative(
    saves=("index", "rows", "padding", "scale"),
    d_input=lambda B, g, index, rows, padding, scale: B.embedding_backward(
        g, index, rows, padding, scale
    ),
)
def embedding_gather(input: Tensor, index: Tensor, padding: int, scale: bool) -> Tensor:
    """Returns the rows that ``index`` names, weighted as their gradients are."""
    x = input._data
    z = backend_of(x).embedding_gather(x, index._data, padding, scale)
    return taped(embedding_gather, z, (input,), (index, x.shape[0], padding, scale))


@derivative(
    saves=("index", "rows", "padding", "scale"),
    name="EmbeddingBackward0",
    d_weight=lambda B, g, index, rows, padding, scale: B.embedding_backward(
        g, index, rows, padding, scale
    ),
)
def _embedding(weight: Tensor, index: Tensor, padding: int, scale: bool) -> Tensor:
    w = weight._data
    z = backend_of(w).take(w, index._data, 0)
    return taped(_embedding, z, (weight,), (index, w.shape[0], padding, scale))


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """Returns the rows of ``weight`` that ``input`` names, in a new last dimension.

    The row ``padding_idx`` gets no gradient. Rows that are looked up and whose norm is above
    ``max_norm`` are first scaled down to it, in place. ``scale_grad_by_freq`` divides a row's
    gradient by how often it was looked up. With ``sparse`` the gradient of the table is a sparse
    tensor of the rows looked up. Raises IndexError for a row that does not exist.

    >>> table = torch.tensor([[1., 2.], [3., 4.], [5., 6.]])
    >>> torch.nn.functional.embedding(torch.tensor([2, 0]), table)
    tensor([[5., 6.],
            [1., 2.]])
    """
    _check(input, weight)
    rows = weight._data.shape[0]
    padding = -1
    if padding_idx is not None:
        if not -rows <= padding_idx < rows:
            raise AssertionError("Padding_idx must be within num_embeddings")
        padding = padding_idx % rows
    if max_norm is not None:
        _renormalize(weight, input, max_norm, norm_type)
    return look_up(sparse)(weight, input, padding, bool(scale_grad_by_freq))


def look_up(sparse: bool) -> Any:
    """Returns the op that looks rows up, with a sparse gradient or a dense one."""
    return loaded("sparse_rows:look_up") if sparse else _embedding


def _check(input: Any, weight: Any) -> None:
    for label, position, value in (("indices", 2, input), ("weight", 1, weight)):
        if not isinstance(value, TensorBase):
            raise TypeError(
                f"embedding(): argument '{label}' (position {position}) must be Tensor, "
                f"not {type(value).__name__}"
            )
    index, w = input._data, weight._data
    if index.dtype.kind != "i" or index.dtype.itemsize < 4:
        raise RuntimeError(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: "
            f"Long, Int; but got {input.type()} instead (while checking arguments for embedding)"
        )
    if w.ndim != 2:
        raise RuntimeError("'weight' must be 2-D")
    # Negative numbers count from the end in array libraries, but not here.
    wrong = backend_of(index).first_outside(index, 0, w.shape[0], "embedding")
    if wrong is not None:
        raise IndexError(
            f"index out of range in self: embedding() got index {wrong} for a table of {w.shape[0]} rows"
        )


def _renormalize(weight: Tensor, index: Tensor, max_norm: float, p: float) -> None:
    """Scales the rows that are looked up down to ``max_norm``, in place."""
    if not index._data.size:
        return
    with no_grad():
        looked_up = wrap(backend_of(index._data).unique_values(index._data))
        table = detach(weight)
        rows = getitem(table, looked_up)
        norm = _norms(rows, float(p))
        scale = where(gt(norm, max_norm), max_norm / (norm + 1e-7), 1.0)
        setitem(table, looked_up, rows * scale)


def _norms(rows: Tensor, p: float) -> Tensor:
    if p == 2:
        return sqrt(sum(rows * rows, 1, True))
    if math.isinf(p):
        return amax(abs(rows), 1, True)
    return pow(sum(pow(abs(rows), p), 1, True), 1 / p)


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """Returns a row of zeros with a one at the place that each element names.

    There are ``num_classes`` places; -1 means one more than the largest element. Raises
    RuntimeError for elements that have no place.

    >>> torch.nn.functional.one_hot(torch.tensor([0, 2]), 3)
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    try:
        x = tensor._data
    except AttributeError:
        check_tensor("one_hot", tensor, names=("tensor",))
        raise
    if x.dtype.kind != "i" or x.dtype.itemsize != 8:
        raise RuntimeError("one_hot is only applicable to index tensor of type LongTensor.")
    num_classes = integer("one_hot", "num_classes", num_classes)
    seen = backend_of(x).bounds(x)
    if not x.size and num_classes <= 0:
        raise RuntimeError("Can not infer total number of classes from empty tensor.")
    if seen is not None and seen[0] < 0:
        raise RuntimeError("Class values must be non-negative.")
    if num_classes == -1:
        num_classes = (int(x.max()) if seen is None else int(seen[1])) + 1
    elif seen is not None and seen[1] >= num_classes:
        raise RuntimeError("Class values must be smaller than num_classes.")
    B = backend_of(x)
    if x.__class__ is ndarray and x.size * num_classes > _FEW:  # a third of the time of comparing
        rows = B.zeros((x.size, num_classes), x.dtype)
        rows[B.arange(0, x.size, 1, x.dtype), x.reshape(-1)] = 1
        return wrap(rows.reshape(*x.shape, num_classes))
    classes = B.arange(0, num_classes, 1, x.dtype, B.device_of(x).index)
    return wrap(B.cast(x[..., None] == classes, x.dtype))
