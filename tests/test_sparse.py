"""Sparse tensors: making them, their parts, text and files. Literals are PyTorch's own answers."""

from __future__ import annotations

import copy
import io
import pickle
import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse

import arraytorch as torch
import arraytorch.sparse

INDICES = [[0, 1, 1], [2, 0, 2]]
REPEATED = [[0, 0, 1], [1, 1, 0]]


def make(indices=INDICES, values=(3.0, 4.0, 5.0), size=(2, 3), **options):
    """A small sparse matrix."""
    return torch.sparse_coo_tensor(torch.tensor(indices), torch.tensor(values), size, **options)


def repeated():
    """One with a place that occurs twice, which makes [[0, 3, 0], [3, 0, 0]]."""
    return make(REPEATED, (1.0, 2.0, 3.0))


def hybrid():
    """One whose values are vectors, which makes [[1, 2], [0, 0], [3, 4]]."""
    return make([[0, 2]], ((1.0, 2.0), (3.0, 4.0)), (3, 2))


def parts(t):
    """The indices and values as lists."""
    return t._indices().tolist(), t._values().tolist()


# -------------------------------------------------------------------------------------- making


def test_what_it_is():
    """A sparse tensor knows its layout, shape, dtype, device and how it is divided."""
    s, h = make(), hybrid()
    assert s.layout is torch.sparse_coo and s.is_sparse and not torch.ones(1).is_sparse
    assert s.shape == (2, 3) and s.dtype is torch.float32 and s.device == torch.device("cpu")
    assert (s.dim(), s.numel(), s._nnz(), len(s)) == (2, 6, 3, 2)
    assert (s.sparse_dim(), s.dense_dim(), h.sparse_dim(), h.dense_dim()) == (2, 0, 1, 1)
    assert s.type() == "torch.sparse.FloatTensor"
    assert isinstance(s, torch.Tensor) and s.is_leaf and not s.is_contiguous()


@pytest.mark.parametrize("dtype", [torch.bool, torch.int8, torch.float16, torch.bfloat16,
                                   torch.float64, torch.complex64])  # fmt: skip
def test_all_kinds_of_values(dtype):
    """Values may be of any dtype; coalescing adds them up, bools by or."""
    t = torch.sparse_coo_tensor([[1, 0, 1]], [1, 1, 1], (3,), dtype=dtype)
    expected = [1, 2, 0] if dtype is not torch.bool else [1, 1, 0]
    assert t.dtype is dtype and t.coalesce().dtype is dtype
    assert t.coalesce().values().tolist() == expected[:2]
    assert t.to_dense().tolist() == expected
    assert t.to_dense().to_sparse().to_dense().tolist() == expected


def test_from_lists_and_without_a_size():
    """Indices and values may be lists, and the size is then the smallest."""
    assert torch.sparse_coo_tensor([[0, 1]], [1, 2]).dtype is torch.int64
    assert make(size=None).shape == (2, 3)
    assert torch.sparse_coo_tensor([[1]], [[[1.0, 2.0]]]).shape == (2, 1, 2)
    assert torch.sparse_coo_tensor([[1.0, 0.0]], [1.0, 2.0])._indices().dtype is torch.int64
    assert make(INDICES, (3, 4, 5), dtype=torch.float64).dtype is torch.float64


def test_all_zeros():
    """A size alone, or the layout of `zeros`, makes a tensor without elements."""
    for t in (
        torch.sparse_coo_tensor((2, 3)),
        torch.sparse_coo_tensor(size=(2, 3)),
        torch.zeros(2, 3, layout=torch.sparse_coo),
        torch.empty(2, 3, layout=torch.sparse_coo),
        torch.zeros_like(make()),
        make().new_zeros(2, 3),
        torch.zeros(2, 3).to_sparse(),
    ):
        assert t.shape == (2, 3) and t._nnz() == 0 and t.is_coalesced()
        assert t._indices().shape == (2, 0) and t.to_dense().tolist() == [[0.0] * 3] * 2
    assert torch.zeros_like(hybrid())._values().shape == (0, 2)
    with pytest.raises(RuntimeError, match="full.* is not implemented for sparse layout"):
        torch.ones(2, layout=torch.sparse_coo)
    with pytest.raises(NotImplementedError, match="aten::fill_.Scalar"):
        torch.ones_like(make())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([[0, 5]], [1.0, 2.0], (3,)),
         "size is inconsistent with indices: for dim 0, size is 3 but found index 5"),
        (([[0, -1]], [1.0, 2.0], (3,)), "found negative index -1 for dim 0"),
        (([[0, -1]], [1.0, 2.0]), "found negative index -1 for dim 0"),
        (([[0, 1]], [1.0, 2.0, 3.0], (3,)),
         "indices and values must have same nnz, but got nnz from indices: 2, nnz from values: 3"),
        (([[0, 1]], 3.0, (3,)),
         "indices and values must have same nnz, but got nnz from indices: 2, nnz from values: 1"),
        (([[0, 1]], [1.0, 2.0], (3, 3)),
         "'len(size) == sparse_dim + dense_dim' is not satisfied: len(size) = 2, sparse_dim = 1, "
         "dense_dim = 0"),
        (([[0]], [[1.0, 2.0]], (5, 3)), "values has incorrect size, expected [1, 3], got [1, 2]"),
        ((1, 2), "indices must be sparse_dim x nnz, but got: []"),
    ],
)  # fmt: skip
def test_what_does_not_fit(arguments, words):
    """Indices, values and a size that do not fit raise RuntimeError in PyTorch's words."""
    with pytest.raises(RuntimeError) as caught:
        torch.sparse_coo_tensor(*arguments)
    assert str(caught.value) == words


def test_what_is_no_size():
    """A size is a tuple, and a tensor alone is none."""
    with pytest.raises(TypeError, match="argument 'size' .position 1. must be tuple of ints"):
        torch.sparse_coo_tensor(torch.tensor(INDICES))
    with pytest.raises(TypeError, match="argument 'size'"):
        torch.sparse_coo_tensor([[0]], [1.0], 5)


def test_invariants():
    """What `is_coalesced` claims is believed, unless checks are asked for."""
    wrong = {"is_coalesced": True}
    assert make(REPEATED, **wrong).is_coalesced()
    message = "cannot set is_coalesced to true if indices correspond to uncoalesced COO tensor"
    with pytest.raises(RuntimeError, match=message):
        make(REPEATED, **wrong, check_invariants=True)
    checks = torch.sparse.check_sparse_tensor_invariants
    with checks(), pytest.raises(RuntimeError, match=message):
        make(REPEATED, **wrong)
    assert not checks.is_enabled()

    @checks()
    def checked():
        return checks.is_enabled()

    assert checked() and not checks.is_enabled()
    checks.enable()
    assert checks.is_enabled()
    checks.disable()
    manager = checks()
    with manager, pytest.raises(RuntimeError, match="already activated"), manager:
        pass
    assert not checks.is_enabled()
    assert make(is_coalesced=True, check_invariants=True).is_coalesced()


def test_values_share_memory():
    """The tensor holds the values that it was made of, and `values` gives them."""
    v = torch.tensor([3.0, 4.0, 5.0])
    s = torch.sparse_coo_tensor(INDICES, v, (2, 3))
    v.mul_(2)
    assert s._values().tolist() == [6.0, 8.0, 10.0]
    c = s.coalesce()
    c.values().add_(1)
    assert c.to_dense().tolist() == [[0.0, 0.0, 7.0], [9.0, 0.0, 11.0]]


# -------------------------------------------------------------------------------------- parts


def test_coalesce():
    """Coalescing sorts the places and adds up what is at the same one."""
    u = repeated()
    assert not u.is_coalesced() and u.coalesce().is_coalesced()
    assert parts(u.coalesce()) == ([[0, 1], [1, 0]], [3.0, 3.0])
    assert u.coalesce().coalesce() is not u and (c := u.coalesce()) is c.coalesce()
    wide = torch.sparse_coo_tensor([[2, 0, 2]], [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    assert parts(wide.coalesce()) == ([[0, 2]], [[3.0, 4.0], [6.0, 8.0]])
    none = torch.sparse_coo_tensor(torch.zeros(0, 3, dtype=torch.int64), [1.0, 2.0, 3.0], ())
    assert parts(none.coalesce()) == ([], [6.0]) and none.to_dense().item() == 6.0


def test_parts_of_what_is_not_coalesced():
    """`indices` and `values` want a coalesced tensor; those with an underscore do not."""
    u = repeated()
    for name in ("indices", "values"):
        with pytest.raises(RuntimeError) as caught:
            getattr(u, name)()
        assert str(caught.value) == (
            f"Cannot get {name} on an uncoalesced tensor, please call .coalesce() first"
        )
    assert parts(u) == (REPEATED, [1.0, 2.0, 3.0])
    assert u.coalesce().indices().tolist() == [[0, 1], [1, 0]]


def test_parts_of_a_dense_tensor():
    """A dense tensor has no such parts."""
    d = torch.ones(2, 3)
    for name, words in {
        "indices": "indices expected sparse coordinate tensor layout but got Strided",
        "values": "values expected sparse tensor layout but got Strided",
        "coalesce": "coalesce expected sparse coordinate tensor layout but got Strided",
        "is_coalesced": "is_coalesced expected sparse coordinate tensor layout but got Strided",
    }.items():
        with pytest.raises(RuntimeError) as caught:
            getattr(d, name)()
        assert str(caught.value) == words
    for name in ("_indices", "_values", "_nnz"):
        with pytest.raises(NotImplementedError) as caught:
            getattr(d, name)()
        assert str(caught.value) == (
            f"Could not run 'aten::{name}' with arguments from the 'CPU' backend."
        )
    assert d.sparse_dim() == 0 and d.dense_dim() == 2 and d.to_dense() is d


def test_to_dense_and_back():
    """What is not zero comes back, with as many sparse dimensions as are asked for."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((4, 3, 2)) * (rng.random((4, 3, 2)) < 0.4)
    for n in (None, 1, 2, 3):
        t = torch.from_numpy(x).to_sparse(n)
        assert t.is_coalesced() and t.sparse_dim() == (n or 3)
        assert np.array_equal(t.to_dense().numpy(), x)
    assert parts(torch.tensor(3.0).to_sparse()) == ([], [3.0])
    assert torch.zeros(0, 3).to_sparse().shape == (0, 3)
    s = make()
    assert s.to_sparse() is s and s.to_sparse(2) is s and s.to_sparse_coo() is s
    assert torch.equal(s.to_sparse(layout=torch.strided), s.to_dense())
    d = torch.arange(6.0).reshape(2, 3)
    for wrong, words in {
        0: "dense_to_sparse: sparse_dim argument must be in >0 when self.dim()>0",
        3: "dense_to_sparse: sparse_dim argument must be in [0,2] range, but 3 is given",
    }.items():
        with pytest.raises(RuntimeError) as caught:
            d.to_sparse(wrong)
        assert str(caught.value) == words
    with pytest.raises(RuntimeError, match="conversion from Sparse to Sparse"):
        s.to_sparse(1)
    with pytest.raises(RuntimeError, match="dtype argument is not supported by sparse_to_dense"):
        s.to_dense(torch.float64)


def test_to_dense_agrees_with_scipy():
    """SciPy adds up repeated places, too."""
    rng = np.random.default_rng(1)
    indices, values = rng.integers(0, 5, (2, 40)), rng.standard_normal(40)
    ours = torch.sparse_coo_tensor(indices, values, (5, 5))
    theirs = scipy.sparse.coo_array((values, indices), (5, 5))
    assert np.allclose(ours.to_dense().numpy(), theirs.toarray())
    theirs.sum_duplicates()
    assert ours.coalesce()._nnz() == theirs.nnz


def test_sparse_mask():
    """A mask picks elements of a dense or sparse tensor, zeros too, as often as it names them."""
    d, s, u = torch.arange(6.0).reshape(2, 3), make(), repeated()
    assert parts(d.sparse_mask(s)) == (INDICES, [2.0, 3.0, 5.0])
    assert parts(d.sparse_mask(u)) == (REPEATED, [1.0, 1.0, 3.0])
    assert parts(s.sparse_mask(u)) == (REPEATED, [0.0, 0.0, 4.0])
    assert parts(u.sparse_mask(s)) == (INDICES, [0.0, 3.0, 0.0])
    assert parts(torch.ones(3, 2).sparse_mask(hybrid())) == ([[0, 2]], [[1.0, 1.0], [1.0, 1.0]])
    with pytest.raises(RuntimeError, match=r"self has size \[2, 3\] but mask has size \[3, 2\]"):
        d.sparse_mask(hybrid())
    with pytest.raises(NotImplementedError, match="aten::sparse_mask.*'CPU' backend"):
        d.sparse_mask(d)


def test_resize():
    """A sparse tensor can grow, and shrink if it is emptied."""
    s = make()
    assert s.sparse_resize_((4, 4), 2, 0) is s and s.shape == (4, 4) and s._nnz() == 3
    with pytest.raises(RuntimeError, match="shrinking the size of sparse dimensions"):
        s.sparse_resize_((2, 4), 2, 0)
    with pytest.raises(RuntimeError, match="changing the number of sparse dimensions"):
        s.sparse_resize_((4, 4), 1, 1)
    assert s.sparse_resize_and_clear_((2,), 1, 0)._nnz() == 0 and s.shape == (2,)
    h = hybrid()
    assert h.sparse_resize_((3, 3), 1, 1)._values().tolist() == [[1.0, 2.0, 0.0], [3.0, 4.0, 0.0]]
    with pytest.raises(TypeError, match="argument 'size' .position 1. must be tuple of ints"):
        s.sparse_resize_(3, 2, 0)


# ------------------------------------------------------------------------------ text and copies


def test_text():
    """Sparse tensors print as PyTorch's do."""
    assert repr(make()) == (
        "tensor(indices=tensor([[0, 1, 1],\n"
        "                       [2, 0, 2]]),\n"
        "       values=tensor([3., 4., 5.]),\n"
        "       size=(2, 3), nnz=3, layout=torch.sparse_coo)"
    )
    assert repr(hybrid()) == (
        "tensor(indices=tensor([[0, 2]]),\n"
        "       values=tensor([[1., 2.],\n"
        "                      [3., 4.]]),\n"
        "       size=(3, 2), nnz=2, layout=torch.sparse_coo)"
    )
    assert repr(torch.sparse_coo_tensor((2, 3))) == (
        "tensor(indices=tensor([], size=(2, 0)),\n"
        "       values=tensor([], size=(0,)),\n"
        "       size=(2, 3), nnz=0, layout=torch.sparse_coo)"
    )
    assert repr(make(requires_grad=True)).endswith("layout=torch.sparse_coo, requires_grad=True)")
    assert repr(make(dtype=torch.float64, requires_grad=True)).endswith(
        "size=(2, 3), nnz=3, dtype=torch.float64, layout=torch.sparse_coo,\n"
        "       requires_grad=True)"
    )
    many = torch.sparse_coo_tensor(torch.arange(2000)[None], torch.arange(2000.0), (3000,))
    assert repr(many) == (
        "tensor(indices=tensor([[   0,    1,    2,  ..., 1997, 1998, 1999]]),\n"
        "       values=tensor([0.0000e+00, 1.0000e+00, 2.0000e+00,  ...,\n"
        "                      1.9970e+03, 1.9980e+03, 1.9990e+03]),\n"
        "       size=(3000,), nnz=2000, layout=torch.sparse_coo)"
    )
    assert f"{make()}" == repr(make())


def test_copies_and_conversions():
    """Copies have parts of their own; a conversion to what it is gives the tensor itself."""
    s = make()
    for other in (s.clone(), copy.deepcopy(s), copy.copy(s), pickle.loads(pickle.dumps(s))):
        assert repr(other) == repr(s) and other is not s
    s.clone()._values().zero_()
    copy.deepcopy(s)._values().zero_()
    assert s._values().tolist() == [3.0, 4.0, 5.0]
    assert s.to(torch.float32) is s and s.cpu() is s and s.to("cpu") is s
    assert parts(s.int()) == (INDICES, [3, 4, 5]) and s.int().dtype is torch.int32
    assert s.coalesce().double().is_coalesced() and not s.double().is_coalesced()
    assert pickle.loads(pickle.dumps(make(requires_grad=True))).requires_grad
    assert s.detach()._values().data_ptr() == s._values().data_ptr()
    assert torch.is_tensor(s) and s.is_same_size(torch.ones(2, 3))


def test_to_meta():
    """Parts move to another device with the tensor."""
    m = make().to("meta")
    assert m.device.type == "meta" and m.is_sparse and m._values().device.type == "meta"


def test_files():
    """`save` and `load` keep the parts and whether they are coalesced, in either format."""
    tensors = {"s": make(), "c": repeated().coalesce(), "h": hybrid().bfloat16()}
    for zipped in (True, False):
        file = io.BytesIO()
        torch.save(tensors, file, _use_new_zipfile_serialization=zipped)
        file.seek(0)
        loaded = torch.load(file)
        for name, t in tensors.items():
            assert repr(loaded[name]) == repr(t)
            assert loaded[name].is_coalesced() == t.is_coalesced()


# Written by PyTorch 2.13: torch.save(torch.sparse_coo_tensor([[0, 2]], [1.0, 2.0], (3,)), ...)
# with the format before 1.6, as that is the shorter one.
PYTORCHS = bytes.fromhex(
    "80028a0a6cfc9c46f9206aa850192e80024de9032e80027d710028581000000070726f746f636f6c5f766572"
    "73696f6e71014de903580d0000006c6974746c655f656e6469616e710288580a000000747970655f73697a65"
    "7371037d710428580500000073686f727471054b025803000000696e7471064b0458040000006c6f6e677107"
    "4b0475752e800263746f7263682e5f7574696c730a5f72656275696c645f7370617273655f74656e736f720a"
    "710063746f7263682e73657269616c697a6174696f6e0a5f6765745f6c61796f75740a71015810000000746f"
    "7263682e7370617273655f636f6f71028571035271042863746f7263682e5f7574696c730a5f72656275696c"
    "645f74656e736f725f76320a71052828580700000073746f72616765710663746f7263680a4c6f6e6753746f"
    "726167650a7107580e00000039343333373038343631333634387108580300000063707571094b024e74710a"
    "514b004b014b0286710b4b024b0186710c8963636f6c6c656374696f6e730a4f726465726564446963740a71"
    "0d2952710e74710f52711068052828680663746f7263680a466c6f617453746f726167650a7111580e000000"
    "3934333337313731303734343634711268094b024e747113514b004b028571144b0185711589680d29527116"
    "74711752711863746f7263680a53697a650a71194b0385711a85711b52711c8974711d86711e52711f2e8002"
    "5d710028580e00000039343333373038343631333634387101580e0000003934333337313731303734343634"
    "7102652e02000000000000000000000000000000020000000000000002000000000000000000803f00000040"
)


def test_a_file_of_pytorch():
    """A tensor that PyTorch has written is read."""
    loaded = torch.load(io.BytesIO(PYTORCHS))
    assert parts(loaded) == ([[0, 2]], [1.0, 2.0]) and loaded.shape == (3,)


def test_numbers_and_arrays_out():
    """NumPy gets no sparse tensor, and Python only the number of one of one element."""
    with pytest.raises(TypeError) as caught:
        make().numpy()
    assert str(caught.value) == (
        "can't convert Sparse layout tensor to numpy. Use Tensor.to_dense() first."
    )
    with pytest.raises(TypeError, match="convert Sparse layout tensor"):
        np.asarray(make())
    assert torch.sparse_coo_tensor([[0, 0]], [3.0, 1.0], (1,)).item() == 4.0
    with pytest.raises(RuntimeError, match="6 elements cannot be converted to Scalar"):
        make().item()
    with pytest.raises(RuntimeError, match="more than one value is ambiguous"):
        bool(make())
    for name in ("data_ptr", "untyped_storage"):
        with pytest.raises(RuntimeError, match="storage"):
            getattr(make(), name)()
    with pytest.raises(RuntimeError, match="nbytes is not defined for sparse tensors"):
        make().nbytes


def test_assert_close():
    """`testing.assert_close` compares the parts."""
    s = make()
    torch.testing.assert_close(s, s.clone())
    with pytest.raises(AssertionError, match="Sparse COO values are not close"):
        torch.testing.assert_close(s, s * 2)
    with pytest.raises(AssertionError, match="Sparse COO indices are not equal"):
        torch.testing.assert_close(s, repeated())
    with pytest.raises(AssertionError, match="number of specified values .* match: 3 != 2"):
        torch.testing.assert_close(s, repeated().coalesce())
    with pytest.raises(AssertionError, match="attribute 'layout'"):
        torch.testing.assert_close(s, s.to_dense())
    torch.testing.assert_close(s, s.to_dense(), check_layout=False)


def test_old_types():
    """The types of PyTorch's first years make sparse tensors and tell them, saying what is better."""
    F = torch.sparse.FloatTensor
    i, v = torch.tensor(INDICES), torch.tensor([3.0, 4.0, 5.0])
    with pytest.warns(UserWarning, match=r"SparseTensor\(indices, values, shape, \*, device=\)"):
        s = F(i, v, torch.Size([2, 3]))
    assert repr(s) == repr(make())
    assert isinstance(s, F) and not isinstance(s, torch.FloatTensor)
    assert not isinstance(s.to_dense(), F) and not isinstance(s.double(), F)
    with pytest.warns(UserWarning, match=r"SparseTensor\(indices, values, \*, device=\)"):
        assert F(i, v).shape == (2, 3)
    with pytest.warns(UserWarning, match=r"SparseTensor\(shape, \*, device=\) is deprecated"):
        assert torch.sparse.LongTensor(2, 3).dtype is torch.int64
    with pytest.warns(UserWarning, match=r"use torch.sparse_coo_tensor\(\(0,\), dtype=\)"):
        assert F().shape == (0,)
    for wrong in ((v,), ([1.0],), (s,)):
        with pytest.raises(TypeError, match="invalid combination of arguments"):
            F(*wrong)
    assert (F.dtype, F.layout, F.is_sparse) == (torch.float32, torch.sparse_coo, True)
    assert s.type(torch.sparse.DoubleTensor).dtype is torch.float64
    assert s.type("torch.sparse.DoubleTensor").is_sparse
    assert torch.spmm is torch.mm and torch.hsmm is torch.hspmm


def test_nothing_of_it_is_loaded_before():
    """A program without sparse tensors loads none of the modules."""
    code = (
        "import sys, arraytorch as torch\n"
        "e = torch.nn.Embedding(3, 2)\n"
        "o = torch.optim.SGD(e.parameters(), lr=1.0)\n"
        "e(torch.tensor([1])).sum().backward(); o.step(); repr(e.weight)\n"
        "torch.zeros_like(e.weight).to_dense().sparse_dim()\n"
        "print([m for m in sys.modules if 'arraytorch.ops.sparse' in m or '.coo' in m])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
