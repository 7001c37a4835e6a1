"""The tensor types of PyTorch's first years, for tensors on CUDA and ROCm devices."""

from .. import _dtypes
from .._tensor_types import type_of

FloatTensor, DoubleTensor = type_of(_dtypes.float32, "cuda"), type_of(_dtypes.float64, "cuda")
HalfTensor, BFloat16Tensor = type_of(_dtypes.float16, "cuda"), type_of(_dtypes.bfloat16, "cuda")
CharTensor, ByteTensor = type_of(_dtypes.int8, "cuda"), type_of(_dtypes.uint8, "cuda")
ShortTensor, IntTensor = type_of(_dtypes.int16, "cuda"), type_of(_dtypes.int32, "cuda")
LongTensor, BoolTensor = type_of(_dtypes.int64, "cuda"), type_of(_dtypes.bool, "cuda")
