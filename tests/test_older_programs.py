"""What programs of PyTorch's first years use: Variables, `new`, numbers before tensors."""

from __future__ import annotations

import numpy as np
import pytest

import arraytorch as torch
from arraytorch.autograd import Variable
from arraytorch.ops import _older

A, B = torch.tensor([1.0, 2.0]), torch.tensor([10.0, 20.0])
M, P, Q = torch.ones(2, 2), torch.ones(2, 3), torch.ones(3, 2)


@pytest.fixture
def warned(monkeypatch):
    """As if the one warning had been given."""
    monkeypatch.setattr(_older, "_warned", ["before"])


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda: torch.add(A, 2, B), [21.0, 42.0]),
        (lambda: torch.add(A, 2, B, out=torch.empty(2)), [21.0, 42.0]),
        (lambda: A.clone().add_(2, B), [21.0, 42.0]),
        (lambda: A.sub(2, B), [-19.0, -38.0]),
        (lambda: A.clone().sub_(2, B), [-19.0, -38.0]),
        (lambda: torch.add(A, 2, 3), [7.0, 8.0]),
        (lambda: torch.addcmul(A, 2, A, B), [21.0, 82.0]),
        (lambda: A.clone().addcmul_(2, A, B), [21.0, 82.0]),
        (lambda: torch.addcdiv(A, 2, A, A), [3.0, 4.0]),
        (lambda: A.clone().addcdiv_(-1, A, A), [0.0, 1.0]),
        (lambda: torch.addmm(3, M, 2, P, Q), [[9.0, 9.0], [9.0, 9.0]]),
        (lambda: torch.addmm(3, M, P, Q), [[6.0, 6.0], [6.0, 6.0]]),
        (lambda: M.addmm(3, 2, P, Q), [[9.0, 9.0], [9.0, 9.0]]),
        (lambda: M.clone().addmm_(3, P, Q), [[6.0, 6.0], [6.0, 6.0]]),
        (lambda: torch.addbmm(3, M, 2, P[None], Q[None]), [[9.0, 9.0], [9.0, 9.0]]),
        (lambda: M[None].baddbmm(3, 2, P[None], Q[None]), [[[9.0, 9.0], [9.0, 9.0]]]),
        (lambda: torch.addmv(3, M[0], 2, P, Q[:, 0]), [9.0, 9.0]),
        (lambda: torch.addr(3, M, 2, M[0], M[0]), [[5.0, 5.0], [5.0, 5.0]]),
    ],
)
def test_numbers_before_tensors(warned, call, expected):
    assert call().tolist() == expected


def test_older_orders_warn_once(monkeypatch):
    monkeypatch.setattr(_older, "_warned", [])
    with pytest.warns(UserWarning, match=r"This overload of add_ is deprecated:\n\tadd_\(Number"):
        A.clone().add_(2, B)
    A.clone().addcmul_(2, A, B)  # a second warning would be an error


def test_orders_that_never_were(warned):
    """They raise what too many arguments raise."""
    for call in (
        lambda: torch.add(A, B, 2),
        lambda: A.clone().addcmul_(A, B, 2),
        lambda: M.addmm(P, Q, 3, 2),
        lambda: torch.addr(M, M[0], M[0], "2"),
        lambda: torch.add(A, 2, B, 3),
    ):
        with pytest.raises(TypeError, match="positional arguments but"):
            call()


def test_numbers_given_twice(warned):
    """A number before the tensors and one by name: neither is dropped silently."""
    for call in (
        lambda: A.add(2, B, alpha=2),
        lambda: A.clone().sub_(2, B, alpha=2),
        lambda: A.addcmul(2, A, B, value=3),
        lambda: A.clone().addcdiv_(2, A, B, value=3),
        lambda: M.addmm(2, P, Q, beta=3),
        lambda: M[0].addmv(2, P, Q[:, 0], alpha=3),
    ):
        with pytest.raises(TypeError, match="by name, and numbers before tensors"):
            call()


def test_factors_are_numbers():
    """A tensor is one if it has no dimensions."""
    two = torch.tensor(2.0)
    for name in ("addcmul", "addcmul_", "addcdiv", "addcdiv_"):
        for x in (A, A.double()):
            call = getattr(x.clone(), name)
            with pytest.raises(TypeError, match="must be Number, not Tensor"):
                call(A, B, value=B)
            assert torch.equal(call(A, B, value=two), getattr(x.clone(), name)(A, B, value=2.0))


def test_gradients_of_older_orders(warned):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    torch.addcmul(x, 3, x, B).sum().backward()
    assert x.grad.tolist() == [31.0, 61.0]


def test_variables():
    """A tensor over the same memory, without history; every tensor is one."""
    x = torch.ones(2)
    v = Variable(x, requires_grad=True)
    assert v is not x and v.requires_grad and v.is_leaf and type(v) is torch.Tensor
    with torch.no_grad():
        v[0] = 5
    assert x.tolist() == [5.0, 1.0]
    assert isinstance(x, Variable) and not isinstance(1, Variable)
    assert Variable().numel() == 0
    assert not Variable(v * 2).requires_grad
    with pytest.warns(UserWarning, match="volatile was removed and now has no effect"):
        assert not Variable(x, volatile=True).requires_grad
    with pytest.raises(TypeError, match="Variable data has to be a tensor, but got list"):
        Variable([1, 2])
    with pytest.raises(ValueError, match="can't be volatile and require_grad at the same time"):
        Variable(x, True, True)
    with pytest.raises(RuntimeError, match="floating point"):
        Variable(torch.tensor([1]), True)


def test_new():
    """A tensor of the same type, of a shape or from data."""
    x = torch.ones(2, dtype=torch.float64)
    assert x.new().shape == (0,) and x.new(2, 3).shape == (2, 3) and x.new(2, 3).dtype is x.dtype
    assert x.new(torch.Size([2, 3])).shape == (2, 3) == x.new(size=(2, 3)).shape
    assert x.new([2, 3]).tolist() == [2.0, 3.0] == x.new((2, 3)).tolist()
    assert x.new(np.ones(3)).dtype is torch.float64
    y = x.new(x)
    y[0] = 7
    assert x[0] == 7
    with pytest.raises(TypeError, match="got torch.FloatTensor"):
        x.new(torch.ones(2))
    with pytest.raises(TypeError, match=r"data must be a sequence \(got float\)"):
        x.new(1.5)
    with pytest.raises(RuntimeError, match="expects device type: cpu"):
        x.new(2, device="meta")
    assert torch.ones(2, device="meta").new(3).device.type == "meta"


def test_clipping_under_its_name_of_old():
    p = torch.nn.Parameter(torch.zeros(2))
    p.grad = torch.tensor([3.0, 4.0])
    with pytest.warns(FutureWarning, match="clip_grad_norm` is now deprecated in favor"):
        assert torch.nn.utils.clip_grad_norm([p], 1.0).item() == 5
    assert p.grad.tolist() == pytest.approx([0.6, 0.8])


def test_the_profiler_of_old():
    with torch.autograd.profiler.profile(enabled=False) as off:
        torch.ones(2)
    with torch.autograd.profiler.profile() as on, torch.autograd.profiler.record_function("mine"):
        torch.ones(2).exp()
    assert not off.function_events
    assert {"mine", "aten::exp"} <= {e.name for e in on.function_events}
    assert "aten::exp" in on.table(sort_by="cpu_time_total") and on.self_cpu_time_total > 0


def test_sorted_indices_and_where_each_begins():
    rows = torch.tensor([0, 0, 2, 3])
    starts = torch._convert_indices_from_coo_to_csr(rows, 5)
    assert starts.tolist() == [0, 2, 2, 3, 4, 4] and starts.dtype is torch.int64
    narrow = torch._convert_indices_from_coo_to_csr(rows, 5, out_int32=True)
    assert narrow.dtype is torch.int32
    columns = torch.tensor([1, 2, 0, 1])
    pair = torch._convert_indices_from_csr_to_coo(starts, columns)
    assert pair.tolist() == [[0, 0, 2, 3], [1, 2, 0, 1]]
    turned = torch._convert_indices_from_csr_to_coo(starts, columns, transpose=True)
    assert turned.tolist() == [[1, 2, 0, 1], [0, 0, 2, 3]]


def test_operations_by_the_dispatchers_names():
    """`torch.ops.aten` has what the library has, with the overloads as attributes."""
    aten = torch.ops.aten
    x = torch.arange(6.0).reshape(2, 3)
    assert aten.add.Tensor(x, x).equal(x + x) and aten.add(x, 1).equal(x + 1)
    assert aten.slice.Tensor(x, 1, 0, 2).equal(x[:, :2])
    assert aten.index.Tensor(x, [None, torch.tensor([0, 2])]).equal(x[:, [0, 2]])
    assert aten._to_copy.default(x, dtype=torch.int64).dtype is torch.int64
    assert aten._to_copy.default(x) is not x and aten.alias.default(x).data_ptr() == x.data_ptr()
    assert aten.add.Tensor is aten.add.Tensor and {aten.add.Tensor: 1}[aten.add.Tensor] == 1
    assert repr(aten.add.Tensor) == "<OpOverload(op='aten.add', overload='Tensor')>"
    assert repr(aten.add) == "<OpOverloadPacket(op='aten.add')>"
    with pytest.raises(AttributeError, match="'aten' object has no attribute 'nothing'"):
        aten.nothing
    with pytest.raises(AttributeError, match="no overload name 'nothing'"):
        aten.add.nothing
