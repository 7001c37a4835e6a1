"""Arrays of other libraries, taken over by the DLPack protocol without copying."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._device import device
from . import backend_for

# https://dmlc.github.io/dlpack/latest/c_api.html, DLDeviceType
_KINDS = {1: "cpu", 3: "cpu", 11: "cpu", 2: "cuda", 10: "cuda", 13: "cuda", 14: "xpu"}


class _Capsule:
    """A bare capsule of host memory as an object with the protocol's methods."""

    def __init__(self, capsule: Any) -> None:
        self._capsule = capsule

    def __dlpack__(self, **_: Any) -> Any:
        return self._capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return 1, 0


class _Writable:
    """The memory of an array that says it is not to be written, without that flag."""

    def __init__(self, array: Any) -> None:
        self._array = array
        interface = array.__array_interface__
        self.__array_interface__ = {**interface, "data": (interface["data"][0], False)}


def from_dlpack(source: Any) -> Any:
    """Returns an array over the memory of ``source``, which has the protocol's methods or is a capsule.

    Raises RuntimeError for what is neither, or is of an element type that the protocol cannot tell
    here, or lies on a device without a backend.
    """
    if not hasattr(source, "__dlpack__"):
        if type(source).__name__ != "PyCapsule":
            raise RuntimeError(
                "from_dlpack received an invalid capsule: expected an object with __dlpack__, got "
                f"{type(source).__name__}"
            )
        source = _Capsule(source)
    number, _ = source.__dlpack_device__()
    kind = _KINDS.get(int(number))
    if kind is None:
        raise RuntimeError(f"Unsupported device_type: {int(number)}")
    try:
        if kind != "cpu":
            return backend_for(device(kind)).from_dlpack(source)
        array = np.from_dlpack(source)
    except (BufferError, ValueError) as error:
        raise RuntimeError(f"from_dlpack: {error}") from error
    # The protocol's first version could not say "read only", which NumPy takes for yes.
    return array if array.flags.writeable else np.asarray(_Writable(array))
