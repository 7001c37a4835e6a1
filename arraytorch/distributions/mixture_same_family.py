"""Mixtures of distributions of one family."""

from __future__ import annotations

from typing import Any

from .._size import Size
from .._tensor import Tensor
from ..autograd.modes import no_grad
from ..nn.functional import log_softmax
from ..ops import logsumexp
from . import constraints
from .categorical import Categorical
from .distribution import Distribution
from .utils import ONCE, Shape


class MixtureSameFamily(Distribution):
    """A draw of one of the components, which are the last batch dimension of a distribution.

    >>> D = torch.distributions
    >>> which = D.Categorical(torch.tensor([1.0, 3.0]))
    >>> D.MixtureSameFamily(which, D.Normal(torch.tensor([0.0, 4.0]), 1.0)).mean
    tensor(3.)
    """

    arg_constraints: Any = {}
    has_rsample = False

    def __init__(
        self,
        mixture_distribution: Categorical,
        component_distribution: Distribution,
        validate_args: bool | None = None,
    ) -> None:
        self._mixture_distribution = mixture_distribution
        self._component_distribution = component_distribution
        if not isinstance(mixture_distribution, Categorical):
            raise ValueError(
                " The Mixture distribution needs to be an  instance of "
                "torch.distributions.Categorical"
            )
        if not isinstance(component_distribution, Distribution):
            raise ValueError(
                "The Component distribution needs to be an instance of "
                "torch.distributions.Distribution"
            )
        ours, theirs = mixture_distribution.batch_shape, component_distribution.batch_shape[:-1]
        for have, want in zip(reversed(ours), reversed(theirs), strict=False):
            if have != 1 and want != 1 and have != want:
                raise ValueError(
                    f"`mixture_distribution.batch_shape` ({ours}) is not compatible with "
                    f"`component_distribution.batch_shape`({theirs})"
                )
        number = mixture_distribution.logits.shape[-1]
        given = component_distribution.batch_shape[-1]
        if number != given:
            raise ValueError(
                f"`mixture_distribution component` ({number}) does not equal "
                f"`component_distribution.batch_shape[-1]` ({given})"
            )
        self._num_component = number
        event_shape = component_distribution.event_shape
        self._event_ndims = len(event_shape)
        super().__init__(theirs, event_shape, validate_args=validate_args)

    def _expand_rest(self, new: Any, batch_shape: Size) -> None:
        new._mixture_distribution = self.mixture_distribution.expand(batch_shape)
        new._component_distribution = self.component_distribution.expand(
            (*batch_shape, self._num_component)
        )
        new._num_component, new._event_ndims = self._num_component, self._event_ndims

    @constraints.dependent_property
    def support(self) -> Any:
        return constraints.MixtureSameFamilyConstraint(self.component_distribution.support)

    @property
    def mixture_distribution(self) -> Categorical:
        """Which component is drawn from."""
        return self._mixture_distribution

    @property
    def component_distribution(self) -> Any:
        """The components."""
        return self._component_distribution

    def _average(self, of_components: Tensor) -> Tensor:
        probs = self._pad_mixture_dimensions(self.mixture_distribution.probs)
        return (probs * of_components).sum(-1 - self._event_ndims)

    @property
    def mean(self) -> Tensor:
        return self._average(self.component_distribution.mean)

    @property
    def variance(self) -> Tensor:
        # The mean of the variances and the variance of the means.
        off = self.component_distribution.mean - self._pad(self.mean)
        return self._average(self.component_distribution.variance) + self._average(off.pow(2))

    def cdf(self, x: Tensor) -> Tensor:  # type: ignore[override]
        each = self.component_distribution.cdf(self._pad(x))
        return (each * self.mixture_distribution.probs).sum(-1)

    def log_prob(self, x: Tensor) -> Tensor:  # type: ignore[override]
        if self._validate_args:
            self._validate_sample(x)
        each = self.component_distribution.log_prob(self._pad(x))
        return logsumexp(each + log_softmax(self.mixture_distribution.logits, -1), -1)

    def sample(self, sample_shape: Shape = ONCE) -> Tensor:
        with no_grad():
            dim = len(sample_shape) + len(self.batch_shape)
            which = self.mixture_distribution.expand(self.batch_shape).sample(sample_shape)
            drawn = self.component_distribution.sample(sample_shape)
            which = which.reshape((*which.shape, *[1] * (self._event_ndims + 1)))
            picked = (*drawn.shape[:dim], 1, *self.event_shape)
            return drawn.gather(dim, which.expand(picked)).squeeze(dim)

    def _pad(self, x: Tensor) -> Tensor:
        """Gives values the dimension of the components."""
        return x.unsqueeze(-1 - self._event_ndims)

    def _pad_mixture_dimensions(self, x: Tensor) -> Tensor:
        """Gives weights the dimensions of an event, and of the batch if they have none."""
        return x.reshape((*x.shape[:-1], x.shape[-1], *[1] * self._event_ndims))

    def __repr__(self) -> str:
        inside = f"{self.mixture_distribution},\n  {self.component_distribution}"
        return f"MixtureSameFamily(\n  {inside})"
