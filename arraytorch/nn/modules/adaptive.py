"""Softmax over many classes, of which the rare ones are computed only when needed."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Sequence
from typing import Any

from ..._tensor import Tensor
from ...ops.joining import cat
from .. import functional as F
from .container import ModuleList, Sequential
from .linear import Linear
from .module import Module

__all__ = ["AdaptiveLogSoftmaxWithLoss"]

_ASMoutput = namedtuple("_ASMoutput", ["output", "loss"])


class AdaptiveLogSoftmaxWithLoss(Module):
    """Log-softmax in clusters of classes sorted by frequency (Grave et al. 2017).

    The classes below ``cutoffs[0]`` stand in the head, beside an entry for each cluster, whose
    projections get narrower by ``div_value``. Gives the log-probability of each target, and the
    mean loss.

    >>> softmax = torch.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [5, 10], div_value=2.0)
    >>> output, loss = softmax(torch.ones(3, 8), torch.tensor([1, 7, 19]))
    >>> output.shape, bool(loss == -output.mean())
    (torch.Size([3]), True)
    """

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        cutoffs = list(cutoffs)
        if not cutoffs:
            raise ValueError("cutoffs should be a sequence of length larger than 0")
        if (
            cutoffs != sorted(set(cutoffs))
            or cutoffs[0] <= 0
            or cutoffs[-1] > n_classes - 1
            or any(int(c) != c for c in cutoffs)
        ):
            raise ValueError(
                "cutoffs should be a sequence of unique, positive integers sorted in an increasing "
                "order, where each value is between 1 and n_classes-1"
            )
        self.in_features = in_features
        self.n_classes = n_classes
        self.cutoffs = [*cutoffs, n_classes]
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size = self.cutoffs[0]
        self.n_clusters = len(self.cutoffs) - 1
        self.head_size = self.shortlist_size + self.n_clusters
        place = {"device": device, "dtype": dtype}
        self.head = Linear(in_features, self.head_size, bias=head_bias, **place)
        self.tail = ModuleList()
        for i in range(self.n_clusters):
            width = int(in_features // div_value ** (i + 1))
            size = self.cutoffs[i + 1] - self.cutoffs[i]
            self.tail.append(
                Sequential(
                    Linear(in_features, width, bias=False, **place),
                    Linear(width, size, bias=False, **place),
                )
            )

    def reset_parameters(self) -> None:
        """Draws the starting values."""
        self.head.reset_parameters()
        for narrow, wide in self.tail:
            narrow.reset_parameters()
            wide.reset_parameters()

    def forward(self, input_: Tensor, target_: Tensor) -> Any:
        single = target_.dim() == 0
        if target_.dim() > 1:
            raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
        if not single and input_.shape[0] != target_.shape[0]:
            raise RuntimeError("Input and target should have the same size in the batch dimension.")
        if single and input_.dim() != 1:
            raise RuntimeError("0D target tensor expects 1D input tensor")
        if not single and input_.dim() != 2:
            raise RuntimeError("1D target tensor expects 2D input tensors")
        input = input_.unsqueeze(0) if single else input_
        target = target_.unsqueeze(0) if single else target_
        if target.numel() and not 0 <= target.min().item() <= target.max().item() < self.n_classes:
            raise RuntimeError(
                f"Target values should be in [0, {self.n_classes - 1}], but values in range "
                f"[{target.min().item()}, {target.max().item()}] were found. "
            )
        in_head, output = target.clone(), 0
        for i, (low, high) in enumerate(zip(self.cutoffs, self.cutoffs[1:], strict=False)):
            rows = ((target >= low) & (target < high)).nonzero().squeeze(1)
            if rows.numel():
                in_head[rows] = self.shortlist_size + i
                logs = F.log_softmax(self.tail[i](input.index_select(0, rows)), dim=1)
                own = logs.gather(1, (target[rows] - low).unsqueeze(1)).squeeze(1)
                output = own.new_zeros(target.shape).index_add(0, rows, own) + output
        logs = F.log_softmax(self.head(input), dim=1)
        output = output + logs.gather(1, in_head.unsqueeze(1)).squeeze(1)
        loss = (-output).mean()
        return _ASMoutput(output.squeeze(0) if single else output, loss)

    def log_prob(self, input: Tensor) -> Tensor:
        """Returns the log-probabilities of all classes: (N, in_features) to (N, n_classes).

        >>> softmax = torch.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [5, 10], div_value=2.0)
        >>> softmax.log_prob(torch.ones(3, 8)).shape
        torch.Size([3, 20])
        """
        return self._get_full_log_prob(input, self.head(input))

    def _get_full_log_prob(self, input: Tensor, head_output: Tensor) -> Tensor:
        logs = F.log_softmax(head_output, dim=1)
        parts = [logs[:, : self.shortlist_size]]
        for i, tail in enumerate(self.tail):
            own = logs[:, self.shortlist_size + i].unsqueeze(1)
            parts.append(F.log_softmax(tail(input), dim=1) + own)
        return cat(parts, 1)

    def predict(self, input: Tensor) -> Tensor:
        """Returns the likeliest class of each row.

        >>> softmax = torch.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [5, 10], div_value=2.0)
        >>> x = torch.ones(3, 8)
        >>> bool((softmax.predict(x) == softmax.log_prob(x).argmax(1)).all())
        True
        """
        head_output = self.head(input)
        best = head_output.argmax(1)
        if not bool((best >= self.shortlist_size).any()):
            return best
        return self._get_full_log_prob(input, head_output).argmax(1)
