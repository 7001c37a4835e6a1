"""DataLoader: a dataset, a sampler and a collation, as an iterable over batches."""

from __future__ import annotations

import functools
import itertools
import math
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

from ..._tensor import Tensor
from ...autograd.tape import wrap
from ...backends import current_accelerator, host
from ...random import Generator
from .collate import (
    collate_tensor_fn,
    default_collate,
    default_collate_fn_map,
    default_convert,
)
from .dataset import Dataset, IterableDataset, Subset, TensorDataset
from .pinning import pinned
from .sampler import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    random_seed,
)
from .workers import Crew

T_co = TypeVar("T_co", covariant=True)


class DataLoader(Generic[T_co]):
    """An iterable over the batches of a dataset, loaded in this process.

    ``batch_size`` samples make a batch; with None, samples come one by one. ``shuffle`` gives each
    epoch a new order; ``sampler`` or ``batch_sampler`` define another one. ``collate_fn`` makes a
    batch of a list of samples. ``generator`` serves shuffling. For the same seed, the batches are
    those of PyTorch. ``pin_memory`` puts the tensors of a batch into pinned memory, where
    there is an accelerator, and warns where there is none.

    ``num_workers`` threads load batches ahead of their use, ``prefetch_factor`` (2) each, in the
    order that there is without them. Each has a shallow copy of the dataset, its own random numbers
    of this library, seeded as those of PyTorch's worker processes, and `get_worker_info`; it calls
    ``worker_init_fn`` with its number first. ``persistent_workers`` stay from epoch to epoch;
    ``timeout`` is in seconds. An error of a worker is raised where its batch was due.

    >>> data = torch.utils.data.TensorDataset(torch.arange(5), torch.arange(5) * 10)
    >>> for x, y in torch.utils.data.DataLoader(data, batch_size=2):
    ...     print(x, y)
    tensor([0, 1]) tensor([ 0, 10])
    tensor([2, 3]) tensor([20, 30])
    tensor([4]) tensor([40])
    """

    def __init__(
        self,
        dataset: Dataset[T_co] | Sequence[T_co],
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[list[Any]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        _check_workers(num_workers, timeout, prefetch_factor, persistent_workers)
        if num_workers > 0 and prefetch_factor is None:
            prefetch_factor = 2
        streams = isinstance(dataset, IterableDataset)
        if streams:
            _check_stream(shuffle, sampler, batch_sampler)
        _check_batching(batch_size, shuffle, sampler, batch_sampler, drop_last)
        if batch_sampler is not None:
            batch_size, drop_last = None, False
        if sampler is None:
            sampler = _default_sampler(dataset, streams, bool(shuffle), generator)
        if batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        if collate_fn is None:
            collate_fn = default_convert if batch_sampler is None else default_collate

        self.dataset = dataset
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.collate_fn = collate_fn
        self.generator = generator
        self.num_workers = num_workers
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context
        self.prefetch_factor = prefetch_factor
        self.persistent_workers = persistent_workers
        self.timeout = timeout
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.in_order = in_order
        self._streams = streams
        self._stream_length: int | None = None
        self._crew: Crew | None = None
        self._initialized = True

    _FIXED = frozenset(
        ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers")
    )

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self._FIXED and "_initialized" in self.__dict__:
            raise ValueError(
                f"{name} attribute should not be set after {type(self).__name__} is initialized"
            )
        super().__setattr__(name, value)

    @property
    def _index_sampler(self) -> Any:
        return self.sampler if self.batch_sampler is None else self.batch_sampler

    @property
    def multiprocessing_context(self) -> Any:
        """A way to start processes, which is checked and kept: workers are threads."""
        return self._context

    @multiprocessing_context.setter
    def multiprocessing_context(self, context: Any) -> None:
        if context is not None:
            if self.num_workers == 0:
                raise ValueError(
                    "multiprocessing_context can only be used with multi-process loading "
                    f"(num_workers > 0), but got num_workers={self.num_workers}"
                )
            if isinstance(context, str) and context not in _START_METHODS:
                raise ValueError(
                    "multiprocessing_context option should specify a valid start method in "
                    f"{_START_METHODS!r}, but got multiprocessing_context={context!r}"
                )
        self._context = context

    def check_worker_number_rationality(self) -> None:
        """Warns if there are more workers than the process may use processors."""
        if not self.num_workers:
            return
        if hasattr(os, "sched_getaffinity"):
            most = len(os.sched_getaffinity(0))
        else:
            most = os.cpu_count() or self.num_workers
        if self.num_workers > most:
            warnings.warn(
                f"This DataLoader will create {self.num_workers} worker processes in total. Our "
                f"suggested max number of worker in current system is {most}, which is smaller "
                "than what this DataLoader is going to create. Please be aware that excessive "
                "worker creation might get DataLoader running slow or even freeze, lower the "
                "worker number to avoid potential slowness/freeze if necessary.",
                stacklevel=3,
            )

    def __iter__(self) -> Iterator[Any]:
        return self._get_iterator()

    def _get_iterator(self) -> _BaseDataLoaderIter:
        """Returns the iterator of an epoch, for loaders that libraries derive."""
        if self.num_workers == 0:
            return _SingleProcessDataLoaderIter(self)
        return _MultiProcessingDataLoaderIter(self)

    def __len__(self) -> int:
        if not self._streams:
            return len(self._index_sampler)
        length = self._stream_length = len(self.dataset)  # type: ignore[arg-type]
        if self.batch_size is None:
            return length
        return length // self.batch_size if self.drop_last else math.ceil(length / self.batch_size)


# What `multiprocessing` has to offer here, without importing it.
_START_METHODS = ["fork", "spawn", "forkserver"] if hasattr(os, "fork") else ["spawn"]


def _check_workers(
    num_workers: int, timeout: float, prefetch: int | None, persistent: bool
) -> None:
    if num_workers < 0:
        raise ValueError(
            "num_workers option should be non-negative; "
            "use num_workers=0 to disable multiprocessing."
        )
    if timeout < 0:
        raise ValueError("timeout option should be non-negative")
    if num_workers > 0:
        if prefetch is not None and prefetch < 0:
            raise ValueError("prefetch_factor option should be non-negative")
        return
    if prefetch is not None:
        raise ValueError(
            "prefetch_factor option could only be specified in multiprocessing."
            "let num_workers > 0 to enable multiprocessing, "
            "otherwise set prefetch_factor to None."
        )
    if persistent:
        raise ValueError("persistent_workers option needs num_workers > 0")


def _check_stream(shuffle: bool | None, sampler: Any, batch_sampler: Any) -> None:
    for name, value in (
        ("shuffle", shuffle or None),
        ("sampler", sampler),
        ("batch_sampler", batch_sampler),
    ):
        if value is not None:
            raise ValueError(
                f"DataLoader with IterableDataset: expected unspecified {name} option, "
                f"but got {name}={value}"
            )


def _check_batching(
    batch_size: int | None, shuffle: Any, sampler: Any, batch_sampler: Any, drop_last: bool
) -> None:
    if sampler is not None and shuffle:
        raise ValueError("sampler option is mutually exclusive with shuffle")
    if batch_sampler is not None:
        if batch_size != 1 or shuffle or sampler is not None or drop_last:
            raise ValueError(
                "batch_sampler option is mutually exclusive "
                "with batch_size, shuffle, sampler, and drop_last"
            )
    elif batch_size is None and drop_last:
        raise ValueError(
            "batch_size=None option disables auto-batching and is mutually exclusive with drop_last"
        )


def _default_sampler(
    dataset: Any, streams: bool, shuffle: bool, generator: Generator | None
) -> Iterable[Any]:
    if streams:
        return _Endless()
    if shuffle:
        return RandomSampler(dataset, generator=generator)
    return SequentialSampler(dataset)


class _Endless(Sampler[None]):
    """No keys, for ever: a stream decides itself when it ends."""

    def __iter__(self) -> Iterator[None]:
        return itertools.repeat(None)


class _BaseDataLoaderIter:
    """One epoch of a loader."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        self._pins = _pins(loader)
        self._loader = loader
        self._sampler = loader._index_sampler
        self._indices = iter(self._sampler)
        if loader.num_workers == 0 and loader.timeout != 0:
            raise AssertionError("_SingleProcessDataLoaderIter requires timeout == 0")
        self._length = loader._stream_length
        self._count = 0
        if loader._crew is None:
            # PyTorch draws a seed for its workers even when there are none.
            seed = random_seed(loader.generator)
        if loader.num_workers == 0:
            self._batches: Iterator[Any] = map(_fetcher(loader, loader.dataset), self._indices)
            return
        crew = loader._crew
        if crew is None:
            loader.check_worker_number_rationality()
            crew = Crew(
                loader.num_workers,
                loader.dataset,
                functools.partial(_fetcher, _Recipe(loader)),
                loader.worker_init_fn,
                seed,
                loader.prefetch_factor or 1,
                loader.timeout,
            )
            if loader.persistent_workers:
                loader._crew = crew
        self._batches = crew.run(self._indices)

    def __iter__(self) -> _BaseDataLoaderIter:
        return self

    def __next__(self) -> Any:
        batch = next(self._batches)
        if self._pins:
            batch = pinned(batch)
        self._count += 1
        if self._length is not None and self._count > self._length:
            warnings.warn(
                f"Length of IterableDataset {self._loader.dataset} was reported to be "
                f"{self._length}(when accessing len(dataloader)), but {self._count} samples have "
                "been fetched. ",
                stacklevel=2,
            )
        return batch

    def __len__(self) -> int:
        return len(self._sampler)

    def __getstate__(self) -> Any:
        raise NotImplementedError("{} cannot be pickled", type(self).__name__)


class _SingleProcessDataLoaderIter(_BaseDataLoaderIter):
    """An epoch without workers."""


class _MultiProcessingDataLoaderIter(_BaseDataLoaderIter):
    """An epoch with workers."""


def _pins(loader: DataLoader[Any]) -> bool:
    """Whether batches are to go to pinned memory, which takes an accelerator."""
    if not loader.pin_memory:
        return False
    if loader.pin_memory_device:
        warnings.warn(
            "pin_memory_device is deprecated, the current accelerator will be used as the device,"
            f"ignore pin_memory_device='{loader.pin_memory_device}'.",
            stacklevel=4,
        )
    if current_accelerator() is not None:
        return True
    warnings.warn(
        "'pin_memory' argument is set as true but no accelerator is found, "
        "then device pinned memory won't be used.",
        stacklevel=4,
    )
    return False


class _Recipe:
    """What fetching asks of a loader, without the loader, which workers must not keep alive."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        self.collate_fn, self.drop_last = loader.collate_fn, loader.drop_last
        self.batch_sampler, self._streams = loader.batch_sampler, loader._streams


def _fetcher(loader: Any, dataset: Any) -> Callable[[Any], Any]:
    """Returns what makes a batch of the indices of one."""
    return (_stream_fetcher if loader._streams else _map_fetcher)(loader, dataset)


def _stream_fetcher(loader: Any, dataset: Any) -> Callable[[Any], Any]:
    stream, collate_fn, drop_last = iter(dataset), loader.collate_fn, loader.drop_last
    if loader.batch_sampler is None:
        return lambda _: collate_fn(next(stream))

    def fetch(placeholders: list[None]) -> Any:
        samples = list(itertools.islice(stream, len(placeholders)))
        if not samples or (drop_last and len(samples) < len(placeholders)):
            raise StopIteration
        return collate_fn(samples)

    return fetch


def _map_fetcher(loader: Any, dataset: Any) -> Callable[[Any], Any]:
    collate_fn = loader.collate_fn
    if loader.batch_sampler is None:
        return lambda index: collate_fn(dataset[index])
    if getattr(dataset, "__getitems__", None):
        return _gathering(
            loader, dataset, lambda indices: collate_fn(dataset.__getitems__(indices))
        )
    return _gathering(
        loader, dataset, lambda indices: collate_fn([dataset[index] for index in indices])
    )


def _gathering(loader: Any, dataset: Any, fetch: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Replaces ``fetch`` where one indexing per tensor gives the batch that stacking rows gives.

    That takes a plain TensorDataset, or subsets of one, and the default collation.
    """
    default = loader.collate_fn is default_collate
    if not default or default_collate_fn_map.get(Tensor) is not collate_tensor_fn:
        return fetch
    subsets: list[Any] = []
    while type(dataset) is Subset:
        subsets.append(dataset.indices)
        dataset = dataset.dataset
    if type(dataset) is not TensorDataset or {type(t) for t in dataset.tensors} != {Tensor}:
        return fetch
    tensors = dataset.tensors

    def gather(indices: list[Any]) -> Any:
        chosen = indices
        for positions in subsets:
            chosen = [positions[index] for index in chosen]
        if set(map(type, chosen)) != {int}:
            return fetch(indices)
        rows = wrap(host.as_native(chosen))  # tensor() would look at each of them again
        return [column[rows] for column in tensors]

    return gather
