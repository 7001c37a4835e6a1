"""The zip files that checkpoints are, byte for byte as PyTorch lays them out.

PyTorch finds the data of a record by arithmetic instead of by the directory, so the layout is part
of the format: no compression, no dates, sizes and checksum behind the data, and padding in the
header's extra field so that data begins at a multiple of 64 bytes, ready to be mapped.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from hashlib import blake2b
from typing import IO, Any, NamedTuple

ALIGNMENT = 64
_FAR = 0xFFFFFFFF  # sizes and positions from here on need the 64-bit fields
_UTF8, _SIZES_BEHIND = 0x0800, 0x0008


class _Written(NamedTuple):
    name: bytes
    flags: int
    crc: int
    size: int
    start: int


class ArchiveWriter:
    """Writes records to a file, which need not be seekable; `close` adds the directory."""

    def __init__(self, file: IO[bytes], root: str) -> None:
        self._file, self._root = file, root
        self._position = 0
        self._records: list[_Written] = []

    def write(self, name: str, data: Any) -> None:
        """Adds a record of bytes, or of any flat buffer of bytes."""
        size, crc, start = len(data), zlib.crc32(data), self._position
        path = f"{self._root}/{name}".encode()
        flags = _UTF8 | (_SIZES_BEHIND if size else 0)
        record = _Written(path, flags, crc, size, start)
        wide = _wide_fields(record)
        extra = wide + _padding(start + 30 + len(path) + len(wide))
        self._put(
            struct.pack("<4s5H3I2H", b"PK\3\4", 0, flags, 0, 0, 0, 0, 0, 0, len(path), len(extra))
        )
        self._put(path)
        self._put(extra)
        if size:
            self._put(data)
            sizes = "2Q" if wide else "2I"
            self._put(struct.pack(f"<4sI{sizes}", b"PK\7\10", crc, size, size))
        self._records.append(record)

    def close(self) -> None:
        """Adds the version, a fingerprint of the contents, and the directory."""
        self.write("version", b"3\n")
        self.write(".data/serialization_id", self._fingerprint())
        start = self._position
        for record in self._records:
            self._put(_directory_entry(record))
        self._end(start, self._position - start)

    def _put(self, data: Any) -> None:
        self._file.write(data)
        self._position += len(data)

    def _fingerprint(self) -> bytes:
        digest = blake2b(digest_size=16)
        for record in self._records:
            digest.update(record.name + struct.pack("<IQ", record.crc, record.size))
        return b"".join(b"%020d" % n for n in struct.unpack("<2Q", digest.digest()))

    def _end(self, start: int, size: int) -> None:
        count, wide = len(self._records), self._position
        self._put(
            struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 0x031E, 45, 0, 0, count, count, size, start)
        )
        self._put(struct.pack("<4sIQI", b"PK\6\7", 0, wide, 1))
        few = min(count, 0xFFFF)
        self._put(
            struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, few, few, min(size, _FAR), min(start, _FAR), 0)
        )


def _wide_fields(record: _Written) -> bytes:
    """The extra field that holds what does not fit into 32 bits."""
    numbers = [record.size] * 2 if record.size >= _FAR else []
    numbers += [record.start] if record.start >= _FAR else []
    return struct.pack(f"<2H{len(numbers)}Q", 1, 8 * len(numbers), *numbers) if numbers else b""


def _padding(position: int) -> bytes:
    gap = -(position + 4) % ALIGNMENT
    return b"FB" + struct.pack("<H", gap) + b"Z" * gap


def _directory_entry(record: _Written) -> bytes:
    wide = _wide_fields(record)
    size, start = min(record.size, _FAR), min(record.start, _FAR)
    header = struct.pack(
        "<4s6H3I5H2I", b"PK\1\2", 0, 0, record.flags, 0, 0, 0, record.crc, size, size,
        len(record.name), len(wide), 0, 0, 0, 0, start,
    )  # fmt: skip
    return header + record.name + wide


class ArchiveReader:
    """Reads the records of a file; says so if it is damaged.

    Raises RuntimeError if the file's directory cannot be read.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        try:
            self._zip = zipfile.ZipFile(file)
            records = self._zip.infolist()
        except (zipfile.BadZipFile, ValueError, struct.error, OSError) as error:
            raise RuntimeError(f"the file is not a whole zip archive: {error}") from None
        if not records:
            raise RuntimeError("the file is an empty zip archive")
        length = file.seek(0, 2)
        for record in records:
            _check(record, length)
        root = records[0].filename.partition("/")[0]
        self._records = {r.filename.removeprefix(f"{root}/"): r for r in records}

    def __contains__(self, name: str) -> bool:
        return name in self._records

    def size(self, name: str) -> int:
        """Returns how many bytes a record holds, 0 if it is not there."""
        return self._records[name].file_size if name in self._records else 0

    def read(self, name: str) -> bytes:
        """Returns the bytes of a small record."""
        data = bytearray(self.size(name))
        self.read_into(name, memoryview(data))
        return bytes(data)

    def read_into(self, name: str, buffer: memoryview) -> None:
        """Fills ``buffer`` with the beginning of a record.

        Raises RuntimeError if the record is missing, too short, or not what was written.
        """
        record = self._records.get(name)
        if record is None:
            raise RuntimeError(f"the archive has no record '{name}'")
        if record.file_size < len(buffer):
            raise RuntimeError(
                f"record '{name}' has {record.file_size} bytes where {len(buffer)} are needed"
            )
        if record.compress_type != zipfile.ZIP_STORED:
            self._inflate(record, buffer)
            return
        self._file.seek(self.position(name) or 0)
        if fill(self._file, buffer) < len(buffer):
            raise RuntimeError(f"the file ends within record '{name}'")
        # PyTorch can be told to write no checksums, and then writes zeros.
        whole = len(buffer) == record.file_size
        if whole and record.CRC and zlib.crc32(buffer) != record.CRC:
            raise RuntimeError(f"record '{name}' is damaged: its checksum is wrong")

    def _inflate(self, record: zipfile.ZipInfo, buffer: memoryview) -> None:
        try:
            with self._zip.open(record) as stream:
                count = fill(stream, buffer)
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            NotImplementedError,
            RuntimeError,
        ) as error:
            raise RuntimeError(f"record '{record.filename}' is damaged: {error}") from None
        if count < len(buffer):
            raise RuntimeError(f"the file ends within record '{record.filename}'")

    def position(self, name: str) -> int | None:
        """Returns where the data of a record begin in the file, None if they are compressed."""
        record = self._records[name]
        if record.compress_type != zipfile.ZIP_STORED:
            return None
        self._file.seek(record.header_offset)
        header = self._file.read(30)
        if len(header) < 30 or header[:4] != b"PK\3\4":
            raise RuntimeError(f"record '{name}' is damaged: its header is missing")
        name_length, extra_length = struct.unpack("<2H", header[26:])
        return record.header_offset + 30 + name_length + extra_length


def _check(record: zipfile.ZipInfo, length: int) -> None:
    """Refuses what the directory cannot truly say, before memory is asked for on its word."""
    size, stored = record.file_size, record.compress_size
    most = {zipfile.ZIP_STORED: stored, zipfile.ZIP_DEFLATED: 1100 * stored + 64}
    if record.compress_type not in most:
        raise RuntimeError(f"record '{record.filename}' is compressed in a way unknown here")
    if size > most[record.compress_type] or not 0 <= record.header_offset <= length - stored:
        raise RuntimeError(
            f"record '{record.filename}' cannot be as large or where the archive says"
        )


def fill(stream: Any, buffer: memoryview) -> int:
    """Reads until ``buffer`` is full or the stream ends; returns how many bytes there were."""
    count = 0
    while count < len(buffer):
        if hasattr(stream, "readinto"):
            got = stream.readinto(buffer[count:])
        else:
            chunk = stream.read(len(buffer) - count)
            got = len(chunk)
            buffer[count : count + got] = chunk
        if not got:
            break
        count += got
    return count
