"""Saving: PyTorch's zip format, and the one before PyTorch 1.6."""

from __future__ import annotations

import io
import os
import pickle
import stat
import struct
from collections.abc import Callable
from functools import partial
from pathlib import PurePath
from secrets import token_hex
from typing import IO, Any

from ..backends.storage import BYTE_ORDER
from .archive import ALIGNMENT, ArchiveWriter
from .pickler import Pickler

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
PROTOCOL_VERSION = 1001
DEFAULT_PROTOCOL = 2  # of pickle
_Write = Callable[[object, IO[bytes], str, int], None]


def save(
    obj: object,
    f: str | os.PathLike[str] | IO[bytes],
    pickle_module: Any = pickle,
    pickle_protocol: int = 2,
    _use_new_zipfile_serialization: bool = True,
    _disable_byteorder_record: bool = False,
) -> None:
    """Writes an object to a file, which PyTorch can read too.

    ``f`` is a path or anything with a ``write`` method. Tensors may be views: memory that several
    of them share is written once, whole, and shared again after `load`. A view with a negative
    step is written as a copy. A file of that name keeps its old contents until the new ones are
    complete.

    Raises pickle.PicklingError for what cannot be named in a file, such as a lambda, and
    RuntimeError for a ``pickle_module`` other than ``pickle``.

    >>> import io
    >>> buffer = io.BytesIO()
    >>> torch.save({"weight": torch.ones(2)}, buffer)
    >>> torch.load(io.BytesIO(buffer.getvalue()))
    {'weight': tensor([1., 1.])}
    """
    if pickle_module is not pickle and pickle_module is not None:
        raise RuntimeError(
            f"save() writes the pickle itself and cannot use {getattr(pickle_module, '__name__', pickle_module)}"
        )
    write: _Write = _write_zip if _use_new_zipfile_serialization else _write_legacy
    if _use_new_zipfile_serialization and _disable_byteorder_record:
        write = partial(_write_zip, order=None)
    if isinstance(f, (str, os.PathLike)):
        path = os.fspath(f)
        _replace(path, lambda file: write(obj, file, _root(path), pickle_protocol))
    elif callable(getattr(f, "write", None)):
        write(obj, f, "archive", pickle_protocol)
        if hasattr(f, "flush"):
            f.flush()
    else:
        raise AttributeError(
            "expected 'f' to be string, path, or a file-like object with a 'write' attribute"
        )


def _root(path: str) -> str:
    """The folder within the archive, named after the file as PyTorch does."""
    name = PurePath(path).name
    return (name.rpartition(".")[0] or name) if name.isascii() else "archive"


def _write_zip(
    obj: object, file: IO[bytes], root: str, protocol: int, order: str | None = BYTE_ORDER
) -> None:
    data = io.BytesIO()
    pickler = Pickler(data, protocol)
    pickler.dump(obj)  # first: what cannot be pickled leaves the file untouched
    archive = ArchiveWriter(file, root)
    archive.write("data.pkl", data.getbuffer())
    archive.write(".format_version", b"1")
    archive.write(".storage_alignment", str(ALIGNMENT).encode())
    if order is not None:
        archive.write("byteorder", order.encode())
    for key, storage in pickler.storages.items():
        archive.write(f"data/{key}", storage.host_bytes().data)
    archive.close()


def _write_legacy(obj: object, file: IO[bytes], root: str, protocol: int) -> None:
    sizes = {"short": 2, "int": 4, "long": 4}
    about = {
        "protocol_version": PROTOCOL_VERSION,
        "little_endian": BYTE_ORDER == "little",
        "type_sizes": sizes,
    }
    data = io.BytesIO()
    for part in (MAGIC_NUMBER, PROTOCOL_VERSION, about):
        pickle.dump(part, data, protocol)
    pickler = Pickler(data, protocol, legacy=True)
    pickler.dump(obj)
    keys = sorted(pickler.storages)
    pickle.dump(keys, data, protocol)
    file.write(data.getbuffer())
    for key in keys:
        memory = pickler.storages[key].host_bytes()
        file.write(struct.pack("=q", memory.nbytes // pickler.elements[key].itemsize))
        file.write(memory.data)


def _replace(path: str, write: Callable[[IO[bytes]], None]) -> None:
    """Writes a file beside ``path`` and, when it is complete, puts it in its place."""
    target = os.path.realpath(path)  # a link keeps pointing to where it did
    mode = _mode(target)
    if mode is not None and not stat.S_ISREG(mode):  # a pipe, /dev/null
        with open(target, "wb") as file:
            write(file)
        return
    handle, temporary = _beside(target)
    try:
        with open(handle, "wb") as file:
            write(file)
        if mode is not None:
            os.chmod(temporary, stat.S_IMODE(mode))
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise


def _mode(path: str) -> int | None:
    try:
        return os.stat(path).st_mode
    except FileNotFoundError:
        return None


def _beside(target: str) -> tuple[int, str]:
    """Opens a new file in the folder of ``target``, with the permissions of any new file.

    Raises what opening ``target`` itself would: RuntimeError if the folder is missing.
    """
    folder = os.path.dirname(target)
    if not os.path.isdir(folder):
        raise RuntimeError(f"Parent directory {folder} does not exist.")
    temporary = os.path.join(folder, f".{token_hex(8)}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    return os.open(temporary, flags, 0o666), temporary
