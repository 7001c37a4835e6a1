"""What has no counterpart: NumPy's own functions on the memory of tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..autograd.modes import grad_enabled
from ..autograd.tape import TensorBase, stamp
from ..backends import host
from ..ops import creation

# What yields no numbers that a gradient could belong to.
WITHOUT_GRADIENT = frozenset({
    "argpartition", "array2string", "array_repr", "array_str", "bitwise_count", "can_cast",
    "common_type", "einsum_path", "histogram_bin_edges", "lexsort", "may_share_memory",
    "min_scalar_type", "packbits", "ravel_multi_index", "shares_memory", "spacing",
    "result_type", "unpackbits",
})  # fmt: skip


def on_host(function: Callable[..., Any], name: str, args: Any, kwargs: Any) -> Any:
    """Calls NumPy's function on arrays over the tensors' memory; its arrays come back as tensors.

    Raises TypeError if a gradient would be lost, or if a tensor is not in the host's memory.
    """
    given = list(_tensors((args, kwargs)))
    for t in given:
        if t._node is not None and grad_enabled.get() and name not in WITHOUT_GRADIENT:
            raise TypeError(
                f"NumPy's {name}() has no counterpart in arraytorch, so that its result would have "
                "no gradient: call it on tensor.detach()"
            )
        if not t.is_cpu:
            raise TypeError(
                f"NumPy's {name}() has no counterpart in arraytorch, and cannot reach a tensor on "
                f"{t.device}: copy it by tensor.cpu() first"
            )
    result = function(*_mapped(args, _array), **_mapped(kwargs, _array))
    own = {id(t._data): t for t in given}
    for t in _tensors(kwargs.get("out")):
        stamp(t)
    return _mapped(result, lambda x: own[id(x)] if id(x) in own else _tensor(x))


def _tensors(x: Any) -> Iterator[Any]:
    if isinstance(x, TensorBase):
        yield x
    elif isinstance(x, (list, tuple, dict)):
        for y in x.values() if isinstance(x, dict) else x:
            yield from _tensors(y)


def _mapped(x: Any, change: Callable[[Any], Any]) -> Any:
    """Applies a function to whatever is in nested containers, which keep their classes."""
    if isinstance(x, dict):
        return {key: _mapped(value, change) for key, value in x.items()}
    if type(x) in (list, tuple):
        return type(x)(_mapped(y, change) for y in x)
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return type(x)(*(_mapped(y, change) for y in x))
    return change(x)


def _array(x: Any) -> Any:
    return x._data if isinstance(x, TensorBase) else x


def _tensor(x: Any) -> Any:
    """An array or a NumPy number as a tensor, unless no tensor can have its type."""
    if not isinstance(x, (host.ndarray, *host.SCALARS)):
        return x
    try:
        return creation.from_numpy(host.as_native(x))
    except TypeError:
        return x
