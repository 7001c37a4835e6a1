"""Which queries see which keys, as a table of blocks and a function of positions."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, Never

from ... import ops
from ..._dtypes import bool as bool_
from ..._dtypes import float32, int32
from ..._tensor import Tensor
from .. import functional as F
from ._positions import create_mask, takes_score

MaskMod = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
_DEFAULT_SPARSE_BLOCK_SIZE = 128
TENSORS = ("kv_num_blocks", "kv_indices", "full_kv_num_blocks", "full_kv_indices",
           "q_num_blocks", "q_indices", "full_q_num_blocks", "full_q_indices")  # fmt: skip


def noop_mask(batch: Tensor, head: Tensor, token_q: Tensor, token_kv: Tensor) -> Tensor:
    """Returns True: the mask that hides nothing."""
    return batch.new_ones((), dtype=bool_)


def sliced_mask(batch: Tensor, head: Tensor, token_q: Tensor, token_kv: Tensor) -> Never:
    """Raises: the positions in a slice are not those that its function was made for."""
    raise RuntimeError(
        "Cannot use mask_mod from a sliced BlockMask. When you slice a BlockMask using [], the "
        "mask_mod attribute is reset. You must set it from the original BlockMask's mask_mod."
    )


def or_masks(*mask_mods: MaskMod) -> MaskMod:
    """Returns the mask that shows what one of the masks shows."""
    _check_callable(mask_mods)

    def or_mask(b: Tensor, h: Tensor, q_idx: Tensor, kv_idx: Tensor) -> Tensor:
        result = b.new_zeros((), dtype=bool_)
        for mask in mask_mods:
            result = result | mask(b, h, q_idx, kv_idx)
        return result

    return or_mask


def and_masks(*mask_mods: MaskMod) -> MaskMod:
    """Returns the mask that shows what all of the masks show.

    >>> from arraytorch.nn.attention.flex_attention import and_masks, create_mask
    >>> near = and_masks(lambda b, h, q, k: q >= k, lambda b, h, q, k: q - k < 2)
    >>> create_mask(near, None, None, 3, 3, device="cpu").int()
    tensor([[[[1, 0, 0],
              [1, 1, 0],
              [0, 1, 1]]]], dtype=torch.int32)
    """
    _check_callable(mask_mods)

    def and_mask(b: Tensor, h: Tensor, q_idx: Tensor, kv_idx: Tensor) -> Tensor:
        result = b.new_ones((), dtype=bool_)
        for mask in mask_mods:
            result = result & mask(b, h, q_idx, kv_idx)
        return result

    return and_mask


def _check_callable(mask_mods: tuple[MaskMod, ...]) -> None:
    if not all(callable(each) for each in mask_mods):
        raise RuntimeError(f"All inputs should be callable mask_mods: {mask_mods}")


class BlockMask:
    """A mask for attention: for each block of queries the blocks of keys that they see.

    ``kv_num_blocks`` counts them and ``kv_indices`` lists them first in each row; within these
    blocks ``mask_mod`` tells. In the full blocks all is seen. `create_block_mask` makes one.

    >>> from arraytorch.nn.attention.flex_attention import create_block_mask
    >>> create_block_mask(lambda b, h, q, k: q >= k, None, None, 256, 256, device="cpu")
    BlockMask(
        kv_num_blocks=torch.Size([1, 1, 2]),
        kv_indices=torch.Size([1, 1, 2, 2]),
        full_kv_num_blocks=torch.Size([1, 1, 2]),
        full_kv_indices=torch.Size([1, 1, 2, 2]),
        q_num_blocks=torch.Size([1, 1, 2]),
        q_indices=torch.Size([1, 1, 2, 2]),
        full_q_num_blocks=torch.Size([1, 1, 2]),
        full_q_indices=torch.Size([1, 1, 2, 2]),
        BLOCK_SIZE=(128, 128),
        shape=(1, 1, 256, 256),
        sparsity=25.00%,
        mask_mod=<lambda>
    )
    """

    def __init__(
        self,
        seq_lengths: tuple[int, int],
        kv_num_blocks: Tensor,
        kv_indices: Tensor,
        full_kv_num_blocks: Tensor | None,
        full_kv_indices: Tensor | None,
        q_num_blocks: Tensor | None,
        q_indices: Tensor | None,
        full_q_num_blocks: Tensor | None,
        full_q_indices: Tensor | None,
        BLOCK_SIZE: tuple[int, int] = (_DEFAULT_SPARSE_BLOCK_SIZE, _DEFAULT_SPARSE_BLOCK_SIZE),
        mask_mod: MaskMod = noop_mask,
    ) -> None:
        if kv_indices.dim() < 2:
            raise RuntimeError("BlockMask must have at least 2 dimensions")
        _check_both("kv", full_kv_num_blocks, full_kv_indices)
        _check_both("q", full_q_num_blocks, full_q_indices)
        self.seq_lengths = seq_lengths
        self.kv_num_blocks, self.kv_indices = kv_num_blocks, kv_indices
        self.full_kv_num_blocks, self.full_kv_indices = full_kv_num_blocks, full_kv_indices
        self.q_num_blocks, self.q_indices = q_num_blocks, q_indices
        self.full_q_num_blocks, self.full_q_indices = full_q_num_blocks, full_q_indices
        self.BLOCK_SIZE, self.mask_mod = BLOCK_SIZE, mask_mod

    @classmethod
    def from_kv_blocks(
        cls,
        kv_num_blocks: Tensor,
        kv_indices: Tensor,
        full_kv_num_blocks: Tensor | None = None,
        full_kv_indices: Tensor | None = None,
        BLOCK_SIZE: int | tuple[int, int] = _DEFAULT_SPARSE_BLOCK_SIZE,
        mask_mod: MaskMod | None = None,
        seq_lengths: tuple[int, int] | None = None,
        compute_q_blocks: bool = True,
    ) -> BlockMask:
        """Returns the mask of these blocks, with what it says of each block of keys."""
        if kv_indices.dim() < 2:
            raise RuntimeError("BlockMask must have at least 2 dimensions")
        _check_both("kv", full_kv_num_blocks, full_kv_indices)
        sizes = (BLOCK_SIZE, BLOCK_SIZE) if isinstance(BLOCK_SIZE, int) else BLOCK_SIZE
        q: tuple[Any, ...] = (None, None, None, None)
        if compute_q_blocks:
            q = _transposed(kv_num_blocks, kv_indices) + _transposed(
                full_kv_num_blocks, full_kv_indices
            )
        if seq_lengths is None:
            seq_lengths = (kv_indices.shape[-2] * sizes[0], kv_indices.shape[-1] * sizes[1])
        mask_mod = noop_mask if mask_mod is None else mask_mod
        parts = (kv_num_blocks, kv_indices, full_kv_num_blocks, full_kv_indices, *q)
        given: dict[str, Any] = dict(zip(TENSORS, parts, strict=True))
        return cls(seq_lengths, BLOCK_SIZE=sizes, mask_mod=mask_mod, **given)

    def as_tuple(self, flatten: bool = True) -> tuple[Any, ...]:
        """Returns the lengths, the tensors, the sizes of a block and ``mask_mod``."""
        lengths = self.seq_lengths if flatten else (self.seq_lengths,)
        sizes = self.BLOCK_SIZE if flatten else (self.BLOCK_SIZE,)
        return (*lengths, *(getattr(self, name) for name in TENSORS), *sizes, self.mask_mod)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the mask in full."""
        return tuple(self.kv_indices.shape[:-2]) + tuple(self.seq_lengths)

    def __getitem__(self, index: Any) -> BlockMask:
        """Returns the mask of some batches, heads and blocks of queries, to be given a ``mask_mod``."""
        given = index if isinstance(index, tuple) else (index,)
        padded = (*given, slice(None), slice(None), slice(None))[:3]
        kept = tuple(_one(i, n) for i, n in zip(padded, self.kv_num_blocks.shape, strict=False))
        parts = [None if t is None else t[kept] for t in self._kv_blocks()]
        return self._with(parts, self.seq_lengths, sliced_mask)

    def _adjust(self, new_q_len: int, new_kv_len: int) -> BlockMask:
        """Returns the upper left corner of the mask."""
        rows, columns = -(-new_q_len // self.BLOCK_SIZE[0]), -(-new_kv_len // self.BLOCK_SIZE[1])
        counts, indices, full_counts, full_indices = self._kv_blocks()
        parts = [*_cropped(counts, indices, rows, columns), None, None]
        if full_counts is not None:
            parts[2:] = _cropped(full_counts, full_indices, rows, columns)
        return self._with(parts, (new_q_len, new_kv_len), self.mask_mod)

    def _kv_blocks(self) -> list[Any]:
        return [getattr(self, name) for name in TENSORS[:4]]

    def _with(self, parts: list[Any], lengths: tuple[int, int], mask_mod: MaskMod) -> BlockMask:
        counts, indices, full_counts, full_indices = parts
        of_queries = self.q_indices is not None
        return BlockMask.from_kv_blocks(
            counts, indices, full_counts, full_indices,
            self.BLOCK_SIZE, mask_mod, lengths, of_queries,
        )  # fmt: skip

    def numel(self) -> int:
        """Returns the number of elements of the mask in full."""
        total = 1
        for size in self.shape:
            total *= size
        return total

    def sparsity(self) -> float:
        """Returns how much of the mask lies in blocks that see nothing, in percent."""
        blocks = self.kv_num_blocks.sum().item()
        if self.full_kv_num_blocks is not None:
            blocks += self.full_kv_num_blocks.sum().item()
        return 100 * (1 - blocks * self.BLOCK_SIZE[0] * self.BLOCK_SIZE[1] / self.numel())

    def to_dense(self) -> Tensor:
        """Returns the table of blocks: 1 where one sees something."""
        partial = dense(self.kv_num_blocks, self.kv_indices)
        if self.full_kv_num_blocks is None or self.full_kv_indices is None:
            return partial
        return partial | dense(self.full_kv_num_blocks, self.full_kv_indices)

    def to_string(self, grid_size: int | tuple[int, int] = (20, 20), limit: int = 4) -> str:
        """Returns a drawing of the table of each batch and head, of at most ``limit`` of them."""
        table = self.to_dense()
        rows, columns = table.shape[-2:]
        grid = (grid_size, grid_size) if isinstance(grid_size, int) else grid_size
        if grid_size == -1:
            grid = (rows, columns)
        steps = max(1, -(-rows // grid[0])), max(1, -(-columns // grid[1]))
        drawings = []
        for count, which in enumerate(itertools.product(*map(range, table.shape[:-2]))):
            if count == limit:
                drawings += [
                    "...",
                    "To print out more, set BlockMask.to_string(limit=N)",
                    "You can also index (BlockMask[batch, head]) to choose a specific batch or head",
                ]
                break
            drawings.append(f"{which}\n{_drawn(table[which], *steps)}")
        return "\n".join(drawings)

    def to(self, device: Any) -> BlockMask:
        """Returns the mask on a device."""
        tensors = {name: getattr(self, name) for name in TENSORS}
        moved: dict[str, Any] = {k: None if t is None else t.to(device) for k, t in tensors.items()}
        return BlockMask(
            self.seq_lengths, BLOCK_SIZE=self.BLOCK_SIZE, mask_mod=self.mask_mod, **moved
        )

    def __str__(self) -> str:
        return f"BlockMask(shape={self.shape}, sparsity={self.sparsity():.2f}%, \n{self.to_string().strip()}\n)"

    def __repr__(self) -> str:
        shapes = [(name, getattr(self, name)) for name in TENSORS]
        lines = [f"{name}={None if t is None else t.shape}" for name, t in shapes]
        lines += [
            f"BLOCK_SIZE={self.BLOCK_SIZE}",
            f"shape={self.shape}",
            f"sparsity={self.sparsity():.2f}%",
        ]
        lines.append(f"mask_mod={getattr(self.mask_mod, '__name__', self.mask_mod)}")
        return "BlockMask(\n    " + ",\n    ".join(lines) + "\n)"


def _check_both(which: str, counts: Tensor | None, indices: Tensor | None) -> None:
    if (counts is None) != (indices is None):
        raise AssertionError(
            f"full_{which}_num_blocks and full_{which}_indices must be both provided or omitted"
        )


def _one(index: Any, size: int) -> Any:
    """An integer as the slice of that one, which keeps the dimension."""
    if not isinstance(index, int):
        return index
    start = index + size if -size <= index < 0 else index
    return slice(start, start + 1)


def _cropped(counts: Tensor, indices: Tensor, rows: int, columns: int) -> tuple[Tensor, Tensor]:
    listed = ops.arange(indices.shape[-1], device=indices.device) < counts[..., None]
    kept = dense(counts, ops.where(listed, indices, 0))[..., :rows, :columns]
    return ordered(kept)


def _drawn(table: Tensor, row_step: int, column_step: int) -> str:
    drawing = ""
    for row in range(0, table.shape[0], row_step):
        for column in range(0, table.shape[1], column_step):
            part = table[row : row + row_step, column : column + column_step].to(float32)
            share = part.mean().item()
            drawing += ("█" if share == 1 else "░" if share else " ") * 2
        drawing += "\n"
    return drawing


def dense(counts: Tensor, indices: Tensor, columns: int | None = None) -> Tensor:
    """Returns the table with 1 at the first ``counts`` of the ``indices`` in each row."""
    columns = indices.shape[-1] if columns is None else columns
    listed = ops.arange(indices.shape[-1], device=indices.device) < counts[..., None]
    # What is not listed goes to a column too many.
    where = ops.where(listed, indices, columns).long()
    table = ops.zeros(*indices.shape[:-1], columns + 1, dtype=int32, device=indices.device)
    return table.scatter(-1, where, 1)[..., :columns].contiguous()


def ordered(table: Tensor) -> tuple[Tensor, Tensor]:
    """Returns how many ones each row has, and the columns with those that have them first."""
    table = table.to(int32)
    return table.sum(-1).to(int32), table.argsort(-1, descending=True, stable=True).to(int32)


def _transposed(counts: Tensor | None, indices: Tensor | None) -> tuple[Any, Any]:
    if counts is None or indices is None:
        return None, None
    return ordered(dense(counts, indices).transpose(-2, -1))


def create_block_mask(
    mask_mod: MaskMod,
    B: int | None,
    H: int | None,
    Q_LEN: int,
    KV_LEN: int,
    device: Any = None,
    BLOCK_SIZE: int | tuple[int, int] = _DEFAULT_SPARSE_BLOCK_SIZE,
    _compile: bool = False,
    separate_full_blocks: bool = True,
) -> BlockMask:
    """Returns the `BlockMask` of a function of batch, head, query and key that returns a bool.

    ``B`` or ``H`` is None where the mask is the same for all.

    >>> from arraytorch.nn.attention.flex_attention import create_block_mask
    >>> mask = create_block_mask(lambda b, h, q, k: q >= k, None, None, 4, 4, "cpu", BLOCK_SIZE=2)
    >>> mask.to_dense()
    tensor([[[[1, 0],
              [1, 1]]]], dtype=torch.int32)
    """
    if takes_score(mask_mod):
        raise AssertionError(f"create-block_mask requires a mask_mod function! Got {mask_mod}")
    rows, columns = (BLOCK_SIZE, BLOCK_SIZE) if isinstance(BLOCK_SIZE, int) else BLOCK_SIZE
    mask = create_mask(mask_mod, B, H, Q_LEN, KV_LEN, device)
    if mask.dtype is not bool_:
        raise AssertionError(f"mask.dtype must be torch.bool, got {mask.dtype}")
    mask = F.pad(mask, (0, -KV_LEN % columns, 0, -Q_LEN % rows))
    seen = mask.unflatten(-1, (-1, columns)).unflatten(2, (-1, rows)).sum((3, 5))
    full = (seen == rows * columns) if separate_full_blocks else seen < 0
    counts, indices = ordered((seen > 0) & ~full)
    full_counts, full_indices = ordered(full) if separate_full_blocks else (None, None)
    sizes, lengths = (rows, columns), (Q_LEN, KV_LEN)
    return BlockMask.from_kv_blocks(
        counts, indices, full_counts, full_indices, sizes, mask_mod, lengths
    )
