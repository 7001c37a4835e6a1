"""torch.profiler: which operations ran, how often, within what."""

from __future__ import annotations

import gzip
import json
import sys

import pytest

import arraytorch as torch
from arraytorch.profiler import ProfilerActivity, profile, record_function, schedule


def work(n=1):
    for _ in range(n):
        torch.ones(2, 3).mm(torch.ones(3, 4))


def counts(profiled):
    return {event.key: event.count for event in profiled.key_averages()}


def test_counts_and_times():
    with profile(record_shapes=True) as profiled, record_function("outer"):
        work(3)
    assert counts(profiled) == {"outer": 1, "aten::ones": 6, "aten::mm": 3}
    rows = {event.key: event for event in profiled.key_averages()}
    inner = rows["aten::ones"].cpu_time_total + rows["aten::mm"].cpu_time_total
    outer = rows["outer"]
    assert outer.self_cpu_time_total == pytest.approx(outer.cpu_time_total - inner, rel=1e-3)
    assert rows["aten::mm"].cpu_time == pytest.approx(rows["aten::mm"].cpu_time_total / 3)
    assert next(e.input_shapes[:2] for e in profiled.events() if e.name == "aten::mm") == [
        [2, 3],
        [3, 4],
    ]
    assert len(profiled.key_averages(group_by_input_shape=True)) >= 3
    assert sys.getprofile() is None
    work()
    assert counts(profiled)["aten::mm"] == 3


def test_operators_in_place_and_functions():
    x = torch.ones(2)
    with profile() as profiled:
        x.mul_(2)
        x.exp()
        x + x
        torch.nn.functional.relu(x)
    names = set(counts(profiled))
    assert {"aten::mul_", "aten::exp", "aten::add", "aten::relu"} <= names


def test_steps_of_training():
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.LayerNorm(3))
    optimizer = torch.optim.AdamW(model.parameters())
    with profile() as profiled:
        model(torch.ones(4, 2)).sum().backward()
        optimizer.step()
    names = counts(profiled)
    assert names["autograd::backward"] == names["Optimizer.step#AdamW.step"] == 1
    assert {"aten::linear", "aten::layer_norm", "aten::sum"} <= set(names)
    assert "aten::shape_of" not in names  # no operation


def test_table_and_trace(tmp_path):
    with profile() as profiled:
        work(2)
    table = profiled.key_averages().table(sort_by="count", row_limit=1)
    assert "aten::ones" in table and "aten::mm" not in table and "Self CPU time total" in table
    with pytest.raises(AttributeError, match="no 'speed' to sort by"):
        profiled.key_averages().table(sort_by="speed")
    profiled.export_chrome_trace(str(tmp_path / "t.json"))
    events = json.loads((tmp_path / "t.json").read_text())["traceEvents"]
    assert [e["name"] for e in events] == ["aten::ones", "aten::ones", "aten::mm"] * 2
    assert all(e["dur"] > 0 for e in events)
    profiled.export_chrome_trace(str(tmp_path / "t.json.gz"))
    packed = (tmp_path / "t.json.gz").read_bytes()
    assert json.loads(gzip.decompress(packed))["traceEvents"] == events


def test_schedule(tmp_path):
    plan = schedule(wait=1, warmup=1, active=2, repeat=2, skip_first=1)
    names = [plan(step).name for step in range(11)]
    once = ["NONE", "WARMUP", "RECORD", "RECORD_AND_SAVE"]
    assert names == ["NONE", *once, *once, "NONE", "NONE"]
    seen = []
    with profile(schedule=plan, on_trace_ready=lambda p: seen.append(counts(p)["aten::mm"])) as p:
        for step in range(11):
            work(step)
            p.step()
    assert seen == [3 + 4, 7 + 8]
    handler = torch.profiler.tensorboard_trace_handler(str(tmp_path), "me")
    with profile(on_trace_ready=handler):
        work()
    (written,) = tmp_path.iterdir()
    assert written.name.startswith("me.") and written.name.endswith(".pt.trace.json")
    with pytest.raises(AssertionError, match="Invalid profiler schedule"):
        schedule(wait=0, warmup=0, active=0)


def test_what_it_does_not_measure():
    with pytest.warns(UserWarning, match="does not measure profile_memory, with_flops"):
        profile(profile_memory=True, with_flops=True)
    with pytest.raises(AssertionError, match="No valid profiler activities"):
        profile(activities=[ProfilerActivity.CUDA])
    assert torch.profiler.supported_activities() == {ProfilerActivity.CPU}
