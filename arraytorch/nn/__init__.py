"""Neural networks: modules, parameters and the functions they are made of."""

from . import attention, functional, init, modules, parallel, quantized, utils
from ._uninitialized import UninitializedBuffer, UninitializedParameter
from .modules import *  # noqa: F403 - every module is public here too, under the same name
from .parallel import DataParallel
from .parameter import Buffer, Parameter

__all__ = [
    "Buffer",
    "DataParallel",
    "Parameter",
    "UninitializedBuffer",
    "UninitializedParameter",
    "attention",
    "functional",
    "init",
    "modules",
    "parallel",
    "utils",
]
__all__ += modules.__all__
