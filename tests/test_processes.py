"""Several processes, a group of one, and values that are still to come."""

from __future__ import annotations

import os
import signal
import threading

import pytest

import arraytorch as torch
from arraytorch import distributed as dist
from arraytorch import multiprocessing as mp
from arraytorch.futures import Future, collect_all, wait_all


def put(index, queue):
    queue.put((index, torch.full((2,), float(index))))


def fail(index, how):
    if index == 1:
        if how == "raise":
            raise ValueError("no such luck")
        if how == "exit":
            raise SystemExit(3)
        os.kill(os.getpid(), signal.SIGKILL)


needs_fork = pytest.mark.skipif(
    "fork" not in mp.get_all_start_methods(), reason="the platform cannot fork"
)


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_processes_send_tensors():
    queue = mp.get_context("fork").Queue()
    mp.start_processes(put, (queue,), nprocs=2, start_method="fork")
    found = dict(queue.get(timeout=30) for _ in range(2))
    assert {i: t.tolist() for i, t in found.items()} == {0: [0.0, 0.0], 1: [1.0, 1.0]}


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize(
    ("how", "kind", "words"),
    [
        ("raise", mp.ProcessRaisedException, "-- Process 1 terminated with the following error"),
        ("exit", mp.ProcessExitedException, "process 1 terminated with exit code 3"),
        ("kill", mp.ProcessExitedException, "process 1 terminated with signal SIGKILL"),
    ],
)
def test_failures_come_back(how, kind, words):
    with pytest.raises(kind) as caught:
        mp.start_processes(fail, (how,), nprocs=2, start_method="fork")
    assert words in str(caught.value)
    assert ("ValueError: no such luck" in str(caught.value)) == (how == "raise")


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_waiting_for_processes():
    context = mp.start_processes(fail, ("not",), nprocs=1, join=False, start_method="fork")
    assert context.pids() == [context.processes[0].pid]
    while not context.join(timeout=30):
        pass
    assert context.join()


def test_a_group_of_one(monkeypatch):
    """Collective operations do what they do with one process; before, PyTorch's error."""
    x = torch.tensor([1.0, 2.0])
    for call in (dist.get_rank, dist.barrier, lambda: dist.all_reduce(x)):
        with pytest.raises(ValueError, match="Default process group has not been initialized"):
            call()
    with pytest.raises(ValueError, match="has not been initialized"):
        torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(1, 1))
    monkeypatch.delenv("RANK", raising=False)
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with pytest.raises(ValueError, match="environment variable WORLD_SIZE expected"):
        dist.init_process_group("gloo")
    with pytest.raises(RuntimeError, match="a group of 2 processes needs communication"):
        dist.init_process_group("gloo", rank=0, world_size=2)
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "1")
    dist.init_process_group("gloo")
    try:
        with pytest.raises(ValueError, match="twice"):
            dist.init_process_group("gloo")
        check_collectives(x)
    finally:
        dist.destroy_process_group()
    assert not dist.is_initialized() and dist.group.WORLD is None


def check_collectives(x):
    assert (dist.get_rank(), dist.get_world_size(), dist.get_backend()) == (0, 1, "gloo")
    assert dist.is_initialized() and isinstance(dist.group.WORLD, dist.ProcessGroup)
    assert dist.all_reduce(x) is None and x.tolist() == [1.0, 2.0]
    assert dist.all_reduce(x, dist.ReduceOp.MAX, async_op=True).wait()
    gathered = [torch.zeros(2)]
    dist.all_gather(gathered, x)
    assert gathered[0].equal(x)
    flat = torch.zeros(2)
    dist.all_gather_into_tensor(flat, x)
    assert flat.equal(x)
    objects = [None]
    dist.all_gather_object(objects, {"a": 1})
    assert objects == [{"a": 1}]
    dist.broadcast(x, 0)
    dist.broadcast_object_list(objects, 0)
    dist.reduce(x, 0)
    dist.barrier()
    with pytest.raises(RuntimeError, match="invalid root rank: 1"):
        dist.broadcast(x, 1)
    with pytest.raises(RuntimeError, match=r"expected length 1, got 0"):
        dist.all_gather([], x)
    with pytest.raises(TypeError, match="Expected parameter `tensor` of type"):
        dist.all_reduce([x])
    model = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(2, 1))
    assert list(model.state_dict()) == ["module.weight", "module.bias"]
    with model.no_sync():
        model(torch.ones(1, 2)).sum().backward()
    assert model.module.weight.grad.tolist() == [[1.0, 1.0]]


def test_futures():
    future, seen = Future(), []
    doubled = future.then(lambda done: 2 * done.value())
    future.add_done_callback(lambda done: seen.append(done.value()))
    assert not future.done()
    with pytest.raises(RuntimeError, match="no value yet"):
        future.value()
    threading.Timer(0.01, future.set_result, (3,)).start()
    assert future.wait() == 3 and doubled.wait() == 6 and seen == [3]
    with pytest.raises(RuntimeError, match="mark a completed Future as complete again"):
        future.set_result(4)


def test_futures_that_fail():
    failed, later = Future(), Future()
    after = failed.then(lambda done: done.value())
    failed.set_exception(ValueError("bad"))
    with pytest.raises(ValueError, match="bad"):
        failed.wait()
    with pytest.raises(RuntimeError, match="running the callback: ValueError: bad"):
        after.wait()
    with pytest.raises(ValueError, match="bad"):
        wait_all([later, failed])
    later.set_result(1)
    assert wait_all([later, later]) == [1, 1] and collect_all([]).wait() == []
    with pytest.raises(AssertionError, match="not an Exception"):
        Future().set_exception(3)
