"""torch.cuda, torch.xpu and torch.accelerator, over a fake device and without any."""

from __future__ import annotations

import inspect
import io

import numpy as np
import pytest
from fake_accelerator import TOTAL, installed

import arraytorch as torch
from arraytorch import backends
from arraytorch.utils import data

KINDS = ("cuda", "xpu")


@pytest.fixture(params=KINDS)
def fake(request):
    with installed(request.param) as backend:
        yield backend


@pytest.fixture
def cuda():
    with installed("cuda") as backend:
        yield backend


@pytest.fixture
def nothing(monkeypatch):
    """A machine without accelerators."""
    monkeypatch.setattr(
        backends, "_LOADED", {k: b for k, b in backends._LOADED.items() if k in ("cpu", "meta")}
    )
    for switch in ("USE_CUDA", "USE_ROCM", "USE_XPU"):
        monkeypatch.setenv(switch, "0")


def module_of(fake):
    return torch.get_device_module(fake.device_type)


# ---------------------------------------------------------------------------- without a device


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_device_questions_have_answers(nothing, kind):
    """What PyTorch answers without a device is answered the same."""
    module = torch.get_device_module(kind)
    assert not module.is_available() and not module.is_initialized()
    assert module.device_count() == 0 == module.memory_allocated() == module.max_memory_reserved()
    assert module.memory_stats() == {} == module.memory_stats_as_nested_dict()
    assert module.default_generators == () and module.get_rng_state_all() == []
    assert not module.is_bf16_supported() and not module.is_tf32_supported()
    assert not module.is_current_stream_capturing()
    module.manual_seed(1), module.manual_seed_all(1), module.seed_all(), module.empty_cache()
    module.set_rng_state(torch.get_rng_state())
    with module.stream(None), module.device(None), module.device_of(torch.ones(2)):
        pass
    assert getattr(torch.version, kind) is None and torch.version.hip is None
    assert torch.get_device_module() is torch.cpu


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "call",
    [
        lambda m: m.current_device(),
        lambda m: m.set_device(0),
        lambda m: m.synchronize(),
        lambda m: m.get_device_name(),
        lambda m: m.get_device_capability(),
        lambda m: m.can_device_access_peer(0, 1),
        lambda m: m.current_stream(),
        lambda m: m.Stream(),
        lambda m: m.Event(),
        lambda m: m.init(),
        lambda m: m.mem_get_info(),
        lambda m: m.reset_peak_memory_stats(),
        lambda m: m.set_per_process_memory_fraction(0.5),
        lambda m: m.initial_seed(),
        lambda m: m.get_rng_state(),
        lambda m: m.device(0).__enter__(),
    ],
)
def test_without_a_device_the_rest_says_why(nothing, kind, call):
    """A RuntimeError names the device type and what is to be done."""
    with pytest.raises(RuntimeError, match=f"'{kind}' device is switched off"):
        call(torch.get_device_module(kind))


def test_without_an_accelerator(nothing):
    """torch.accelerator speaks in PyTorch's words."""
    accelerator = torch.accelerator
    assert accelerator.current_accelerator() is None and accelerator.device_count() == 0
    for call in (
        accelerator.current_device_index, accelerator.current_stream, accelerator.synchronize,
        accelerator.memory_allocated, accelerator.empty_cache, accelerator.get_memory_info,
        torch.ones(2).pin_memory,
    ):  # fmt: skip
        with pytest.raises(RuntimeError, match="Cannot access accelerator device when none is"):
            call()
    with pytest.raises(RuntimeError, match="pin_memory=True requires a CUDA or other accelerator"):
        torch.empty(2, pin_memory=True)
    with pytest.raises(RuntimeError, match="Invalid device, must be cuda device"):
        torch.ones(2).cuda("cpu")
    with pytest.raises(ValueError, match="Expected a cuda device, but got: cpu"):
        torch.cuda.device("cpu")


def test_cpu_streams_have_done_everything():
    """The CPU's one stream and its events, which even measure time."""
    first, last = (torch.Event("cpu", enable_timing=True) for _ in range(2))
    with torch.Stream("cpu") as stream:
        stream.record_event(first)
        last.record()
    assert stream.query() and last.query() and first.elapsed_time(last) >= 0
    stream.wait_stream(torch.Stream("cpu"))
    assert repr(stream) == "torch.Stream device_type=cpu, device_index=-1, stream_id=0"
    with pytest.raises(ValueError, match="enable_timing=True"):
        first.elapsed_time(torch.Event("cpu"))
    with pytest.raises(ValueError, match="must be recorded before"):
        first.elapsed_time(torch.Event("cpu", enable_timing=True))


def test_device_modules():
    """By name and by device; the meta device has none."""
    assert torch.get_device_module("cuda") is torch.cuda
    assert torch.get_device_module(torch.device("xpu:1")) is torch.xpu
    with pytest.raises(RuntimeError, match="registered as 'torch.meta'"):
        torch.get_device_module("meta")
    with pytest.raises(RuntimeError, match="Invalid value of device '3'"):
        torch.get_device_module(3)


# ------------------------------------------------------------------------------------- devices


def test_devices(fake):
    """Counting, choosing and asking."""
    module, kind = module_of(fake), fake.device_type
    assert module.is_available() and module.is_initialized() and module.device_count() == 2
    assert module.current_device() == 0
    module.set_device(1)
    assert module.current_device() == 1 and torch.ones(1, device=kind).device.index == 1
    module.set_device(f"{kind}:0")
    module.set_device(-1)
    assert module.current_device() == 0
    assert module.get_device_name(1) == "Fake 1"
    assert module.can_device_access_peer(0, 1) and module.is_bf16_supported()
    assert torch.get_device_module() is module
    for index in (2, -1):
        with pytest.raises(AssertionError, match="Invalid device id"):
            module.get_device_properties(index)
    with pytest.raises(AssertionError, match="Invalid peer device id"):
        module.can_device_access_peer(0, 2)
    with pytest.raises(RuntimeError, match="does not exist"):
        module.set_device(2)
    with pytest.raises(ValueError, match=f"Expected a {kind} device, but got: cpu"):
        module.set_device("cpu")
    module.synchronize(1)
    assert fake.calls[-1] == ("synchronize", 1)


def test_properties(cuda):
    """Attributes and representation as PyTorch's."""
    facts = torch.cuda.get_device_properties("cuda:1")
    assert (facts.name, facts.major, facts.minor, facts.multi_processor_count) == (
        "Fake 1",
        8,
        6,
        108,
    )
    assert facts.total_memory == TOTAL and facts.warp_size == 32
    assert repr(facts) == (
        "_CudaDeviceProperties(name='Fake 1', major=8, minor=6, total_memory=16384MB, "
        "multi_processor_count=108)"
    )
    assert torch.cuda.get_device_capability() == (8, 6)
    assert torch.cuda.get_arch_list() == ["sm_86"]
    assert torch.cuda.get_gencode_flags() == "-gencode compute=compute_86,code=sm_86"
    assert torch.cuda.is_tf32_supported() and torch.version.cuda == "12.9"
    with installed("xpu"):
        assert "has_fp64=1" in repr(torch.xpu.get_device_properties())
        assert torch.xpu.get_device_capability()["max_compute_units"] == 108


def test_contexts(fake):
    """`device` and `device_of` change the current device for a while."""
    module, kind = module_of(fake), fake.device_type
    there = torch.ones(2, device=f"{kind}:1")
    for context in (module.device(1), module.device(f"{kind}:1"), module.device_of(there)):
        with context:
            assert module.current_device() == 1
        assert module.current_device() == 0
    with (
        module.device(None),
        module.device(-1),
        module.device(kind),
        module.device_of(torch.ones(1)),
    ):
        assert module.current_device() == 0
    with torch.accelerator.device_index(1):
        assert module.current_device() == 1 == torch.accelerator.current_device_index()
    with torch.accelerator.device_index(None):
        assert module.current_device() == 0


# ------------------------------------------------------------------------------------- streams


def test_streams(fake):
    """A stream is current within its context, with its device."""
    module, kind = module_of(fake), fake.device_type
    stream = module.Stream(f"{kind}:1", priority=-1)
    assert stream.device == torch.device(kind, 1) and stream.priority == -1
    with module.stream(stream):
        assert module.current_stream() == stream and module.current_device() == 1
        assert hash(module.current_stream()) == hash(stream)
    assert module.current_stream(1) != stream and module.current_device() == 0
    module.set_stream(stream)
    assert module.current_device() == 1 and module.current_stream() == stream
    assert torch.accelerator.current_stream() == stream
    stream.synchronize()
    assert fake.calls[-1] == ("synchronize_queue", stream.native_handle)
    assert stream.query()
    other = module.Stream(0)
    stream.wait_stream(other)
    assert fake.calls[-1][:2] == ("wait", stream.native_handle)
    assert f"{stream.native_handle:#x}" in repr(stream)
    external = module.get_stream_from_external(0x77, 1)
    assert external.native_handle == 0x77 and external.device.index == 1
    with torch.Stream(kind) as current:
        assert torch.accelerator.current_stream() == current


def test_events(fake):
    """Recording, waiting, measuring."""
    module = module_of(fake)
    first, last = (module.Event(enable_timing=True) for _ in range(2))
    assert first.query() and "uninitialized" in repr(first) or fake.device_type == "xpu"
    first.synchronize()
    assert not [c for c in fake.calls if c[0] == "synchronize_mark"]
    first.record()
    last.record(module.current_stream())
    assert 0 <= first.elapsed_time(last) < 1e3
    last.synchronize()
    assert fake.calls[-1] == ("synchronize_mark", last._mark)
    last.wait()
    assert fake.calls[-1] == ("wait", 0, last._mark)
    there = module.Stream(1)
    event = there.record_event()
    assert event.device.index == 1
    with pytest.raises(RuntimeError, match="does not match recording stream's device"):
        event.record(module.Stream(0))
    with pytest.raises(ValueError, match="enable_timing=True"):
        first.elapsed_time(event)


def test_stream_signatures():
    """Constructors take what PyTorch's take."""
    assert list(inspect.signature(torch.cuda.Stream).parameters)[:2] == ["device", "priority"]
    assert list(inspect.signature(torch.cuda.Event).parameters) == [
        "enable_timing", "blocking", "interprocess", "external",
    ]  # fmt: skip
    assert torch.cuda.ExternalStream.__mro__[1] is torch.cuda.Stream
    assert issubclass(torch.cuda.Event, torch.Event) and issubclass(torch.xpu.Stream, torch.Stream)


def test_record_stream_keeps_memory_until_the_work_is_done(fake, monkeypatch):
    """The array lives on as long as the stream has not done its work."""
    module = module_of(fake)
    stream = module.Stream()
    done = []
    monkeypatch.setattr(fake, "mark_done", lambda mark: bool(done))
    x = torch.ones(3, device=fake.device_type)
    x.record_stream(stream)
    assert [held is x._data for _, held in fake._held] == [True]
    done.append(1)
    y = torch.ones(3, device=fake.device_type)
    y.record_stream(stream)
    assert [held is y._data for _, held in fake._held] == [True]
    with pytest.raises(TypeError, match="must be Stream"):
        x.record_stream(None)


# -------------------------------------------------------------------------------------- memory


def test_memory(fake):
    """The statistics of the library, under PyTorch's names."""
    module = module_of(fake)
    assert module.memory_allocated() == 500 and module.memory_allocated(1) == 501
    assert module.max_memory_allocated() == 700 == torch.accelerator.max_memory_allocated()
    assert module.memory_reserved() == 1 << 21 and module.max_memory_reserved() == 1 << 22
    nested = module.memory_stats_as_nested_dict()
    assert nested["allocated_bytes"]["all"]["peak"] == 700 and nested["num_ooms"] == 1
    module.reset_peak_memory_stats(1)
    assert fake.calls[-1] == ("reset_memory_stats", 1, True)
    module.reset_accumulated_memory_stats()
    assert fake.calls[-1] == ("reset_memory_stats", 0, False)
    assert module.max_memory_allocated() == 500
    assert module.mem_get_info() == (TOTAL - 1000, TOTAL) == torch.accelerator.get_memory_info(1)
    assert module.device_memory_used() == 1000
    module.empty_cache()
    assert fake.calls[-1] == ("empty_cache",)


def test_memory_limits(fake):
    """A fraction is a float within 0 and 1."""
    module = module_of(fake)
    assert module.get_per_process_memory_fraction(1) == 1.0
    module.set_per_process_memory_fraction(0.25, 1)
    assert fake.limits == {1: 0.25} and module.get_per_process_memory_fraction(1) == 0.25
    with pytest.raises(TypeError, match="Invalid type for fraction"):
        module.set_per_process_memory_fraction(1)
    with pytest.raises(ValueError, match="Invalid fraction value: 1.5"):
        module.set_per_process_memory_fraction(1.5)
    module.set_per_process_memory_fraction(1.0, 1)


def test_memory_summary_and_old_names(cuda):
    """The table has the figures; the old names warn."""
    text = torch.cuda.memory_summary(1)
    assert text.startswith("Memory of cuda:1\n") and "501 B" in text and "2048 KiB" in text
    assert "Allocations" in text and "Allocations" not in torch.cuda.memory_summary(
        abbreviated=True
    )
    with pytest.warns(FutureWarning, match="memory_reserved"):
        assert torch.cuda.memory_cached() == 1 << 21
    with pytest.warns(FutureWarning, match="max_memory_reserved"):
        assert torch.cuda.max_memory_cached() == 1 << 22
    for name in ("reset_max_memory_allocated", "reset_max_memory_cached"):
        with pytest.warns(FutureWarning, match="reset_peak_memory_stats"):
            getattr(torch.cuda, name)()


# -------------------------------------------------------------------------------------- random


def test_each_device_has_its_generator(fake):
    """Seeds, states and generators are a device's own."""
    module, kind = module_of(fake), fake.device_type
    module.manual_seed_all(5)
    zero, one = (torch.rand(3, device=f"{kind}:{i}").cpu() for i in range(2))
    assert torch.equal(zero, one)  # the same seed
    torch.manual_seed(5)
    assert torch.equal(zero, torch.rand(3, device=f"{kind}:1").cpu())
    module.manual_seed(7)
    assert module.initial_seed() == 7
    assert [g.initial_seed() for g in module.default_generators] == [7, 5]
    assert module.default_generators[1].device == torch.device(kind, 1)
    states = module.get_rng_state_all()
    drawn = torch.rand(3, device=kind)
    module.set_rng_state_all(states)
    assert torch.equal(drawn, torch.rand(3, device=kind))
    state = module.get_rng_state(1)
    drawn = torch.rand(2, device=f"{kind}:1")
    module.set_rng_state(state, f"{kind}:1")
    assert torch.equal(drawn, torch.rand(2, device=f"{kind}:1"))
    module.seed_all()
    assert len({g.initial_seed() for g in module.default_generators}) == 1
    module.seed()
    assert len({g.initial_seed() for g in module.default_generators}) == 2


def test_generators_for_a_device(fake):
    """`Generator("cuda:1")` draws for that device, on it."""
    kind = fake.device_type
    generator = torch.Generator(f"{kind}:1", algorithm="mt19937").manual_seed(3)
    assert generator.device == torch.device(kind, 1)
    drawn = torch.randperm(6, device=f"{kind}:1", generator=generator)
    expected = torch.randperm(6, generator=torch.Generator().manual_seed(3))
    assert torch.equal(drawn.cpu(), expected) and drawn.device.index == 1
    with pytest.raises(RuntimeError, match="does not exist"):
        torch.Generator(f"{kind}:2")


@pytest.mark.parametrize(("devices", "restored"), [(None, [1, 1]), ([1], [0, 1]), ([], [0, 0])])
def test_fork_rng(fake, devices, restored):
    """The devices named, by default all, go on as if nothing had been drawn."""
    kind = fake.device_type

    def seeds():
        return [g.initial_seed() for g in module_of(fake).default_generators]

    torch.manual_seed(1)
    with torch.random.fork_rng(devices, device_type=kind):
        torch.manual_seed(9)
    assert seeds() == [1 if kept else 9 for kept in restored]


# ----------------------------------------------------------------------------------- transfers


def test_transfers_that_need_not_be_waited_for(fake):
    """non_blocking reaches the backend, in each direction and form."""
    kind, x = fake.device_type, torch.ones(2)
    there = x.to(kind, non_blocking=True)
    assert fake.calls[-1] == ("from_host", None, True)
    getattr(x, kind)(1, non_blocking=True)
    assert fake.calls[-1] == ("from_host", 1, True)
    x.to(kind, torch.float64, True)
    assert fake.calls[-1] == ("from_host", None, True)
    there.to("cpu", non_blocking=True)
    assert fake.calls[-1] == ("to_host", True)
    there.to(f"{kind}:1", non_blocking=True)
    assert fake.calls[-1] == ("moved", 1, True)
    there.copy_(x, non_blocking=True)
    assert ("from_host", 0, True) in fake.calls[-2:]
    there.cpu()
    assert fake.calls[-1] == ("to_host", False)
    getattr(x, kind)()
    assert fake.calls[-1] == ("from_host", None, False)


def test_copy_between_devices_of_a_type(fake):
    """copy_ moves what lies on a sibling device."""
    kind = fake.device_type
    x, y = torch.zeros(2, device=f"{kind}:0"), torch.ones(2, device=f"{kind}:1")
    x.copy_(y)
    assert ("moved", 0, False) in fake.calls and x.tolist() == [1, 1] and x.device.index == 0


def test_gradients_cross_devices(fake):
    """A gradient returns to the device that its tensor is on."""
    kind = fake.device_type
    x = torch.ones(2, device=f"{kind}:1", requires_grad=True)
    (x.to(f"{kind}:0") * 3).sum().backward()
    assert x.grad.device == x.device and x.grad.tolist() == [3, 3]


def test_pinned_memory(fake):
    """Tensors, creation functions and gradients."""
    x = torch.ones(2, requires_grad=True)
    pinned = x.pin_memory()
    assert pinned.is_pinned() and not x.is_pinned() and pinned.pin_memory() is pinned
    pinned.sum().backward()
    assert x.grad.tolist() == [1, 1]
    made = torch.zeros(3, pin_memory=True, requires_grad=True)
    assert made.is_pinned() and made.is_leaf and made.tolist() == [0, 0, 0]
    for new in (
        torch.tensor([1], pin_memory=True), torch.rand(2, pin_memory=True),
        torch.arange(3, pin_memory=True), torch.hann_window(3, pin_memory=True),
        x.detach().new_zeros(2, pin_memory=True), torch.empty_strided((2,), (1,), pin_memory=True),
        torch.full_like(x.detach(), 2.0, pin_memory=True),
    ):  # fmt: skip
        assert new.is_pinned()
    with pytest.raises(RuntimeError, match="only dense CPU tensors can be pinned"):
        torch.ones(2, device=fake.device_type).pin_memory()
    with pytest.raises(RuntimeError, match=r"cannot pin .*FloatTensor"):
        torch.ones(2, device=fake.device_type, pin_memory=True)


def test_loader_pins_batches(fake):
    """However a batch nests its tensors; strings and numbers stay what they are."""

    def collate(rows):
        return {"x": torch.stack(rows), "more": [(rows[0], "name"), 3]}

    loader = data.DataLoader([torch.ones(2)] * 4, 2, collate_fn=collate, pin_memory=True)
    batches = list(loader)
    assert len(batches) == 2
    for batch in batches:
        assert batch["x"].is_pinned() and batch["more"][0][0].is_pinned()
        assert batch["more"][0][1] == "name" and batch["more"][1] == 3
    assert not next(iter(data.DataLoader([torch.ones(2)] * 4, 2))).is_pinned()


def test_old_tensor_types(cuda):
    """torch.cuda.FloatTensor makes and tells tensors."""
    x = torch.cuda.FloatTensor([1, 2])
    assert x.device.type == "cuda" and isinstance(x, torch.cuda.FloatTensor)
    assert not isinstance(x, torch.FloatTensor) and not isinstance(
        torch.ones(1), torch.cuda.FloatTensor
    )
    assert torch.cuda.LongTensor(2, 3).dtype is torch.int64
    assert torch.ones(1).type(torch.cuda.HalfTensor).device.type == "cuda"
    assert x.type() == "torch.cuda.FloatTensor"


def test_load_onto_a_device(fake):
    """map_location as a string, a device, a dictionary and a function."""
    kind = fake.device_type
    file = io.BytesIO()
    torch.save({"w": torch.arange(3.0)}, file)
    for where in (
        f"{kind}:1",
        torch.device(kind, 1),
        {"cpu": f"{kind}:1"},
        lambda storage, tag: storage.to(f"{kind}:1"),
    ):
        file.seek(0)
        w = torch.load(file, map_location=where)["w"]
        assert w.device == torch.device(kind, 1) and w.tolist() == [0, 1, 2]
    file = io.BytesIO()
    torch.save(torch.ones(2, device=f"{kind}:1"), file)
    file.seek(0)
    assert torch.load(file).device == torch.device(kind, 1)
    file.seek(0)
    assert torch.load(file, map_location={f"{kind}:1": f"{kind}:0"}).device.index == 0


# --------------------------------------------------------------------------------- accelerator


def test_accelerator_names_what_is_there(fake):
    """The current accelerator is the fake, and can hold what it says."""
    assert torch.accelerator.current_accelerator() == torch.device(fake.device_type)
    assert torch.accelerator.is_available() and torch.accelerator.device_count() == 2
    torch.accelerator.set_device_index(1)
    torch.accelerator.synchronize()
    assert fake.calls[-1] == ("synchronize", 1)
    dtypes = torch.accelerator.get_device_capability()["supported_dtypes"]
    assert {torch.float64, torch.bfloat16} <= dtypes
    assert torch.accelerator.memory_stats(1)["allocated_bytes.all.current"] == 501
    with pytest.raises(TypeError, match="must be torch.Stream"):
        torch.accelerator.set_stream(None)


def test_computing_stays_on_its_device(fake):
    """Results lie where the arguments lie, whichever device is current."""
    kind = fake.device_type
    x = torch.ones(2, 3, device=f"{kind}:1")
    assert (x @ x.t() + 1).softmax(0).sum().device == torch.device(kind, 1)
    assert np.asarray(x.cpu()).sum() == 6
