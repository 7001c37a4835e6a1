"""How ops come to ask for autocast: their code is exchanged while any region is open.

So an op pays nothing as long as there is none. Entering the first region of a device type puts a
detour (`ops._detours`) into each op on its list, and leaving the last one gives the op its own code
back. A detour asks the state of its own thread or task, so that others run as before, but for the
question.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from importlib import import_module
from types import FunctionType
from typing import Any

from .._dtypes import dtype, float32, float64
from ..autograd.modes import autocast_dtypes
from ..autograd.tape import Leaf, TensorBase
from ..backends import backend_of, dtype_of, numpy_dtype
from ..ops._declare import cast
from ..ops._detours import AUTOCAST, Detour, detour_of
from ._lists import LISTS
from ._state import STATE

_BANNED = (
    "torch.nn.functional.binary_cross_entropy and torch.nn.BCELoss are unsafe to autocast.\n"
    "Many models use a sigmoid layer right before the binary cross entropy layer.\n"
    "In this case, combine the two layers using torch.nn.functional.binary_cross_entropy_with_logits"
    "\nor torch.nn.BCEWithLogitsLoss.  binary_cross_entropy_with_logits and BCEWithLogits are\n"
    "safe to autocast."
)


class Policies:
    """The policies of one listed op by type of device, and its detour."""

    def __init__(self, op: Any) -> None:
        self.detour = detour_of(op)
        self.policies: dict[str, str] = {}
        self.open = 0  # for how many types of device it is taken

    def __call__(self, detour: Detour, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        dtypes = autocast_dtypes.get()
        if not dtypes or kwargs.get("out") is not None:
            return detour.plain(*args, **kwargs)
        kind = _kind((*args, *kwargs.values()))
        policy, lower = self.policies.get(kind), dtypes.get(kind)
        if policy is None or lower is None:
            return detour.plain(*args, **kwargs)
        if policy == "banned":
            raise RuntimeError(_BANNED)
        if policy != "plain" and not _excepted(policy, args, kwargs):
            target = _target(policy, lower, (*args, *kwargs.values()), kind)
            args = tuple([_converted(value, target, kind) for value in args])
            kwargs = {name: _converted(value, target, kind) for name, value in kwargs.items()}
        token = autocast_dtypes.set({})
        try:
            return detour.plain(*args, **kwargs)
        finally:
            autocast_dtypes.reset(token)


# ------------------------------------------------------------------------------------ arguments


def _kind(values: Any) -> str:
    """The type of the device of the first tensor."""
    for value in values:
        if isinstance(value, TensorBase):
            return backend_of(value._data).device_type  # type: ignore[no-any-return]
        if isinstance(value, (list, tuple)) and (found := _kind(value)):
            return found
    return ""


def _excepted(policy: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether an op's other arguments have it take the tensors as they are."""
    given = (*args, *kwargs.values())
    if policy == "float32_unless":
        return any(isinstance(value, dtype) for value in given)
    if policy == "float32_pad":
        mode = next((v for v in given if isinstance(v, str)), "constant")
        wide = len(kwargs["pad"] if "pad" in kwargs else args[1]) == 6
        return mode != "replicate" and (mode != "reflect" or wide)
    if policy == "float32_pool":
        return bool(kwargs.get("return_indices") or True in args[6:])
    return False


def _eligible(value: Any, kind: str) -> bool:
    """Whether autocast may change a value: a tensor of floats, but for float64, on its device."""
    return (
        isinstance(value, TensorBase)
        and (d := dtype_of(value._data)).is_floating_point
        and d is not float64
        and backend_of(value._data).device_type == kind
    )


def _target(policy: str, lower: dtype, values: Any, kind: str) -> dtype:
    if policy == "lower":
        return lower
    if policy == "like_first":
        first = next(v for v in values if isinstance(v, TensorBase))
        return lower if dtype_of(first._data) is lower else float32
    return float32 if policy != "promote" else _widest(lower, values, kind)


def _widest(widest: dtype, values: Any, kind: str) -> dtype:
    for value in values:
        if isinstance(value, (list, tuple)):
            widest = _widest(widest, value, kind)
        elif _eligible(value, kind):
            d = dtype_of(value._data)
            if float32 in (d, widest):
                widest = float32
            elif d is not widest:
                raise RuntimeError("Unexpected floating ScalarType in at::autocast::prioritize")
    return widest


def _converted(value: Any, target: dtype, kind: str) -> Any:
    if isinstance(value, (list, tuple)):
        return type(value)([_converted(v, target, kind) for v in value]) if _has(value) else value
    if not _eligible(value, kind) or dtype_of(value._data) is target:
        return value
    return _cached(value, target) if _reusable(value, target) else cast(value, numpy_dtype(target))


def _has(values: Any) -> bool:
    """Whether a plain list or tuple holds tensors."""
    return type(values) in (list, tuple) and any(isinstance(v, TensorBase) for v in values)


def _reusable(value: Any, target: dtype) -> bool:
    """Whether the cast is likely to be wanted again: that of a weight, to a lower precision."""
    return (
        STATE.get().cached
        and target is not float32
        and value._node.__class__ is Leaf
        and value._base is None
        and dtype_of(value._data) is float32
    )


def _cached(weight: Any, target: dtype) -> Any:
    """The cast of a weight, made once per region, or again once the weight has been written."""
    state = STATE.get()
    key = (id(weight), target, state.records())
    owner = weight if weight._owner is None else weight._owner
    found = state.cache.get(key)
    if found is not None and found[0] is weight._data and found[1] == owner._written:
        return found[2]
    made = cast(weight, numpy_dtype(target))
    state.cache[key] = (weight._data, owner._written, made)
    return made


# --------------------------------------------------------------------------- opening and closing

_lock = threading.Lock()
_tables: dict[str, list[Policies]] = {}
_listed: dict[Any, Policies] = {}
_regions: dict[str, int] = {}


def opened(kind: str) -> None:
    """Notes that a region for a type of device begins; the first one has its ops take detours."""
    with _lock:
        _regions[kind] = _regions.get(kind, 0) + 1
        if _regions[kind] > 1:
            return
        for listed in _table(kind):
            listed.open += 1
            if listed.open == 1:
                listed.detour.put(AUTOCAST, listed)


def closed(kind: str) -> None:
    """Notes that a region ends; the last one gives its ops their own code back."""
    with _lock:
        _regions[kind] -= 1
        if _regions[kind]:
            return
        for listed in _tables[kind]:
            listed.open -= 1
            if not listed.open:
                listed.detour.put(AUTOCAST, None)


def _table(kind: str) -> list[Policies]:
    if kind not in _tables:
        _tables[kind] = []
        for policy, names in LISTS.get(kind, {}).items():
            for op in filter(None, map(_op, names)):
                listed = _listed.get(op) or _listed.setdefault(op, Policies(op))
                if kind not in listed.policies:
                    listed.policies[kind] = policy
                    _tables[kind].append(listed)
    return _tables[kind]


def _op(name: str) -> Callable[..., Any] | None:
    """The function that a dotted name below the package means, its operator twin's name included."""
    found: Any = import_module(__package__.rpartition(".")[0])
    for part in name.split("."):
        found = getattr(found, part, None)
    return found if isinstance(found, FunctionType) else None
