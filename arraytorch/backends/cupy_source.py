"""CUDA C for CuPy: sources of kernels, compiled for each element type when first launched.

The sources are plain C++ with blocks and shared memory, and assume no number of threads that run in
step, so that HIP compiles them for AMD's devices too. `T` is the element type, `A` the type that is
computed in, and `L` a 64-bit integer.
"""

from __future__ import annotations

from typing import Any

import cupy

THREADS = 256  # of a block; a power of 2, as sums over a block halve it
MOST_BLOCKS = 1 << 16  # from here on, threads take several elements each
SOURCES: dict[str, Source] = {}  # all there are, for tests that compile them

# The element types that kernels are made for, and what they compute in.
REALS = {"float16": "float", "bfloat16": "float", "float32": "float", "float64": "double"}
NAMES = {"float32": "float", "float64": "double", "int32": "int", "int64": "long long"}

PREAMBLE = """
#include <cupy/{header}.cuh>
typedef {T} T;
typedef {A} A;
typedef long long L;
#define NEVER (-(A)1e30 * (A)1e30 * (A)1e300)  // -infinity, for which NVRTC has no name
#define EACH(i, n) for (L i = (L)blockIdx.x * blockDim.x + threadIdx.x; i < (n); \\
                        i += (L)gridDim.x * blockDim.x)
__device__ A narrow(A x) {{ return (A)(T)x; }}  // x rounded as memory will hold it
__device__ bool is_nan(A x) {{ return x != x; }}
__device__ A block_sum(A x) {{
  __shared__ A room[{threads}];
  int t = threadIdx.x;
  __syncthreads();
  room[t] = x;
  __syncthreads();
  for (int n = blockDim.x / 2; n > 0; n /= 2) {{
    if (t < n) room[t] += room[t + n];
    __syncthreads();
  }}
  return room[0];
}}
__device__ A block_max(A x) {{  // NaN where there is one
  __shared__ A room[{threads}];
  int t = threadIdx.x;
  __syncthreads();
  room[t] = x;
  __syncthreads();
  for (int n = blockDim.x / 2; n > 0; n /= 2) {{
    if (t < n && (room[t + n] > room[t] || is_nan(room[t + n]))) room[t] = room[t + n];
    __syncthreads();
  }}
  return room[0];
}}
"""


class Source:
    """CUDA C that is written once for all element types, and the programs made of it."""

    def __init__(self, name: str, code: str, types: Any = tuple(REALS)) -> None:
        self.name, self.code, self.types = name, code, tuple(types)
        self._kernels: dict[tuple[str, Any], Any] = {}
        SOURCES[name] = self

    def takes(self, *arrays: Any) -> bool:
        """Whether there is a program for these arrays, which are all of one type and not empty."""
        first = arrays[0]
        return (
            first.dtype.name in self.types
            and first.size > 0
            and all(x is None or x.dtype == first.dtype for x in arrays)
        )

    def text(self, dtype_name: str) -> str:
        """The complete program for an element type."""
        name = NAMES.get(dtype_name, dtype_name)
        header = name if name.endswith("16") else "carray"
        wide = REALS.get(dtype_name, name)
        return PREAMBLE.format(header=header, T=name, A=wide, threads=THREADS) + self.code

    def kernel(self, name: str, dtype: Any) -> Any:
        """A function of the program for an element type."""
        found = self._kernels.get((name, dtype))
        if found is None:
            module = cupy.RawModule(code=self.text(dtype.name), options=("--std=c++17",))
            found = self._kernels[name, dtype] = module.get_function(name)
        return found

    def each(self, name: str, x: Any, count: int, *args: Any) -> None:
        """Runs a kernel with a thread for each of ``count`` elements, of the type of x."""
        blocks = min(-(-count // THREADS), MOST_BLOCKS)
        if blocks:
            self.kernel(name, x.dtype)((blocks,), (THREADS,), args)

    def blocks(self, name: str, x: Any, count: int, length: int, *args: Any) -> None:
        """Runs a kernel with a block for each of ``count`` rows of ``length`` elements."""
        threads = 32
        while threads < min(length, THREADS):
            threads *= 2
        if count:
            self.kernel(name, x.dtype)((count,), (threads,), args)


def by_value(record: Any) -> Any:
    """A NumPy record as an argument: the kernel gets a copy. It has to live until the call."""
    return cupy.cuda.function.CPointer(record.ctypes.data)


def wide(dtype: Any) -> Any:
    """The type that kernels compute in for an element type."""
    return "f8" if dtype.itemsize == 8 else "f4"
