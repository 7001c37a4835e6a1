"""CUDA C on the CPU: a kernel's source compiled by g++, its threads run as coroutines.

All threads of a block run up to the next `__syncthreads`, one after the other, so that reductions
over blocks are run as written. What that cannot show is a race.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import ml_dtypes
import numpy as np

AVAILABLE = shutil.which("g++") is not None and platform.machine() == "x86_64"
FOLDER = Path(tempfile.gettempdir()) / f"arraytorch-kernels-{os.getuid()}"

SHIM = r"""
#include <cmath>
#include <cstdint>
#include <cstring>
#include <cstdlib>
#include <ucontext.h>
using namespace std;
#define __device__
#define __global__
#define __shared__ static
struct Dim { unsigned int x = 0, y = 0, z = 0; };
static Dim threadIdx, blockIdx, blockDim, gridDim;
static ucontext_t scheduler;
static ucontext_t fibers[1024];
static char finished[1024];
static void __syncthreads() { swapcontext(&fibers[threadIdx.x], &scheduler); }
struct float16 {
  _Float16 v;
  float16() {}
  float16(float x) : v((_Float16)x) {}
  explicit float16(double x) : float16((float)x) {}
  explicit float16(int x) : float16((float)x) {}
  operator float() const { return (float)v; }
};
struct bfloat16 {
  unsigned short bits;
  bfloat16() {}
  bfloat16(float v) {
    uint32_t u;
    memcpy(&u, &v, 4);
    bits = v != v ? 0x7fc0 : (u + 0x7fff + (u >> 16 & 1)) >> 16;
  }
  explicit bfloat16(double v) : bfloat16((float)v) {}
  explicit bfloat16(int v) : bfloat16((float)v) {}
  operator float() const {
    uint32_t u = (uint32_t)bits << 16;
    float v;
    memcpy(&v, &u, 4);
    return v;
  }
};
template<class T> static T atomicAdd(T* at, T x) { T old = *at; *at += x; return old; }
template<class T> static T atomicCAS(T* at, T seen, T x) { T old = *at; if (old == seen) *at = x; return old; }
"""
# Arguments come as the driver's launch takes them: an array of addresses of values.
RUN = r"""
static void** arguments;
static void (*body)();
static void fiber() { body(); finished[threadIdx.x] = 1; swapcontext(&fibers[threadIdx.x], &scheduler); }
static void run(void (*f)(), void** args, int blocks, int threads, int together) {
  body = f;
  arguments = args;
  gridDim.x = blocks;
  blockDim.x = threads;
  char* stacks = together ? (char*)malloc((size_t)threads * 32768) : 0;
  for (blockIdx.x = 0; blockIdx.x < (unsigned)blocks; blockIdx.x++) {
    if (!together) {
      for (threadIdx.x = 0; threadIdx.x < (unsigned)threads; threadIdx.x++) f();
      continue;
    }
    memset(finished, 0, threads);
    for (int t = 0; t < threads; t++) {
      getcontext(&fibers[t]);
      fibers[t].uc_stack.ss_sp = &stacks[(size_t)t * 32768];
      fibers[t].uc_stack.ss_size = 32768;
      fibers[t].uc_link = 0;
      makecontext(&fibers[t], fiber, 0);
    }
    for (bool alive = true; alive;) {
      alive = false;
      for (int t = 0; t < threads; t++) {
        if (finished[t]) continue;
        alive = true;
        threadIdx.x = t;
        swapcontext(&scheduler, &fibers[t]);
      }
    }
  }
  free(stacks);
}
"""
KERNEL = re.compile(r'extern "C" __global__ void (\w+)\((.*?)\)\s*\{', re.DOTALL)


def _built(code: str) -> ctypes.CDLL:
    """The library of a source, compiled unless that was done before."""
    FOLDER.mkdir(exist_ok=True)
    name = hashlib.sha256(code.encode()).hexdigest()[:24]
    library = FOLDER / f"{name}.so"
    if not library.exists():
        source = FOLDER / f"{name}-{os.getpid()}.cpp"
        source.write_text(code)
        made = source.with_suffix(".tmp")
        command = ["g++", "-O1", "-shared", "-fPIC", "-std=c++17", "-ffp-contract=off",
                   "-w", str(source), "-o", str(made)]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True)
        source.unlink()
        assert done.returncode == 0, done.stderr
        made.rename(library)
    return ctypes.CDLL(str(library))


class Module:
    """`cupy.RawModule` for the CPU."""

    def __init__(self, code: str, options: tuple[str, ...] = ()) -> None:
        plain = re.sub(r"#include <cupy/\w+.cuh>", "", code)
        launchers = []
        for name, parameters in KERNEL.findall(plain):
            values = []
            for k, parameter in enumerate(parameters.split(",")):
                kind = re.match(r"(.*?)\w+$", parameter.strip(), re.DOTALL)[1].strip()
                values.append(f"*({kind}*)arguments[{k}]")
            launchers.append(
                f"static void call_{name}() {{ {name}({', '.join(values)}); }}\n"
                f'extern "C" void launch_{name}(void** a, int b, int t, int together) '
                f"{{ run(call_{name}, a, b, t, together); }}\n"
            )
        self.code = plain
        self.library = _built(SHIM + plain + RUN + "".join(launchers))

    def get_function(self, name: str):
        launch = getattr(self.library, f"launch_{name}")
        text = self.code[self.code.index(f"void {name}(") :]
        text = text[: text.find('extern "C"')] if 'extern "C"' in text else text
        together = int(bool(re.search(r"block_|extremes|__syncthreads", text)))

        def kernel(grid, block, args):
            addresses = (ctypes.c_void_p * len(args))()
            kept = []
            for k, value in enumerate(args):
                addresses[k], keep = address(value)
                kept.append(keep)
            assert all(n >= 1 for n in (*grid, *block))
            launch(addresses, grid[0], block[0], together)

        return kernel


def address(value):
    """Where an argument's value lies, and what has to live until the call."""
    if hasattr(value, "ptr"):  # cupy.cuda.function.CPointer
        return value.ptr, value
    if isinstance(value, np.ndarray):
        assert value.flags.c_contiguous, "a kernel of ours takes contiguous arrays"
        held = ctypes.c_void_p(value.ctypes.data)
    elif isinstance(value, float):
        held = ctypes.c_double(value)
    elif type(value) is int:
        held = ctypes.c_longlong(value)
    else:
        raise TypeError(f"Unsupported type {type(value)}")
    return ctypes.addressof(held), held


C_NAMES = {
    "bool": "bool", "int8": "signed char", "int16": "short", "int32": "int", "int64": "long long",
    "uint8": "unsigned char", "float16": "float16", "bfloat16": "bfloat16", "float32": "float",
    "float64": "double",
}  # fmt: skip
NATIVE = {n: np.dtype(ml_dtypes.bfloat16 if n == "bfloat16" else n) for n in C_NAMES}


class Elementwise:
    """`cupy.ElementwiseKernel` for the CPU."""

    def __init__(self, in_params, out_params, operation, name="kernel", preamble=""):
        self.inputs = [p.split() for p in in_params.split(", ")]
        self.outputs = [p.split() for p in out_params.split(", ")]
        self.operation, self.preamble = operation, preamble
        self.made = {}

    def __call__(self, *args):
        count = len(self.inputs)
        assert len(args) in (count, count + len(self.outputs))
        types = {}
        for (kind, _), value in zip(self.inputs, args):
            if kind not in NATIVE:
                dtype = value.dtype
                assert types.setdefault(kind, dtype) == dtype, "arguments of one type differ"
        own = {kind: types.get(kind, NATIVE.get(kind)) for kind, _ in self.inputs + self.outputs}
        plain = [np.asarray(v, own[k]) for (k, _), v in zip(self.inputs, args)]
        shape = np.broadcast_shapes(*[x.shape for x in plain])
        arrays = [np.ascontiguousarray(np.broadcast_to(x, shape)) for x in plain]
        results = [np.empty(shape, own[k]) for k, _ in self.outputs]
        key = tuple(sorted((k, d.name) for k, d in own.items()))
        if key not in self.made:
            self.made[key] = self._compiled(own)
        pointers = [x.ctypes.data for x in arrays + results]
        self.made[key](
            (ctypes.c_void_p * len(pointers))(*pointers), ctypes.c_longlong(results[0].size)
        )
        for given, made in zip(args[count:], results):
            given[...] = made.view(type(given))
        return results[0]

    def _compiled(self, own):
        named = "".join(
            f"typedef {C_NAMES[d.name]} {k};\n" for k, d in own.items() if k not in NATIVE
        )
        c = lambda kind: kind if kind not in NATIVE else C_NAMES[kind]
        reads = "".join(
            f"const {c(k)} {n} = (({c(k)}*)a[{i}])[i]; " for i, (k, n) in enumerate(self.inputs)
        )
        reads += "".join(
            f"{c(k)}& {n} = (({c(k)}*)a[{len(self.inputs) + i}])[i]; "
            for i, (k, n) in enumerate(self.outputs)
        )
        code = (
            SHIM + self.preamble + named + 'extern "C" void loop(void** a, long long count) {\n'
            f"for (long long i = 0; i < count; i++) {{ {reads} {self.operation}; }} }}"
        )  # fmt: skip
        return _built(code).loop
