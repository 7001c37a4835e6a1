"""The base of all families: shapes, validation of parameters and values, `expand`."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from .._size import Size
from .._tensor import Tensor
from ..autograd.modes import no_grad
from ..ops import exp, is_tensor
from . import constraints
from .utils import ONCE, Shape, lazy_property


class Distribution:
    """A family of distributions with parameters in tensors.

    ``batch_shape`` counts independent distributions, ``event_shape`` is the shape of one draw.

    >>> normal = torch.distributions.Normal(torch.zeros(2, 3), 1.0)
    >>> normal.batch_shape, normal.sample((4,)).shape
    (torch.Size([2, 3]), torch.Size([4, 2, 3]))
    """

    has_rsample = False
    has_enumerate_support = False
    _validate_args = __debug__

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Sets whether parameters and values are checked where ``validate_args`` is not given."""
        if value not in (True, False):
            raise ValueError
        Distribution._validate_args = value

    def __init__(
        self,
        batch_shape: Size = ONCE,
        event_shape: Size = ONCE,
        validate_args: bool | None = None,
    ) -> None:
        self._batch_shape, self._event_shape = Size(batch_shape), Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            self._validate_parameters()

    def _validate_parameters(self) -> None:
        try:
            found = self.arg_constraints
        except NotImplementedError:
            warnings.warn(
                f"{self.__class__} does not define `arg_constraints`. Please set `arg_constraints "
                "= {}` or initialize the distribution with `validate_args=False` to turn off "
                "validation.",
                stacklevel=3,
            )
            return
        for name, constraint in found.items():
            if constraints.is_dependent(constraint):
                continue
            if name not in self.__dict__ and isinstance(
                getattr(type(self), name, None), lazy_property
            ):
                continue  # not what the user gave, but what is computed of it
            value = getattr(self, name)
            if not constraint.check(value).all():
                raise ValueError(
                    f"Expected parameter {name} ({type(value).__name__} of shape "
                    f"{tuple(value.shape)}) of distribution {self!r} to satisfy the constraint "
                    f"{constraint!r}, but found invalid values:\n{value}"
                )

    # ---------------------------------------------------------------------------------- shapes

    @property
    def batch_shape(self) -> Size:
        """The shape over which the parameters are batched."""
        return self._batch_shape

    @property
    def event_shape(self) -> Size:
        """The shape of a single draw."""
        return self._event_shape

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        """Returns the distribution with its parameters expanded to a batch shape, as views.

        A subclass with an ``__init__`` of its own, whose other attributes depend on the shape,
        has to override this.
        """
        batch_shape = Size(batch_shape)
        new = self._get_checked_instance(_library_class(self), _instance)
        for name, constraint in self.arg_constraints.items():
            if name in self.__dict__:
                value = self.__dict__[name]
                event = value.shape[value.dim() - constraint.event_dim :]
                new.__dict__[name] = value.expand((*batch_shape, *event))
        new._batch_shape, new._event_shape = batch_shape, self._event_shape
        self._expand_rest(new, batch_shape)
        new._validate_args = self._validate_args
        return new

    def _expand_rest(self, new: Any, batch_shape: Size) -> None:
        """Gives an expanded copy what the family has besides its parameters."""

    def _get_checked_instance(self, cls: Any, _instance: Any = None) -> Any:
        """Returns what `expand` fills: the given instance, or a new one of the same class."""
        if _instance is None and type(self).__init__ != cls.__init__:
            raise NotImplementedError(
                f"Subclass {self.__class__.__name__} of {cls.__name__} that defines a custom "
                "__init__ method must also define a custom .expand() method."
            )
        return self.__new__(type(self)) if _instance is None else _instance

    def _extended_shape(self, sample_shape: Shape = ONCE) -> Size:
        """Returns the shape of what `sample` returns."""
        return Size(sample_shape) + self._batch_shape + self._event_shape

    # ------------------------------------------------------------------------------ parameters

    @property
    def arg_constraints(self) -> Mapping[str, constraints.Constraint]:
        """What each parameter has to satisfy."""
        raise NotImplementedError

    @property
    def support(self) -> constraints.Constraint | None:
        """What the values satisfy."""
        raise NotImplementedError

    @property
    def mean(self) -> Tensor:
        """The mean."""
        raise NotImplementedError

    @property
    def mode(self) -> Tensor:
        """The most probable value."""
        raise NotImplementedError(f"{self.__class__} does not implement mode")

    @property
    def variance(self) -> Tensor:
        """The variance."""
        raise NotImplementedError

    @property
    def stddev(self) -> Tensor:
        """The standard deviation."""
        return self.variance.sqrt()

    # --------------------------------------------------------------------------------- drawing

    def sample(self, sample_shape: Shape = ONCE) -> Tensor:
        """Returns draws, without gradients, of shape sample_shape + batch_shape + event_shape."""
        with no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Shape = ONCE) -> Tensor:
        """Returns draws that have gradients with respect to the parameters."""
        raise NotImplementedError

    def sample_n(self, n: int) -> Tensor:
        """Returns n draws; deprecated for ``sample((n,))``."""
        warnings.warn(
            "`sample_n(n)` will be deprecated. Use `sample((n,))` instead.",
            FutureWarning,
            stacklevel=2,
        )
        return self.sample(Size((n,)))

    # ----------------------------------------------------------------------------- probability

    def log_prob(self, value: Tensor) -> Tensor:
        """Returns the logarithm of the density or probability of a value."""
        raise NotImplementedError

    def cdf(self, value: Tensor) -> Tensor:
        """Returns the probability of no more than a value."""
        raise NotImplementedError

    def icdf(self, value: Tensor) -> Tensor:
        """Returns the value with a given probability of no more than it."""
        raise NotImplementedError

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """Returns all values of a discrete distribution along a new first dimension.

        With ``expand=False`` the batch's dimensions have size 1.
        """
        raise NotImplementedError

    def entropy(self) -> Tensor:
        """Returns the entropy, in nats."""
        raise NotImplementedError

    def perplexity(self) -> Tensor:
        """Returns the exponential of the entropy."""
        return exp(self.entropy())

    def _validate_sample(self, value: Any) -> None:
        """Raises ValueError unless a value fits the shapes and lies within the support."""
        if not is_tensor(value):
            raise ValueError("The value argument to log_prob must be a Tensor")
        at = value.dim() - len(self._event_shape)
        if value.shape[at:] != self._event_shape:
            raise ValueError(
                "The right-most size of value must match event_shape: "
                f"{value.shape} vs {self._event_shape}."
            )
        wanted = Size((*self._batch_shape, *self._event_shape))
        for have, want in zip(reversed(value.shape), reversed(wanted), strict=False):
            if have not in (1, want) and want != 1:
                raise ValueError(
                    "Value is not broadcastable with batch_shape+event_shape: "
                    f"{value.shape} vs {wanted}."
                )
        try:
            support = self.support
        except NotImplementedError:
            warnings.warn(
                f"{self.__class__} does not define `support` to enable sample validation. Please "
                "initialize the distribution with `validate_args=False` to turn off validation.",
                stacklevel=3,
            )
            return
        if support is not None and not support.check(value).all():
            raise ValueError(
                f"Expected value argument ({type(value).__name__} of shape {tuple(value.shape)}) "
                f"to be within the support ({support!r}) of the distribution {self!r}, but found "
                f"invalid values:\n{value}"
            )

    def __repr__(self) -> str:
        given = [(k, self.__dict__[k]) for k in self.arg_constraints if k in self.__dict__]
        shown = (f"{k}: {v if v.numel() == 1 else v.shape}" for k, v in given)
        return f"{type(self).__name__}({', '.join(shown)})"


def _library_class(distribution: Distribution) -> type:
    """The class of this package that a distribution is of, or inherits from."""
    return next(c for c in type(distribution).__mro__ if c.__module__.startswith(__package__))
