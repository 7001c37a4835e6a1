"""Loading: PyTorch's zip format, and the one before PyTorch 1.6; never by running code."""

from __future__ import annotations

import io
import os
import pickle
from collections.abc import Callable
from contextlib import nullcontext
from pickle import UnpicklingError
from struct import unpack
from typing import IO, Any

from .._device import device
from ..backends import storage as memories
from .allowed import find
from .archive import ArchiveReader, fill
from .saving import MAGIC_NUMBER, PROTOCOL_VERSION
from .storages import StorageType, TypedStorage, UntypedStorage, public
from .unpickler import Scanner, Unpickler

MAP_LOCATION = (
    str | device | dict[str, str] | Callable[[UntypedStorage, str], UntypedStorage | None] | None
)
_Restore = Callable[[UntypedStorage, str], UntypedStorage]


def load(
    f: str | os.PathLike[str] | IO[bytes],
    map_location: MAP_LOCATION = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = None,
    mmap: bool | None = None,
    **pickle_load_args: Any,
) -> Any:
    """Reads what `save`, or PyTorch's, has written.

    Loading never runs code that a file names: tensors, containers, numbers and strings are read,
    and classes that `serialization.add_safe_globals` was given. ``weights_only=False`` changes
    nothing in this.

    ``f`` is a path or a seekable file. Tensors go to the device that they were saved from, or to
    where ``map_location`` says: a device, a dictionary from devices to devices, or a function of a
    storage and its device's name that returns the storage for its place, or None for the default.
    With ``mmap`` the data are mapped rather than read; writing to them does not change the file.
    ``encoding`` says how to read the byte strings of Python 2.

    Raises pickle.UnpicklingError for what a file may not contain, RuntimeError for a damaged file
    or a missing device.

    >>> import io
    >>> buffer = io.BytesIO()
    >>> torch.save([torch.arange(3), {"lr": 0.1}], buffer)
    >>> torch.load(io.BytesIO(buffer.getvalue()))
    [tensor([0, 1, 2]), {'lr': 0.1}]
    """
    _check_options(pickle_module, weights_only, pickle_load_args)
    encoding = pickle_load_args.get("encoding", "utf-8")
    if mmap and not isinstance(f, (str, os.PathLike)):
        raise ValueError("f must be a file path in order to use the mmap argument")
    with _opened(f) as file:
        _check_seekable(file)
        try:
            if _is_zip(file):
                return _load_zip(file, map_location, encoding, bool(mmap))
            if mmap:
                raise RuntimeError(
                    "mmap can only be used with files saved with "
                    "`torch.save(_use_new_zipfile_serialization=True)`, please torch.save your "
                    "checkpoint with this option in order to use mmap."
                )
            return _load_legacy(file, _restorer(map_location), encoding)
        except UnpicklingError as error:
            raise UnpicklingError(_refusal(str(error), weights_only)) from error.__cause__


def _opened(f: str | os.PathLike[str] | IO[bytes]) -> Any:
    return open(f, "rb") if isinstance(f, (str, os.PathLike)) else nullcontext(f)


def _check_options(pickle_module: Any, weights_only: bool | None, options: dict[str, Any]) -> None:
    if pickle_module is not None:
        if weights_only:
            raise RuntimeError(
                "Can not safely load weights when explicit pickle_module is specified"
            )
        if pickle_module is not pickle:
            raise RuntimeError("load() reads pickles itself and uses no other module for it")
    if unknown := options.keys() - {"encoding", "errors", "fix_imports"}:
        raise TypeError(f"load() got an unexpected keyword argument '{min(unknown)}'")


def _refusal(message: str, weights_only: bool | None) -> str:
    always = "" if weights_only or weights_only is None else " (with weights_only=False neither)"
    return (
        f"Weights only load failed. Loading never runs code that a file names{always}; "
        f"do the following only if you trust the source of the file.\n"
        f"WeightsUnpickler error: {message}"
    )


def _check_seekable(file: Any) -> None:
    try:
        file.seek(file.tell())
    except (io.UnsupportedOperation, AttributeError) as error:
        raise type(error)(
            f"{error}. You can only torch.load from a file that is seekable. Please pre-load the "
            "data into a buffer like io.BytesIO and try to load from it instead."
        ) from None


def _is_zip(file: Any) -> bool:
    start = file.tell()
    magic = file.read(4)
    file.seek(start)
    return magic == b"PK\3\4"


# ------------------------------------------------------------------------------- where tensors go


def _restorer(map_location: Any) -> _Restore:
    """Returns the function that sends a storage, tagged with a device's name, to its place."""
    if map_location is None:
        return _restore
    if isinstance(map_location, dict):
        return lambda storage, tag: _restore(storage, str(map_location.get(tag, tag)))
    if isinstance(map_location, (str, device)):
        return lambda storage, tag: _restore(storage, str(map_location))
    if not callable(map_location):
        raise TypeError(
            "map_location must be a device, a string, a dict or a function, "
            f"not {type(map_location).__name__}"
        )

    def restore(storage: UntypedStorage, tag: str) -> UntypedStorage:
        placed = map_location(storage, tag)
        if placed is None:
            return _restore(storage, tag)
        if not isinstance(placed, UntypedStorage):
            raise TypeError(
                f"map_location must return a storage or None, not {type(placed).__name__}"
            )
        return placed

    return restore


def _restore(storage: UntypedStorage, tag: str) -> UntypedStorage:
    try:
        return storage.to(tag)
    except RuntimeError as error:
        raise RuntimeError(
            f"Attempting to deserialize object on the device '{tag}', which is not available: "
            f"{error}. If you are running on a CPU-only machine, please use torch.load with "
            "map_location=torch.device('cpu') to map your storages to the CPU."
        ) from None


# -------------------------------------------------------------------------------- the zip format


class _Zip:
    """The storages of an archive, each read when it is first named."""

    def __init__(self, archive: ArchiveReader, map_location: Any, mapping: Any) -> None:
        self._archive, self._mapping = archive, mapping
        self._restore = _restorer(map_location)
        self._unread = str(map_location) == "meta"
        self._loaded: dict[str, UntypedStorage] = {}
        order = archive.read("byteorder") if "byteorder" in archive else b"little"
        if order not in (b"little", b"big"):
            raise ValueError(f"Unknown endianness type: {order.decode(errors='replace')}")
        self._foreign = order.decode() != memories.BYTE_ORDER

    def persistent_load(self, spec: tuple[Any, ...]) -> TypedStorage | UntypedStorage:
        """Returns the storage that a pickle describes."""
        kind, key, tag, count = _described(spec, 5)[:4]
        if key not in self._loaded:
            size = count if kind is UntypedStorage else count * kind.dtype.itemsize
            storage = UntypedStorage(self._memory(f"data/{key}", size))
            if self._foreign:
                storage.foreign()
            self._loaded[key] = self._restore(storage, tag)
        return _typed(self._loaded[key], kind)

    def _memory(self, name: str, size: int) -> Any:
        held = self._archive.size(name)
        if held < size:  # before memory is asked for, of which a file could claim any amount
            raise RuntimeError(f"record '{name}' has {held} bytes where {size} are needed")
        if self._mapping is not None and size:
            position = self._archive.position(name)
            if position is not None and position + size <= len(self._mapping):
                return memories.from_map(self._mapping, position, size)
        memory = memories.allocate(size)
        if size and not self._unread:
            self._archive.read_into(name, memory.data)
        return memory


def _load_zip(file: Any, map_location: Any, encoding: str, mapped: bool) -> Any:
    archive = ArchiveReader(file)
    if "data.pkl" not in archive:
        raise RuntimeError("the zip file is no checkpoint: it has no record 'data.pkl'")
    if "constants.pkl" in archive:
        raise RuntimeError("TorchScript archives hold code, which load() does not run")
    mapping = memories.map_file(file) if mapped else None
    storages = _Zip(archive, map_location, mapping)
    pickled = io.BytesIO(archive.read("data.pkl"))
    return public(Unpickler(pickled, storages.persistent_load, encoding).load())


def _described(spec: tuple[Any, ...], length: int) -> tuple[Any, ...]:
    """Checks the description of a storage and returns its type, key, device and size, and more."""
    tag, *rest = (s.decode("ascii") if isinstance(s, bytes) else s for s in spec)
    if tag != "storage":
        raise UnpicklingError(f"Only persistent_load of storage is allowed, but got {tag!r}")
    if len(spec) != length:
        raise UnpicklingError("the file describes a storage in an unknown way")
    kind, key, where, count = rest[:4]
    if not (kind is UntypedStorage or isinstance(kind, StorageType)):
        raise UnpicklingError(f"the file describes a storage of an unknown type: {kind!r}")
    if type(key) is not str or type(where) is not str or type(count) is not int or count < 0:
        raise UnpicklingError("the file describes a storage in an unknown way")
    return kind, key, where, count, *rest[4:]


def _typed(storage: UntypedStorage, kind: Any) -> TypedStorage | UntypedStorage:
    return storage if kind is UntypedStorage else TypedStorage(storage, kind.dtype)


# ------------------------------------------------------------------- the format before PyTorch 1.6


class _Legacy:
    """The storages of a file without archive, which lie behind the pickle that needs them."""

    def __init__(self, restore: _Restore, foreign: bool) -> None:
        self._restore, self._foreign = restore, foreign
        self._specs: dict[str, tuple[int, int, str]] = {}
        self._loaded: dict[str, UntypedStorage] = {}

    def note(self, spec: tuple[Any, ...]) -> None:
        """Learns from a description how large an element is."""
        if spec[0] in ("module", b"module"):
            return
        kind, key, where, count, _ = _described(spec, 6)
        self._specs.setdefault(
            key, (1 if kind is UntypedStorage else kind.dtype.itemsize, count, where)
        )

    def read(self, file: Any, key: str) -> None:
        """Reads the next storage of the file."""
        if key not in self._specs:
            raise UnpicklingError(f"the file has a storage {key!r} that nothing refers to")
        itemsize, count, where = self._specs[key]
        header = file.read(8)
        if len(header) < 8:
            raise RuntimeError(f"the file ends before storage {key}")
        order = {"little": "<q", "big": ">q"}[memories.BYTE_ORDER]
        if self._foreign:
            order = order.translate(str.maketrans("<>", "><"))
        (held,) = unpack(order, header)
        size = held * itemsize
        left = _left(file)
        if held < 0 or size > left:
            raise RuntimeError(
                f"unexpected EOF, expected {size - left} more bytes. The file might be corrupted."
            )
        if held < count:
            raise RuntimeError(f"storage {key} has {held} elements where {count} are needed")
        memory = memories.allocate(size)
        if size and fill(file, memory.data) < size:
            raise RuntimeError(f"the file ends within storage {key}")
        storage = UntypedStorage(memory)
        if self._foreign:
            storage.foreign()
        self._loaded[key] = self._restore(storage, where)

    def persistent_load(self, spec: tuple[Any, ...]) -> Any:
        """Returns the storage that a pickle describes; or a class, whose source is not compared."""
        if spec[0] in ("module", b"module") and len(spec) == 4:
            return spec[1]
        kind, key, _, _, view = _described(spec, 6)
        if key not in self._loaded:
            raise RuntimeError(f"the file has no storage {key}")
        storage = self._loaded[key]
        if view is not None:
            storage = self._view(
                storage, view, 1 if kind is UntypedStorage else kind.dtype.itemsize
            )
        return _typed(storage, kind)

    def _view(self, storage: UntypedStorage, view: Any, itemsize: int) -> UntypedStorage:
        if type(view) is not tuple or len(view) != 3 or not all(type(n) is int for n in view[1:]):
            raise UnpicklingError("the file describes a part of a storage in an unknown way")
        key, start, count = view
        stop = (start + count) * itemsize
        if start < 0 or count < 0 or stop > storage.nbytes():
            raise UnpicklingError("the file describes a part of a storage that reaches beyond it")
        name = f"view {key}"
        if name not in self._loaded:
            self._loaded[name] = storage.slice(start * itemsize, stop)
        return self._loaded[name]


def _left(file: Any) -> int:
    here = file.tell()
    left = file.seek(0, os.SEEK_END) - here
    file.seek(here)
    return left


def _load_legacy(file: Any, restore: _Restore, encoding: str) -> Any:
    if not _left(file):
        raise EOFError("Ran out of input: the file is empty")
    if _plain(file, encoding) != MAGIC_NUMBER:
        raise RuntimeError("Invalid magic number; corrupt file?")
    version = _plain(file, encoding)
    if version != PROTOCOL_VERSION:
        raise RuntimeError(f"Invalid protocol version: {version}")
    about = _plain(file, encoding)
    little = not isinstance(about, dict) or about.get("little_endian", True)
    storages = _Legacy(restore, little != (memories.BYTE_ORDER == "little"))
    # The storages come last: the pickle is followed once to learn of them, and again to use them.
    start = file.tell()
    Scanner(file, storages.note, encoding).load()
    keys = _plain(file, encoding)
    if not isinstance(keys, list):
        raise UnpicklingError("the file does not list its storages")
    for key in keys:
        storages.read(file, key)
    end = file.tell()
    file.seek(start)
    result = Unpickler(file, storages.persistent_load, encoding).load()
    file.seek(end)
    return public(result)


def _plain(file: Any, encoding: str) -> Any:
    def refuse(spec: Any) -> None:
        raise UnpicklingError("the file describes a storage where none can be")

    return Unpickler(file, refuse, encoding).load()


def get_unsafe_globals_in_checkpoint(f: str | os.PathLike[str] | IO[bytes]) -> list[str]:
    """Returns the names in a file that `load` would refuse, without loading it.

    Raises ValueError for a file that is not in the zip format.
    """
    with _opened(f) as file:
        if not _is_zip(file):
            raise ValueError("Expected input to be a checkpoint returned by torch.save")
        archive = ArchiveReader(file)
        scanner = Scanner(io.BytesIO(archive.read("data.pkl")), lambda spec: None)
        scanner.load()
        return sorted(name for name in scanner.globals if find(name) is None)
