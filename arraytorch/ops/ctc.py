"""Connectionist temporal classification (Graves et al. 2006)."""

from __future__ import annotations

from typing import Any

from .._dtypes import int64, scalar_type_name
from ..autograd.calculus import grad
from ..autograd.modes import enable_grad
from ..autograd.tape import TensorBase, taped, wrap
from ..backends import backend_of, dtype_of, numpy_dtype
from ..backends.ctc import Alignments
from ._declare import derivative, kernel_op
from ._results import check_tensor
from .elementary import exp
from .joining import cat
from .reduction import logsumexp, mean
from .reduction import sum as sum_of
from .scattering import gather
from .selection import clamp, where
from .shape import squeeze, unsqueeze

Tensor = Any

_FAR = -1e30  # stands for -inf where the derivative of a sum of logarithms must exist


@derivative(
    saves=("log_probs", "alignments", "loss", "reached"),
    name="CtcLossBackward0",
    d_log_probs=lambda B, g, log_probs, alignments, loss, reached: B.ctc_backward(
        g, log_probs, alignments, loss, reached
    ),
)
def _ctc_loss(log_probs: Tensor, alignments: Alignments) -> Tensor:
    x = log_probs._data
    loss, reached = backend_of(x).ctc_loss(x, alignments)
    return taped(_ctc_loss, loss, (log_probs,), (log_probs, alignments, loss, reached))


@kernel_op
def ctc_backward(g: Tensor, log_probs: Tensor, a: Alignments, loss: Any, reached: Any) -> Tensor:
    """Returns the gradient, by ops that are differentiable in turn."""
    x = log_probs._data
    B = backend_of(x)
    with enable_grad():
        tracked = log_probs if log_probs.requires_grad else log_probs.detach().requires_grad_()
        own = tracked * 1
        (slope,) = grad([_composed(own, a)], [own], [g], create_graph=True)
    frames = B.arange(0, x.shape[0], 1, a.frames.dtype, B.device_of(x).index)
    counts = frames[:, None] < a.frames
    return where(wrap(counts[:, :, None]), slope + exp(log_probs) * unsqueeze(g, -1), 0.0)


def _composed(log_probs: Tensor, a: Alignments) -> Tensor:
    """The loss as a composition of ops."""
    x = log_probs._data
    B = backend_of(x)
    index = B.expand(a.labels, (x.shape[0], *a.labels.shape))
    frames = gather(log_probs, 2, wrap(B.copy(index)))
    never = wrap(B.full(a.labels.shape, _FAR, x.dtype))
    first = B.arange(0, a.labels.shape[1], 1, a.frames.dtype) < 2
    here = where(wrap(first & a.inside), frames[0], never)
    final = where(wrap((a.frames == 1)[:, None]), here, never)
    for t in range(1, x.shape[0]):
        next_to = cat([never[:, :1], here[:, :-1]], 1)
        two_before = cat([never[:, :2], here[:, :-2]], 1) if a.labels.shape[1] > 2 else never
        skipped = where(wrap(a.skips), two_before, never)
        here = logsumexp(cat([unsqueeze(s, 0) for s in (here, next_to, skipped)], 0), 0) + frames[t]
        final = where(wrap((a.frames == t + 1)[:, None]), here, final)
    return -logsumexp(where(wrap(a.ends), final, never), 1)


def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """Returns minus the log-likelihood of the targets, summed over all alignments with the frames.

    ``log_probs`` (T, N, C) are of log_softmax, ``targets`` (N, S) or one behind the other (sum of
    lengths,); one sample may come without N. Lengths tell how many frames and targets count. The
    mean is of each loss over its target's length. ``zero_infinity`` makes losses of targets that
    are too long for their frames 0. The gradient is that for the input of log_softmax.
    Raises RuntimeError where sizes do not fit.

    >>> x = torch.tensor([[[0.5, 0.5]], [[0.5, 0.5]]]).log()
    >>> torch.nn.functional.ctc_loss(x, torch.tensor([[1]]), [2], [1])
    tensor(0.2877)
    """
    check_tensor("ctc_loss", log_probs, targets, names=("log_probs", "targets"))
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    single = log_probs._data.ndim == 2
    if single:
        log_probs = unsqueeze(log_probs, 1)
    x = log_probs._data
    _check(x, targets, blank)
    frames = _lengths("input_lengths", input_lengths, x)
    counts = _lengths("target_lengths", target_lengths, x)
    if len(frames) and max(frames) > x.shape[0]:
        raise RuntimeError(
            f"Expected input_lengths to have value at most {x.shape[0]}, but got value {max(frames)} "
            "(while checking arguments for ctc_loss_allocate_outputs)"
        )
    loss = _ctc_loss(log_probs, _aligned(x, targets._data, frames, counts, blank))
    if zero_infinity:
        loss = where(loss == float("inf"), 0.0, loss)
    if single and reduction == "none":
        loss = squeeze(loss, 0)
    if reduction == "mean":
        B = backend_of(x)
        lengths = wrap(B.cast(B.host_index(x, counts, (len(counts),)), x.dtype))
        return mean(loss / clamp(lengths, min=1))
    return sum_of(loss) if reduction == "sum" else loss


def _check(x: Any, targets: Any, blank: int) -> None:
    if not isinstance(targets, TensorBase):
        raise TypeError(
            "ctc_loss(): argument 'targets' (position 2) must be Tensor, not "
            f"{type(targets).__name__}"
        )
    if x.ndim != 3 or not x.size:
        raise RuntimeError("log_probs tensor must not be empty" if not x.size else (
            f"ctc_loss(): expected log_probs of 2 or 3 dimensions, but got {x.ndim}"))  # fmt: skip
    if x.dtype.kind in "biuc" or x.dtype.itemsize == 2:
        name = scalar_type_name(dtype_of(x))
        raise NotImplementedError(f"\"ctc_loss_cpu\" not implemented for '{name}'")
    if not 0 <= blank < x.shape[2]:
        raise RuntimeError("blank must be in label range")


def _lengths(name: str, lengths: Any, x: Any) -> list[int]:
    """Lengths as a list, from a tensor, numbers, or one number."""
    if isinstance(lengths, TensorBase):
        if lengths._data.dtype.kind not in "iu":
            raise RuntimeError(f"{name} must be integral")
        lengths = lengths.reshape((-1,)).tolist()
    elif isinstance(lengths, int):
        lengths = [lengths]
    lengths = [int(n) for n in lengths]
    if len(lengths) != x.shape[1]:
        raise RuntimeError(f"{name} must be of size batch_size")
    if lengths and min(lengths) < 0:
        raise RuntimeError(
            f"Expected {name} to have value at least 0, but got value {min(lengths)} (while checking "
            "arguments for ctc_loss_allocate_outputs)"
        )
    return lengths


def _aligned(x: Any, targets: Any, frames: list[int], counts: list[int], blank: int) -> Alignments:
    """The labels of each sample, and where alignments may skip and end."""
    B = backend_of(x)
    integers = numpy_dtype(int64)
    n, longest = len(counts), max(counts, default=0)
    rows = B.cast(_rows(B, B.cast(targets, integers), counts, longest), integers)
    size = B.host_index(x, counts, (n, 1))
    along = B.arange(0, 2 * longest + 1, 1, integers)
    inside = along <= 2 * size
    if not longest:
        labels = B.full((n, 1), blank, integers)
    else:
        at = B.cast((along - 1) // 2 * (along > 0), integers)
        labels = B.where(
            along % 2 == 1, B.gather(rows, 1, B.expand(at, (n, along.shape[0]))), blank
        )
        labels = B.where(inside, labels, blank)
    seen = B.bounds(labels)
    if seen is not None and not 0 <= seen[0] <= seen[1] < x.shape[2]:
        raise RuntimeError(f"ctc_loss(): targets must be in [0, {x.shape[2]}), but got {seen}")
    earlier = B.cat([B.full((n, 2), blank, integers), labels[:, :-2]], 1)[:, : labels.shape[1]]
    skips = (along % 2 == 1) & (along > 1) & (labels != earlier) & inside
    ends = (along == 2 * size) | (along == 2 * size - 1)
    return Alignments(labels, skips, B.host_index(x, frames, (n,)), ends, inside)


def _rows(B: Any, targets: Any, counts: list[int], longest: int) -> Any:
    """Targets that lie one behind the other as rows, filled up with the last."""
    if targets.ndim == 2:
        if targets.shape[0] != len(counts) or targets.shape[1] < longest:
            raise RuntimeError(
                f"Expected tensor to have size at least {longest} at dimension 1, but got size "
                f"{targets.shape[1]} for argument #2 'targets' (while checking arguments for "
                "ctc_loss_allocate_outputs)"
            )
        return targets
    if targets.ndim != 1 or targets.shape[0] != sum(counts):
        raise RuntimeError(
            f"Expected tensor to have size {sum(counts)} at dimension 0, but got size "
            f"{targets.shape[0] if targets.ndim else 0} for argument #2 'targets' (while checking "
            "arguments for ctc_loss_allocate_outputs)"
        )
    if not longest:
        return targets
    places, start = [], 0
    for count in counts:
        last = max(start + count - 1, 0)
        places += [min(start + i, last) for i in range(longest)]
        start += count
    return B.take(targets, B.host_index(targets, places, (len(counts) * longest,)), 0).reshape(
        (len(counts), longest)
    )
