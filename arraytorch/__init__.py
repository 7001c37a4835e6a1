"""The PyTorch API in pure Python, over the array library of every vendor.

>>> import arraytorch as torch
>>> x = torch.tensor([1.0, 2.0], requires_grad=True)
>>> (x * x).sum().backward()
>>> x.grad
tensor([2., 4.])
"""

# First, as NumPy takes 12 ms less to load from here than from deep within the imports below.
from . import backends as backends

# isort: split
import warnings as _warnings
from importlib import import_module as _import_module
from math import e as e
from math import inf as inf
from math import nan as nan
from math import pi as pi

from . import autograd as autograd
from ._device import device as device
from ._device import get_default_device as get_default_device
from ._device import set_default_device as set_default_device
from ._dtypes import bfloat16 as bfloat16
from ._dtypes import bool as bool
from ._dtypes import can_cast as can_cast
from ._dtypes import complex32 as complex32
from ._dtypes import complex64 as complex64
from ._dtypes import complex128 as complex128
from ._dtypes import dtype as dtype
from ._dtypes import float8_e4m3fn as float8_e4m3fn
from ._dtypes import float8_e4m3fnuz as float8_e4m3fnuz
from ._dtypes import float8_e5m2 as float8_e5m2
from ._dtypes import float8_e5m2fnuz as float8_e5m2fnuz
from ._dtypes import float8_e8m0fnu as float8_e8m0fnu
from ._dtypes import float16 as float16
from ._dtypes import float32 as float32
from ._dtypes import float64 as float64
from ._dtypes import get_default_dtype as get_default_dtype
from ._dtypes import int8 as int8
from ._dtypes import int16 as int16
from ._dtypes import int32 as int32
from ._dtypes import int64 as int64
from ._dtypes import promote_types as promote_types
from ._dtypes import set_default_dtype as set_default_dtype
from ._dtypes import uint8 as uint8
from ._dtypes import uint16 as uint16
from ._dtypes import uint32 as uint32
from ._dtypes import uint64 as uint64
from ._errors import OutOfMemoryError as OutOfMemoryError
from ._layouts import channels_last as channels_last
from ._layouts import channels_last_3d as channels_last_3d
from ._layouts import contiguous_format as contiguous_format
from ._layouts import jagged as jagged
from ._layouts import layout as layout
from ._layouts import memory_format as memory_format
from ._layouts import preserve_format as preserve_format
from ._layouts import sparse_bsc as sparse_bsc
from ._layouts import sparse_bsr as sparse_bsr
from ._layouts import sparse_coo as sparse_coo
from ._layouts import sparse_csc as sparse_csc
from ._layouts import sparse_csr as sparse_csr
from ._layouts import strided as strided
from ._size import Size as Size
from ._tensor import Tensor as Tensor
from .autograd.modes import enable_grad as enable_grad
from .autograd.modes import inference_mode as inference_mode
from .autograd.modes import is_grad_enabled as is_grad_enabled
from .autograd.modes import is_inference_mode_enabled as is_inference_mode_enabled
from .autograd.modes import no_grad as no_grad
from .autograd.modes import set_grad_enabled as set_grad_enabled
from .ops import *  # noqa: F403
from .ops import LATE as _ops_late
from .ops import __all__ as _ops_all
from .random import Generator as Generator
from .random import default_generator as default_generator
from .random import get_rng_state as get_rng_state
from .random import initial_seed as initial_seed
from .random import manual_seed as manual_seed
from .random import seed as seed
from .random import set_rng_state as set_rng_state

# NumPy warns of overflow and the like where PyTorch does not. A filter for our own modules costs
# nothing per op and leaves the user's own NumPy code as it is.
_warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"arraytorch\.")

newaxis = None
half, float, double = float16, float32, float64
short, int, long = int16, int32, int64
chalf, cfloat, cdouble = complex32, complex64, complex128
legacy_contiguous_format = contiguous_format

# Submodules and names that load when first asked for, and where they are.
_LAZY = {
    "finfo": "_type_info:finfo",
    "__config__": "__config__",
    "get_printoptions": "_printing:get_printoptions",
    "iinfo": "_type_info:iinfo",
    "set_printoptions": "_printing:set_printoptions",
    "bilinear": "ops.linear:bilinear",
    "celu": "ops.activation:celu",
    "celu_": "ops.activation:celu_",
    "feature_dropout": "ops.dropout:feature_dropout",
    "hardshrink": "ops.shrinking:hardshrink",
    "prelu": "ops.activation:prelu",
    "relu_": "ops.activation:relu_",
    "rms_norm": "ops.norm:rms_norm",
    "rrelu_": "ops.activation:rrelu_",
    "selu": "ops.activation:selu",
    "selu_": "ops.activation:selu_",
    "threshold": "ops.activation:threshold",
    "threshold_": "ops.activation:threshold_",
    "binary_cross_entropy_with_logits": "ops.native_losses:binary_cross_entropy_with_logits",
    "cosine_embedding_loss": "ops.native_losses:cosine_embedding_loss",
    "ctc_loss": "ops.native_losses:ctc_loss",
    "hinge_embedding_loss": "ops.native_losses:hinge_embedding_loss",
    "kl_div": "ops.native_losses:kl_div",
    "margin_ranking_loss": "ops.native_losses:margin_ranking_loss",
    "poisson_nll_loss": "ops.native_losses:poisson_nll_loss",
    "triplet_margin_loss": "ops.native_losses:triplet_margin_loss",
    "adaptive_max_pool1d": "ops.native_layers:adaptive_max_pool1d",
    "alpha_dropout": "ops.native_layers:alpha_dropout",
    "conv_tbc": "ops.native_layers:conv_tbc",
    "dropout": "ops.native_layers:dropout",
    "embedding": "ops.native_layers:embedding",
    "embedding_bag": "ops.native_bags:embedding_bag",
    "AcceleratorError": "_errors:AcceleratorError",
    "UntypedStorage": "storage:UntypedStorage",
    "is_storage": "storage:is_storage",
    "storage": "storage",
    "cond": "_control:cond",
    "compiled_with_cxx11_abi": "_settings:compiled_with_cxx11_abi",
    "is_warn_always_enabled": "_settings:is_warn_always_enabled",
    "set_warn_always": "_settings:set_warn_always",
    "set_num_interop_threads": "_settings:set_num_interop_threads",
    "feature_alpha_dropout": "ops.native_layers:feature_alpha_dropout",
    "native_dropout": "ops.native_layers:native_dropout",
    "rrelu": "ops.native_layers:rrelu",
    "are_deterministic_algorithms_enabled": "_settings:are_deterministic_algorithms_enabled",
    "get_deterministic_debug_mode": "_settings:get_deterministic_debug_mode",
    "get_float32_matmul_precision": "_settings:get_float32_matmul_precision",
    "get_num_interop_threads": "_settings:get_num_interop_threads",
    "is_deterministic_algorithms_warn_only_enabled": "_settings:is_deterministic_algorithms_warn_only_enabled",
    "set_deterministic_debug_mode": "_settings:set_deterministic_debug_mode",
    "set_float32_matmul_precision": "_settings:set_float32_matmul_precision",
    "set_flush_denormal": "_settings:set_flush_denormal",
    "use_deterministic_algorithms": "_settings:use_deterministic_algorithms",
    "SymBool": "_numbers:SymBool",
    "SymFloat": "_numbers:SymFloat",
    "SymInt": "_numbers:SymInt",
    "sym_float": "_numbers:sym_float",
    "sym_int": "_numbers:sym_int",
    "sym_ite": "_numbers:sym_ite",
    "sym_max": "_numbers:sym_max",
    "sym_min": "_numbers:sym_min",
    "sym_not": "_numbers:sym_not",
    "sym_sum": "_numbers:sym_sum",
    "BFloat16Tensor": "_tensor_types:BFloat16Tensor",
    "BoolTensor": "_tensor_types:BoolTensor",
    "ByteTensor": "_tensor_types:ByteTensor",
    "CharTensor": "_tensor_types:CharTensor",
    "DoubleTensor": "_tensor_types:DoubleTensor",
    "FloatTensor": "_tensor_types:FloatTensor",
    "HalfTensor": "_tensor_types:HalfTensor",
    "IntTensor": "_tensor_types:IntTensor",
    "LongTensor": "_tensor_types:LongTensor",
    "ShortTensor": "_tensor_types:ShortTensor",
    "set_default_tensor_type": "_tensor_types:set_default_tensor_type",
    "from_dlpack": "ops.exchange:from_dlpack",
    "pca_lowrank": "ops.low_rank:pca_lowrank",
    "svd_lowrank": "ops.low_rank:svd_lowrank",
    "set_anomaly_enabled": "autograd.anomaly:set_anomaly_enabled",
    "batch_norm": "ops.natives:batch_norm",
    "constant_pad_nd": "ops.natives:constant_pad_nd",
    "grid_sampler": "ops.natives:grid_sampler",
    "grid_sampler_2d": "ops.natives:grid_sampler_2d",
    "grid_sampler_3d": "ops.natives:grid_sampler_3d",
    "group_norm": "ops.natives:group_norm",
    "instance_norm": "ops.natives:instance_norm",
    "layer_norm": "ops.natives:layer_norm",
    "native_batch_norm": "ops.natives:native_batch_norm",
    "native_group_norm": "ops.natives:native_group_norm",
    "native_layer_norm": "ops.natives:native_layer_norm",
    "Event": "_accelerators.streams:Event",
    "Stream": "_accelerators.streams:Stream",
    "_C": "_C",
    "_assert": "_assertions:_assert",
    "_assert_async": "_assertions:_assert_async",
    "_check": "_assertions:_check",
    "_dynamo": "_dynamo",
    "_higher_order_ops": "_higher_order_ops",
    "accelerator": "accelerator",
    "GradScaler": "amp:GradScaler",
    "amp": "amp",
    "autocast": "amp.autocast_mode:autocast",
    "is_autocast_enabled": "amp.autocast_mode:is_autocast_enabled",
    "set_autocast_enabled": "amp.autocast_mode:set_autocast_enabled",
    "get_autocast_dtype": "amp.autocast_mode:get_autocast_dtype",
    "set_autocast_dtype": "amp.autocast_mode:set_autocast_dtype",
    "is_autocast_cache_enabled": "amp.autocast_mode:is_autocast_cache_enabled",
    "set_autocast_cache_enabled": "amp.autocast_mode:set_autocast_cache_enabled",
    "clear_autocast_cache": "amp.autocast_mode:clear_autocast_cache",
    "autocast_increment_nesting": "amp.autocast_mode:autocast_increment_nesting",
    "autocast_decrement_nesting": "amp.autocast_mode:autocast_decrement_nesting",
    "is_autocast_cpu_enabled": "amp.autocast_mode:is_autocast_cpu_enabled",
    "set_autocast_cpu_enabled": "amp.autocast_mode:set_autocast_cpu_enabled",
    "get_autocast_cpu_dtype": "amp.autocast_mode:get_autocast_cpu_dtype",
    "set_autocast_cpu_dtype": "amp.autocast_mode:set_autocast_cpu_dtype",
    "get_autocast_gpu_dtype": "amp.autocast_mode:get_autocast_gpu_dtype",
    "set_autocast_gpu_dtype": "amp.autocast_mode:set_autocast_gpu_dtype",
    "cpu": "cpu",
    "as_torch": "_alias:as_torch",
    "compile": "_eager:compile",
    "compiler": "compiler",
    "distributed": "distributed",
    "ao": "ao",
    "quantization": "ao.quantization",
    "ScriptModule": "jit.modules:ScriptModule",
    "TensorType": "jit.annotations:TensorType",
    "torch": "",  # as libraries write by mistake
    "types": "types",
    "func": "func",
    "vmap": "_vmap:vmap",
    "fx": "fx",
    "jit": "jit",
    "library": "library",
    "cuda": "cuda",
    "get_device_module": "_accelerators.modules:get_device_module",
    "version": "version",
    "distributions": "distributions",
    "xpu": "xpu",
    "get_num_threads": "backends.threads:get_num_threads",
    "set_num_threads": "backends.threads:set_num_threads",
    "is_anomaly_check_nan_enabled": "autograd.anomaly:is_anomaly_check_nan_enabled",
    "is_anomaly_enabled": "autograd.anomaly:is_anomaly_enabled",
    "bartlett_window": "ops.windows:bartlett_window",
    "blackman_window": "ops.windows:blackman_window",
    "fft": "fft",
    "hamming_window": "ops.windows:hamming_window",
    "hann_window": "ops.windows:hann_window",
    "i0": "ops.bessel:i0",
    "i0_": "ops.bessel:i0_",
    "igamma": "ops.special:igamma",
    "igammac": "ops.special:igammac",
    "istft": "ops.short_time:istft",
    "kaiser_window": "ops.windows:kaiser_window",
    "linalg": "linalg",
    "masked": "masked",
    "mvlgamma": "ops.special:mvlgamma",
    "polygamma": "ops.special:polygamma",
    "signal": "signal",
    "sparse": "sparse",
    "special": "special",
    "stft": "ops.short_time:stft",
    "functional": "functional",
    "Future": "futures:Future",
    "futures": "futures",
    "multiprocessing": "multiprocessing",
    "nn": "nn",
    "onnx": "onnx",
    "optim": "optim",
    "overrides": "overrides",
    "profiler": "profiler",
    "return_types": "return_types",
    "hub": "hub",
    "testing": "testing",
    "utils": "utils",
    "serialization": "serialization",
    "PyTorchFileReader": "serialization.reader:PyTorchFileReader",
    "save": "serialization:save",
    "load": "serialization:load",
    **{name: f"ops.{where}" for name, where in _ops_late.items()},
}


def __getattr__(name: str) -> object:
    where = _LAZY.get(name)
    if where is None:
        raise AttributeError(f"module 'arraytorch' has no attribute '{name}'")
    module, _, attribute = where.partition(":")
    found = _import_module(f".{module}", __package__)  # __name__ is "torch" under the alias
    value = getattr(found, attribute) if attribute else found
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY} - {"_ops_all", "_ops_late"})


__version__ = "0.1.0"
