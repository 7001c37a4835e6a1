"""How tensors lie in memory, as names: memory formats and layouts."""

from __future__ import annotations


class memory_format:
    """An order of the elements in memory, such as ``torch.channels_last``; compared by identity.

    >>> torch.ones(1, 2, 3, 4).to(memory_format=torch.channels_last).stride()
    (24, 1, 8, 2)
    """

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return named_format, (self.name,)


class layout:
    """A way to store elements; ``torch.strided`` is the one of all tensors here.

    >>> torch.ones(2).layout
    torch.strided
    """

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return named_layout, (self.name,)


preserve_format = memory_format("preserve_format")
contiguous_format = memory_format("contiguous_format")
channels_last = memory_format("channels_last")
channels_last_3d = memory_format("channels_last_3d")

strided = layout("strided")
sparse_coo = layout("sparse_coo")
sparse_csr = layout("sparse_csr")
sparse_csc = layout("sparse_csc")
sparse_bsr = layout("sparse_bsr")
sparse_bsc = layout("sparse_bsc")
jagged = layout("jagged")

_FORMATS = {
    f.name: f for f in (preserve_format, contiguous_format, channels_last, channels_last_3d)
}
_LAYOUTS = {
    f.name: f for f in (strided, sparse_coo, sparse_csr, sparse_csc, sparse_bsr, sparse_bsc, jagged)
}


def named_format(name: str) -> memory_format:
    """Returns the memory format of a name."""
    return _FORMATS[name]


def named_layout(name: str) -> layout:
    """Returns the layout of a name."""
    return _LAYOUTS[name]
