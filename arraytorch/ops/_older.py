"""Orders of arguments of PyTorch's first years, which put numbers before tensors: ``x.add_(2, y)``."""

from __future__ import annotations

import warnings
from typing import Any

from ..autograd.tape import TensorBase
from ._promote import is_number

# By what stands where, a tensor (T) or a number (n): what the numbers are called today.
ORDERS: dict[str, dict[str, tuple[str, ...]]] = {
    "add": {"TnT": ("alpha",)},
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
    tensors = [a for a in args if isinstance(a, TensorBase)]
    if names is None:
        count = 2 if like == "add" else 3
        raise TypeError(f"{name}() takes {count} positional arguments but {len(args)} were given")
    if not _warned:
        _warned.append(name)
        rest = ", ".join(["Tensor"] * (len(tensors) - 1))
        warnings.warn(
            f"This overload of {name} is deprecated:\n\t{name}("
            f"{', '.join(f'Number {n}' for n in names)}, {rest})\nConsider using one of the "
            f"following signatures instead:\n\t{name}({rest}, *, "
            f"{', '.join(f'Number {n} = 1' for n in names)})",
            stacklevel=3,
        )
    numbers = [a for a in args if not isinstance(a, TensorBase)]
    return op(*tensors, **dict(zip(names, numbers, strict=True)), **options)
