"""The records of a saved file, by name: `torch.PyTorchFileReader`."""

from __future__ import annotations

import zipfile
from typing import Any


class PyTorchFileReader:
    """Reads the records of a file that `save` wrote, given by its path or as an open file.

    >>> import io
    >>> file = io.BytesIO()
    >>> torch.save({"x": torch.ones(2)}, file)
    >>> reader = torch.PyTorchFileReader(file)
    >>> reader.has_record("data.pkl"), len(reader.get_record("data/0"))
    (True, 8)
    """

    def __init__(self, name_or_buffer: Any) -> None:
        self._zip = zipfile.ZipFile(name_or_buffer)
        self._root = self._zip.namelist()[0].partition("/")[0]

    def get_all_records(self) -> list[str]:
        """Returns the names of all records."""
        return [name[len(self._root) + 1 :] for name in self._zip.namelist()]

    def has_record(self, name: str) -> bool:
        """Returns whether there is a record of a name."""
        return name in self.get_all_records()

    def get_record(self, name: str) -> bytes:
        """Returns the bytes of a record; RuntimeError if there is none."""
        if not self.has_record(name):
            raise RuntimeError(f"PytorchStreamReader failed locating file {name}: file not found")
        return self._zip.read(f"{self._root}/{name}")

    def version(self) -> int:
        """Returns the version of the format."""
        return int(self.get_record("version"))
