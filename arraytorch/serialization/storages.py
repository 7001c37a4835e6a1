"""Storages: the flat memory that tensors in a file point into."""

from __future__ import annotations

from collections import OrderedDict
from importlib import import_module
from operator import is_
from typing import Any

from .. import _dtypes
from .._device import CPU, as_device, device
from .._dtypes import dtype
from ..autograd.tape import wrap
from ..backends import backend_for, backend_of
from ..backends.storage import as_bytes, strided, swap_bytes


class StorageType:
    """The name under which files say of what type the elements of a storage are."""

    def __init__(self, name: str, d: dtype) -> None:
        self.__name__ = self.__qualname__ = name
        self.__module__ = "torch"
        self.dtype = d

    def __repr__(self) -> str:
        return f"<storage type 'torch.{self.__name__}'>"


_NAMES = {
    "DoubleStorage": _dtypes.float64,
    "FloatStorage": _dtypes.float32,
    "HalfStorage": _dtypes.float16,
    "BFloat16Storage": _dtypes.bfloat16,
    "LongStorage": _dtypes.int64,
    "IntStorage": _dtypes.int32,
    "ShortStorage": _dtypes.int16,
    "CharStorage": _dtypes.int8,
    "ByteStorage": _dtypes.uint8,
    "BoolStorage": _dtypes.bool,
    "ComplexDoubleStorage": _dtypes.complex128,
    "ComplexFloatStorage": _dtypes.complex64,
}
STORAGE_TYPES = {name: StorageType(name, d) for name, d in _NAMES.items()}
TYPE_OF = {t.dtype: t for t in STORAGE_TYPES.values()}  # not the wider unsigned integers


# The class of storages that users hold, once its module has loaded; see `public`.
PUBLIC: list[Any] = []


class UntypedStorage:
    """A stretch of bytes that tensors view.

    Loading passes one to a ``map_location`` function for each stretch in the file; `cpu`, `cuda`
    and `to` say where its tensors go.
    """

    def __init__(self, memory: Any, where: device = CPU, key: object = None) -> None:
        self._memory = memory  # a flat array; bytes on the host if it was loaded
        self.device = where
        self.key = id(self) if key is None else key
        self._foreign = False  # in the other byte order, until it is known of what elements
        self._views: dict[Any, Any] = {}
        self._moved: dict[dtype, Any] = {}  # all bytes as elements of a type, on the device
        self.first: Any = None  # the first tensor made from it, to which the others are aliases

    def nbytes(self) -> int:
        """Returns the number of bytes."""
        return self._memory.nbytes

    def size(self) -> int:
        """Returns the number of bytes."""
        return self.nbytes()

    def __len__(self) -> int:
        return self.nbytes()

    def tolist(self) -> list[int]:
        """Returns the bytes as integers."""
        return self.host_bytes().tolist()

    def to(self, device: str | int | device) -> UntypedStorage:
        """Returns this storage with another place for its tensors.

        Raises RuntimeError if there is no such device.
        """
        where = as_device(device)
        backend_for(where)
        if where == self.device:
            return self
        moved = UntypedStorage(self._memory, where)
        moved._foreign = self._foreign
        return moved

    def cpu(self) -> UntypedStorage:
        """Returns this storage with the CPU as the place for its tensors."""
        return self.to("cpu")

    def cuda(self, device: int | str | None = None) -> UntypedStorage:
        """Returns this storage with a CUDA device as the place for its tensors."""
        return self.to("cuda" if device is None else device)

    def host_bytes(self) -> Any:
        """Returns the bytes as a host array."""
        return as_bytes(backend_of(self._memory).to_host(self._memory))

    def foreign(self) -> None:
        """Notes that the bytes come from a machine of the other byte order."""
        self._foreign = True

    def slice(self, start: int, stop: int) -> UntypedStorage:
        """Returns a storage of some of the bytes of this one, which it shares."""
        part = UntypedStorage(self._memory[start:stop], self.device)
        part._foreign = self._foreign
        return part

    def settle(self, d: dtype) -> None:
        """Puts the bytes into this machine's order, as elements of ``d``; once only."""
        if self._foreign:
            self._memory = swap_bytes(self._memory, d)
            self._foreign = False

    def view(self, d: dtype, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> Any:
        """Returns the array that a tensor in the file stands for, on this storage's device.

        On the host all views share the bytes, elsewhere those of one dtype.
        """
        self.settle(d)
        spec = d, offset, shape, strides
        if spec not in self._views:
            self._views[spec] = self._strided(d, offset, shape, strides)
        return self._views[spec]

    def _strided(self, d: dtype, offset: int, shape: Any, strides: Any) -> Any:
        if self.device.type == "cpu":
            return strided(self._memory, d, offset, shape, strides)
        B = backend_for(self.device)
        if d not in self._moved:
            count = self.nbytes() // d.itemsize
            flat = strided(self._memory, d, 0, (count,), (1,))
            self._moved[d] = B.from_host(flat, self.device.index)
        return B.as_strided(self._moved[d], shape, strides, offset)

    def __repr__(self) -> str:
        return f"<UntypedStorage of {self.nbytes()} bytes on {self.device}>"


class TypedStorage:
    """A storage and the type of its elements, as files name it."""

    def __init__(self, untyped: UntypedStorage, d: dtype) -> None:
        self._untyped, self.dtype = untyped, d

    @property
    def device(self) -> device:
        """The place for the tensors made from it."""
        return self._untyped.device

    def untyped(self) -> UntypedStorage:
        """Returns the bytes."""
        return self._untyped

    def nbytes(self) -> int:
        """Returns the number of bytes."""
        return self._untyped.nbytes()

    def size(self) -> int:
        """Returns the number of whole elements."""
        return self.nbytes() // self.dtype.itemsize

    def __len__(self) -> int:
        return self.size()

    def __repr__(self) -> str:
        return f"<TypedStorage of {self.size()} {self.dtype} on {self.device}>"


def public(obj: Any) -> Any:
    """Returns what was loaded with storages of the class that users know, in plain containers too."""
    return _made_public(obj, set())


def _made_public(obj: Any, seen: set[int]) -> Any:
    kind = type(obj)
    if kind is UntypedStorage or kind is TypedStorage:
        untyped = obj if kind is UntypedStorage else obj.untyped()
        untyped.settle(_dtypes.uint8 if kind is UntypedStorage else obj.dtype)
        array = untyped.view(_dtypes.uint8, 0, (untyped.nbytes(),), (1,))
        return import_module("..storage", __package__).UntypedStorage._around(wrap(array))
    if kind not in (list, dict, tuple, OrderedDict) or id(obj) in seen:
        return obj
    seen.add(id(obj))
    if kind is tuple:
        items = [_made_public(item, seen) for item in obj]
        return obj if all(map(is_, items, obj)) else tuple(items)
    for key, value in enumerate(obj) if kind is list else list(obj.items()):
        obj[key] = _made_public(value, seen)
    return obj
