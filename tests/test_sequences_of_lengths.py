"""nn.utils.rnn: sequences of several lengths, padded and packed, and back."""

from __future__ import annotations

import pickle

import pytest

import arraytorch as torch
from arraytorch.nn.utils import rnn


def sequences(*lengths: int, rest: tuple[int, ...] = (2,)):
    """Sequences of these lengths, all of whose elements differ."""
    torch.manual_seed(0)
    return [torch.randn(n, *rest, requires_grad=True) for n in lengths]


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("batch_first", [False, True])
def test_padding_fills_one_side(side, batch_first):
    """The elements stay in order, and what is added has the value asked for."""
    given = sequences(2, 4, 1)
    padded = rnn.pad_sequence(given, batch_first, -9.0, side)
    assert padded.is_contiguous() and padded.shape == ((3, 4, 2) if batch_first else (4, 3, 2))
    for i, x in enumerate(given):
        row = padded[i] if batch_first else padded[:, i]
        own, added = (row[-len(x) :], row[: -len(x)]) if side == "left" else (
            row[: len(x)], row[len(x) :])  # fmt: skip
        assert torch.equal(own, x) and (added == -9).all()


@pytest.mark.parametrize("rest", [(), (2,), (2, 3)])
@pytest.mark.parametrize("lengths", [(3, 2, 2), (1, 4, 2), (1,)])
def test_packing_and_unpacking_give_the_same(lengths, rest):
    """Sorted or not; and gradients reach every element once."""
    given = sequences(*lengths, rest=rest)
    packed = rnn.pack_sequence(given, enforce_sorted=False)
    assert packed.data.shape == (sum(lengths), *rest)
    assert packed.batch_sizes.tolist() == [sum(n > t for n in lengths) for t in range(max(lengths))]
    back = rnn.unpack_sequence(packed)
    assert all(torch.equal(a, b) for a, b in zip(given, back, strict=True))
    padded, counts = rnn.pad_packed_sequence(packed, True, 7.0, total_length=6)
    assert counts.tolist() == list(lengths) and padded.shape == (len(lengths), 6, *rest)
    padded.sum().backward()
    assert all((x.grad == 1).all() for x in given)


def test_order_of_packed_elements():
    """Step by step, as PyTorch 2.13 packs them."""
    x = [torch.ones(2), torch.zeros(3)]
    packed = rnn.pack_sequence(x, enforce_sorted=False)
    assert packed.data.tolist() == [0, 1, 0, 1, 0]
    assert [t.tolist() for t in packed[1:]] == [[2, 2, 1], [1, 0], [1, 0]]
    assert rnn.invert_permutation(None) is None


def test_packed_sequences_convert():
    """To the dtype that is theirs already they are themselves."""
    packed = rnn.pack_sequence([torch.ones(2), torch.zeros(1)])
    assert packed.float() is packed is packed.to(torch.float32) and packed.cpu() is packed
    assert packed.double().data.dtype is torch.float64 and not packed.is_cuda
    assert packed.long().batch_sizes is packed.batch_sizes and not packed.is_pinned()
    again = pickle.loads(pickle.dumps(packed))
    assert type(again) is rnn.PackedSequence and torch.equal(again.data, packed.data)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: rnn.pack_padded_sequence(torch.ones(3, 2), [3, 0]), RuntimeError, "greater than 0"),
        (lambda: rnn.pack_padded_sequence(torch.ones(3, 2), [2, 3]), RuntimeError, "decreasing"),
        (lambda: rnn.pack_padded_sequence(torch.ones(3, 2), [3]), RuntimeError, "batch_size=2"),
        (lambda: rnn.pack_padded_sequence(torch.ones(3, 2), [4, 2]), RuntimeError, "3 steps"),
        (lambda: rnn.pack_padded_sequence(torch.ones(0, 2), [1, 1]), RuntimeError, "empty"),
        (lambda: rnn.pad_sequence([]), RuntimeError, "empty list"),
        (lambda: rnn.pad_sequence(3), RuntimeError, "iterable"),
        (lambda: rnn.pad_sequence([torch.ones(1)], padding_side="up"), RuntimeError, "left or right"),
        (lambda: rnn.pad_sequence([torch.ones(1), torch.ones(1, 2)]), RuntimeError, "agree"),
        (lambda: rnn.PackedSequence(torch.ones(3)), AssertionError, "length 2"),
        (lambda: rnn.pad_packed_sequence(rnn.pack_sequence([torch.ones(3)]), total_length=2),
         ValueError, "at least"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(call, error, words):
    """With PyTorch's classes of errors."""
    with pytest.raises(error, match=words):
        call()
