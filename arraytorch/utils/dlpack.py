"""The exchange of tensors with other libraries by DLPack, without copying."""

# ruff: noqa: N815 - the names are the protocol's own

from __future__ import annotations

from enum import IntEnum
from typing import Any

from ..ops.exchange import from_dlpack

__all__ = ["DLDeviceType", "from_dlpack"]


class DLDeviceType(IntEnum):
    """The kinds of devices, as the protocol numbers them.

    >>> torch.utils.dlpack.DLDeviceType(torch.ones(1).__dlpack_device__()[0]).name
    'kDLCPU'
    """

    kDLCPU = 1
    kDLCUDA = 2
    kDLCUDAHost = 3
    kDLOpenCL = 4
    kDLVulkan = 7
    kDLMetal = 8
    kDLVPI = 9
    kDLROCM = 10
    kDLROCMHost = 11
    kDLExtDev = 12
    kDLCUDAManaged = 13
    kDLOneAPI = 14
    kDLWebGPU = 15
    kDLHexagon = 16
    kDLMAIA = 17


def to_dlpack(tensor: Any) -> Any:
    """Returns a capsule of the memory of a tensor, which one consumer may take.

    >>> torch.from_dlpack(torch.utils.dlpack.to_dlpack(torch.ones(2)))
    tensor([1., 1.])
    """
    return tensor.__dlpack__()
