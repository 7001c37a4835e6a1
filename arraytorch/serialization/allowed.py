"""What files may name: the fixed table, and what users have added to it."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable
from types import TracebackType
from typing import Any, NamedTuple

from .. import _dtypes
from .._device import device
from .._size import Size
from .._tensor import Tensor
from ..nn.parameter import Parameter
from . import rebuild
from .storages import STORAGE_TYPES, UntypedStorage


class Entry(NamedTuple):
    """What a name in a file stands for, and what a call of it does (None if it is no function)."""

    value: Any
    call: Callable[..., Any] | None = None


def _own(*functions: Callable[..., Any]) -> dict[str, Entry]:
    return {f"torch._utils.{f.__name__}": Entry(f, f) for f in functions}


REBUILD = _own(
    rebuild._rebuild_tensor,
    rebuild._rebuild_tensor_v2,
    rebuild._rebuild_tensor_v3,
    rebuild._rebuild_parameter,
    rebuild._rebuild_parameter_with_state,
    rebuild._rebuild_meta_tensor_no_storage,
    rebuild._rebuild_sparse_tensor,
    rebuild._rebuild_device_tensor_from_cpu_tensor,
)
ALLOWED: dict[str, Entry] = {
    **REBUILD,
    "torch._tensor._rebuild_from_type_v2": Entry(
        rebuild._rebuild_from_type_v2, rebuild._rebuild_from_type_v2
    ),
    "torch.serialization._get_layout": Entry(rebuild._get_layout, rebuild._get_layout),
    "torch.Size": Entry(Size, Size),
    "torch.device": Entry(device, device),
    "torch.Tensor": Entry(Tensor),
    "torch.nn.parameter.Parameter": Entry(Parameter),
    "torch.storage.UntypedStorage": Entry(UntypedStorage),
    "collections.OrderedDict": Entry(OrderedDict, OrderedDict),
    "collections.Counter": Entry(Counter, rebuild.make_counter),
    "_codecs.encode": Entry(rebuild.make_bytes, rebuild.make_bytes),
    "builtins.bytearray": Entry(bytearray, rebuild.make_bytearray),
    "builtins.complex": Entry(complex, rebuild.make_complex),
    "builtins.set": Entry(set, rebuild.make_set),
    "builtins.frozenset": Entry(frozenset, rebuild.make_frozenset),
    **{f"torch.{d.name}": Entry(d) for d in _dtypes.ALL},
    **{f"torch.{name}": Entry(kind) for name, kind in STORAGE_TYPES.items()},
}
# The names under which files written here call things: PyTorch's, so that it can read them.
NAMES: dict[int, tuple[str, str]] = {
    id(entry.value): (name.rpartition(".")[0], name.rpartition(".")[2])
    for name, entry in ALLOWED.items()
    if name.startswith("torch.")
}

# Never allowed, even if a user asks for it.
BLOCKED = frozenset({"sys", "os", "posix", "nt"})

_lock = threading.Lock()
_users: dict[str, Any] = {}


def add_safe_globals(
    safe_globals: list[Callable[..., Any] | tuple[Callable[..., Any], str]],
) -> None:
    """Allows files to name these classes and functions, that is, to call them.

    A pair gives the full name that files use, for what has moved since they were written. Do so
    only for code of your own: a file decides what it is called with.

    >>> from collections import defaultdict
    >>> torch.serialization.add_safe_globals([defaultdict])
    >>> torch.serialization.get_safe_globals() == [defaultdict]
    True
    >>> torch.serialization.clear_safe_globals()
    """
    added = dict(map(_named, safe_globals))
    with _lock:
        _users.update(added)


def get_safe_globals() -> list[Callable[..., Any] | tuple[Callable[..., Any], str]]:
    """Returns what `add_safe_globals` has added."""
    return [f if _own_name(f) == name else (f, name) for name, f in list(_users.items())]


def clear_safe_globals() -> None:
    """Takes back all that `add_safe_globals` has added."""
    with _lock:
        _users.clear()


class safe_globals:
    """Allows files to name these classes and functions within a ``with`` block.

    >>> from collections import deque
    >>> with torch.serialization.safe_globals([deque]):
    ...     torch.serialization.get_safe_globals() == [deque]
    True
    """

    def __init__(
        self, safe_globals: list[Callable[..., Any] | tuple[Callable[..., Any], str]]
    ) -> None:
        self.safe_globals = safe_globals

    def __enter__(self) -> None:
        self._before = dict(_users)
        add_safe_globals(self.safe_globals)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with _lock:
            for name, _ in map(_named, self.safe_globals):
                if name in self._before:
                    _users[name] = self._before[name]
                else:
                    _users.pop(name, None)


def find(full_name: str) -> Entry | None:
    """Returns what a name in a file stands for; None if files may not name it."""
    if full_name in ALLOWED:
        return ALLOWED[full_name]
    if full_name in _users:
        return Entry(_users[full_name], _users[full_name])
    return None


def users_class(kind: type) -> bool:
    """Whether a user has allowed this very class."""
    return any(kind is f for f in list(_users.values()))


def _named(entry: Any) -> tuple[str, Any]:
    if not isinstance(entry, tuple):
        return _own_name(entry), entry
    if len(entry) != 2:
        raise ValueError(
            "Expected tuple of length 2 (global, str of callable full path), "
            f"but got tuple of length: {len(entry)}"
        )
    if type(entry[1]) is not str:
        raise TypeError(
            f"Expected second item in tuple to be str of callable full path, but got: {type(entry[1])}"
        )
    return entry[1], entry[0]


def _own_name(f: Any) -> str:
    return f"{f.__module__}.{f.__qualname__}"
