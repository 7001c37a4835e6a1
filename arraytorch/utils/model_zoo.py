"""The old name of `hub.load_state_dict_from_url`, and a progress bar."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any

from ..hub import download_url_to_file
from ..hub import load_state_dict_from_url as load_url

__all__ = ["download_url_to_file", "load_url", "tqdm"]


class tqdm:
    """Shows how much is done of ``total``, on the standard error output: a small tqdm.

    >>> with torch.utils.model_zoo.tqdm(total=4, disable=True) as bar:
    ...     bar.update(4)
    """

    def __init__(
        self,
        iterable: Iterable[Any] | None = None,
        total: int | None = None,
        disable: bool = False,
        unit: str | None = None,
        **others: Any,
    ) -> None:
        self.iterable, self.total, self.disable, self.n = iterable, total, disable, 0

    def update(self, n: int = 1) -> None:
        """Adds to what is done."""
        self.n += n
        if not self.disable:
            done = f"{self.n} bytes" if self.total is None else f"{100 * self.n / self.total:.1f}%"
            print(f"\r{done}", end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Ends the line."""
        if not self.disable:
            print(file=sys.stderr)
        self.disable = True

    def __enter__(self) -> tqdm:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Any]:
        for each in self.iterable or ():
            yield each
            self.update()
        self.close()
