"""What the library runs on, as text: `torch.__config__.show`."""

from __future__ import annotations

from .backends import show as _show
from .backends.threads import get_num_threads as _get_num_threads

__all__ = ["parallel_info", "show"]


def show() -> str:
    """Returns what is compiled into PyTorch; here nothing is, so what computes on each device.

    >>> print(torch.__config__.show().splitlines()[0])
    arraytorch, in Python, over:
    """
    return "\n  - ".join(["arraytorch, in Python, over:", *_show().splitlines()]) + "\n"


def parallel_info() -> str:
    """Returns how many threads compute.

    >>> torch.__config__.parallel_info().startswith("torch.get_num_threads() : ")
    True
    """
    return f"torch.get_num_threads() : {_get_num_threads()}\n"
