"""Losses with a margin: between the right answer and others, between near and far."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autograd.tape import wrap
from ..backends import backend_of, dtype_of
from ._results import check_tensor, is_half, refuse_kernel, rounded_once
from .activation import logsigmoid
from .arithmetic import sqrt
from .distance import pairwise_distance
from .loss import _reduced, _reduction
from .reduction import sum
from .scattering import gather
from .selection import clamp, minimum, where
from .sequences import arange
from .shape import unsqueeze

Tensor = Any


def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Returns max(0, -target * (input1 - input2) + margin).

    >>> F = torch.nn.functional
    >>> F.margin_ranking_loss(torch.ones(1), torch.zeros(1), torch.tensor([-1.0]))
    tensor(1.)
    """
    reduction = _reduction(reduction, size_average, reduce)
    check_tensor(
        "margin_ranking_loss", input1, input2, target, names=("input1", "input2", "target")
    )
    if not input1._data.ndim == input2._data.ndim == target._data.ndim:
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: "
            f"input1: {input1.shape}, input2: {input2.shape}, target: {target.shape} "
        )
    return _reduced(clamp(-target * (input1 - input2) + margin, min=0), reduction)


def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Returns 1 - cos of vectors where the target is 1, and max(0, cos - margin) where it is -1.

    The inputs are (N, D) with targets (N,), or (D,) with (). Raises RuntimeError for other shapes.

    >>> F = torch.nn.functional
    >>> F.cosine_embedding_loss(torch.ones(1, 2), torch.ones(1, 2), torch.tensor([-1]), margin=0.5)
    tensor(0.5000)
    """
    check_tensor(
        "cosine_embedding_loss", input1, input2, target, names=("input1", "input2", "target")
    )
    reduction = _reduction(reduction, size_average, reduce)
    rows = target._data.ndim
    if rows > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if not input1._data.ndim == input2._data.ndim == rows + 1:
        raise RuntimeError(
            f"{rows}D target tensor expects {rows + 1}D input tensors, but found inputs with sizes "
            f"{list(input1._data.shape)} and {list(input2._data.shape)}."
        )
    squares = (sum(input1 * input1, rows) + 1e-12) * (sum(input2 * input2, rows) + 1e-12)
    cos = sum(input1 * input2, rows) / sqrt(squares)
    near = where(target == 1, 1 - cos, 0.0)
    far = where(target == -1, clamp(cos - margin, min=0), 0.0)
    return _reduced(near + far, reduction)


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Returns max(0, d(anchor, positive) - d(anchor, negative) + margin) (Balntas et al. 2016).

    d is `pairwise_distance`. With ``swap``, the distance from the positive to the negative counts
    where it is smaller. Raises ValueError unless ``margin`` is positive.

    >>> F = torch.nn.functional
    >>> F.triplet_margin_loss(torch.zeros(1, 2), torch.zeros(1, 2), torch.tensor([[0., 0.25]]))
    tensor(0.7500)
    """
    check_tensor(
        "triplet_margin_loss", anchor, positive, negative, names=("anchor", "positive", "negative")
    )
    reduction = _reduction(reduction, size_average, reduce)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    _check_dims(anchor, positive, negative, RuntimeError)

    def distance(x: Tensor, y: Tensor) -> Tensor:
        return pairwise_distance(x, y, p, eps)

    return _triplet(anchor, positive, negative, distance, margin, swap, reduction)


def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """`triplet_margin_loss` by a distance of one's own, `pairwise_distance` if none is given.

    >>> F, by = torch.nn.functional, lambda x, y: (x - y).abs().sum(-1)
    >>> near, far = torch.zeros(1, 2), torch.ones(1, 2)
    >>> F.triplet_margin_with_distance_loss(near, near, far, distance_function=by, margin=3.0)
    tensor(1.)
    """
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    name = "triplet_margin_with_distance_loss"
    check_tensor(name, anchor, positive, negative, names=("anchor", "positive", "negative"))
    _check_dims(anchor, positive, negative, RuntimeError)
    distance = pairwise_distance if distance_function is None else distance_function
    return _triplet(anchor, positive, negative, distance, margin, swap, reduction)


def _check_dims(anchor: Tensor, positive: Tensor, negative: Tensor, error: type) -> None:
    a, p, n = (t._data.ndim for t in (anchor, positive, negative))
    if not a == p == n:
        raise error(
            "The anchor, positive, and negative tensors are expected to have the same number of "
            f"dimensions, but got: anchor {a}D, positive {p}D, and negative {n}D inputs"
        )


def _triplet(
    anchor: Tensor, near: Tensor, far: Tensor, d: Any, margin: float, swap: bool, reduction: str
) -> Tensor:
    apart = d(anchor, far)
    if swap:
        apart = minimum(apart, d(near, far))
    return _reduced(clamp(d(anchor, near) - apart + margin, min=0), reduction)


def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Returns the mean over classes of max(0, margin - x[target] + x[class]) ** p.

    Scores (N, C) go with classes (N,), scores (C,) with one class. ``weight`` weighs each sample by
    its class. Raises RuntimeError for shapes that do not fit, or classes out of range.

    >>> torch.nn.functional.multi_margin_loss(torch.tensor([[0.5, 0.25]]), torch.tensor([0]))
    tensor(0.3750)
    """
    check_tensor("multi_margin_loss", input, target, names=("input", "target"))
    refuse_kernel("multi_margin_loss_cpu_kernel", input, "biuc")
    reduction = _reduction(reduction, size_average, reduce)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    if weight is not None and weight._data.ndim != 1:
        raise ValueError("weight must be one-dimensional")
    x, labels = input._data, target._data
    count = x.shape[0] if x.ndim == 2 else 1
    classes = x.shape[-1] if x.ndim else 1
    if x.ndim > 2 or not classes:
        raise RuntimeError(
            "Expected non-empty vector or matrix with optional 0-dim batch size, but got: "
            f"{list(x.shape)}"
        )
    if labels.ndim > 1 or labels.size != count:
        raise RuntimeError(
            f"inconsistent target size, expected {count} but got {list(labels.shape)}"
        )
    if labels.dtype.kind != "i" or labels.dtype.itemsize != 8:
        raise RuntimeError(f"expected scalar type Long but found {dtype_of(labels).name}")
    _check_targets(labels, 0, classes)
    if weight is not None and weight._data.size != classes:
        raise RuntimeError(
            f"inconsistent weight size, expected {classes} but got {list(weight._data.shape)}"
        )
    rows, places = input.reshape((count, classes)), target.reshape((count, 1))
    loss = clamp(rows - gather(rows, 1, places) + margin, min=0)
    if p == 2:
        loss = loss * loss
    if weight is not None:
        loss = loss * gather(weight.reshape((1, classes)).expand((count, classes)), 1, places)
    loss = where(arange(classes, device=input.device) == places, 0.0, loss)
    loss = sum(loss, 1) / classes
    return _reduced(loss.reshape(labels.shape if x.ndim == 2 else ()), reduction)


def _check_targets(labels: Any, least: int, classes: int) -> None:
    if backend_of(labels).first_outside(labels, least, classes, "margin_loss") is not None:
        raise RuntimeError("target out of range")


def multilabel_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Returns max(0, 1 - x[right] + x[wrong]), summed over all right and wrong classes, over C.

    ``target`` has the shape of ``input``, (N, C) or (C,), and names the right classes of each row;
    the first -1 ends them. Raises RuntimeError for shapes that do not fit, or classes out of range.

    >>> F = torch.nn.functional
    >>> F.multilabel_margin_loss(torch.tensor([[0.5, 0.25, 0.]]), torch.tensor([[0, -1, -1]]))
    tensor(0.4167)
    """
    check_tensor("multilabel_margin_loss", input, target, names=("input", "target"))
    refuse_kernel("multilabel_margin_loss_forward_out_frame", input, "biuc")
    reduction = _reduction(reduction, size_average, reduce)
    x, labels = input._data, target._data
    if x.ndim > 2 or (x.ndim and not x.shape[-1]):
        raise RuntimeError(
            "Expected non-empty vector or matrix with optional 0-dim batch size, but got: "
            f"{list(x.shape)}"
        )
    if labels.shape != x.shape and not labels.size == x.size == 1:
        raise RuntimeError(
            f"inconsistent target size: {list(labels.shape)} for input: {list(x.shape)}"
        )
    classes = x.shape[-1] if x.ndim else 1
    _check_targets(labels, -1, classes)
    rows, named = input.reshape((-1, classes)), labels.reshape((-1, classes))
    B = backend_of(labels)
    given = B.cumsum(B.cast(named < 0, labels.dtype), 1) == 0
    places = B.where(given, named, 0)
    every = B.arange(0, classes, 1, labels.dtype)
    # right[n, k]: class k is among those of row n.
    right = B.any((places[:, :, None] == every) & given[:, :, None], (1,), False)
    score = unsqueeze(gather(rows, 1, wrap(places)), 2)
    loss = clamp(1 - score + unsqueeze(rows, 1), min=0)
    counts = wrap(given[:, :, None] & ~right[:, None, :])
    loss = sum(where(counts, loss, 0.0), (1, 2)) / classes
    return _reduced(loss.reshape(x.shape[:-1]), reduction)


def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Returns the mean over classes of the cross entropy of sigmoid(input) with targets of 0 and 1.

    >>> torch.nn.functional.multilabel_soft_margin_loss(torch.zeros(1, 2), torch.ones(1, 2))
    tensor(0.6931)
    """
    check_tensor("multilabel_soft_margin_loss", input, target, names=("input", "target"))
    reduction = _reduction(reduction, size_average, reduce)
    if is_half(input):
        return rounded_once(multilabel_soft_margin_loss, input, target, weight, reduction=reduction)
    loss = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    if weight is not None:
        loss = loss * weight
    shape = input._data.shape
    return _reduced(sum(loss, -1) / (shape[-1] if shape else 1), reduction)
