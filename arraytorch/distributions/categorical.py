"""The categorical distribution."""

from __future__ import annotations

from math import nan
from typing import Any

from .._size import Size
from .._tensor import Tensor
from .._type_info import finfo
from ..ops import arange, broadcast_tensors, full, multinomial
from . import constraints
from ._odds import Categories
from .bernoulli import enumerated
from .distribution import Distribution
from .utils import ONCE, Shape


class Categorical(Categories, Distribution):
    """An index from 0 to K - 1, with probabilities proportional to ``probs`` in the last dimension.

    >>> die = torch.distributions.Categorical(torch.tensor([1.0, 1.0, 2.0]))
    >>> die.probs
    tensor([0.2500, 0.2500, 0.5000])
    >>> die.log_prob(torch.tensor(2)).exp()
    tensor(0.5000)
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    has_enumerate_support = True

    def __init__(
        self,
        probs: Tensor | None = None,
        logits: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        given = self._take_categories(probs, logits)
        super().__init__(given.shape[:-1], validate_args=validate_args)

    @property
    def _num_events(self) -> int:
        return self._param.shape[-1]

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> Any:
        return constraints.integer_interval(0, self._num_events - 1)

    @property
    def mean(self) -> Tensor:
        """NaN: categories have no mean."""
        probs = self.probs
        return full(self._extended_shape(), nan, dtype=probs.dtype, device=probs.device)

    @property
    def mode(self) -> Tensor:
        return self.probs.argmax(dim=-1)

    @property
    def variance(self) -> Tensor:
        """NaN: categories have no variance."""
        return self.mean

    def sample(self, sample_shape: Shape = ONCE) -> Tensor:
        sample_shape = Size(sample_shape)
        rows = self.probs.detach().reshape(-1, self._num_events)
        drawn = multinomial(rows, sample_shape.numel(), True).T
        return drawn.reshape(self._extended_shape(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        index, logits = broadcast_tensors(value.long().unsqueeze(-1), self.logits)
        return logits.gather(-1, index[..., :1]).squeeze(-1)

    def entropy(self) -> Tensor:
        # Where the probability is 0, so is its part, not 0 * -inf.
        logits = self.logits.clamp(min=finfo(self.logits.dtype).min)
        return -(logits * self.probs).sum(-1)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        return enumerated(arange(self._num_events, device=self._param.device), self, expand)
