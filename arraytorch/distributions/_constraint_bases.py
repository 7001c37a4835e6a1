"""What all constraints are made of: bounds, and what depends on parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from .._tensor import Tensor


class Constraint:
    """A region, discrete or continuous.

    >>> constraints = torch.distributions.constraints
    >>> constraints.unit_interval.check(torch.tensor([0.5, 2.0]))
    tensor([ True, False])
    """

    is_discrete: Any = False
    event_dim: Any = 0

    def check(self, value: Tensor) -> Tensor:
        """Returns a tensor of bools: which events satisfy the constraint."""
        raise NotImplementedError

    def __repr__(self) -> str:
        bounds = [n for n in ("lower_bound", "upper_bound") if n in self._shown]
        inside = ", ".join(f"{n}={getattr(self, n)}" for n in bounds)
        return f"{type(self).__name__.removeprefix('_')}({inside})"

    _shown: tuple[str, ...] = ()


class _Dependent(Constraint):
    """A region that depends on parameters, or on other variables."""

    def __init__(self, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented):
        self._is_discrete, self._event_dim = is_discrete, event_dim

    @property
    def is_discrete(self) -> bool:  # type: ignore[override]
        """Whether it is discrete, if that was said."""
        if self._is_discrete is NotImplemented:
            raise NotImplementedError(".is_discrete cannot be determined statically")
        return cast("bool", self._is_discrete)

    @property
    def event_dim(self) -> int:  # type: ignore[override]
        """The number of dimensions of an event, if that was said."""
        if self._event_dim is NotImplemented:
            raise NotImplementedError(".event_dim cannot be determined statically")
        return cast("int", self._event_dim)

    def __call__(
        self, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented
    ) -> _Dependent:
        """Returns the constraint with more said about it."""
        return _Dependent(
            is_discrete=self._is_discrete if is_discrete is NotImplemented else is_discrete,
            event_dim=self._event_dim if event_dim is NotImplemented else event_dim,
        )

    def check(self, value: Any) -> Any:
        """Raises ValueError: there is nothing to check against."""
        raise ValueError("Cannot determine validity of dependent constraint")


class _DependentProperty(property, _Dependent):
    """A property of a distribution that gives a constraint; of the class, a dependent one."""

    def __init__(
        self,
        fn: Callable[..., Any] | None = None,
        *,
        is_discrete: Any = NotImplemented,
        event_dim: Any = NotImplemented,
    ) -> None:
        super().__init__(fn)
        self._is_discrete, self._event_dim = is_discrete, event_dim

    def __call__(self, fn: Callable[..., Any]) -> _DependentProperty:  # type: ignore[override]
        """Decorates a method, where the facts were given first."""
        return _DependentProperty(fn, is_discrete=self._is_discrete, event_dim=self._event_dim)


class _Bounded(Constraint):
    """What has bounds, and shows them."""

    def __init__(self, lower_bound: Any, upper_bound: Any) -> None:
        self.lower_bound, self.upper_bound = lower_bound, upper_bound
        super().__init__()

    _shown = ("lower_bound", "upper_bound")


class _FromBelow(Constraint):
    """What has one bound, from below."""

    def __init__(self, lower_bound: Any) -> None:
        self.lower_bound = lower_bound
        super().__init__()

    _shown = ("lower_bound",)


class _FromAbove(Constraint):
    """What has one bound, from above."""

    def __init__(self, upper_bound: Any) -> None:
        self.upper_bound = upper_bound
        super().__init__()

    _shown = ("upper_bound",)
