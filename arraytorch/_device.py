"""Devices as PyTorch names them: a type and, where there may be several, an index."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any


class device:
    """A place for tensors: ``device("cuda:0")``, ``device("cuda", 0)`` or ``device("meta")``.

    Used as a context manager, it is where new tensors are made.

    >>> torch.device("cuda:1").index, torch.device("cpu") == torch.device("cpu")
    (1, True)
    """

    __slots__ = ("_tokens", "index", "type")
    type: str
    index: int | None
    _tokens: list[Any]

    def __new__(cls, type: str | int | device, index: int | None = None) -> device:
        if isinstance(type, device):
            return type
        self = object.__new__(cls)
        spec = type
        if isinstance(type, int):
            spec, index = "cuda", type
        elif not isinstance(type, str):
            raise TypeError(
                f"device(): argument 'type' must be str or int, not {type.__class__.__name__}"
            )
        name, colon, number = str(spec).partition(":")
        if colon:
            if index is not None:
                raise RuntimeError(
                    f"type (string) must not include an index because index was passed explicitly: {type}"
                )
            if not number.isdecimal():
                raise RuntimeError(f"Invalid device string: '{type}'")
            index = int(number)
        if name not in KNOWN_TYPES and not discover(name):
            known = ", ".join(sorted(KNOWN_TYPES))
            raise RuntimeError(
                f"Expected one of {known} device type at start of device string: {name}"
            )
        if index is not None and index < 0:
            raise RuntimeError(f"Device index must not be negative, got {index}")
        object.__setattr__(self, "type", name)
        object.__setattr__(self, "index", index)
        object.__setattr__(self, "_tokens", [])
        return self

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"attribute '{name}' of 'torch.device' objects is not writable")

    def __eq__(self, other: object) -> bool:
        return self is other or (
            isinstance(other, device) and (self.type, self.index) == (other.type, other.index)
        )

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __repr__(self) -> str:
        index = "" if self.index is None else f", index={self.index}"
        return f"device(type='{self.type}'{index})"

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __reduce__(self) -> tuple[Any, ...]:
        return device, (str(self),)

    def __enter__(self) -> device:
        self._tokens.append(_default.set(self))
        return self

    def __exit__(self, *_: object) -> None:
        _default.reset(self._tokens.pop())


# A set that grows: a third party's backend adds its own type (see backends.register).
KNOWN_TYPES = {"cpu", "cuda", "xpu", "meta"}


def _nobody(kind: str) -> bool:
    return False


# Looks for a third party's backend of that name; the registry, which stands above, puts it here.
discover: Callable[[str], bool] = _nobody

CPU = device("cpu")
_default: ContextVar[device | None] = ContextVar("default_device", default=None)


def get_default_device() -> device:
    """Returns where tensors are made unless a device is given.

    >>> torch.get_default_device()
    device(type='cpu')
    """
    return _default.get() or CPU


def set_default_device(device: str | int | device | None) -> None:
    """Sets where tensors are made unless a device is given; None for the CPU.

    >>> torch.set_default_device("meta"); torch.empty(2).device
    device(type='meta')
    >>> torch.set_default_device(None)
    """
    _default.set(None if device is None else as_device(device))


def as_device(spec: str | int | device) -> device:
    """Returns the device that a user named by a string, an index or a device."""
    if spec == "cpu":
        return CPU
    return spec if spec.__class__ is device else device(spec)


def place_of_type(name: Any) -> str:
    """The type of device of a type like torch.cuda.FloatTensor, or of its name."""
    title = name if isinstance(name, str) else getattr(name, "title", str(name))
    parts = title.replace(".sparse.", ".").split(".")
    return parts[1] if len(parts) == 3 else "cpu"
