"""PyTorch's files are read, and files laid out like them are written."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from collections import Counter, OrderedDict
from pathlib import Path
from typing import Any

import pytest
from checkpoints import (
    ATTRIBUTES,
    EVERY_DTYPE,
    KINDS,
    LEGACY,
    STATE_DICT,
    VIEWS,
    again,
    fixed,
    load,
    record,
    rewritten,
    saved,
)

import arraytorch as torch

# ------------------------------------------------------------------- files that PyTorch has written


def test_state_dict_of_pytorch_is_read() -> None:
    """Order, values, shared memory and the metadata of a state_dict arrive."""
    state = load(STATE_DICT)
    assert type(state) is OrderedDict
    assert list(state) == ["weight", "bias"]
    assert state["weight"].tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    assert state._metadata == OrderedDict({"": {"version": 1}})
    state["bias"][1] = 9.0
    assert state["weight"][0].tolist() == [0.0, 9.0, 2.0]


def test_every_dtype_of_pytorch_is_read() -> None:
    """All element types that both libraries have arrive with their values."""
    tensors = load(EVERY_DTYPE)
    assert len(tensors) == 15
    for name, tensor in tensors.items():
        assert str(tensor.dtype) == f"torch.{name}"
        assert tensor.tolist() == [0, 1]


def _check_views(views: dict[str, Any]) -> None:
    assert views["row"].tolist() == [3.0, 4.0, 5.0]
    assert views["t"].tolist() == [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]
    assert views["t"].stride() == (1, 3)
    assert views["step"].tolist() == [[0.0, 2.0], [3.0, 5.0]]
    assert views["wide"].tolist() == [7.0, 7.0, 7.0]
    assert views["wide"].stride() == (0,)
    assert views["scalar"].shape == ()
    assert views["scalar"].item() == 2.5
    assert views["empty"].shape == (0, 2)
    views["base"][1, 2] = -1.0
    assert [views[k].tolist()[-1] for k in ("row", "t", "step")] == [-1.0, [2.0, -1.0], [3.0, -1.0]]


@pytest.mark.parametrize("data", [VIEWS, LEGACY], ids=["zip", "legacy"])
def test_views_of_pytorch_share_memory_again(data: bytes) -> None:
    """Offsets and strides arrive, and a write to the base is seen in its views."""
    _check_views(load(data))


def test_shared_memory_shares_the_clock_of_in_place_writes() -> None:
    """Backward notices that a loaded tensor was changed through another view of its memory."""
    views = load(VIEWS)
    weight = torch.ones(3, requires_grad=True)
    out = (weight * views["row"]).sum()
    views["base"].add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        out.backward()


def test_other_objects_of_pytorch_are_read() -> None:
    """Parameters, sizes, dtypes, devices and plain Python values arrive."""
    kinds = load(KINDS)
    assert type(kinds["p"]) is torch.nn.Parameter
    assert kinds["p"] is kinds["tied"]
    assert kinds["p"].requires_grad
    assert not kinds["frozen"].requires_grad
    assert kinds["leaf"].is_leaf and kinds["leaf"].requires_grad
    assert kinds["size"] == torch.Size([2, 3])
    assert type(kinds["size"]) is torch.Size
    assert kinds["dtype"] is torch.bfloat16
    assert kinds["device"] == torch.device("cuda", 1)
    assert kinds["conj"].tolist() == [1 - 2j]
    expected = [1, 2**40, 2**70, 1.5, None, True, "ü", b"\xff\x00", {1}, (1, 2, 3, 4), 1j]
    assert kinds["list"] == expected


def test_python_attributes_of_tensors_are_read() -> None:
    """What a user attached to a tensor or a parameter arrives with it."""
    parameter, tensor = load(ATTRIBUTES)
    assert parameter.tag == "note"
    assert tensor.origin == "here"
    parameter, tensor = again([parameter, tensor])
    assert parameter.tag == "note"
    assert tensor.origin == "here"


def test_big_endian_files_are_read() -> None:
    """Bytes in the other order are swapped, each by the size of its elements."""
    swapped = {"byteorder": b"big"}
    with zipfile.ZipFile(io.BytesIO(EVERY_DTYPE)) as archive:
        order = [n for n in archive.namelist() if n.startswith("archive/data/")]
        widths = [
            t.element_size() // (2 if t.is_complex() else 1) for t in load(EVERY_DTYPE).values()
        ]
        for name, width in zip(order, widths, strict=True):
            raw = archive.read(name)
            pieces = [raw[i : i + width][::-1] for i in range(0, len(raw), width)]
            swapped[name.partition("/")[2]] = b"".join(pieces)
    for tensor in load(rewritten(EVERY_DTYPE, swapped)).values():
        assert tensor.tolist() == [0, 1]


def test_files_without_byte_order_are_little_endian() -> None:
    """The record may be left out, as files from before PyTorch 2.1 do."""
    data = saved(torch.arange(3), _disable_byteorder_record=True)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert "archive/byteorder" not in archive.namelist()
    assert load(data).tolist() == [0, 1, 2]


def test_compressed_archives_are_read() -> None:
    """Somebody may have packed the archive anew."""
    _check_views(load(rewritten(VIEWS, {}, zipfile.ZIP_DEFLATED)))


def test_files_written_here_are_laid_out_as_pytorchs() -> None:
    """The pickle is PyTorch's byte for byte, and every storage begins at a multiple of 64."""
    for data in (STATE_DICT, EVERY_DTYPE, VIEWS):
        written = saved(load(data))
        assert record(written, "data.pkl") == record(data, "data.pkl")
        with (
            zipfile.ZipFile(io.BytesIO(data)) as ours,
            zipfile.ZipFile(io.BytesIO(written)) as theirs,
        ):
            assert ours.namelist() == theirs.namelist()
            assert [i.header_offset for i in ours.infolist()] == [
                i.header_offset for i in theirs.infolist()
            ]
        assert len(written) == len(data)


# ------------------------------------------------------------------------------------ round trips


@pytest.mark.parametrize("new", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("data", [VIEWS, LEGACY])
def test_views_survive_a_round_trip(data: bytes, new: bool) -> None:
    """Both formats keep memory shared, whichever format it came from."""
    _check_views(again(load(data), _use_new_zipfile_serialization=new))


@pytest.mark.parametrize("protocol", [1, 2, 3, 4, 5])
def test_every_protocol_is_written_and_read(protocol: int) -> None:
    """Later pickle protocols say the same in other instructions."""
    obj = {"t": torch.arange(3), "set": {1, 2}, "bytes": b"\x00\xff", "text": "ü" * 300, "f": {3}}
    back = again(obj, pickle_protocol=protocol)
    assert back["t"].tolist() == [0, 1, 2]
    assert {k: v for k, v in back.items() if k != "t"} == {k: v for k, v in obj.items() if k != "t"}


def test_protocol_0_is_refused_for_tensors() -> None:
    """That protocol cannot describe storages; PyTorch would write a file that nobody can read."""
    with pytest.raises(pickle.PicklingError, match="protocol 0"):
        saved(torch.ones(1), pickle_protocol=0)


def test_plain_containers_survive() -> None:
    """Nested containers, odd keys and shared objects arrive as they were."""
    shared = [1, 2]
    obj = {
        1: (shared, shared),
        (1, 2): {"a": {2.5: None}},
        "count": Counter("abca"),
        "deep": [[[[]]]],
        "bytes": bytearray(b"x"),
        "frozen": frozenset({1}),
    }
    back = again(obj)
    assert back == obj
    assert back[1][0] is back[1][1]


def test_recursive_containers_survive() -> None:
    """A list that contains itself does so afterwards."""
    obj: list[Any] = [torch.ones(1)]
    obj.append(obj)
    back = again(obj)
    assert back[1] is back


def test_tensor_of_every_layout_survives() -> None:
    """Layouts that PyTorch lacks are written as copies."""
    t = torch.arange(12).reshape(3, 4)
    for view in (t[::-1], t[:, ::-2], t.t(), t[1:, 1:3], t.expand(2, 3, 4), t[:0]):
        assert again(view).tolist() == view.tolist()


def test_views_of_other_types_share_memory() -> None:
    """Beyond PyTorch: a real view of complex numbers stays one."""
    z = torch.tensor([1 + 2j, 3 + 4j])
    back_z, back_r = again([z, torch.view_as_real(z)])
    back_r[0, 1] = 9.0
    assert back_z.tolist() == [1 + 9j, 3 + 4j]


def test_gradients_are_not_saved() -> None:
    """A result comes back as a leaf that asks for gradients."""
    w = torch.ones(2, requires_grad=True)
    back = again(w * 2)
    assert back.requires_grad
    assert back.is_leaf
    assert back.tolist() == [2.0, 2.0]


def test_buffers_survive() -> None:
    """A buffer stays one, with what it says of its module's state_dict."""
    back = again(torch.nn.Buffer(torch.ones(2), persistent=False))
    assert isinstance(back, torch.nn.Buffer)
    assert not back.persistent


def test_meta_tensors_survive() -> None:
    """Shape and dtype are all that a meta tensor has."""
    back = again(torch.empty(2, 3, dtype=torch.int16, device="meta"))
    assert (back.shape, back.dtype, back.device.type) == ((2, 3), torch.int16, "meta")


def test_module_state_survives() -> None:
    """A model continues from the file with the numbers that it had."""
    make = lambda: torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    model, other = make(), make()
    model(torch.randn(8, 3))
    result = other.load_state_dict(again(model.state_dict()))
    assert not result.missing_keys and not result.unexpected_keys
    x = torch.randn(5, 3)
    assert torch.equal(model.eval()(x), other.eval()(x))


# --------------------------------------------------------------------------- files and positions


def test_paths_and_files(tmp_path: Path) -> None:
    """Text, Path objects and open files do alike."""
    path = tmp_path / "model.v1.pt"
    for target in (str(path), path):
        torch.save(torch.arange(2), target)
        assert torch.load(target).tolist() == [0, 1]
    with zipfile.ZipFile(path) as archive:
        assert "model.v1/data.pkl" in archive.namelist()
    with path.open("wb") as file:
        torch.save(torch.arange(3), file)
    with path.open("rb") as file:
        assert torch.load(file).tolist() == [0, 1, 2]


def test_legacy_files_follow_each_other() -> None:
    """The old format ends where it ends: several fit into one file."""
    buffer = io.BytesIO()
    for i in range(3):
        torch.save(torch.full((2,), i), buffer, _use_new_zipfile_serialization=False)
    buffer.seek(0)
    assert [torch.load(buffer).tolist() for _ in range(3)] == [[0, 0], [1, 1], [2, 2]]


def test_a_failed_save_leaves_the_old_file(tmp_path: Path) -> None:
    """Neither an object that cannot be pickled nor an error while writing harms what was there."""
    path = tmp_path / "model.pt"
    torch.save({"a": 1}, path)
    with pytest.raises((pickle.PicklingError, AttributeError)):
        torch.save({"t": torch.ones(3), "f": lambda: 0}, path)
    assert torch.load(path) == {"a": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["model.pt"]


def test_a_failed_save_writes_nothing_to_a_file_object() -> None:
    """Pickling comes first."""
    buffer = io.BytesIO()
    with pytest.raises((pickle.PicklingError, AttributeError)):
        torch.save([torch.ones(3), lambda: 0], buffer)
    assert buffer.getvalue() == b""


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions and links")
def test_save_keeps_permissions_and_links(tmp_path: Path) -> None:
    """A replaced file keeps its mode, and a link keeps its target."""
    real, link = tmp_path / "real.pt", tmp_path / "link.pt"
    torch.save(1, real)
    real.chmod(0o640)
    link.symlink_to(real)
    torch.save(2, link)
    assert link.is_symlink()
    assert torch.load(real) == 2
    assert real.stat().st_mode & 0o777 == 0o640


def test_save_says_what_is_wrong_with_the_target(tmp_path: Path) -> None:
    """A missing folder, a folder, and something that is no file at all."""
    with pytest.raises(RuntimeError, match=r"Parent directory .* does not exist"):
        torch.save(1, tmp_path / "missing" / "x.pt")
    with pytest.raises(OSError):
        torch.save(1, tmp_path)
    with pytest.raises(AttributeError, match="expected 'f' to be string, path, or a file-like"):
        torch.save(1, None)


def test_load_needs_a_seekable_file() -> None:
    """The message says what to do."""

    class Pipe(io.RawIOBase):
        def readable(self) -> bool:
            return True

    with pytest.raises(io.UnsupportedOperation, match="pre-load the data into a buffer"):
        torch.load(Pipe())


def test_mapped_files_are_not_changed(tmp_path: Path) -> None:
    """With mmap, tensors can be written to, and the file stays what it was."""
    path = tmp_path / "x.pt"
    torch.save([torch.arange(4), torch.ones(2)], path)
    before = path.read_bytes()
    first, second = torch.load(path, mmap=True)
    first.add_(1)
    assert first.tolist() == [1, 2, 3, 4]
    assert second.tolist() == [1.0, 1.0]
    assert path.read_bytes() == before
    assert len(saved(first)) < 2000
    with pytest.raises(ValueError, match=r"must be a file path"):
        torch.load(io.BytesIO(before), mmap=True)
    torch.save(1, path, _use_new_zipfile_serialization=False)
    with pytest.raises(RuntimeError, match="mmap can only be used"):
        torch.load(path, mmap=True)


# ------------------------------------------------------------------------------------ map_location


def _from_cuda() -> bytes:
    pickled = record(STATE_DICT, "data.pkl").replace(b"X\3\0\0\0cpu", b"X\6\0\0\0cuda:0")
    return rewritten(STATE_DICT, {"data.pkl": pickled})


@pytest.mark.parametrize(
    "where",
    [
        "cpu",
        torch.device("cpu"),
        {"cuda:0": "cpu"},
        lambda storage, tag: storage,
        lambda storage, tag: storage.cpu() if tag == "cuda:0" else None,
    ],
    ids=["string", "device", "dict", "as is", "function"],
)
def test_map_location_brings_tensors_here(where: Any) -> None:
    """Tensors from a device that is missing can be sent elsewhere in every way."""
    state = load(_from_cuda(), map_location=where)
    assert state["weight"].device.type == "cpu"
    assert state["weight"].tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]


def test_a_missing_device_is_named() -> None:
    """The message tells how to load the file nevertheless."""
    data = _from_cuda().replace(b"cuda:0", b"xpu:77")
    with pytest.raises(RuntimeError, match=r"(?s)'xpu:77', which is not available.*map_location"):
        load(fixed(data))


def test_map_location_to_meta_keeps_shapes_only() -> None:
    """Nothing but shape and dtype is made."""
    state = load(STATE_DICT, map_location="meta")
    assert (state["weight"].device.type, state["weight"].shape) == ("meta", (2, 3))


def test_map_location_must_make_sense() -> None:
    """Neither a number of another kind nor a function of the wrong result passes."""
    with pytest.raises(TypeError, match="map_location must be"):
        load(STATE_DICT, map_location=1.5)
    with pytest.raises(TypeError, match="must return a storage or None"):
        load(STATE_DICT, map_location=lambda storage, tag: "cpu")
