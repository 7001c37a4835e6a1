"""Laying the state of many parameters end to end, so that one pass over memory updates all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import is_
from typing import Any

from .. import _dtypes
from .._device import CPU
from .._tensor import Tensor
from ..autograd.tape import stamp_quietly, wrap
from ..backends import SPARSE, backend_for, backend_of, numpy_dtype


class Pack:
    """Parameters whose state lies end to end.

    ``steps`` counts each one's steps; ``started`` says of which of them the state existed before.
    """

    __slots__ = ("backend", "flat", "params", "started", "steps")

    def __init__(self, backend: Any, flat: Any, params: list[Tensor]) -> None:
        self.backend, self.flat, self.params = backend, flat, params
        self.started = [False] * len(params)
        self.steps: Any = None


class Packing:
    """The packs of one parameter group: those of its parameters that have had a gradient.

    `optimizer.state` shows the memory of the packs as tensors, one per parameter and quantity.
    """

    __slots__ = ("entries", "members", "packs", "params")

    def __init__(self, optimizer: Any, params: list[Tensor], names: Sequence[str], steps: Any):
        self.params = params
        self.members = set(params)
        self.packs: list[Pack] = []
        self.entries: list[tuple[Tensor, dict[str, Any], list[Any]]] = []
        for alike in _by_type(params):
            backend = backend_of(alike[0]._data)
            shapes = [param._data.shape for param in alike]
            for indices, flat in backend.flats(shapes, alike[0]._data.dtype, names):
                pack = Pack(backend, flat, [alike[i] for i in indices])
                self.packs.append(pack)
                if steps is not None:
                    pack.steps = backend_for(CPU).zeros((len(indices),), numpy_dtype(steps))
                if names:
                    for i in range(len(indices)):
                        self._adopt(optimizer.state, pack, i, names)

    def _adopt(self, states: Any, pack: Pack, i: int, names: Sequence[str]) -> None:
        """Moves a parameter's state into the pack, zeros if there is none yet."""
        param = pack.params[i]
        old = states[param]
        new: dict[str, Any] = {}
        if pack.steps is not None:
            count = pack.steps[i : i + 1].reshape(())
            if "step" in old:
                count[...] = float(old["step"])
            new["step"] = wrap(count)
        for name in names:
            part = pack.flat.parts[name][i]
            if old.get(name) is not None:
                if old[name].is_sparse:  # from steps with sparse gradients
                    raise RuntimeError(
                        "add(sparse, dense) is not supported. Use add(dense, sparse) instead."
                    )
                part[...] = old[name]._data
                pack.started[i] = True
            new[name] = wrap(part)
        new.update((key, value) for key, value in old.items() if key not in new)
        old.clear()
        old.update(new)
        self.entries.append((param, old, list(new.values())))

    def holds(self, states: Any) -> bool:
        """Returns whether the optimizer's state still is the memory of these packs."""
        for param, own, tensors in self.entries:
            if states.get(param) is not own or not all(map(is_, own.values(), tensors)):
                return False
        return True

    def calls(self, complete: bool) -> Iterator[tuple[Pack, Any, list[Any], list[Any], slice]]:
        """Yields what to step at once: the pack, the part of it, and the arrays.

        Those are the parameters' and the gradients'; the slice says which in the pack they are.
        Where a gradient is missing (not ``complete``), that is one parameter after the other.
        """
        for pack in self.packs:
            params = [param._data for param in pack.params]
            if complete and _uniform(pack):
                grads = [param._grad._data for param in pack.params]  # type: ignore[union-attr]
                yield pack, pack.flat, params, grads, slice(None)
                continue
            for i, param in enumerate(pack.params):
                if param._grad is not None and not param._grad.is_sparse:  # type: ignore[attr-defined]
                    part = pack.flat.part(i)
                    yield pack, part, [params[i]], [param._grad._data], slice(i, i + 1)


def _uniform(pack: Pack) -> bool:
    started = pack.started
    if started.count(started[0]) != len(started):
        return False
    if pack.steps is None:
        return True
    steps = pack.steps.tolist()
    return steps.count(steps[0]) == len(steps)


def _by_type(params: list[Tensor]) -> list[list[Tensor]]:
    groups: dict[Any, list[Tensor]] = {}
    for param in params:
        groups.setdefault((param.device, param.dtype), []).append(param)
    return list(groups.values())


def packing(
    optimizer: Any, group: dict[str, Any], names: Sequence[str], steps: _dtypes.dtype | None
) -> tuple[Packing | None, bool]:
    """Returns the packing of a group, made anew if need be, and whether all in it have gradients.

    ``names`` are the quantities that the optimizer keeps; ``steps`` is the dtype of the number of
    steps, if it keeps that. Parameters are marked as written. The packing is None if no
    parameter has a gradient.
    """
    live = [param for param in group["params"] if param._grad is not None]
    if SPARSE[0]:  # those with sparse gradients are not for the packs
        live = [param for param in live if not param._grad.is_sparse]
    if not live:
        return None, False
    stamp_quietly(live)
    known: tuple[Packing, Sequence[str]] | None = optimizer._prepared.get(id(group))
    if known is not None and known[1] == names and known[0].holds(optimizer.state):
        packs = known[0]
        if len(live) == len(packs.params) and all(map(is_, live, packs.params)):
            return packs, True
        if packs.members.issuperset(live):
            return packs, False
    before = [] if known is None else known[0].members
    wanted = {*before, *live}
    members = [p for p in dict.fromkeys(group["params"]) if p in wanted]
    packs = Packing(optimizer, members, names, steps)
    # Groups that were replaced take their packs with them.
    present = {id(g) for g in optimizer.param_groups}
    optimizer._prepared = {k: v for k, v in optimizer._prepared.items() if k in present}
    optimizer._prepared[id(group)] = packs, names
    return packs, len(live) == len(members)
