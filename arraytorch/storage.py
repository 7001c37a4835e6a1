"""Storages: the plain bytes under tensors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import _dtypes
from ._device import device as Device
from ._dtypes import dtype as Dtype
from ._tensor import Tensor
from .autograd.tape import wrap
from .backends.storage import BYTE_ORDER, bytes_under
from .ops import empty, from_numpy, tensor
from .ops.mapped import from_file
from .serialization import storages as loaded

__all__ = ["UntypedStorage", "is_storage"]


class UntypedStorage:
    """The bytes of a tensor's memory, which it shares with its views.

    Made by `Tensor.untyped_storage`, or with a number of bytes, or a sequence of them. Two of the
    same memory are equal. Its size is fixed.

    >>> x = torch.tensor([1, 2], dtype=torch.int16)
    >>> storage = x.untyped_storage()
    >>> storage[0] = 5
    >>> x, len(storage)
    (tensor([5, 2], dtype=torch.int16), 4)
    """

    is_sparse = is_sparse_csr = False
    filename = None

    def __init__(self, content: Any = 0, *, device: Any = None) -> None:
        if isinstance(content, Tensor):
            raise RuntimeError("torch.UntypedStorage(): Expected a sequence type, but got Tensor")
        if isinstance(content, int):
            self._bytes = empty(content, dtype=_dtypes.uint8, device=device)
            return
        for item in content:
            if not isinstance(item, int):
                raise RuntimeError(
                    "torch.UntypedStorage(): tried to construct a storage from a sequence "
                    f"({type(content).__name__}), but one of the items was of type "
                    f"{type(item).__name__} instead of int"
                )
        values = [item & 255 for item in content]
        self._bytes = tensor(values, dtype=_dtypes.uint8, device=device)

    @classmethod
    def _around(cls, vector: Tensor) -> UntypedStorage:
        storage = cls.__new__(cls)
        storage._bytes = vector
        return storage

    @classmethod
    def under(cls, owner: Tensor) -> UntypedStorage:
        """Returns the storage of a tensor; writing to it dates the tensor's memory as written."""
        if owner.device.type == "meta":
            base = owner._data if owner._data.base is None else owner._data.base
            return cls._around(empty(base.nbytes, dtype=_dtypes.uint8, device="meta"))
        vector = wrap(bytes_under(owner._data))
        vector._owner = owner if owner._owner is None else owner._owner
        return cls._around(vector)

    def elements(self, dtype: Dtype) -> Tensor:
        """Returns as many whole elements of a dtype as there are, as a tensor over the bytes."""
        count = len(self) // dtype.itemsize
        whole = wrap(self._bytes[: count * dtype.itemsize].view(dtype)._data)
        whole._owner = self._bytes if self._bytes._owner is None else self._bytes._owner
        return whole

    @classmethod
    def from_buffer(
        cls, buffer: Any, byte_order: str = "native", dtype: Dtype = _dtypes.uint8
    ) -> UntypedStorage:
        """Returns a copy of the bytes of a buffer, swapped where their order is not the machine's."""
        storage = cls(list(memoryview(buffer).cast("B")))
        if byte_order not in ("native", BYTE_ORDER):
            storage.byteswap(dtype)
        return storage

    @classmethod
    def from_file(cls, filename: str, shared: bool = False, nbytes: int = 0) -> UntypedStorage:
        """Returns the bytes of a file; see `torch.from_file`."""
        return cls._around(from_file(filename, shared, nbytes, dtype=_dtypes.uint8))

    # what it is

    def __len__(self) -> int:
        return self._bytes.numel()

    def size(self) -> int:
        """Returns the number of bytes."""
        return len(self)

    def nbytes(self) -> int:
        """Returns the number of bytes."""
        return len(self)

    def element_size(self) -> int:
        """Returns 1."""
        return 1

    def data_ptr(self) -> int:
        """Returns the address of the first byte."""
        return self._bytes.data_ptr()  # type: ignore[no-any-return]

    @property
    def device(self) -> Device:
        """Where the memory is."""
        return self._bytes.device

    @property
    def is_cuda(self) -> bool:
        """Whether it is on a CUDA or ROCm device."""
        return self._bytes.is_cuda

    def get_device(self) -> int:
        """Returns the number of the device, -1 for the CPU."""
        return self._bytes.get_device()  # type: ignore[no-any-return]

    def is_pinned(self, device: Any = "cuda") -> bool:
        """Returns whether the memory is locked for transfers to a device."""
        return self._bytes.is_pinned(device)  # type: ignore[no-any-return]

    def is_shared(self) -> bool:
        """Returns whether other processes see the memory."""
        return self._bytes.is_shared()  # type: ignore[no-any-return]

    def resizable(self) -> bool:
        """Returns False: arrays do not change the size of their memory."""
        return False

    def type(self, dtype: Any = None, non_blocking: bool = False) -> str:
        """Returns the name of the class."""
        return "torch.storage.UntypedStorage"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, UntypedStorage):
            return NotImplemented
        return self is other or (len(self), self.data_ptr()) == (len(other), other.data_ptr())

    def __hash__(self) -> int:
        return self.data_ptr() or id(self)

    # bytes

    def _place(self, index: Any) -> Any:
        if isinstance(index, slice):
            if index.step not in (None, 1):
                raise RuntimeError(
                    f"Trying to slice with a step of {index.step}, but only a step of 1 is supported"
                )
            return index
        if isinstance(index, bool) or not isinstance(index, int):
            raise TypeError(f"can't index a torch.UntypedStorage with {type(index).__name__}")
        if not -len(self) <= index < len(self):
            raise IndexError(f"index {index} out of range for storage of size {len(self)}")
        return index

    def __getitem__(self, index: Any) -> Any:
        found = self._bytes[self._place(index)]
        return self._around(found) if isinstance(index, slice) else found.item()

    def __setitem__(self, index: Any, value: int) -> None:
        self._bytes[self._place(index)] = value & 255

    def __iter__(self) -> Iterator[int]:
        return iter(self.tolist())

    def tolist(self) -> list[int]:
        """Returns the bytes as integers."""
        return self._bytes.tolist()  # type: ignore[no-any-return]

    def fill_(self, value: int) -> UntypedStorage:
        """Sets all bytes to a value."""
        self._bytes.fill_(value & 255)
        return self

    def copy_(self, source: UntypedStorage, non_blocking: Any = None) -> UntypedStorage:
        """Copies the bytes of a storage of the same size."""
        if len(source) != len(self):
            raise RuntimeError(
                f"size does not match, self was {len(self)} bytes but src was {len(source)} bytes"
            )
        self._bytes.copy_(source._bytes)
        return self

    def byteswap(self, dtype: Dtype) -> None:
        """Turns the order of the bytes in each element of a dtype, of each part of a complex one."""
        width = dtype.itemsize // 2 if dtype.is_complex else dtype.itemsize
        count = len(self) // width * width
        self._bytes[:count] = self._bytes[:count].view(-1, width).flip(1).view(-1)

    # copies

    def new(self) -> UntypedStorage:
        """Returns an empty storage on the same device."""
        return UntypedStorage(0, device=self.device)

    def clone(self) -> UntypedStorage:
        """Returns a copy."""
        return self._around(self._bytes.clone())

    def to(self, *, device: Any, non_blocking: bool = False) -> UntypedStorage:
        """Returns a copy on a device, or this storage if it is there."""
        there = self._bytes.to(device)
        return self if there is self._bytes else self._around(there)

    def cpu(self) -> UntypedStorage:
        """Returns a copy on the CPU, or this storage if it is there."""
        return self.to(device="cpu")

    def cuda(self, device: Any = None, non_blocking: bool = False) -> UntypedStorage:
        """Returns a copy on a CUDA or ROCm device, or this storage if it is there."""
        return self.to(device="cuda" if device is None else device)

    def untyped(self) -> UntypedStorage:
        """Returns the storage itself."""
        return self

    def __copy__(self) -> UntypedStorage:
        return self.clone()

    def __deepcopy__(self, memo: dict[int, Any]) -> UntypedStorage:
        copied = memo.setdefault(id(self), self.clone())
        return copied  # type: ignore[no-any-return]

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self._bytes.cpu().numpy(),)

    def __repr__(self) -> str:
        shown = "..." if self.device.type == "meta" else " " + "\n ".join(map(str, self.tolist()))
        return f"{shown}\n[torch.storage.UntypedStorage(device={self.device}) of size {len(self)}]"


loaded.PUBLIC.append(UntypedStorage)


def _restored(array: Any) -> UntypedStorage:
    return UntypedStorage._around(from_numpy(array))


def is_storage(obj: Any, /) -> bool:
    """Returns whether an object is a storage.

    >>> torch.is_storage(torch.ones(2).untyped_storage()), torch.is_storage(torch.ones(2))
    (True, False)
    """
    return isinstance(obj, (UntypedStorage, loaded.UntypedStorage, loaded.TypedStorage))
