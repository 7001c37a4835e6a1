"""The CUDA backend over a fake of CuPy: its Python as it is, its kernels compiled for the CPU."""

from __future__ import annotations

import sys
import types
import warnings

import cuda_on_cpu
import fake_cupy
import numpy as np
import pytest

import arraytorch as torch
from arraytorch import backends, nn
from arraytorch.nn import functional as F

sys.path.insert(0, str(__file__).rpartition("/")[0] + "/ops")
from samples import SAMPLES

pytestmark = pytest.mark.skipif(
    not cuda_on_cpu.AVAILABLE, reason="kernels run on the CPU by way of g++ on x86-64"
)
TOLERANCE = {"float16": 4e-3, "bfloat16": 3e-2, "float32": 4e-5, "complex64": 4e-5}


@pytest.fixture(scope="module")
def cuda():
    """The backend over the fake, registered for the length of this module."""
    with pytest.MonkeyPatch.context() as patch:
        yield fake_cupy.load(patch)


@pytest.fixture
def hip():
    """The same as if CuPy were that for ROCm."""
    with pytest.MonkeyPatch.context() as patch:
        yield fake_cupy.load(patch, hip=True)


@pytest.fixture(autouse=True)
def quiet():
    """What runs on the host says so once; tests that want to hear it look for it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".* runs on the CPU")
        yield


def tensors(arrays, where):
    return [torch.from_numpy(np.array(x)).to(where) for x in arrays]


def flat(result):
    found = result if isinstance(result, (tuple, list)) else [result]
    return [t for t in found if isinstance(t, torch.Tensor)]


def values(t):
    x = t.detach().cpu()
    return (x.double() if x.dtype in (torch.float16, torch.bfloat16) else x).numpy()


def gradients(s, inputs, one):
    inputs = [t.requires_grad_() if t.is_floating_point() or t.is_complex() else t for t in inputs]
    outs = [o for o in flat(s(inputs, one)) if o.requires_grad]
    wanted = [t for t in inputs if t.requires_grad]
    found = torch.autograd.grad(outs, wanted, [torch.ones_like(o) for o in outs], allow_unused=True)
    return [None if g is None else values(g) for g in found]


@pytest.mark.parametrize("s", SAMPLES, ids=str)
def test_sample_table_agrees_with_the_cpu(cuda, s):
    """Every row, in every dtype of it, gives the CPU's numbers and gradients."""
    for dtype in s.dtypes:
        tol = max(TOLERANCE.get(dtype, 1e-9), s.rtol)
        for one in s.cases:
            arrays = s.arrays(one, dtype)
            here, there = tensors(arrays, "cpu"), tensors(arrays, "cuda")
            wanted = [values(t) for t in flat(s(here, one))]
            with torch.device("cuda"):
                got = flat(s(there, one))
            for a, b in zip(got, wanted, strict=True):
                assert a.device.type == "cuda"
                near = max(tol, TOLERANCE.get(str(a.dtype)[6:], tol))
                np.testing.assert_allclose(values(a), b, near, near, err_msg=f"{dtype} {one}")
            if s.grad and dtype in ("float32", "float64", "complex128"):
                wanted = gradients(s, tensors(arrays, "cpu"), one)
                with torch.device("cuda"):
                    got = gradients(s, there, one)
                for a, b in zip(got, wanted, strict=True):
                    assert (a is None) == (b is None)
                    if b is not None:
                        np.testing.assert_allclose(a, b, 10 * tol, 10 * tol, err_msg=str(one))


# --------------------------------------------------------------------- no waiting in a step


class Model(nn.Module):
    """A bit of everything that networks are made of."""

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(11, 8)
        self.norm = nn.LayerNorm(8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.features = nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
            nn.GroupNorm(2, 4), nn.GELU(), nn.AvgPool2d(2), nn.Flatten(), nn.Dropout(0.1),
        )  # fmt: skip
        self.top = nn.Linear(8 + 4 * 4, 3)

    def forward(self, words, images):
        x = self.norm(self.words(words))
        x = self.attention(x, x, x, need_weights=False)[0].mean(1)
        return self.top(torch.cat([x, self.features(images)], 1))


def stepped(where, optimizer, steps=3):
    """The losses of some steps, still on the device, and how often they made the host wait."""
    torch.manual_seed(0)
    model = Model().to(where).train()
    model.features[8].p = 0.0  # the devices' random numbers differ
    words = torch.randint(11, (6, 5)).to(where)
    images, labels = torch.randn(6, 1, 8, 8).to(where), (torch.arange(6) % 3).to(where)
    step = optimizer(model.parameters())
    losses = []
    waits = fake_cupy.counts["waits"]
    for _ in range(steps):
        step.zero_grad()
        loss = F.cross_entropy(model(words, images), labels)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        step.step()
        losses.append(loss.detach())
    return losses, fake_cupy.counts["waits"] - waits


OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1),
    "momentum": lambda p: torch.optim.SGD(
        p, lr=0.1, momentum=0.9, weight_decay=0.01, nesterov=True
    ),
    "adam": lambda p: torch.optim.Adam(p, lr=0.01, amsgrad=True, weight_decay=0.01),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.01),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_never_waits_for_the_device(cuda, name):
    """A step reads no element of the device, and gives the CPU's losses."""
    wanted, _ = stepped("cpu", OPTIMIZERS[name])
    losses, waits = stepped("cuda", OPTIMIZERS[name])
    assert waits == 0
    np.testing.assert_allclose([x.item() for x in losses], [x.item() for x in wanted], 2e-4)


def test_waiting_is_noticed(cuda):
    """The count that the test above trusts does count."""
    before = fake_cupy.counts["waits"]
    torch.ones(2, device="cuda").sum().item()
    assert fake_cupy.counts["waits"] > before


# ------------------------------------------------------------------------------- bad indices


BAD = {
    "embedding": lambda i: F.embedding(i, torch.ones(3, 2, device="cuda")),
    "gather": lambda i: torch.ones(3, device="cuda").gather(0, i),
    "index_select": lambda i: torch.ones(3, device="cuda").index_select(0, i),
    "index": lambda i: torch.ones(3, device="cuda")[i],
    "cross_entropy": lambda i: F.cross_entropy(torch.ones(1, 3, device="cuda"), i),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("bad", [3, -4])
def test_bad_index_is_told_when_the_host_waits(cuda, name, bad):
    """The op itself returns; reading any tensor raises, once, and names op and index."""
    BAD[name](torch.tensor([bad], device="cuda"))
    with pytest.raises(IndexError, match=rf"{name}.*index {bad} .*size 3"):
        torch.ones(1, device="cuda").cpu()
    assert torch.ones(1, device="cuda").cpu().tolist() == [1.0]


def test_bad_index_is_told_by_a_loss(cuda):
    """`item()` waits, too."""
    loss = F.cross_entropy(torch.ones(1, 3, device="cuda"), torch.tensor([3], device="cuda"))
    with pytest.raises(IndexError, match="cross_entropy"):
        loss.item()


def test_good_indices_raise_nothing(cuda):
    """Neither do negative ones where they count from the end, nor ignored ones."""
    x = torch.arange(3.0, device="cuda")
    assert x[torch.tensor([-3, 2], device="cuda")].tolist() == [0.0, 2.0]
    loss = F.cross_entropy(torch.zeros(2, 3, device="cuda"), torch.tensor([-100, 1], device="cuda"))
    assert loss.item() == pytest.approx(np.log(3))


def test_blocking_finds_bad_indices_at_once(cuda, monkeypatch):
    """With CUDA_LAUNCH_BLOCKING=1, the op raises."""
    monkeypatch.setattr(cuda, "blocking", True)
    with pytest.raises(IndexError, match="7"):
        F.embedding(torch.tensor([7], device="cuda"), torch.ones(3, 2, device="cuda"))


def test_many_checks_reuse_their_places(cuda):
    """More checks than there are places for, and one of them bad."""
    table = torch.ones(3, 2, device="cuda")
    good, bad = torch.tensor([1], device="cuda"), torch.tensor([5], device="cuda")
    F.embedding(bad, table)

    def all_of_them():
        for _ in range(cuda.checks.MANY + 1):
            F.embedding(good, table)

    with pytest.raises(IndexError, match="index 5"):
        all_of_them()


# ------------------------------------------------------------------------- optimizers, random


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_steps_of_many_tensors(cuda, name, dtype):
    """More tensors than one call takes, of all sizes, step as on the CPU."""
    found = {}
    for where in ("cpu", "cuda"):
        torch.manual_seed(1)
        params = [
            torch.randn(n % 7 + 1, dtype=dtype).to(where).requires_grad_() for n in range(130)
        ]
        optimizer = OPTIMIZERS[name](params)
        for k in range(3):
            for p in params:
                p.grad = (torch.arange(p.numel()) / 7 - k).to(dtype).to(where)
            params[k].grad = None  # these are stepped one by one
            optimizer.step()
        found[where] = values(torch.cat([p.detach() for p in params]))
    tol = TOLERANCE.get(str(dtype)[6:], 1e-12)
    np.testing.assert_allclose(found["cuda"], found["cpu"], tol, tol)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_random_numbers_are_those_of_the_generic_kernel(cuda, dtype):
    """The same seed gives the numbers of philox.py on the CPU, to rounding."""
    here = torch.Generator(algorithm="philox").manual_seed(3)
    there = torch.Generator("cuda").manual_seed(3)
    x = torch.empty(1000, dtype=dtype).uniform_(-2, 3, generator=here)
    y = torch.empty(1000, dtype=dtype, device="cuda").uniform_(-2, 3, generator=there)
    np.testing.assert_allclose(values(y), values(x), 1e-5, 1e-6)
    for fill in ("uniform_", "normal_", "exponential_", "cauchy_"):
        x = getattr(torch.empty(1000, dtype=dtype), fill)(generator=here)
        y = getattr(torch.empty(1000, dtype=dtype, device="cuda"), fill)(generator=there)
        np.testing.assert_allclose(values(y), values(x), 1e-5, 1e-6, err_msg=fill)
    x = torch.empty(1000, dtype=torch.int64).random_(0, 10, generator=here)
    y = torch.empty(1000, dtype=torch.int64, device="cuda").random_(0, 10, generator=there)
    assert torch.equal(x, y.cpu())


@pytest.fixture
def deterministic():
    """The mode of that name, for the length of a test."""
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(False)


def test_deterministic_scatters_add_in_order(cuda, deterministic):
    """The sum is the one of the generic kernel, to the last bit."""
    assert cuda.deterministic
    index = torch.randint(5, (300,), generator=torch.Generator().manual_seed(0))
    x = torch.randn(300, generator=torch.Generator().manual_seed(1))
    wanted = torch.zeros(5).index_add(0, index, x)
    got = torch.zeros(5, device="cuda").index_add(0, index.to("cuda"), x.to("cuda"))
    assert torch.equal(got.cpu(), wanted)


# ------------------------------------------------------------------------------ the device


def test_facts_are_the_driver_s(cuda):
    """The properties are named as the other vendors' are."""
    facts = cuda.facts(0)
    assert (facts.name, facts.vendor, facts.driver_version) == ("Fake GPU", "NVIDIA", "12.8")
    assert (facts.major, facts.minor, facts.architecture) == (8, 0, "sm_80")
    assert cuda.describe() == "CuPy 14.2.0, CUDA 12.9, 1 device(s)"


def test_rocm_is_the_same_device_type(hip):
    """AMD's devices are `cuda` devices with an architecture's name."""
    facts = hip.facts(0)
    assert (facts.vendor, facts.architecture, facts.driver_version) == (
        "AMD",
        "gfx90a",
        "7.0.51831",
    )
    assert hip.toolkits() == {"hip": "7.0.51831", "rocm": "7.0"}
    assert str(torch.ones(1, device="cuda").device) == "cuda:0"
    with pytest.raises(RuntimeError, match="cannot capture"):
        hip.begin_capture(hip.current_queue(0), "global")


def test_gap_falls_back_to_the_host_and_says_so_once(hip):
    """Eigenvalues of general matrices, which rocSOLVER lacks, come from LAPACK."""
    from arraytorch.backends import cupy_gaps

    cupy_gaps._WARNED.clear()
    x = torch.tensor([[2.0, 1.0], [0.0, 3.0]], device="cuda")
    with pytest.warns(UserWarning, match="eig runs on the CPU"):
        found = torch.linalg.eig(x)
    assert found[0].device.type == "cuda"
    assert sorted(found[0].cpu().real.tolist()) == [2.0, 3.0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        torch.linalg.eig(x)


def test_gaps_are_those_of_the_documentation(cuda):
    """The table in docs/cuda.md names the same kernels."""
    from pathlib import Path

    from arraytorch.backends.cupy_gaps import GAPS

    text = (Path(__file__).parent.parent / "docs" / "cuda.md").read_text("utf-8")
    for kernel, (_, reason) in GAPS.items():
        assert f"`{kernel}`" in text, kernel
        assert reason in text, kernel


def test_queues_marks_and_graphs(cuda):
    """They are CuPy's, with the attributes that arraytorch.cuda shows."""
    queue = cuda.new_queue(0, -1)
    assert (queue.index, queue.priority, queue.pointer) == (0, -1, queue.stream.ptr)
    cuda.use_queue(queue)
    assert cuda.current_queue(0).pointer == queue.pointer
    cuda.use_queue(cuda.default_queue(0))
    assert cuda.current_queue(0).pointer == 0
    assert cuda.queue_at(77, 0).pointer == 77
    mark, other = (cuda.new_mark(0, True, False, False) for _ in range(2))
    assert cuda.mark_done(mark)
    cuda.record(mark, queue)
    cuda.wait(queue, mark)
    cuda.synchronize_mark(mark)
    assert cuda.milliseconds(mark, other) == 1.5
    cuda.begin_capture(queue, "thread_local")
    assert cuda.is_capturing(queue)
    graph = cuda.end_capture(queue)
    cuda.launch(graph, queue)
    assert graph.graph.launched == 1
    assert not cuda.is_capturing(queue)


def test_memory_counts_peaks(cuda):
    """Hooks see peaks; the pool says what is in use."""
    log = cuda.memory_log
    for size in (512, 1024):
        log.alloc_postprocess(device_id=0, mem_size=size)
        log.malloc_postprocess(device_id=0, mem_size=size)
    log.free_postprocess(device_id=0, mem_size=512)
    stats = cuda.memory_stats(0)
    assert stats["allocated_bytes.all.current"] == 1024
    assert stats["allocated_bytes.all.peak"] == 1536
    assert stats["allocation.all.allocated"] == 2
    cuda.reset_memory_stats(0, True)
    assert cuda.memory_stats(0)["allocated_bytes.all.peak"] == 1024
    cuda.limit_memory(0.5, 0)
    assert sys.modules["cupy"].get_default_memory_pool().limit == (None, 0.5)
    cuda.empty_cache()


def test_pinned_memory(cuda):
    """A pinned copy is known, also by its views; copies from it need not be waited for."""
    x = np.arange(6.0).reshape(2, 3)
    pinned = cuda.pinned(x)
    assert np.array_equal(pinned, x)
    assert cuda.is_pinned(pinned)
    assert cuda.is_pinned(pinned[1:])
    assert not cuda.is_pinned(x)
    before = fake_cupy.counts["waits"]
    there = cuda.from_host(pinned, 0, non_blocking=True)
    back = cuda.to_host(there, non_blocking=True)
    assert fake_cupy.counts["waits"] == before
    assert np.array_equal(back, x)


def test_copies_to_another_device_do_not_wait(cuda):
    """The queues of the two devices wait for each other, and the host for neither."""
    x = torch.arange(6.0, device="cuda").view(2, 3).T._data
    before = fake_cupy.counts["waits"]
    assert cuda.moved(x, 0) is x
    y = cuda.moved(x, 1)
    assert fake_cupy.counts["waits"] == before
    assert y.shape == (3, 2)
    assert np.array_equal(cuda.to_host(y), cuda.to_host(x))


def test_switches_of_products(cuda):
    """TF32 and sums in float16 are CuPy's settings per type."""
    products = sys.modules["cupy"]._core._routines_linalg
    products.settings.clear()
    cuda.allow_tf32(True)
    cuda.allow_tf32(False)
    cuda.allow_float16_sums(True)
    assert products.settings == [("float32", 5), ("float32", 0), ("float16", 2)]


def test_other_libraries_get_the_memory(cuda):
    """`__cuda_array_interface__` is there on CUDA tensors that need no gradient, alone."""
    x = torch.ones(2, 3, device="cuda")
    told = x.__cuda_array_interface__
    assert (told["shape"], told["data"][0]) == ((2, 3), x.data_ptr())
    assert not hasattr(torch.ones(1), "__cuda_array_interface__")
    with pytest.raises(RuntimeError, match="requires grad"):
        x.requires_grad_().__cuda_array_interface__


def test_views_and_offsets(cuda):
    """Views know that they are, also those that are made from an address."""
    x = torch.arange(12.0, device="cuda").view(3, 4)
    y = x.T[1:, ::2]
    assert y._base is x._base
    assert y.storage_offset() == 1
    z = x.as_strided((2, 2), (1, 4), 5)
    z.zero_()
    assert x.flatten()[[5, 6, 9, 10]].tolist() == [0.0] * 4
    assert x.diagonal().tolist() == [0.0, 0.0, 0.0]


# --------------------------------------------------------------------------------- loading


def absent(**runtime):
    """A CuPy that is installed and finds nothing to run on."""
    module = types.ModuleType("cupy")
    module.cuda = types.SimpleNamespace(
        runtime=types.SimpleNamespace(**{"is_hip": False} | runtime)
    )
    return module


def failing():
    raise OSError("cudaErrorInsufficientDriver")


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (None, "cannot be imported"),
        (absent(getDeviceCount=failing), "driver for CUDA.*InsufficientDriver"),
        (absent(getDeviceCount=lambda: 0), "this machine has none"),
        (absent(getDeviceCount=failing, is_hip=True), "driver for ROCm"),
    ],
)
def test_what_is_missing_is_said(monkeypatch, module, words):
    """No library, no driver and no device are three messages; asking raises nothing."""
    monkeypatch.setattr(backends, "find_spec", lambda name: object())
    monkeypatch.setattr(backends, "_LOADED", {"cpu": backends._LOADED["cpu"]})
    monkeypatch.setitem(sys.modules, "cupy", module)
    for name in ("USE_CUDA", "USE_ROCM"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(RuntimeError, match=words):
        torch.ones(1, device="cuda")
    assert not backends.is_available("cuda")


@pytest.mark.parametrize(("switch", "is_hip"), [("USE_CUDA", False), ("USE_ROCM", True)])
def test_each_vendor_has_a_switch(monkeypatch, switch, is_hip):
    """USE_CUDA=0 turns off CuPy for CUDA, and USE_ROCM=0 that for ROCm."""
    monkeypatch.setattr(backends, "find_spec", lambda name: object())
    monkeypatch.setattr(backends, "_LOADED", {"cpu": backends._LOADED["cpu"]})
    monkeypatch.setitem(sys.modules, "cupy", absent(getDeviceCount=lambda: 1, is_hip=is_hip))
    monkeypatch.setenv(switch, "0")
    with pytest.raises(RuntimeError, match=f"switched off by {switch}=0"):
        torch.ones(1, device="cuda")
