"""Losses of scores of classes against labels or probabilities."""

from __future__ import annotations

from math import prod
from typing import Any

from .._dtypes import int64
from ..autograd.tape import lying_in, taped, wrap
from ..backends import BACKENDS, LARGE, backend_of, dtype_of, numpy_dtype, outermost
from ._declare import derivative, kernel_op
from ._promote import common_device
from ._results import check_tensor, refuse_kernel
from .loss import REDUCTIONS, _reduction
from .reduction import sum
from .shape import movedim
from .softmaxes import log_softmax, softmax

Tensor = Any
INDEX = numpy_dtype(int64)


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Returns minus the log-probability of the target class: (N, C, ...) with (N, ...), or (C) with ().

    The mean is over the weights of the targets that are not ``ignore_index``. Raises IndexError
    for a class out of range.

    >>> torch.nn.functional.nll_loss(torch.tensor([[-1.0, -2.0]]), torch.tensor([1]))
    tensor(2.)
    """
    if reduction not in REDUCTIONS or size_average is not None or reduce is not None:
        reduction = _reduction(reduction, size_average, reduce)
    try:
        plain = weight is None and _rows_and_labels(input._data, target._data)
    except AttributeError:
        check_tensor("nll_loss", input, target, names=("input", "target"))
        raise
    if plain:
        return _checked_nll_loss(input, target, None, ignore_index, reduction)
    refuse_kernel("nll_loss_out_frame", input, "biuc")
    _check_classes("nll_loss", input, target, weight)
    flat, labels, batch = _flattened(input, target)
    loss = _checked_nll_loss(flat, lying_in(labels, target), weight, ignore_index, reduction)
    return loss.reshape(batch) if reduction == "none" else loss


def _rows_and_labels(x: Any, t: Any) -> bool:
    """Whether there are rows of floating-point numbers and one label for each."""
    return (
        x.ndim == 2
        and t.ndim == 1
        and x.shape[0] == t.shape[0]
        and x.dtype.kind == "f"
        and t.dtype.kind == "i"
    )


def _checked_nll_loss(
    input: Tensor, target: Tensor, weight: Tensor | None, ignore: int, reduction: str
) -> Tensor:
    """`_nll_loss`; raises IndexError, in PyTorch's words, for a class out of range."""
    try:
        return _nll_loss(input, target, weight, ignore, reduction)
    except IndexError:
        t = target._data
        _check_range(backend_of(t).where(t != ignore, t, 0), input._data.shape[1])
        raise


@derivative(
    saves=("shape", "target", "weight", "ignore", "reduction"),
    kernel="nll_loss",
    name="NllLossBackward0",
    d_input=lambda B, g, shape, target, weight, ignore, reduction: B.nll_loss_backward(
        g, shape, target, weight, ignore, reduction
    ),
)
def _nll_loss(
    input: Tensor, target: Tensor, weight: Tensor | None, ignore: int, reduction: str
) -> Tensor:
    """The losses of rows of log-probabilities, with a label each, or their mean or sum."""
    x, t, w = input._data, target._data, None if weight is None else weight._data
    if t.__class__ is not x.__class__:
        common_device("nll_loss", [input, target])
    B = BACKENDS[x.__class__]
    z = B.asarray(B.nll_loss(x, t, w, ignore, reduction))
    return taped(_nll_loss, z, (input,), (x.shape, target, weight, ignore, reduction))


@derivative(
    saves=("target", "weight", "ignore", "reduction"),
    d_g=lambda B, g, target, weight, ignore, reduction: B.nll_loss(
        g, target, weight, ignore, reduction
    ),
)
def nll_loss_backward(
    g: Tensor, shape: Any, target: Tensor, weight: Tensor | None, ignore: int, reduction: str
) -> Tensor:
    """Returns the gradient of `_nll_loss`, which is linear in ``g`` as that is in its input."""
    t, w = target._data, None if weight is None else weight._data
    B = outermost(*[x for x in (g._data, t, w) if x is not None])
    z = B.nll_loss_backward(g._data, shape, t, w, ignore, reduction)
    return taped(nll_loss_backward, z, (g,), (target, weight, ignore, reduction))


def _tensor(array: Any) -> Tensor:
    return wrap(backend_of(array).asarray(array))


def _check_classes(name: str, input: Tensor, target: Tensor, weight: Tensor | None) -> int:
    try:
        x, t = input._data, target._data
    except AttributeError:
        check_tensor(name, input, target, names=("input", "target"))
        raise
    common_device(name, [u for u in (input, target, weight) if u is not None])
    if x.ndim == 0:
        raise RuntimeError(f"{name}: input must have at least one dimension")
    if t.dtype.kind not in "iu":
        raise RuntimeError(f"expected scalar type Long but found {dtype_of(t).name}")
    classes = x.shape[0] if x.ndim == 1 else x.shape[1]
    expected = () if x.ndim == 1 else (x.shape[0], *x.shape[2:])
    if t.shape != expected and not (x.ndim == 1 and t.shape == (1,)):
        if x.ndim > 1 and t.ndim >= 1 and t.shape[0] != x.shape[0]:
            raise ValueError(
                f"Expected input batch_size ({x.shape[0]}) to match target batch_size ({t.shape[0]})."
            )
        raise RuntimeError(
            f"Expected target size {list(expected)}, got {list(t.shape)}: {name}() got input of "
            f"shape {list(x.shape)}"
        )
    if weight is not None and weight._data.shape != (classes,):
        raise RuntimeError(
            "weight tensor should be defined either for all "
            f"{classes} classes or no classes but got weight tensor of shape: {list(weight._data.shape)}"
        )
    return classes


def _check_range(labels: Any, classes: int) -> None:
    bad = backend_of(labels).first_outside(labels, 0, classes, "nll_loss")
    if bad is not None:
        raise IndexError(f"Target {bad} is out of bounds.")


def _flattened(input: Tensor, target: Tensor) -> tuple[Tensor, Any, tuple[int, ...]]:
    """Rows of scores, their labels, and the shape that the labels had."""
    x, labels = input._data, target._data
    if x.ndim == 1:
        return input.reshape((1, -1)), labels.reshape((1,)), labels.shape
    if x.ndim > 2 and x.size >= LARGE:  # one transposed matrix for each sample
        planes = input.reshape((x.shape[0], x.shape[1], prod(x.shape[2:])))
        input = planes.transpose(1, 2).contiguous().reshape((-1, x.shape[1]))
    elif x.ndim > 2:
        input = movedim(input, 1, -1).reshape((-1, x.shape[1]))
    return input, labels.reshape((-1,)), labels.shape


@derivative(
    saves=("input", "target", "ignore", "mean", "p", "kept"),
    name="NllLossBackward0",
    d_input=lambda B, g, input, target, ignore, mean, p, kept: B.cross_entropy_backward(
        g, input, target, ignore, mean, p, kept
    ),
)
def _cross_entropy(input: Tensor, target: Tensor, ignore: int, mean: bool) -> Tensor:
    """Softmax and its loss in one, for rows of logits and one label each."""
    x, t = input._data, target._data
    if t.__class__ is not x.__class__:
        common_device("cross_entropy", [input, target])
    B = backend_of(x)
    loss, p, kept = B.cross_entropy(x, t, ignore, mean)
    return taped(_cross_entropy, B.asarray(loss), (input,), (input, target, ignore, mean, p, kept))


@kernel_op
def cross_entropy_backward(
    g: Tensor, input: Tensor, target: Tensor, ignore: int, mean: bool, p: Any, kept: Any
) -> Tensor:
    """Returns (softmax - one at the target) * g, by ops that are differentiable in turn."""
    x = input._data
    B = backend_of(x)
    hit = B.arange(0, x.shape[1], 1, INDEX, B.device_of(x).index) == target._data[:, None]
    keep = (target._data != ignore)[:, None]
    share = g / float(keep.sum()) if mean else g
    difference = softmax(input, 1) - _tensor(B.cast(hit, input._data.dtype))
    return difference * _tensor(B.cast(keep, input._data.dtype)) * share


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Returns the cross entropy of logits (N, C, ...) against classes (N, ...) or probabilities.

    ``target`` holds class indices, or is floating-point of the input's shape. The mean is over the
    weights of the targets that are not ``ignore_index``. ``label_smoothing`` mixes in the uniform
    distribution (Szegedy et al. 2015). Raises IndexError for a class out of range.

    >>> torch.nn.functional.cross_entropy(torch.tensor([[0.0, 0.0]]), torch.tensor([1]))
    tensor(0.6931)
    """
    if reduction not in REDUCTIONS or size_average is not None or reduce is not None:
        reduction = _reduction(reduction, size_average, reduce)
    try:
        x, t = input._data, target._data
    except AttributeError:
        check_tensor("cross_entropy", input, target, names=("input", "target"))
        raise
    plain = weight is None and label_smoothing == 0 and reduction != "none"
    if plain and _rows_and_labels(x, t):
        try:
            return _cross_entropy(input, target, ignore_index, reduction == "mean")
        except IndexError:
            _check_range(backend_of(t).where(t != ignore_index, t, 0), x.shape[1])
            raise
    if not 0.0 <= label_smoothing <= 1.0:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    if x.shape == t.shape and t.dtype.kind not in "iub":
        return _soft_cross_entropy(input, target, weight, ignore_index, reduction, label_smoothing)
    logs = log_softmax(input, 0 if x.ndim == 1 else 1)
    hard = nll_loss(logs, target, weight, None, ignore_index, None, reduction)
    if label_smoothing == 0:
        return hard
    return _smoothed(hard, logs, target, weight, ignore_index, reduction, label_smoothing)


def _smoothed(
    hard: Tensor, logs: Tensor, target: Tensor, weight: Any, ignore: int, reduction: str, s: float
) -> Tensor:
    """Mixes in the loss against the uniform distribution, weighted by class."""
    flat, labels, batch = _flattened(logs, target)
    classes = flat._data.shape[1]
    B = backend_of(labels)
    kept = labels != ignore
    smooth = -sum(flat if weight is None else flat * weight, 1)
    smooth = smooth * _tensor(B.cast(kept, flat._data.dtype))
    if reduction == "none":
        smooth = smooth.reshape(batch)
    else:
        smooth = sum(smooth)
        if reduction == "mean":
            if weight is None:
                shares = B.cast(kept, flat._data.dtype)
            else:
                safe = B.where(kept, labels, 0)
                shares = B.where(kept, backend_of(weight._data).take(weight._data, safe, 0), 0)
            smooth = smooth / _tensor(B.sum(shares, (0,), False))
    return hard * (1 - s) + smooth * (s / classes)


def _soft_cross_entropy(
    input: Tensor, target: Tensor, weight: Any, ignore: int, reduction: str, s: float
) -> Tensor:
    """Cross entropy against probabilities of classes."""
    if ignore >= 0:
        raise RuntimeError("ignore_index is not supported for floating point target")
    x = input._data
    d = 0 if x.ndim == 1 else 1
    classes = x.shape[d]
    if s:
        target = target * (1 - s) + s / classes
    loss = log_softmax(input, d) * target
    if weight is not None:
        loss = loss * weight.reshape((-1,) + (1,) * (x.ndim - 1 - d))
    loss = -sum(loss, d)
    if reduction == "none":
        return loss
    total = sum(loss)
    return total if reduction == "sum" else total / (x.size // classes)
