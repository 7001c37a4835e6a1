"""The PyTorch API in pure Python, over the array library of every vendor.

>>> import arraytorch as torch
>>> x = torch.tensor([1.0, 2.0], requires_grad=True)
>>> (x * x).sum().backward()
>>> x.grad
tensor([2., 4.])
"""

import warnings as _warnings
from importlib import import_module as _import_module

# NumPy warns of overflow and the like where PyTorch does not. A filter for our own modules costs
# nothing per op and leaves the user's own NumPy code as it is.
_warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"arraytorch\.")

from . import autograd as autograd  # noqa: E402
from . import backends as backends  # noqa: E402
from ._device import device as device  # noqa: E402
from ._device import get_default_device as get_default_device  # noqa: E402
from ._device import set_default_device as set_default_device  # noqa: E402
from ._dtypes import bfloat16 as bfloat16  # noqa: E402
from ._dtypes import bool as bool  # noqa: E402
from ._dtypes import can_cast as can_cast  # noqa: E402
from ._dtypes import complex64 as complex64  # noqa: E402
from ._dtypes import complex128 as complex128  # noqa: E402
from ._dtypes import dtype as dtype  # noqa: E402
from ._dtypes import float16 as float16  # noqa: E402
from ._dtypes import float32 as float32  # noqa: E402
from ._dtypes import float64 as float64  # noqa: E402
from ._dtypes import get_default_dtype as get_default_dtype  # noqa: E402
from ._dtypes import int8 as int8  # noqa: E402
from ._dtypes import int16 as int16  # noqa: E402
from ._dtypes import int32 as int32  # noqa: E402
from ._dtypes import int64 as int64  # noqa: E402
from ._dtypes import promote_types as promote_types  # noqa: E402
from ._dtypes import set_default_dtype as set_default_dtype  # noqa: E402
from ._dtypes import uint8 as uint8  # noqa: E402
from ._dtypes import uint16 as uint16  # noqa: E402
from ._dtypes import uint32 as uint32  # noqa: E402
from ._dtypes import uint64 as uint64  # noqa: E402
from ._errors import OutOfMemoryError as OutOfMemoryError  # noqa: E402
from ._printing import get_printoptions as get_printoptions  # noqa: E402
from ._printing import set_printoptions as set_printoptions  # noqa: E402
from ._size import Size as Size  # noqa: E402
from ._tensor import Tensor as Tensor  # noqa: E402
from .autograd.modes import enable_grad as enable_grad  # noqa: E402
from .autograd.modes import inference_mode as inference_mode  # noqa: E402
from .autograd.modes import is_grad_enabled as is_grad_enabled  # noqa: E402
from .autograd.modes import is_inference_mode_enabled as is_inference_mode_enabled  # noqa: E402
from .autograd.modes import no_grad as no_grad  # noqa: E402
from .autograd.modes import set_grad_enabled as set_grad_enabled  # noqa: E402
from .ops import *  # noqa: E402, F403
from .ops import __all__ as _ops_all  # noqa: E402
from .random import Generator as Generator  # noqa: E402
from .random import default_generator as default_generator  # noqa: E402
from .random import get_rng_state as get_rng_state  # noqa: E402
from .random import initial_seed as initial_seed  # noqa: E402
from .random import manual_seed as manual_seed  # noqa: E402
from .random import seed as seed  # noqa: E402
from .random import set_rng_state as set_rng_state  # noqa: E402

half, float, double = float16, float32, float64
short, int, long = int16, int32, int64
cfloat, cdouble = complex64, complex128

# Submodules and names that load when first asked for, and where they are.
_LAZY = {
    "nn": "nn",
    "optim": "optim",
    "utils": "utils",
    "serialization": "serialization",
    "save": "serialization:save",
    "load": "serialization:load",
}


def __getattr__(name: str) -> object:
    where = _LAZY.get(name)
    if where is None:
        raise AttributeError(f"module 'arraytorch' has no attribute '{name}'")
    module, _, attribute = where.partition(":")
    found = _import_module(f".{module}", __name__)
    value = getattr(found, attribute) if attribute else found
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY} - {"_ops_all"})


__version__ = "0.1.0"
