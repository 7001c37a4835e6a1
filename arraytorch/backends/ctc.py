"""Kernels of connectionist temporal classification: sums over alignments, in logarithms.

Labels are the targets of a sample with blanks before, between and after: 2 S + 1 of them. An
alignment goes through them in order, may stay, and may skip a blank between different targets.
"""

from __future__ import annotations

from typing import Any

_NEVER = -float("inf")


class Alignments:
    """What is aligned with what: arrays of N samples, of at most T frames and L labels."""

    def __init__(self, labels: Any, skips: Any, frames: Any, ends: Any, inside: Any) -> None:
        self.labels = labels  # (N, L): the classes, blanks at even places
        self.skips = skips  # (N, L): whether a label may follow the one two places before
        self.frames = frames  # (N,): how many frames count
        self.ends = ends  # (N, L): whether an alignment may end there
        self.inside = inside  # (N, L): whether there is such a label


class CtcKernels:
    """CTC over the namespace ``xp``."""

    xp: Any
    logsumexp: Any
    ungather: Any

    def ctc_loss(self, x: Any, a: Alignments) -> tuple[Any, Any]:
        """Minus the log-likelihoods of samples, and of each frame and label that of coming there."""
        xp, steps = self.xp, x.shape[0]
        frames = self._of_labels(x, a)
        never = xp.full(a.labels.shape, _NEVER, dtype=x.dtype)
        start = xp.arange(a.labels.shape[1]) < 2
        found: list[Any] = []
        for t in range(steps):
            if t:
                before = found[-1]
                sums = xp.logaddexp(before, _moved(xp, never, before, 1))
                skipped = xp.where(a.skips, _moved(xp, never, before, 2), _NEVER)
                here = xp.logaddexp(sums, skipped.astype(x.dtype, copy=False)) + frames[t]
            else:
                here = xp.where(start & a.inside, frames[0], _NEVER).astype(x.dtype, copy=False)
            found.append(here)
        if not steps:
            likely = xp.where(xp.any(a.inside[:, 1:], axis=1), _NEVER, 0).astype(x.dtype)
            return -likely, xp.zeros((0, *a.labels.shape), dtype=x.dtype)
        reached = xp.stack(found)
        last = xp.where(a.frames > 0, a.frames - 1, 0).reshape(1, -1, 1)
        final = xp.take_along_axis(reached, xp.broadcast_to(last, (1, *a.labels.shape)), axis=0)[0]
        likely = self.logsumexp(
            xp.where(a.ends, final, _NEVER).astype(x.dtype, copy=False), (1,), False
        )
        empty = xp.where(xp.any(a.inside[:, 1:], axis=1), _NEVER, 0)
        likely = xp.where(a.frames > 0, likely, empty)
        return -likely.astype(x.dtype, copy=False), reached

    def ctc_backward(self, g: Any, x: Any, a: Alignments, loss: Any, reached: Any) -> Any:
        """exp(x) minus the share of alignments that have a class at a frame, times g.

        exp(x) makes this the gradient for the input of the log_softmax before (Graves et al. 2006).
        """
        xp, steps = self.xp, x.shape[0]
        frames = self._of_labels(x, a)
        never = xp.full(a.labels.shape, _NEVER, dtype=x.dtype)
        ahead = xp.concatenate([a.skips[:, 2:], a.skips[:, :2] & False], axis=1)
        shares = []
        onward = never
        for t in reversed(range(steps)):
            sums = xp.logaddexp(onward, _moved(xp, never, onward, -1))
            skipped = xp.where(ahead, _moved(xp, never, onward, -2), _NEVER)
            sums = xp.logaddexp(sums, skipped.astype(x.dtype, copy=False))
            begins = (a.frames - 1 == t)[:, None]
            sums = xp.where(begins, xp.where(a.ends, 0, _NEVER), sums).astype(x.dtype, copy=False)
            onward = sums + frames[t]
            shares.append(xp.exp(reached[t] + sums + loss[:, None]))
        counts = (xp.arange(steps)[:, None] < a.frames)[:, :, None]
        if not steps:
            return x * 0
        share = xp.where(counts & a.inside, xp.stack(shares[::-1]), 0).astype(x.dtype, copy=False)
        index = xp.broadcast_to(a.labels, share.shape)
        by_class = self.ungather(share, 2, index, x.shape)
        slope = (xp.exp(x) - by_class) * g[:, None]
        # What has no gradient stays out of it even where no alignment exists, and slopes are NaN.
        return xp.where(counts & (g != 0)[:, None], slope, 0).astype(x.dtype, copy=False)

    def _of_labels(self, x: Any, a: Alignments) -> Any:
        """(T, N, L): the log-probabilities of the labels."""
        index = self.xp.broadcast_to(a.labels, (x.shape[0], *a.labels.shape))
        return self.xp.take_along_axis(x, index, axis=2)


def _moved(xp: Any, never: Any, x: Any, by: int) -> Any:
    """x moved along its second dimension, -inf moving in."""
    if by > 0:
        return xp.concatenate([never[:, :by], x[:, :-by]], axis=1)[:, : x.shape[1]]
    return xp.concatenate([x[:, -by:], never[:, :-by]], axis=1)[:, : x.shape[1]]
