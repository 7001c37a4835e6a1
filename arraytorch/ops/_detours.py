"""Code exchanged in functions while something looks at their calls: overrides and autocast.

Whoever holds an op (the namespaces, class Tensor, other ops) holds the same function object. A detour
put into its ``__code__`` is met by all of them, and once nobody looks, the function has its own code
back: it then differs in no instruction from that of a library without detours.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import CodeType, FunctionType
from typing import Any

OVERRIDES, AUTOCAST = 0, 1  # who looks first

Taker = Callable[["Detour", tuple[Any, ...], dict[str, Any]], Any]
_detours: dict[Any, Detour] = {}


def detour_of(function: Any) -> Detour:
    """Returns the detour of a function, made when first asked for."""
    found = _detours.get(function)
    if found is None:
        found = _detours[function] = Detour(function)
    return found


def known(function: Any) -> Detour | None:
    """Returns the detour of a function, None if it has none."""
    return _detours.get(function)


class Detour:
    """The detour of one function, with a place for each of those that may look at its calls."""

    def __init__(self, function: Any) -> None:
        self.function, self.own = function, function.__code__
        self.plain = _twin(function)
        self.code = _leading_to(self, self.own)
        self.takers: list[Taker | None] = [None, None]
        self.first: Callable[..., Any] = self.plain_call
        function.uncast = self.plain
        if not hasattr(function, "__wrapped__"):
            function.__wrapped__ = self.plain  # so that its signature can be read meanwhile

    def put(self, place: int, taker: Taker | None) -> None:
        """Has ``taker`` look at the calls; None ends that, and gives the function its code back."""
        self.takers[place] = taker
        outer, inner = self.takers
        if outer is not None:
            self.first = partial(outer, self)
        else:
            self.first = self.plain_call if inner is None else self.after_overrides
        code = self.own if outer is inner is None else self.code
        if self.function.__code__ is not code:
            self.function.__code__ = code

    def plain_call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Calls the function as if nobody looked."""
        return self.plain(*args, **kwargs)

    def after_overrides(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Calls the function as if nobody could override it."""
        inner = self.takers[AUTOCAST]
        return self.plain(*args, **kwargs) if inner is None else inner(self, args, kwargs)


def _twin(function: Any) -> Any:
    twin: Any = FunctionType(
        function.__code__,
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    twin.__kwdefaults__ = function.__kwdefaults__
    return twin


_MARK = "the detour, put among the constants in place of this text"
# A function that has free variables must copy them into its frame, or who looks at the frame crashes:
# the names after the return make the compiler say so.
_SOURCE = """
def outer({names}):
    def detour(*args__, **kwargs__):
        take__ = {mark!r}
        return take__.first(args__, kwargs__)
        ({names})
"""


def _leading_to(detour: Detour, own: CodeType) -> CodeType:
    """The code of a detour, under the function's name, with the free variables that it must have."""
    names = "".join([f"{name}, " for name in own.co_freevars])
    marked = compile(_SOURCE.format(names=names, mark=_MARK), __file__, "exec")
    for _ in range(2):  # of the module outer, of that detour
        marked = next(c for c in marked.co_consts if isinstance(c, CodeType))
    constants = tuple([detour if c == _MARK else c for c in marked.co_consts])
    return marked.replace(
        co_consts=constants,
        co_freevars=own.co_freevars,
        co_name=own.co_name,
        co_qualname=own.co_qualname,
    )
