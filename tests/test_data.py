"""Datasets, samplers, collation and the loader. Random sequences were recorded from PyTorch."""

from __future__ import annotations

import collections

import numpy as np
import pytest

import arraytorch as torch
from arraytorch.utils import data
from arraytorch.utils.data.collate import collate, default_collate_fn_map


@pytest.fixture
def rows():
    """Ten samples of three numbers, labelled by their index."""
    return data.TensorDataset(torch.arange(30.0).reshape(10, 3), torch.arange(10))


class Stream(data.IterableDataset):
    """The numbers below n; it says how many there are if that is given."""

    def __init__(self, n, length=None):
        self.n, self.length = n, length

    def __iter__(self):
        return iter(range(self.n))

    def __len__(self):
        if self.length is None:
            raise TypeError("a stream has no len()")
        return self.length


def listed(batches):
    return [batch.tolist() for batch in batches]


def test_shuffled_batches_are_those_of_pytorch():
    """Two epochs from one seed visit the samples in PyTorch's order and draw as often as it does."""
    torch.manual_seed(0)
    loader = data.DataLoader(range(7), 3, shuffle=True)
    assert listed(loader) == [[0, 4, 1], [5, 2, 6], [3]]
    assert listed(loader) == [[3, 1, 4], [2, 5, 0], [6]]
    assert torch.rand(1).item() == pytest.approx(0.455627977848053)


def test_unshuffled_loader_draws_a_seed_too():
    torch.manual_seed(0)
    assert listed(data.DataLoader(range(7), 3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert torch.rand(1).item() == pytest.approx(0.08847743272781372)


def test_loader_shuffles_with_its_own_generator():
    loader = data.DataLoader(range(7), 3, shuffle=True, generator=torch.Generator().manual_seed(5))
    assert listed(loader) == [[2, 4, 3], [5, 0, 6], [1]]


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (
            lambda: data.RandomSampler(range(5), True, 40),
            [1, 2, 0, 4, 1, 4, 0, 0, 4, 1, 2, 1, 4, 3, 0, 2, 4, 2, 1, 4]
            + [2, 3, 3, 0, 3, 1, 1, 3, 2, 1, 1, 4, 0, 3, 1, 3, 2, 4, 3, 0],
        ),
        (
            lambda: data.RandomSampler(range(5), num_samples=12),
            [1, 3, 4, 0, 2, 1, 0, 3, 4, 2, 4, 2],
        ),
        (lambda: data.SubsetRandomSampler([10, 20, 30, 40, 50]), [10, 50, 30, 40, 20]),
        (lambda: data.WeightedRandomSampler([0.1, 0.5, 0.4], 8), [0, 1, 1, 1, 1, 1, 1, 2]),
    ],
)
def test_samplers_draw_as_pytorch(make, expected):
    torch.manual_seed(1)
    sampler = make()
    assert list(sampler) == expected
    assert len(sampler) == len(expected)


def test_weighted_sampler_without_replacement_takes_each_once():
    sampler = data.WeightedRandomSampler([0.1, 0.5, 0.4, 0.0], 3, replacement=False)
    assert sorted(sampler) == [0, 1, 2]


def test_sequential_and_batch_samplers():
    assert list(data.SequentialSampler("abc")) == [0, 1, 2]
    assert list(data.BatchSampler(range(5), 2, False)) == [[0, 1], [2, 3], [4]]
    assert list(data.BatchSampler(range(5), 2, True)) == [[0, 1], [2, 3]]
    assert [len(data.BatchSampler(range(n), 2, False)) for n in range(4)] == [0, 1, 1, 2]
    assert [len(data.BatchSampler(range(n), 2, True)) for n in range(4)] == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: data.RandomSampler([1], 1), TypeError, "replacement should be a boolean"),
        (lambda: data.RandomSampler([]), ValueError, "num_samples should be a positive integer"),
        (lambda: data.WeightedRandomSampler([1.0], 0), ValueError, "num_samples should be"),
        (lambda: data.WeightedRandomSampler([[1.0]], 1), ValueError, "1d sequence"),
        (lambda: data.BatchSampler([1], True, False), ValueError, "batch_size should be"),
        (lambda: data.BatchSampler([1], 1, 0), ValueError, "drop_last should be"),
    ],
)
def test_samplers_refuse_nonsense(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_random_split_by_fractions_and_by_lengths():
    """The order is PyTorch's; what fractions leave over goes to the first subsets."""
    parts = data.random_split(range(10), [0.3, 0.3, 0.4], torch.Generator().manual_seed(42))
    assert [part.indices for part in parts] == [[2, 6, 1], [8, 4, 5], [0, 9, 3, 7]]
    parts = data.random_split(range(10), [3, 7], torch.Generator().manual_seed(42))
    assert [part.indices for part in parts] == [[2, 6, 1], [8, 4, 5, 0, 9, 3, 7]]
    assert [len(p) for p in data.random_split(range(11), [0.5, 0.25, 0.25])] == [6, 3, 2]


def test_random_split_refuses_what_does_not_sum_up():
    with pytest.raises(ValueError, match="Sum of input lengths"):
        data.random_split(range(10), [3, 3])
    with pytest.raises(ValueError, match="Fraction at index 0"):
        data.random_split(range(10), [1.5, -0.5])
    with pytest.warns(UserWarning, match="Length of split at index 1 is 0"):
        data.random_split(range(2), [0.9, 0.1])


def test_tensor_dataset_batches_equal_stacked_rows(rows):
    """Indexing whole tensors gives what collating single samples gives, subsets included."""
    subset = data.Subset(data.Subset(rows, [9, 3, -1, 0, 5]), [4, 2, 0])
    for dataset in rows, subset:
        whole = data.DataLoader(dataset, 4)
        single = data.DataLoader(
            dataset, 4, collate_fn=lambda samples: data.default_collate(samples)
        )
        for one, other in zip(whole, single, strict=True):
            assert type(one) is list
            assert all(a.tolist() == b.tolist() and a.dtype is b.dtype for a, b in zip(one, other))


def test_tensor_dataset_takes_what_indexing_takes(rows):
    loader = data.DataLoader(rows, batch_size=None, sampler=[[1, 3], slice(2, 4), torch.tensor(7)])
    assert [y.tolist() for _, y in loader] == [[1, 3], [2, 3], 7]
    loader = data.DataLoader(rows, 2, sampler=[torch.tensor(1), torch.tensor(2)])
    assert [y.tolist() for _, y in loader] == [[1, 2]]
    with pytest.raises(AssertionError, match="Size mismatch between tensors"):
        data.TensorDataset(torch.zeros(2), torch.zeros(3))
    with pytest.raises(IndexError):
        next(iter(data.DataLoader(rows, sampler=[40])))


def test_batches_do_not_alias_the_dataset(rows):
    x, _ = next(iter(data.DataLoader(rows, 4)))
    x.zero_()
    assert rows[1][0].tolist() == [3.0, 4.0, 5.0]


def test_changed_collation_of_tensors_is_respected(rows, monkeypatch):
    monkeypatch.setitem(
        default_collate_fn_map, torch.Tensor, lambda batch, *, collate_fn_map: len(batch)
    )
    assert next(iter(data.DataLoader(rows, 4))) == [4, 4]


def test_concat_stack_and_chain():
    concat = data.ConcatDataset([range(3), range(10, 12)])
    assert [concat[i] for i in (-5, -1, 2, 3)] == [0, 11, 2, 10]
    assert concat.cumulative_sizes == [3, 5]
    with pytest.raises(ValueError, match="absolute value of index"):
        concat[-6]
    with pytest.raises(AssertionError, match="does not support IterableDataset"):
        data.ConcatDataset([Stream(3)])
    assert len(data.TensorDataset(torch.zeros(2)) + data.TensorDataset(torch.zeros(3))) == 5

    assert data.StackDataset(range(3), "abc")[1] == (1, "b")
    named = data.StackDataset(a=range(4), b=data.Subset(range(9), [8, 7, 6, 5]))
    assert named.__getitems__([0, 2]) == [{"a": 0, "b": 8}, {"a": 2, "b": 6}]
    with pytest.raises(ValueError, match="Size mismatch between datasets"):
        data.StackDataset(range(3), range(4))

    assert list(Stream(2) + Stream(3)) == [0, 1, 0, 1, 2]
    assert len(data.ChainDataset([Stream(2, 2), Stream(3, 3)])) == 5
    with pytest.raises(AssertionError, match="only supports IterableDataset"):
        list(data.ChainDataset([[1]]))


def test_subset_subclass_must_override_both():
    class Half(data.Subset):
        def __getitem__(self, index):
            return index

    with pytest.raises(NotImplementedError, match="overrides __getitem__ but not __getitems__"):
        Half(range(3), [0])


def test_streams_are_batched_in_order():
    assert listed(data.DataLoader(Stream(5), 2)) == [[0, 1], [2, 3], [4]]
    assert listed(data.DataLoader(Stream(5), 2, drop_last=True)) == [[0, 1], [2, 3]]
    assert list(data.DataLoader(Stream(3), None)) == [0, 1, 2]
    assert len(data.DataLoader(Stream(5, 5), 2)) == 3
    assert len(data.DataLoader(Stream(5, 5), 2, drop_last=True)) == 2
    assert len(data.DataLoader(Stream(5, 5), None)) == 5
    with pytest.raises(ValueError, match="expected unspecified sampler option"):
        data.DataLoader(Stream(5), sampler=[1])


def test_stream_longer_than_it_said_warns():
    loader = data.DataLoader(Stream(5, 1), 2)
    assert len(loader) == 1
    with pytest.warns(UserWarning, match="was reported to be 1"):
        list(loader)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_workers": -1}, "num_workers option should be non-negative"),
        ({"num_workers": 2, "prefetch_factor": -1}, "prefetch_factor option should be non-negat"),
        ({"num_workers": 2, "multiprocessing_context": "x"}, "should specify a valid start method"),
        ({"timeout": -1}, "timeout option should be non-negative"),
        ({"prefetch_factor": 2}, "prefetch_factor option could only be specified"),
        ({"persistent_workers": True}, "persistent_workers option needs num_workers > 0"),
        ({"multiprocessing_context": "fork"}, "multiprocessing_context can only be used"),
        ({"sampler": [0], "shuffle": True}, "sampler option is mutually exclusive with shuffle"),
        ({"batch_sampler": [[0]], "batch_size": 2}, "batch_sampler option is mutually exclusive"),
        ({"batch_size": None, "drop_last": True}, "batch_size=None option disables auto-batching"),
        ({"batch_size": 0}, "batch_size should be a positive integer"),
    ],
)
def test_loader_refuses_contradictions(options, message):
    with pytest.raises(ValueError, match=message):
        data.DataLoader(range(3), **options)


def test_loader_is_fixed_after_construction():
    loader = data.DataLoader(range(3))
    with pytest.raises(ValueError, match="batch_size attribute should not be set"):
        loader.batch_size = 2
    loader.collate_fn = tuple
    assert list(loader) == [(0,), (1,), (2,)]


def test_loader_uses_getitems_and_custom_collation():
    class Batched(data.Dataset):
        def __len__(self):
            return 5

        def __getitems__(self, indices):
            return [-i for i in indices]

    assert list(data.DataLoader(Batched(), 3, collate_fn=tuple)) == [(0, -1, -2), (-3, -4)]
    assert listed(data.DataLoader(range(9), batch_sampler=[[1, 3], [2]])) == [[1, 3], [2]]


def test_pinning_without_an_accelerator_warns():
    with pytest.warns(UserWarning, match="no accelerator is found"):
        list(data.DataLoader(range(2), pin_memory=True))


def test_worker_info_is_absent():
    assert data.get_worker_info() is None


Point = collections.namedtuple("Point", "x y")


def test_default_collate_keeps_containers():
    batch = data.default_collate([Point(1, {"a": [2.0, "s"]}), Point(3, {"a": [4.0, "t"]})])
    assert type(batch) is Point
    assert batch.x.tolist() == [1, 3] and batch.x.dtype is torch.int64
    numbers, strings = batch.y["a"]
    assert numbers.tolist() == [2.0, 4.0] and numbers.dtype is torch.float64
    assert strings == ("s", "t")
    counted = data.default_collate([collections.OrderedDict(a=1)] * 2)
    assert type(counted) is collections.OrderedDict
    assert [t.tolist() for t in data.default_collate([(1, 2), (3, 4)])] == [[1, 3], [2, 4]]
    assert data.default_collate([True, False]).dtype is torch.bool


def test_default_collate_takes_numpy():
    arrays = data.default_collate([np.arange(3, dtype=np.int16)] * 2)
    assert arrays.dtype is torch.int16 and arrays.shape == (2, 3)
    scalars = data.default_collate([np.float32(1), np.float32(2)])
    assert scalars.dtype is torch.float32 and scalars.tolist() == [1.0, 2.0]
    with pytest.raises(TypeError, match="default_collate: batch must contain tensors"):
        data.default_collate([np.array(["a"])])


def test_default_collate_refuses():
    with pytest.raises(TypeError, match="found <class 'object'>"):
        data.default_collate([object()])
    with pytest.raises(RuntimeError, match="should be of equal size"):
        data.default_collate([[1], [2, 3]])
    with pytest.raises(RuntimeError, match="stack expects each tensor to be equal size"):
        data.default_collate([torch.zeros(2), torch.zeros(3)])


def test_collate_map_can_be_extended():
    class Mine:
        pass

    result = collate([Mine(), Mine()], collate_fn_map={Mine: lambda batch, **_: len(batch)})
    assert result == 2


def test_default_convert_makes_tensors_of_arrays_only():
    converted = data.default_convert({"a": np.arange(2), "b": (1, "x", np.float32(2))})
    assert converted["a"].tolist() == [0, 1] and isinstance(converted["a"], torch.Tensor)
    assert converted["b"][:2] == [1, "x"] and converted["b"][2].item() == 2
    point = data.default_convert(Point(np.zeros(1), None))
    assert type(point) is Point and isinstance(point.x, torch.Tensor) and point.y is None
    strings = np.array(["a"])
    assert data.default_convert(strings) is strings
