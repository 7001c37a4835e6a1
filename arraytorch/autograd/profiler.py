"""The profiler under the name by which older programs know it; `torch.profiler` is the newer one."""

from __future__ import annotations

from ..profiler import EventList, FunctionEvent, record_function
from ..profiler import profile as _profile

__all__ = ["EventList", "FunctionEvent", "profile", "record_function"]


class profile(_profile):
    """Records which operations the host runs, unless it is not ``enabled``; see `torch.profiler.profile`.

    >>> with torch.autograd.profiler.profile() as profiled:
    ...     _ = torch.ones(2) + 1
    >>> profiled.key_averages()[0].key
    'aten::ones'
    """

    def __init__(
        self,
        enabled: bool = True,
        *,
        use_cuda: bool = False,
        use_device: str | None = None,
        record_shapes: bool = False,
        with_flops: bool = False,
        profile_memory: bool = False,
        with_stack: bool = False,
        with_modules: bool = False,
        use_kineto: bool = False,
        use_cpu: bool = True,
    ) -> None:
        super().__init__(
            record_shapes=record_shapes, profile_memory=profile_memory, with_stack=with_stack,
            with_flops=with_flops, with_modules=with_modules,
        )  # fmt: skip
        self.enabled = enabled

    def __enter__(self) -> profile:
        if self.enabled:
            self.start()
        return self

    @property
    def function_events(self) -> EventList:
        """What was recorded."""
        return self.events()

    @property
    def self_cpu_time_total(self) -> float:
        """The time of all events, none counted twice."""
        return self.events().self_cpu_time_total

    def table(
        self,
        sort_by: str | None = None,
        row_limit: int = 100,
        max_name_column_width: int = 75,
        header: str | None = None,
    ) -> str:
        """Returns a table of the sums for each name, the largest by ``sort_by`` first."""
        return self.events().table(sort_by, row_limit, max_name_column_width, header)

    def __str__(self) -> str:
        return self.table()
