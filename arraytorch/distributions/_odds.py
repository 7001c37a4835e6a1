"""What families with a probability share: it is given as it is or as log-odds."""

from __future__ import annotations

from typing import Any

from .._size import Size
from .._tensor import Tensor
from .utils import broadcast_all, lazy_property, logits_to_probs, normalized_logits, probs_to_logits


def one_of(probs: Any, logits: Any) -> str:
    """Returns the name of the one that was given. Raises ValueError for none and for both."""
    if (probs is None) == (logits is None):
        raise ValueError("Either `probs` or `logits` must be specified, but not both.")
    return "logits" if probs is None else "probs"


class Odds:
    """A family with a probability for each element of the batch."""

    def _take_odds(self, probs: Any, logits: Any, *others: Any) -> tuple[Tensor, ...]:
        """Keeps what was given, and returns it after the others, all broadcast."""
        name = one_of(probs, logits)
        found = broadcast_all(*others, logits if probs is None else probs)
        self.__dict__[name] = found[-1]
        return found

    @lazy_property
    def logits(self) -> Tensor:
        """The log-odds."""
        return probs_to_logits(self.probs, is_binary=True)

    @lazy_property
    def probs(self) -> Tensor:
        """The probability."""
        return logits_to_probs(self.logits, is_binary=True)

    @property
    def _param(self) -> Tensor:
        return self.__dict__["probs" if "probs" in self.__dict__ else "logits"]

    @property
    def param_shape(self) -> Size:
        """The shape of the parameter."""
        return self._param.shape


class Categories(Odds):
    """A family with a probability for each category, along the last dimension."""

    def _take_categories(self, probs: Any, logits: Any) -> Tensor:
        """Keeps what was given, normalized, and returns it."""
        name = one_of(probs, logits)
        given = logits if probs is None else probs
        if given.dim() < 1:
            raise ValueError(f"`{name}` parameter must be at least one-dimensional.")
        made = normalized_logits(given) if probs is None else given / given.sum(-1, keepdim=True)
        self.__dict__[name] = made
        return made

    @lazy_property
    def logits(self) -> Tensor:  # type: ignore[override]
        """The logarithms of the probabilities."""
        return probs_to_logits(self.probs)

    @lazy_property
    def probs(self) -> Tensor:  # type: ignore[override]
        """The probabilities."""
        return logits_to_probs(self.logits)
