"""torch.backends.cudnn, .cuda.matmul, .mkl and .openmp."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from fake_accelerator import installed

import arraytorch as torch
from arraytorch.backends import switches


@pytest.fixture(autouse=True)
def afterwards_as_before(monkeypatch):
    """Each test has switches of its own."""
    for name, kind in (("cudnn", switches.Cudnn), ("cuda", switches.Cuda)):
        monkeypatch.setattr(switches, name, kind())


def test_cudnn_switches():
    """PyTorch's defaults; only bools will do; flags holds for a while."""
    cudnn = torch.backends.cudnn
    assert (cudnn.enabled, cudnn.benchmark, cudnn.deterministic) == (True, False, False)
    assert cudnn.allow_tf32 and not cudnn.is_available() and cudnn.version() is None
    cudnn.benchmark = True
    with cudnn.flags(deterministic=True, allow_tf32=False):
        assert not cudnn.enabled and not cudnn.benchmark and cudnn.deterministic
        assert not cudnn.allow_tf32 and cudnn.benchmark_limit == 10
    assert cudnn.enabled and cudnn.benchmark and cudnn.allow_tf32 and cudnn.benchmark_limit is None
    assert cudnn.set_flags(_enabled=False) == (True, True, None, False, True)
    assert not cudnn.enabled
    for name, word in (("enabled", "enabled_cudnn"), ("benchmark", "benchmark_cudnn")):
        with pytest.raises(RuntimeError, match=f"set_{word} expects a bool, but got int"):
            setattr(cudnn, name, 3)


def test_cudnn_of_the_backend_in_use():
    """The backend tells its version."""
    with installed("cuda") as fake:
        fake.cudnn_version = lambda: 91002
        assert torch.backends.cudnn.is_available() and torch.backends.cudnn.version() == 91002


def test_precision_of_products():
    """allow_tf32 and set_float32_matmul_precision are one switch, told to the backend."""
    matmul = torch.backends.cuda.matmul
    told = []
    with installed("cuda") as fake:
        fake.allow_tf32 = told.append
        fake.allow_float16_sums = lambda allowed: told.append(("sums", allowed))
        assert not matmul.allow_tf32
        matmul.allow_tf32 = True
        assert torch.get_float32_matmul_precision() == "high"
        torch.set_float32_matmul_precision("highest")
        assert not matmul.allow_tf32
        torch.set_float32_matmul_precision("medium")
        assert matmul.allow_tf32
        matmul.allow_fp16_accumulation = True
        assert told == [
            True, ("sums", False), False, ("sums", False), True, ("sums", False), True, ("sums", True),
        ]  # fmt: skip
    with pytest.raises(RuntimeError, match="set_allow_tf32_cublas expects a bool, but got int"):
        matmul.allow_tf32 = 3
    with pytest.raises(AttributeError, match="Unknown attribute foo"):
        matmul.foo = 1


def test_a_backend_that_comes_later_is_told(monkeypatch):
    """What was set before the device came into use counts."""
    from fake_accelerator import FakeAccelerator

    told = []
    monkeypatch.setattr(
        FakeAccelerator, "allow_tf32", lambda self, allowed: told.append(allowed), raising=False
    )
    torch.backends.cuda.matmul.allow_tf32 = True
    with installed("cuda"):
        assert told == [True]


def test_what_computes_products():
    """As NumPy says of itself."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    assert torch.backends.mkl.is_available() == ("mkl" in blas["name"])
    assert isinstance(torch.backends.openmp.is_available(), bool)
    assert torch.backends.mps.is_available() is torch.backends.mps.is_built() is False


def test_switches_load_when_asked_for():
    """import arraytorch does not pay for them."""
    code = "import sys, arraytorch; print('arraytorch.backends.switches' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr
