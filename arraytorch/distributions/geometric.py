"""The geometric distribution."""

from __future__ import annotations

from .._tensor import Tensor
from .._type_info import finfo
from ..autograd.modes import no_grad
from ..nn.functional import binary_cross_entropy_with_logits
from ..ops import empty, zeros_like
from ..special import xlog1py
from . import constraints
from ._odds import Odds
from .distribution import Distribution
from .utils import ONCE, Shape, broadcast_all


class Geometric(Odds, Distribution):
    """The number of failures before the first success, each trial a success with ``probs``.

    (`Tensor.geometric_` counts the success, too.)

    >>> torch.distributions.Geometric(0.5).log_prob(torch.tensor(2.0)).exp()
    tensor(0.1250)
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.nonnegative_integer

    def __init__(
        self,
        probs: Tensor | float | None = None,
        logits: Tensor | float | None = None,
        validate_args: bool | None = None,
    ) -> None:
        (given,) = self._take_odds(probs, logits)
        super().__init__(given.shape, validate_args=validate_args)
        if self._validate_args and probs is not None:
            valid = given > 0
            if not valid.all():
                raise ValueError(
                    f"Expected parameter probs ({type(given).__name__} of shape "
                    f"{tuple(given.shape)}) of distribution {self!r} to be positive but found "
                    f"invalid values:\n{given[~valid]}"
                )

    @property
    def mean(self) -> Tensor:
        return 1.0 / self.probs - 1.0

    @property
    def mode(self) -> Tensor:
        return zeros_like(self.probs)

    @property
    def variance(self) -> Tensor:
        return (1.0 / self.probs - 1.0) / self.probs

    def sample(self, sample_shape: Shape = ONCE) -> Tensor:
        probs = self.probs
        with no_grad():
            u = empty(self._extended_shape(sample_shape), dtype=probs.dtype, device=probs.device)
            u.uniform_(finfo(probs.dtype).tiny, 1)
            return (u.log() / (-probs).log1p()).floor()

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        value, probs = broadcast_all(value, self.probs)
        return xlog1py(value, -probs) + probs.log()

    def entropy(self) -> Tensor:
        trial = binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none")
        return trial / self.probs
