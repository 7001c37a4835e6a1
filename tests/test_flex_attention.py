"""torch.nn.attention.flex_attention: what PyTorch 2.13 gives, and gradients by finite differences."""

from __future__ import annotations

import math

import numpy as np
import pytest

import arraytorch as torch
from arraytorch.nn.attention import flex_attention as fa
from arraytorch.nn.attention.flex_attention import (
    AuxRequest,
    BlockMask,
    create_block_mask,
    create_mask,
    flex_attention,
)


def causal(b, h, i, j):
    return i >= j


@pytest.fixture
def qkv():
    torch.manual_seed(0)
    q, k, v = torch.randn(2, 4, 5, 8), torch.randn(2, 2, 6, 8), torch.randn(2, 2, 6, 3)
    return q, k, v, torch.randn(4, 11)


def close(result, first, norm):
    assert result.norm().item() == pytest.approx(norm, rel=1e-5)
    np.testing.assert_allclose(result.flatten()[: len(first)].numpy(), first, atol=2e-5)


def test_as_pytorch(qkv):
    """Heads in groups, masks, scores that a table shifts, read at once or in two steps."""
    q, k, v, table = qkv
    mask = create_block_mask(causal, None, None, 5, 6, device="cpu", BLOCK_SIZE=2)

    def shifted(s, b, h, i, j):
        return s + table[h, i - j + 5]

    def shifted_in_steps(s, b, h, i, j):
        return s + table[h][i - j + 5]

    close(flex_attention(q, k, v, enable_gqa=True), [0.26946, -0.70464, 0.22655], 5.11665)
    masked = flex_attention(q, k, v, enable_gqa=True, block_mask=mask)
    close(masked, [-0.54607, -0.63018, -0.63465, -0.37436], 8.73426)
    out = flex_attention(q, k, v, shifted, mask, scale=0.3, enable_gqa=True)
    close(out, [-0.54607, -0.63018, -0.63465, -0.18001], 10.01376)
    out = flex_attention(q, k, v, shifted_in_steps, enable_gqa=True)
    close(out, [0.45103, -0.49787, 0.03049], 6.84408)


def test_what_it_returns_besides(qkv):
    q, k, v, _ = qkv
    mask = create_block_mask(causal, None, None, 5, 6, device="cpu", BLOCK_SIZE=2)
    out, aux = flex_attention(
        q, k, v, block_mask=mask, enable_gqa=True, return_aux=AuxRequest(lse=True, max_scores=True)
    )
    close(aux.lse, [0.90387, 1.26022, 0.93687, 2.66053], 9.90671)
    scores = (q @ k.repeat_interleave(2, 1).mT / math.sqrt(8)).numpy()
    seen = np.tril(np.ones((5, 6), bool))
    np.testing.assert_allclose(
        aux.max_scores.numpy(), np.where(seen, scores, -np.inf).max(-1), rtol=1e-5
    )
    with pytest.warns(FutureWarning, match="return_lse is deprecated"):
        again, lse = flex_attention(q, k, v, block_mask=mask, enable_gqa=True, return_lse=True)
    assert torch.equal(again, out) and torch.equal(lse, aux.lse)


def test_a_query_that_sees_nothing_gets_zeros(qkv):
    q, k, v, _ = qkv
    mask = create_block_mask(lambda b, h, i, j: (i > 2) & (j >= 0), None, None, 5, 6, device="cpu")
    q = q.requires_grad_()
    out = flex_attention(q, k, v, block_mask=mask, enable_gqa=True)
    close(out.detach(), [0.0] * 9, 3.26655)
    out.sum().backward()
    assert q.grad.isfinite().all() and not q.grad[:, :, :3].any()


def test_gradients():
    """Of query, key, value and of what the score's function uses."""
    torch.manual_seed(1)
    q, k, v = (torch.randn(1, 2, 3, 2, dtype=torch.float64, requires_grad=True) for _ in range(3))
    slope = torch.tensor([0.5, -0.3], dtype=torch.float64, requires_grad=True)
    mask = create_block_mask(causal, None, None, 3, 3, device="cpu", BLOCK_SIZE=2)

    def run(q, k, v, slope):
        return flex_attention(q, k, v, lambda s, b, h, i, j: torch.tanh(s) + slope[h] * j, mask)

    assert torch.autograd.gradcheck(run, (q, k, v, slope))


def test_blocks_count_without_a_function(qkv):
    """A table of blocks alone hides what it does not list."""
    q, k, v, _ = qkv
    counts = torch.tensor([[[1, 1]]], dtype=torch.int32)
    indices = torch.tensor([[[[1, 0], [0, 1]]]], dtype=torch.int32)
    mask = BlockMask.from_kv_blocks(counts, indices, BLOCK_SIZE=3, seq_lengths=(5, 6))
    seen = torch.zeros(5, 6, dtype=torch.bool)
    seen[:3, 3:] = seen[3:, :3] = True
    expected = torch.nn.functional.scaled_dot_product_attention(
        q, k, v, attn_mask=seen, enable_gqa=True
    )
    out = flex_attention(q, k, v, block_mask=mask, enable_gqa=True)
    torch.testing.assert_close(out, expected)


def test_block_mask_of_documents():
    """Partial and full blocks, transposed, sliced, drawn: PyTorch's tables."""
    doc = torch.tensor([[0, 0, 1, 1, 1, 2, 2], [0, 1, 1, 1, 2, 2, 2]])
    mask = create_block_mask(
        lambda b, h, i, j: (doc[b, i] == doc[b, j]) & (i >= j),
        2, None, 7, 7, device="cpu", BLOCK_SIZE=(2, 3),
    )  # fmt: skip
    table = [[1, 0, 0], [1, 1, 0], [1, 1, 0], [0, 1, 1]]
    assert mask.to_dense()[0, 0].tolist() == table
    assert mask.shape == (2, 1, 7, 7) and mask.numel() == 98
    assert mask.kv_indices[0, 0, 3].tolist() == [1, 2, 0]
    assert mask.q_num_blocks.tolist() == [[[3, 3, 1]], [[2, 3, 1]]]
    assert str(mask).startswith("BlockMask(shape=(2, 1, 7, 7), sparsity=")
    part = mask[1, 0, 1:3]
    assert part.kv_num_blocks.tolist() == [[[2, 1]]] and part.shape == (1, 1, 7, 7)
    with pytest.raises(RuntimeError, match="Cannot use mask_mod from a sliced BlockMask"):
        part.mask_mod(0, 0, 0, 0)
    assert mask[torch.tensor([1])].shape == (1, 1, 7, 7)


def test_block_mask_of_many_blocks():
    mask = create_block_mask(causal, 1, 2, 300, 520, device="cpu")
    assert repr(mask.to("cpu")) == repr(mask)
    assert mask.full_kv_num_blocks[0, 0].tolist() == [0, 1, 0]
    assert mask.kv_num_blocks[0, 0].tolist() == [1, 1, 3]
    assert mask.q_num_blocks[0, 1].tolist() == [2, 2, 1, 0, 0]
    assert mask.full_q_num_blocks[0, 0].tolist() == [1, 0, 0, 0, 0]
    small = mask._adjust(200, 140)
    assert small.shape == (1, 2, 200, 140)
    assert small.to_dense()[0, 0].tolist() == [[1, 0], [1, 1]]
    assert [len(part) for part in (mask.as_tuple(), mask.as_tuple(flatten=False))] == [13, 11]
    joint = create_block_mask(causal, 1, 1, 4, 4, "cpu", 2, separate_full_blocks=False)
    assert joint.full_kv_indices is None and joint.kv_num_blocks.tolist() == [[[1, 2]]]


def test_masks():
    assert create_mask(
        lambda s, b, h, i, j: torch.where(i >= j, s, -torch.inf), 1, 1, 2, 2, device="cpu"
    ).tolist() == [[[[True, False], [True, True]]]]
    last = fa.or_masks(causal, lambda b, h, i, j: j == 2)
    expected = [[True, False, True], [True, True, True], [True, True, True]]
    assert create_mask(last, None, None, 3, 3, device="cpu").tolist() == [[expected]]
    assert create_mask(fa.noop_mask, None, None, 1, 2, device="cpu").tolist() == [[[[True, True]]]]
    with pytest.raises(RuntimeError, match="should be callable mask_mods"):
        fa.and_masks(causal, 3)
    with pytest.raises(AssertionError, match="requires a mask_mod function"):
        create_block_mask(lambda s, b, h, i, j: s, 1, 1, 2, 2, device="cpu")
    with pytest.raises(AssertionError, match="Expected 4 or 5 positional args, got 2"):
        create_mask(lambda a, b: a, 1, 1, 2, 2, device="cpu")


def test_what_it_refuses(qkv):
    q, k, v, _ = qkv
    mask = create_block_mask(causal, None, None, 5, 6, device="cpu", BLOCK_SIZE=2)
    refused = [
        (ValueError, "same number of heads", lambda: flex_attention(q, k, v)),
        (NotImplementedError, "must be 4D", lambda: flex_attention(q[0], k, v)),
        (ValueError, "E=8 and E=4", lambda: flex_attention(q, k[..., :4], v)),
        (ValueError, "a multiple of kv", lambda: flex_attention(q[:, :3], k, v, enable_gqa=True)),
        (ValueError, "block_mask=None, Bq=2", lambda: flex_attention(q, k[:1], v[:1], enable_gqa=True)),
        (ValueError, "larger length", lambda: flex_attention(q[:, :, :4], k, v, None, mask, enable_gqa=True)),
        (ValueError, "smaller length", lambda: flex_attention(q, k.repeat(1, 1, 2, 1), v.repeat(1, 1, 2, 1), None, mask, enable_gqa=True)),
        (RuntimeError, "sliced BlockMask", lambda: flex_attention(q, k, v, None, mask[:, :, :1], enable_gqa=True)),
        (ValueError, "Cannot specify both", lambda: flex_attention(q, k, v, enable_gqa=True, return_lse=True, return_aux=AuxRequest())),
        (AssertionError, "must be both provided", lambda: BlockMask.from_kv_blocks(mask.kv_num_blocks, mask.kv_indices, mask.kv_num_blocks)),
        (RuntimeError, "at least 2 dimensions", lambda: BlockMask.from_kv_blocks(torch.ones(1), torch.ones(1))),
    ]  # fmt: skip
    for kind, words, call in refused:
        with pytest.raises(kind, match=words):
            call()
