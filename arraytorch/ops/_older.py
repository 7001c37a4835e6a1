"""Orders of arguments of PyTorch's first years, which put numbers before tensors: ``x.add_(2, y)``."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

from ..autograd.tape import TensorBase
from ._promote import is_number

F = TypeVar("F", bound=Callable[..., Any])

# By what stands where, a tensor (T) or a number (n): what the numbers are called today.
ORDERS: dict[str, dict[str, tuple[str, ...]]] = {
    "add": {"TnT": ("alpha",), "Tnn": ("alpha",)},
    "addcmul": {"TnTT": ("value",)},
    "addmm": {
        "nTTT": ("beta",),
        "nTnTT": ("beta", "alpha"),
        "TnTT": ("beta",),  # these two are the methods', whose tensor comes first
        "TnnTT": ("beta", "alpha"),
    },
}
_warned: list[str] = []


def in_order(op: Any, like: str, *args: Any, **options: Any) -> Any:
    """Calls an op with the arguments in today's order; TypeError if theirs never was one.

    Warns once in a process, as PyTorch does.
    """
    kinds = "".join(
        ["T" if isinstance(a, TensorBase) else "n" if is_number(a) else "?" for a in args]
    )
    names = ORDERS[like].get(kinds)
    name = op.__name__
    for today in ("alpha", "beta", "value"):
        value = options.pop(today, 1)
        if value.__class__ is not int or value != 1:
            raise TypeError(f"{name}() got '{today}' by name, and numbers before tensors")
    if names is None:
        count = 2 if like == "add" else 3
        raise TypeError(f"{name}() takes {count} positional arguments but {len(args)} were given")
    if not _warned:
        _warned.append(name)
        rest = ", ".join(["Tensor"] * (len(args) - len(names) - 1))
        warnings.warn(
            f"This overload of {name} is deprecated:\n\t{name}("
            f"{', '.join(f'Number {n}' for n in names)}, {rest})\nConsider using one of the "
            f"following signatures instead:\n\t{name}({rest}, *, "
            f"{', '.join(f'Number {n} = 1' for n in names)})",
            stacklevel=3,
        )
    places = [i for i, kind in enumerate(kinds) if kind == "n"][: len(names)]
    named = {name: args[i] for name, i in zip(names, places, strict=True)}
    return op(*[a for i, a in enumerate(args) if i not in places], **named, **options)


def hides_older(op: F) -> F:
    """Leaves ``*older`` out of the signature that help() shows: what takes older orders of arguments."""
    op.__signature__ = _signature(op, ("older",))  # type: ignore[attr-defined]
    return op


def signature_in_place(op: Any) -> inspect.Signature:
    """The signature of an op without ``out``."""
    return _signature(op, ("out", "older"))


def _signature(op: Any, without: tuple[str, ...]) -> inspect.Signature:
    """The signature of an op without some parameters.

    From the code object: inspect.signature takes ten times as long, for every op, at import.
    """
    code, P = getattr(op, "uncast", op).__code__, inspect.Parameter
    count, flags = code.co_argcount, code.co_flags
    names = list(code.co_varnames[: count + code.co_kwonlyargcount + 2])
    required = count - len(op.__defaults__ or ())
    parameters = []
    for i, name in enumerate(names[:count]):
        default = P.empty if i < required else op.__defaults__[i - required]
        parameters.append(P(name, P.POSITIONAL_OR_KEYWORD, default=default))
    only = names[count : count + code.co_kwonlyargcount]
    rest = names[count + code.co_kwonlyargcount :]
    if flags & inspect.CO_VARARGS and (name := rest.pop(0)) not in without:
        parameters.append(P(name, P.VAR_POSITIONAL))
    for name in only:
        if name not in without:
            default = (op.__kwdefaults__ or {}).get(name, P.empty)
            parameters.append(P(name, P.KEYWORD_ONLY, default=default))
    if flags & inspect.CO_VARKEYWORDS:
        parameters.append(P(rest.pop(0), P.VAR_KEYWORD))
    return inspect.Signature(parameters)
