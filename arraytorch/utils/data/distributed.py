"""A sampler that divides a dataset among processes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

from ...ops.random import randperm
from ...random import Generator
from .dataset import Dataset
from .sampler import Sampler

__all__ = ["DistributedSampler"]


class DistributedSampler(Sampler[int]):
    """The part of a dataset's indices that belongs to process ``rank`` of ``num_replicas``.

    With ``shuffle`` each epoch has an order of its own, by ``seed`` and `set_epoch`, the same in all
    processes. The parts are equally long: the last indices are left out, with ``drop_last``, or the
    first ones come again. There is no `distributed` here to ask for number and rank: both must be
    given.

    >>> list(torch.utils.data.DistributedSampler(range(5), 2, 0, shuffle=False))
    [0, 2, 4]
    >>> list(torch.utils.data.DistributedSampler(range(5), 2, 1, shuffle=False))
    [1, 3, 0]
    """

    def __init__(
        self,
        dataset: Dataset[Any],
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
    ) -> None:
        if num_replicas is None or rank is None:
            raise RuntimeError("Requires distributed package to be available")
        if rank >= num_replicas or rank < 0:
            raise ValueError(
                f"Invalid rank {rank}, rank should be in the interval [0, {num_replicas - 1}]"
            )
        self.dataset = dataset
        self.num_replicas = num_replicas
        self.rank = rank
        self.epoch = 0
        self.drop_last = drop_last
        size = len(dataset)  # type: ignore[arg-type]
        self.num_samples = size // num_replicas if drop_last else math.ceil(size / num_replicas)
        self.total_size = self.num_samples * num_replicas
        self.shuffle = shuffle
        self.seed = seed

    def __iter__(self) -> Iterator[int]:
        size = len(self.dataset)  # type: ignore[arg-type]
        if self.shuffle:
            order = randperm(size, generator=Generator().manual_seed(self.seed + self.epoch))
            indices = order.tolist()
        else:
            indices = list(range(size))
        full = itertools.islice(itertools.cycle(indices), self.total_size)
        return itertools.islice(full, self.rank, None, self.num_replicas)

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Sets the epoch, which decides the order."""
        self.epoch = epoch
