"""A writer of pickles in which tensors go by PyTorch's names."""

from __future__ import annotations

import pickle
from collections import OrderedDict
from types import FunctionType
from typing import IO, Any

from .._device import device
from .._dtypes import dtype
from .._layouts import layout
from .._size import Size
from .._tensor import Tensor
from ..backends.storage import place
from ..nn.parameter import Parameter
from . import rebuild
from .allowed import NAMES
from .storages import PUBLIC, TYPE_OF, StorageType, TypedStorage, UntypedStorage

# The pickler in C imports what it names to see that it is there, but `torch` is not.
_Base: Any = pickle._Pickler  # type: ignore[attr-defined]


class Pickler(_Base):
    """Writes an object and gathers in ``storages`` the memory that its tensors point into.

    ``legacy`` describes storages in the way of the format before PyTorch 1.6.
    """

    def __init__(self, file: IO[bytes], protocol: int, legacy: bool = False) -> None:
        super().__init__(file, protocol)
        self.storages: dict[str, UntypedStorage] = {}
        self.elements: dict[str, dtype] = {}
        self._legacy = legacy
        self._keys: dict[object, tuple[str, dtype | None]] = {}
        self._alive: list[Any] = []  # memory is known by its address, so it must not be reused

    def persistent_id(self, obj: Any) -> tuple[Any, ...] | None:
        """Describes a storage; anything else is written as such."""
        if isinstance(obj, UntypedStorage):
            return self._described(obj, None)
        if isinstance(obj, TypedStorage):
            return self._described(obj.untyped(), obj.dtype)
        if type(obj) in PUBLIC:
            return self._described(self._whole(obj), None)
        return None

    def _whole(self, storage: Any) -> UntypedStorage:
        """A storage of users'; a part of one is written as a copy."""
        placed = place(storage._bytes._data)
        if placed.memory.nbytes != len(storage):
            storage = storage.clone()
            placed = place(storage._bytes._data)
        self._alive.append(storage)
        return UntypedStorage(placed.memory, storage.device, placed.key)

    def _described(self, storage: UntypedStorage, d: dtype | None) -> tuple[Any, ...]:
        if not self.bin:
            raise pickle.PicklingError(
                "pickle protocol 0 has no way to describe a tensor's storage"
            )
        key, _ = self._keys.setdefault(storage.key, (str(len(self._keys)), d))
        self.storages.setdefault(key, storage)
        kind = UntypedStorage if d is None else TYPE_OF[d]
        count = storage.nbytes() if d is None else storage.nbytes() // d.itemsize
        described = (
            _STORAGE,
            kind,
            key,
            _location(storage.device),
            count,
        )
        if self._legacy:
            self.elements.setdefault(key, d or _BYTE)
            return (*described, None)
        return described

    def reducer_override(self, obj: Any) -> Any:
        """Says how PyTorch's own kinds of objects are written."""
        kind = type(obj)
        if kind in _PLAIN:
            return NotImplemented
        if isinstance(obj, Tensor):
            return self._tensor(obj)
        if kind is Size:
            return Size, (tuple(obj),)
        if kind is device:
            return device, (obj.type,) if obj.index is None else (obj.type, obj.index)
        if kind is layout:
            return rebuild._get_layout, (repr(obj),)
        if kind is dtype or kind is StorageType:
            return NAMES[id(obj)][1]
        return NotImplemented

    def save_global(self, obj: Any, name: str | None = None) -> None:
        """Names a class, function or constant: by PyTorch's name if it has one."""
        known = NAMES.get(id(obj))
        if known is None:
            super().save_global(obj, name)
        else:
            self.write(pickle.GLOBAL + f"{known[0]}\n{known[1]}\n".encode())
            self.memoize(obj)

    # The inherited table would write functions by the inherited method.
    dispatch = {**_Base.dispatch, FunctionType: save_global}

    def _tensor(self, tensor: Any) -> tuple[Any, ...]:
        state = {k: v for k, v in vars(tensor).items() if not rebuild.internal(k)}
        if isinstance(tensor, Parameter):
            return self._parameter(tensor, state)
        written, kind = self._plain(tensor, tensor.requires_grad), type(tensor)
        if not state and kind is Tensor:
            return written
        return rebuild._rebuild_from_type_v2, (written[0], kind, written[1], state)

    def _parameter(self, tensor: Any, state: dict[str, Any]) -> tuple[Any, ...]:
        data, hooks = tensor.detach(), _no_hooks()
        if state:
            function = rebuild._rebuild_parameter_with_state
            return function, (data, tensor.requires_grad, hooks, state)
        return rebuild._rebuild_parameter, (data, tensor.requires_grad, hooks)

    def _plain(self, tensor: Any, requires_grad: bool) -> tuple[Any, ...]:
        d: dtype = tensor.dtype
        where, shape = tensor.device, tuple(tensor.shape)
        self._alive.append(tensor)
        if tensor.is_sparse:
            data = tensor._indices(), tensor._values(), tensor.shape, tensor.is_coalesced()
            return rebuild._rebuild_sparse_tensor, (tensor.layout, data)
        if where.type == "meta":
            stride = tuple(tensor.stride())
            return rebuild._rebuild_meta_tensor_no_storage, (d, shape, stride, requires_grad)
        placed = place(tensor._data)
        untyped = UntypedStorage(placed.memory, where, placed.key)
        _, first = self._keys.get(placed.key, (None, d))
        where_in = placed.offset, shape, placed.strides, requires_grad, _no_hooks()
        # PyTorch has no typed name for the wide unsigned integers; and a second view of other
        # elements than the first can be told only like this.
        if d not in TYPE_OF or first is not d:
            return rebuild._rebuild_tensor_v3, (untyped, *where_in, d)
        return rebuild._rebuild_tensor_v2, (TypedStorage(untyped, d), *where_in)


def _no_hooks() -> OrderedDict[Any, Any]:
    return OrderedDict()  # hooks are not saved, but the format has a place for them


_STORAGE = "storage"
_LOCATIONS: dict[str, str] = {}
_BYTE = next(d for d, t in TYPE_OF.items() if t.__name__ == "ByteStorage")
_PLAIN = frozenset({dict, list, tuple, str, int, float, bool, type(None), bytes, OrderedDict, type})


def _location(where: device) -> str:
    """The device's name; always the same object, so that the pickle refers back to it."""
    index = 0 if where.index is None and where.type != "cpu" else where.index
    name = where.type if index is None else f"{where.type}:{index}"
    return _LOCATIONS.setdefault(name, name)
