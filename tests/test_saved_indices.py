"""Index tensors, masks and targets that are written after their use: gradients stay right, or say so."""

from __future__ import annotations

import pytest

import arraytorch as torch

F = torch.nn.functional
ZEROS = torch.zeros(4, dtype=torch.float64)
RAMP = torch.arange(4, dtype=torch.float64)


def gradient(call, given, spoil):
    """The gradient of a function of x = 1, 2, 3, 4 and of a tensor that is then spoilt."""
    x = torch.arange(1, 5, dtype=torch.float64).requires_grad_()
    other = torch.tensor(given)
    result = call(x, other)
    if spoil:
        other.zero_()
    result.sum().backward()
    return x.grad.tolist()


def assigned(x, index):
    y = x * 1
    y[index] = x[2:] * 3
    return y


@pytest.mark.parametrize(
    ("call", "given"),
    [
        (lambda x, i: x[i], [0, 1]),
        (lambda x, m: x[m], [True, False, True, False]),
        (lambda x, i: x.index_select(0, i), [0, 1]),
        (lambda x, i: x.take(i), [0, 1]),
        (lambda x, m: x.masked_select(m), [True, False, True, False]),
        (lambda x, i: ZEROS.index_add(0, i, x[:2]) * RAMP, [0, 1]),
        (lambda x, i: ZEROS.index_copy(0, i, x[:2]) * RAMP, [0, 1]),
        (lambda x, i: (x * 1).index_fill(0, i, 0), [0, 1]),
        (lambda x, i: (x * 1).index_put((i,), ZEROS[:2]), [0, 1]),
        (assigned, [0, 1]),
    ],
    ids=["ints", "mask", "index_select", "take", "masked_select", "index_add", "index_copy",
         "index_fill", "index_put", "assignment"],
)  # fmt: skip
def test_gradients_use_the_index_as_it_was(call, given):
    """Where PyTorch raises, the gradient is that of the call as it was made."""
    assert gradient(call, given, spoil=True) == gradient(call, given, spoil=False)


@pytest.mark.parametrize(
    "choose",
    [
        lambda x: x.max(0),
        lambda x: x.sort(),
        lambda x: x.topk(2),
        lambda x: x.kthvalue(2),
        lambda x: x.median(0),
        lambda x: x.mode(0),
        lambda x: x.cummax(0),
    ],
    ids=["max", "sort", "topk", "kthvalue", "median", "mode", "cummax"],
)
def test_returned_indices_are_watched(choose):
    """Writing to the indices that an op returned makes its gradient raise, as in PyTorch."""
    x = torch.tensor([3.0, 1.0, 2.0], requires_grad=True)
    values, indices = choose(x)
    indices.zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        values.sum().backward()


def test_labels_are_watched():
    """Neither kind of loss copies them."""
    for loss in (F.nll_loss, F.cross_entropy):
        for x in (torch.eye(2, requires_grad=True), torch.ones(2, 2, 1, requires_grad=True)):
            labels = torch.zeros((2,) + x.shape[2:], dtype=torch.int64)
            result = loss(x, labels)
            labels.zero_()
            with pytest.raises(RuntimeError, match="modified by an inplace operation"):
                result.backward()


def test_indices_of_an_embedding_bag_are_watched():
    """They are not copied, for they may be many."""
    table = torch.eye(3, requires_grad=True)
    bags = torch.tensor([[0, 2]])
    result = F.embedding_bag(bags, table)
    bags.zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        result.sum().backward()
