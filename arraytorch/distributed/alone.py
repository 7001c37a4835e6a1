"""A group of one process: what programs for several do when they are started as one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from enum import Enum
from typing import Any

from .._tensor import Tensor

__all__ = [
    "GroupMember",
    "ProcessGroup",
    "ReduceOp",
    "Work",
    "all_gather",
    "all_gather_into_tensor",
    "all_gather_object",
    "all_reduce",
    "barrier",
    "broadcast",
    "broadcast_object_list",
    "destroy_process_group",
    "get_backend",
    "get_rank",
    "get_world_size",
    "group",
    "init_process_group",
    "is_initialized",
    "reduce",
]


class ProcessGroup:
    """The group that a process is in; `init_process_group` makes the only one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise RuntimeError("a ProcessGroup needs processes that communicate: there are none")


class ReduceOp(Enum):
    """How the tensors of several processes become one; that of one process stays what it is."""

    SUM, AVG, PRODUCT, MIN, MAX, BAND, BOR, BXOR = range(8)


class GroupMember:
    """What stands for the group of all processes, and for belonging to no group."""

    WORLD: ProcessGroup | None = None
    NON_GROUP_MEMBER = -100


group = GroupMember


class Work:
    """A transfer that has been done."""

    def wait(self, timeout: Any = None) -> bool:
        """Returns True at once."""
        return True

    def is_completed(self) -> bool:
        """Returns True."""
        return True


_backend: list[str] = []  # of the group, if there is one


def init_process_group(
    backend: str | None = None,
    init_method: str | None = None,
    timeout: Any = None,
    world_size: int = -1,
    rank: int = -1,
    store: Any = None,
    group_name: str = "",
    pg_options: Any = None,
    device_id: Any = None,
) -> None:
    """Makes the group of this one process, with rank 0.

    Number and rank are those of the variables WORLD_SIZE and RANK unless they are given. Raises
    RuntimeError if there are to be more processes: they cannot communicate.

    >>> torch.distributed.init_process_group("gloo", rank=0, world_size=1)
    >>> x = torch.ones(2)
    >>> torch.distributed.all_reduce(x); x
    tensor([1., 1.])
    >>> torch.distributed.destroy_process_group()
    """
    if _backend:
        raise ValueError("trying to initialize the default process group twice!")
    size = world_size if world_size >= 0 else _variable("WORLD_SIZE")
    rank = rank if rank >= 0 else _variable("RANK")
    if (size, rank) != (1, 0):
        raise RuntimeError(
            f"a group of {size} processes needs communication between them, which there is not: "
            "the only group is that of one process, with rank 0"
        )
    GroupMember.WORLD = ProcessGroup.__new__(ProcessGroup)
    _backend.append(backend or "gloo")


def _variable(name: str) -> int:
    if name not in os.environ:
        raise ValueError(
            "Error initializing torch.distributed using env:// rendezvous: environment variable "
            f"{name} expected, but not set"
        )
    return int(os.environ[name])


def destroy_process_group(group: ProcessGroup | None = None) -> None:
    """Ends the group."""
    assert _backend, "Process group cannot be None"
    _backend.clear()
    GroupMember.WORLD = None


def is_initialized() -> bool:
    """Returns whether this process belongs to a group."""
    return bool(_backend)


def _check(*tensors: Any) -> None:
    if not _backend:
        raise ValueError(
            "Default process group has not been initialized, please make sure to call "
            "init_process_group."
        )
    for tensor in tensors:
        if not isinstance(tensor, Tensor):
            raise TypeError(
                "Invalid function argument. Expected parameter `tensor` of type torch.Tensor\n"
                f"             but got {type(tensor)} instead."
            )


def get_rank(group: Any = None) -> int:
    """Returns 0, the number of this process."""
    _check()
    return 0


def get_world_size(group: Any = None) -> int:
    """Returns 1, the number of processes."""
    _check()
    return 1


def get_backend(group: Any = None) -> str:
    """Returns the name that `init_process_group` got."""
    _check()
    return _backend[0]


def _done(async_op: bool) -> Work | None:
    return Work() if async_op else None


def _from(rank: int | None) -> None:
    if rank:
        raise RuntimeError(f"invalid root rank: {rank}")


def all_reduce(
    tensor: Tensor, op: ReduceOp = ReduceOp.SUM, group: Any = None, async_op: bool = False
) -> Work | None:
    """Leaves in ``tensor`` what the processes have together: what it is."""
    _check(tensor)
    return _done(async_op)


def reduce(
    tensor: Tensor,
    dst: int | None = None,
    op: ReduceOp = ReduceOp.SUM,
    group: Any = None,
    async_op: bool = False,
    group_dst: int | None = None,
) -> Work | None:
    """Leaves in ``tensor`` of process ``dst`` what the processes have together: what it is."""
    _check(tensor)
    _from(dst)
    return _done(async_op)


def broadcast(
    tensor: Tensor,
    src: int | None = None,
    group: Any = None,
    async_op: bool = False,
    group_src: int | None = None,
) -> Work | None:
    """Gives all processes the tensor of ``src``, which is this one."""
    _check(tensor)
    _from(src)
    return _done(async_op)


def broadcast_object_list(
    object_list: list[Any],
    src: int | None = None,
    group: Any = None,
    device: Any = None,
    group_src: int | None = None,
) -> None:
    """Gives all processes the objects of ``src``, which is this one."""
    _check()
    _from(src)


def all_gather(
    tensor_list: Sequence[Tensor], tensor: Tensor, group: Any = None, async_op: bool = False
) -> Work | None:
    """Copies the tensors of all processes into a list of tensors, of one."""
    _check(tensor, *tensor_list)
    if len(tensor_list) != 1:
        raise RuntimeError(
            f"invalid output tensor list at index 0 (expected length 1, got {len(tensor_list)})"
        )
    tensor_list[0].detach().copy_(tensor)
    return _done(async_op)


def all_gather_into_tensor(
    output_tensor: Tensor, input_tensor: Tensor, group: Any = None, async_op: bool = False
) -> Work | None:
    """Copies the tensors of all processes, one behind the other, into one tensor."""
    _check(output_tensor, input_tensor)
    output_tensor.detach().copy_(input_tensor.reshape(output_tensor.shape))
    return _done(async_op)


def all_gather_object(object_list: list[Any], obj: Any, group: Any = None) -> None:
    """Puts the objects of all processes into a list, of one."""
    _check()
    object_list[0] = obj


def barrier(
    group: Any = None, async_op: bool = False, device_ids: Any = None, timeout: Any = None
) -> Work | None:
    """Waits for all processes: for none."""
    _check()
    return _done(async_op)
