"""Workers of a DataLoader. Numbers were recorded from PyTorch, whose workers are processes."""

from __future__ import annotations

import gc
import threading
import time

import pytest

import arraytorch as torch
from arraytorch.utils import data

pytestmark = pytest.mark.filterwarnings("ignore:This DataLoader will create")


class Noisy(data.Dataset):
    """Indices with random numbers, as a dataset that augments would draw them."""

    def __len__(self):
        return 7

    def __getitem__(self, index):
        return index, torch.rand(()).item()


class Range(data.IterableDataset):
    """Each worker yields its own hundred, a different number of them."""

    def __iter__(self):
        start = 100 * data.get_worker_info().id
        return iter(range(start, start + (7, 2, 5)[data.get_worker_info().id]))


def test_batches_and_random_numbers_are_those_of_pytorch():
    """Each worker draws from its own stream, and the stream of the program is untouched."""
    torch.manual_seed(5)
    loader = data.DataLoader(
        Noisy(), batch_size=3, shuffle=True, num_workers=2, persistent_workers=True
    )
    epochs = [[[i.tolist(), x.tolist()] for i, x in loader] for _ in range(2)]
    recorded = [
        [[[0, 3, 6], [0.7106, 0.3483, 0.6388]], [[2, 1, 4], [0.2905, 0.5857, 0.2935]],
         [[5], [0.6557]]],
        [[[2, 4, 1], [0.1161, 0.6223, 0.3868]], [[5, 6, 3], [0.2883, 0.0383, 0.4012]],
         [[0], [0.1061]]],
    ]  # fmt: skip
    for epoch, wanted in zip(epochs, recorded, strict=True):
        for (i, x), (index, numbers) in zip(epoch, wanted, strict=True):
            assert i == index and x == pytest.approx(numbers, abs=1e-4)
    assert torch.rand(1).item() == pytest.approx(0.1644, abs=1e-4)


def test_streams_end_one_by_one():
    """The other workers go on in turn, as PyTorch's do."""
    loader = data.DataLoader(Range(), batch_size=2, num_workers=3)
    assert [batch.tolist() for batch in loader] == [
        [0, 1], [100, 101], [200, 201], [2, 3], [202, 203], [4, 5], [204], [6],
    ]  # fmt: skip
    loader = data.DataLoader(Range(), batch_size=2, num_workers=3, drop_last=True)
    assert [b.tolist() for b in loader][-2:] == [[202, 203], [4, 5]]


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_the_order_is_that_of_one_process(workers):
    """Even where some samples take long."""

    class Slow(data.Dataset):
        def __len__(self):
            return 12

        def __getitem__(self, index):
            time.sleep(0.01 if index % 3 == 0 else 0)
            return index

    loader = data.DataLoader(Slow(), batch_size=2, num_workers=workers)
    assert torch.cat(list(loader)).tolist() == list(range(12))
    assert len(loader) == 6


def test_workers_know_who_they_are_and_change_only_their_own_copy():
    class Numbers(data.IterableDataset):
        end = 4

        def __iter__(self):
            info = data.get_worker_info()
            assert info.num_workers == 2 and info.dataset is self
            assert torch.initial_seed() == info.seed
            return iter(range(self.end))

    def init(number):
        info = data.get_worker_info()
        assert info.id == number
        info.dataset.end = number + 1
        torch.manual_seed(number)  # does not reach the program's numbers
        info.seed = number

    numbers = Numbers()
    torch.manual_seed(3)
    loader = data.DataLoader(numbers, batch_size=None, num_workers=2, worker_init_fn=init)
    assert sorted(loader) == [0, 0, 1]
    assert numbers.end == 4 and data.get_worker_info() is None
    after = torch.rand(1)
    torch.manual_seed(3)
    torch.empty((), dtype=torch.int64).random_()  # the seed of the workers
    assert torch.rand(1).equal(after)


def test_errors_arrive_where_the_batch_was_due():
    """As they were, with a note that says where; later batches can still be had."""

    class Faulty(Noisy):
        def __getitem__(self, index):
            if index == 2:
                raise KeyError("no such file")
            return index

    batches = iter(data.DataLoader(Faulty(), num_workers=2))
    assert [next(batches).item() for _ in range(2)] == [0, 1]
    with pytest.raises(KeyError, match="no such file") as caught:
        next(batches)
    assert caught.value.__notes__ == ["Caught in worker 0 of a DataLoader."]

    def init(number):
        raise ValueError(f"worker {number} cannot start")

    with pytest.raises(ValueError, match="worker 0 cannot start"):
        next(iter(data.DataLoader(Noisy(), num_workers=2, worker_init_fn=init)))


def test_timeouts():
    class Stuck(Noisy):
        def __getitem__(self, index):
            time.sleep(0.5)

    with pytest.raises(RuntimeError, match=r"DataLoader timed out after 0.05 seconds"):
        next(iter(data.DataLoader(Stuck(), num_workers=1, timeout=0.05)))


def alive():
    return {t for t in threading.enumerate() if t.name.startswith("DataLoader worker")}


def test_threads_end_with_their_epoch_or_with_their_loader():
    gc.collect()
    before = alive()

    def settles(count):
        gc.collect()
        for _ in range(200):
            if len(alive() - before) == count:
                return True
            time.sleep(0.01)
        return False

    started = []
    loader = data.DataLoader(Noisy(), num_workers=2, worker_init_fn=started.append)
    list(loader), list(loader)
    assert settles(0) and sorted(started) == [0, 0, 1, 1]
    unfinished = iter(loader)
    next(unfinished)
    del unfinished
    assert settles(0)
    started.clear()
    loader = data.DataLoader(
        Noisy(), num_workers=2, worker_init_fn=started.append, persistent_workers=True
    )
    list(loader), list(loader)
    assert settles(2) and sorted(started) == [0, 1]
    del loader
    assert settles(0)


def test_batches_are_loaded_ahead():
    """``prefetch_factor`` for each worker, and not more."""
    loaded = []

    class Noted(Noisy):
        def __len__(self):
            return 20

        def __getitem__(self, index):
            loaded.append(index)
            return index

    batches = iter(data.DataLoader(Noted(), num_workers=2, prefetch_factor=3))
    for _ in range(200):
        if len(loaded) == 6:
            break
        time.sleep(0.01)
    next(batches)
    time.sleep(0.05)
    assert len(loaded) == 7
    assert data.DataLoader(Noted(), num_workers=1).prefetch_factor == 2


def test_too_many_workers_are_worth_a_warning(monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0}, raising=False)
    with pytest.warns(UserWarning, match="This DataLoader will create 2 worker processes in total"):
        iter(data.DataLoader(Noisy(), num_workers=2))


def test_a_dataset_divided_among_processes():
    """Numbers of PyTorch: with and without shuffling, dropping the last."""
    parts = [
        list(data.DistributedSampler(range(11), 3, 2, shuffle=s, seed=2, drop_last=d))
        for s in (False, True) for d in (False, True)
    ]  # fmt: skip
    assert parts == [[2, 5, 8, 0], [2, 5, 8], [10, 4, 7, 3], [10, 4, 7]]
    sampler = data.DistributedSampler(range(11), 3, 2)
    first = list(sampler)
    sampler.set_epoch(1)
    assert list(sampler) != first and len(sampler) == 4
    with pytest.raises(
        ValueError, match=r"Invalid rank 3, rank should be in the interval \[0, 2\]"
    ):
        data.DistributedSampler(range(11), 3, 3)
    with pytest.raises(RuntimeError, match="Requires distributed package to be available"):
        data.DistributedSampler(range(11))


def test_an_old_name_of_a_concatenation():
    joined = data.ConcatDataset([range(2), range(3)])
    with pytest.warns(DeprecationWarning, match="is renamed to cumulative_sizes"):
        assert joined.cummulative_sizes == [2, 5]
