"""Which function computes the KL divergence of a pair of types."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, TypeVar

from .._tensor import Tensor
from .distribution import Distribution

F = TypeVar("F", bound=Callable[..., Any])

_KL_REGISTRY: dict[tuple[type, type], Callable[..., Any]] = {}
_KL_MEMOIZE: dict[tuple[type, type], Callable[..., Any] | None] = {}


def register_kl(type_p: type, type_q: type) -> Callable[[F], F]:
    """Decorates the function of a pair of types, which serves subclasses, too.

    Of several that fit, the one for the most specific types is taken.

    >>> D = torch.distributions
    >>> class Shifted(D.Normal): pass
    >>> @D.register_kl(Shifted, D.Normal)
    ... def divergence(p, q):
    ...     return torch.tensor(7.0)
    >>> D.kl_divergence(Shifted(0.0, 1.0), D.Normal(0.0, 1.0))
    tensor(7.)
    """
    for name, given in (("type_p", type_p), ("type_q", type_q)):
        if not isinstance(given, type):
            raise TypeError(f"Expected {name} to be a Distribution subclass but got {given}")

    def enter(function: F) -> F:
        _KL_REGISTRY[type_p, type_q] = function
        _KL_MEMOIZE.clear()
        return function

    return enter


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """Returns the divergence of q from p, the mean of log(p(x) / q(x)) over x of p, in nats.

    Raises NotImplementedError where it has no known form.

    >>> D = torch.distributions
    >>> D.kl_divergence(D.Normal(0.0, 1.0), D.Normal(1.0, 1.0))
    tensor(0.5000)
    """
    pair = (type(p), type(q))
    if pair not in _KL_MEMOIZE:
        _KL_MEMOIZE[pair] = _found(*pair)
    function = _KL_MEMOIZE[pair]
    if function is None:
        raise NotImplementedError(
            f"No KL(p || q) is implemented for p type {pair[0].__name__} and q type "
            f"{pair[1].__name__}"
        )
    return function(p, q)


def _found(type_p: type, type_q: type) -> Callable[..., Any] | None:
    """The function for the nearest ancestors, first of p, then of q. Warns if the order matters."""
    fitting = [
        (type_p.__mro__.index(p), type_q.__mro__.index(q), p, q)
        for p, q in _KL_REGISTRY
        if issubclass(type_p, p) and issubclass(type_q, q)
    ]
    if not fitting:
        return None
    by_p = min(fitting, key=lambda found: (found[0], found[1]))
    by_q = min(fitting, key=lambda found: (found[1], found[0]))
    function = _KL_REGISTRY[by_p[2:]]
    if function is not _KL_REGISTRY[by_q[2:]]:
        warnings.warn(
            f"Ambiguous kl_divergence({type_p.__name__}, {type_q.__name__}). Please "
            f"register_kl({by_p[2].__name__}, {by_q[3].__name__})",
            RuntimeWarning,
            stacklevel=3,
        )
    return function
