"""Storages, files as memory, and small functions of the main namespace."""

from __future__ import annotations

import copy
import io
import pickle

import pytest

import arraytorch as torch


def test_a_storage_is_the_memory_of_all_views():
    """Reading and writing bytes is reading and writing the tensors."""
    x = torch.arange(4, dtype=torch.int16)
    storage = x[1:].untyped_storage()
    assert storage.tolist() == [0, 0, 1, 0, 2, 0, 3, 0] and len(storage) == storage.nbytes() == 8
    assert storage == x.untyped_storage() and hash(storage) == hash(x.untyped_storage())
    assert storage.data_ptr() == x.data_ptr() and torch.is_storage(storage)
    storage[0] = 7
    storage[2:4].fill_(1)
    assert x.tolist() == [7, 257, 2, 3]
    storage.copy_(torch.UntypedStorage([1, 0] * 4))
    assert x.tolist() == [1, 1, 1, 1]
    storage.byteswap(torch.int16)
    assert x.tolist() == [256, 256, 256, 256]


def test_writing_to_a_storage_dates_its_tensor():
    """A value saved for a gradient is known to be stale, as after any other write."""
    w = torch.ones(2, requires_grad=True)
    x = torch.ones(2)
    y = (w * x).sum()
    x.untyped_storage().fill_(0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


def test_a_tensor_takes_a_storage():
    """set_ with a storage gives the tensor its memory, whole or in part."""
    x = torch.arange(4, dtype=torch.int16)
    whole = torch.empty(0, dtype=torch.int16).set_(x.untyped_storage())
    part = torch.empty(0, dtype=torch.int16).set_(x.untyped_storage(), 1, (2,), (2,))
    whole[1] = 9
    assert whole.tolist() == [0, 9, 2, 3] and part.tolist() == [9, 3] and x[1] == 9


def test_storages_are_made_of_numbers_copied_and_pickled():
    """A number is a size, a sequence the bytes, of which the low eight bits count."""
    storage = torch.UntypedStorage([1, 2, 300])
    assert storage.tolist() == list(storage) == [1, 2, 44] and storage[-1] == 44
    assert torch.UntypedStorage(3).size() == 3 and torch.UntypedStorage().size() == 0
    for other in (copy.copy(storage), copy.deepcopy(storage), pickle.loads(pickle.dumps(storage))):
        assert other.tolist() == [1, 2, 44] and other != storage
    swapped = torch.UntypedStorage.from_buffer(b"abcd", byte_order="big", dtype=torch.int16)
    assert bytes(swapped.tolist()) == b"badc"
    assert repr(storage) == (" 1\n 2\n 44\n[torch.storage.UntypedStorage(device=cpu) of size 3]")
    assert torch.UntypedStorage(3, device="meta").device.type == "meta"


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda s: s[9], IndexError, "index 9 out of range for storage of size 3"),
        (lambda s: s[::2], RuntimeError, "only a step of 1 is supported"),
        (lambda s: s["a"], TypeError, "can't index a torch.UntypedStorage with str"),
        (lambda s: s.copy_(torch.UntypedStorage(2)), RuntimeError, "size does not match"),
        (lambda s: torch.UntypedStorage("a"), RuntimeError, "was of type str instead of int"),
        (lambda s: torch.UntypedStorage(torch.ones(2)), RuntimeError, "Expected a sequence type"),
    ],
)
def test_storages_refuse_what_pytorch_refuses(call, error, words):
    """In its words."""
    with pytest.raises(error, match=words):
        call(torch.UntypedStorage(3))


def test_files_are_memory(tmp_path):
    """Writes to a shared mapping reach the file, others do not; it grows only if shared."""
    name = str(tmp_path / "numbers")
    x = torch.from_file(name, shared=True, size=4).fill_(3)
    private = torch.from_file(name, size=3)
    private[0] = 9
    assert torch.from_file(name, size=4).tolist() == x.tolist() == [3, 3, 3, 3]
    assert torch.from_file(name, size=2, dtype=torch.int16).tolist() == [0, 16448]
    assert torch.UntypedStorage.from_file(name, False, 4).tolist() == [0, 0, 64, 64]
    with pytest.raises(RuntimeError, match=r"size <16> is smaller than the required .* <20>"):
        torch.from_file(name, size=5)
    assert torch.from_file(name, True, 5).tolist() == [3, 3, 3, 3, 0]
    with pytest.raises(RuntimeError, match=r"in read-only mode: No such file or directory \(2\)"):
        torch.from_file(str(tmp_path / "nothing"), size=1)
    with pytest.raises(TypeError, match="'filename' .* must be str, not int"):
        torch.from_file(3)


def test_gradients_have_the_dtype_that_a_leaf_asks_for():
    """The engine casts to grad_dtype, to nothing with None, and .grad accepts no other."""
    x = torch.ones(2, requires_grad=True)
    assert x.grad_dtype is torch.float32
    x.grad_dtype = torch.float64
    (x * 2).sum().backward()
    assert x.grad.dtype is torch.float64
    with pytest.raises(RuntimeError, match="Cannot set grad_dtype to 'Float'"):
        x.grad_dtype = torch.float32
    with pytest.raises(RuntimeError, match="a tensor with grad_dtype 'Double'"):
        x.grad = torch.ones(2)
    later = torch.ones(2)
    later.grad_dtype = torch.float16
    (later.requires_grad_() * 2).sum().backward()
    assert later.grad.dtype is torch.float16
    x.grad, x.grad_dtype = None, None
    x.grad = torch.ones(2, dtype=torch.float16)
    with pytest.raises(RuntimeError, match="can only be set on leaf tensors"):
        (x * 2).grad_dtype = None
    with pytest.raises(RuntimeError, match="must be a torch.dtype or None, but got int"):
        x.grad_dtype = 3


def test_tensors_load_and_have_no_names():
    """module_load copies, or with assign takes the other; name is None for good."""
    x, y = torch.zeros(2), torch.ones(2, requires_grad=True)
    assert x.module_load(y, assign=True).data_ptr() == y.data_ptr()
    with torch.no_grad():
        assert x.module_load(y).data_ptr() == x.data_ptr() and x.tolist() == [1, 1]
    assert x.name is None
    with pytest.raises(AttributeError):
        x.name = "x"


def test_cond_takes_one_branch():
    """The other does not run."""
    x = torch.ones(2, requires_grad=True)
    y = torch.cond(torch.tensor([False]), lambda t: 1 / 0, lambda t: t * 3, (x,))
    y.sum().backward()
    assert x.grad.tolist() == [3, 3] and torch.cond(True, lambda: 3, lambda: 4) == 3
    with pytest.raises(RuntimeError, match="bool or single-element tensor, but got tensor"):
        torch.cond(torch.tensor([True, False]), lambda: 1, lambda: 2)
    with pytest.raises(RuntimeError, match="Expected pred to be bool or tensor, but got a"):
        torch.cond("a", lambda: 1, lambda: 2)


def test_bags_tell_where_they_are_from():
    """torch.embedding_bag returns what PyTorch's backward would read, for each mode."""
    w, rows = torch.arange(8.0).reshape(4, 2), torch.tensor([0, 2, 1, 3, 3])
    offsets = torch.tensor([0, 2, 2])
    out, bag, sizes, rest = torch.embedding_bag(w, rows, offsets)
    assert out.tolist() == [[4, 6], [0, 0], [14, 17]]
    assert (bag.tolist(), sizes.tolist(), rest.tolist()) == ([], [0, 0, 0], [0, 0, 0])
    _, bag, sizes, rest = torch.embedding_bag(w, rows, offsets, mode=1)
    assert (bag.tolist(), sizes.tolist(), rest.tolist()) == ([0, 0, 2, 2, 2], [2, 0, 3], [2, 0, 3])
    out, bag, sizes, rest = torch.embedding_bag(w, rows, offsets, mode=2)
    assert out.tolist() == [[4, 5], [0, 0], [6, 7]] and bag.tolist() == [0, 0, 2, 2, 2]
    assert rest.tolist() == [[2, 2], [0, 0], [3, 3]]
    out, *rest = torch.embedding_bag(w, rows, offsets[:0], mode=2)
    assert out.shape == (0, 2) and [r.numel() for r in rest] == [0, 0, 0]
    out, bag, sizes, _ = torch.embedding_bag(w, rows.int(), offsets.int(), mode=1, padding_idx=-1)
    assert out.tolist() == [[2, 3], [0, 0], [2, 3]] and sizes.tolist() == [2, 0, 1]
    assert bag.dtype is torch.int32
    for mode, error, words in (("sum", TypeError, "must be int, not str"),
                               (3, RuntimeError, "must be sum, mean, or max")):  # fmt: skip
        with pytest.raises(error, match=words):
            torch.embedding_bag(w, rows, offsets, mode=mode)
    with pytest.raises(RuntimeError, match="per_sample_weights only supported with mode='sum'"):
        torch.embedding_bag(w, rows, offsets, mode=1, per_sample_weights=torch.ones(5))


def test_ormqr_refuses_what_does_not_fit():
    """In PyTorch's words."""
    h, tau = torch.geqrf(torch.rand(4, 2))
    o = torch.rand(4, 3)
    for arguments, words in (
        ((h, tau, o[:3]), r"other.shape\[-2\] must be equal to input.shape\[-2\]"),
        ((h, tau, o, False), r"other.shape\[-1\] must be equal to input.shape\[-2\]"),
        ((h, tau[:1], o), r"tau.shape\[-1\] must be equal to min\(other.shape\[-2\]"),
        ((h, tau.double(), o), "input has dtypeFloat and tau has dtype Double"),
        ((h, tau[None], o), "tau.ndim equal to 2 and input.ndim is equal to 2"),
        ((h.expand(2, 4, 2), tau.expand(2, 2), o), "Expected other to have the same number"),
        ((h, tau, o[0]), "other must have at least 2 dimensions"),
    ):
        with pytest.raises(RuntimeError, match=words):
            torch.ormqr(*arguments)
    with pytest.raises(NotImplementedError, match="not implemented for 'Long'"):
        torch.ormqr(h.long(), tau.long(), o.long())
    assert torch.allclose(h.ormqr(tau, torch.eye(4))[:, :2], h.orgqr(tau), atol=1e-6)


def test_interop_threads_are_set_once(monkeypatch):
    """A second time raises, as in PyTorch."""
    monkeypatch.setattr("arraytorch._settings._Settings.interop_threads", 0)
    for value in ("a", True, 0):
        with pytest.raises(RuntimeError, match="set_num_interop_threads expects"):
            torch.set_num_interop_threads(value)
    torch.set_num_interop_threads(3)
    assert torch.get_num_interop_threads() == 3
    with pytest.raises(RuntimeError, match="cannot set number of interop threads after"):
        torch.set_num_interop_threads(3)


def test_warn_always_is_remembered():
    """And takes a bool."""
    torch.set_warn_always(True)
    assert torch.is_warn_always_enabled()
    torch.set_warn_always(False)
    with pytest.raises(RuntimeError, match="expects a bool, but got int"):
        torch.set_warn_always(1)
    assert issubclass(torch.AcceleratorError, RuntimeError)


def test_modes_can_be_cloned():
    """A clone is another switch to the same mode."""
    with torch.no_grad().clone():
        assert not torch.is_grad_enabled()
    assert torch.inference_mode(False).clone().mode is False
    with torch.set_grad_enabled(False).clone() as _:
        assert not torch.is_grad_enabled()
    torch.set_grad_enabled(True)


def test_storages_are_saved_and_loaded():
    """Alone or in containers, beside tensors over the same bytes; parts as copies."""
    x = torch.arange(4.0)
    storage = x.untyped_storage()
    for zipped in (True, False):
        buffer = io.BytesIO()
        saved = {"all": storage, "x": x, "parts": [(storage[4:8],)]}
        torch.save(saved, buffer, _use_new_zipfile_serialization=zipped)
        loaded = torch.load(io.BytesIO(buffer.getvalue()))
        assert type(loaded["all"]) is torch.UntypedStorage and len(loaded["all"]) == 16
        assert loaded["parts"][0][0].tolist() == [0, 0, 128, 63]
        loaded["x"][0] = 5
        assert loaded["all"].tolist()[:4] == [0, 0, 160, 64]
    buffer = io.BytesIO()
    torch.save(storage, buffer)
    assert torch.load(io.BytesIO(buffer.getvalue())).tolist() == storage.tolist()
