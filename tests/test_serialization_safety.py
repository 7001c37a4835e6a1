"""Loading runs nothing that a file names, and notices damage."""

from __future__ import annotations

import io
import json
import os
import pickle
import zipfile
from collections import OrderedDict
from typing import Any

import pytest
from checkpoints import (
    KINDS,
    LEGACY,
    STATE_DICT,
    fixed,
    load,
    record,
    rewritten,
    saved,
    with_pickle,
)

import arraytorch as torch

# ------------------------------------------------------------------------- files that do mischief


class _Calls:
    """Pickles as a call of something."""

    def __init__(self, function: Any, *args: Any) -> None:
        self.call = function, args

    def __reduce__(self) -> Any:
        return self.call


_ran: list[str] = []


def _run(*args: Any) -> None:
    _ran.append("ran")


_GLOBAL = b"\x80\x02c%s\n%s\n"
MISCHIEF = {
    "os.system": pickle.dumps(_Calls(os.system, "true"), 2),
    "eval": pickle.dumps(_Calls(eval, "1"), 2),
    "exec": pickle.dumps(_Calls(exec, "1"), 4),
    "getattr": pickle.dumps(_Calls(getattr, [], "append"), 2),
    "own function": pickle.dumps(_Calls(_run, 1), 2),
    "nested": pickle.dumps([{"a": (1, {"b": [_Calls(_run)]})}], 2),
    "as a key": pickle.dumps({_Calls(_run): 1}, 2),
    "as an argument": pickle.dumps(_Calls(OrderedDict, [(1, _Calls(_run))]), 2),
    "old instance": b"(i%b\n_run\n." % __name__.encode(),
    "object": b"(c%b\n_run\no." % __name__.encode(),
    "extension": b"\x80\x02\x82\x01.",
    "text persistent id": b"Pstorage\n.",
    "call of text": b"\x80\x02X\x04\0\0\0eval)R.",
    "call of a dtype": b"\x80\x02ctorch\nfloat32\n)R.",
    "call of Tensor": b"\x80\x02ctorch\nTensor\n)R.",
    "call of a method": b"\x80\x02ccollections\nOrderedDict.fromkeys\n)R.",
    "call without a tuple": b"\x80\x02ccollections\nOrderedDict\n]R.",
    "huge bytearray": b"\x80\x02c__builtin__\nbytearray\nJ\xff\xff\xff\x7f\x85R.",
    "import by codec": b"\x80\x02c_codecs\nencode\nX\1\0\0\0aX\3\0\0\0rot\x86R.",
    "new object of a function": b"\x80\x02c_codecs\nencode\n)\x81.",
    "new tensor": b"\x80\x02ctorch\nTensor\n)\x81.",
    "state of a list": b"\x80\x02]}X\1\0\0\0aK\1sb.",
    "state of a dtype": b"\x80\x02ctorch\nfloat32\n}X\4\0\0\0nameK\1sb.",
    "state of a class": b"\x80\x02ccollections\nOrderedDict\n}X\5\0\0\0itemsK\1sb.",
    "replaced method": b"\x80\x02ccollections\nOrderedDict\n)R}X\5\0\0\0itemsK\1sb.",
    "replaced class": b"\x80\x02ccollections\nOrderedDict\n)R}X\x09\0\0\0__class__K\1sb.",
    "slots": b"\x80\x02ccollections\nOrderedDict\n)RN}X\5\0\0\0itemsK\1s\x86b.",
    "items of a class": b"\x80\x02ccollections\nOrderedDict\nK\1K\2s.",
    "tensor of another call": (
        b"\x80\x02ctorch._tensor\n_rebuild_from_type_v2\n(ctorch\ndevice\nctorch\nTensor\n"
        b"X\3\0\0\0cpu\x85}tR."
    ),
    "tensor of another type": (
        b"\x80\x02ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._utils\n_rebuild_tensor_v2\n"
        b"ccollections\nOrderedDict\n)}tR."
    ),
    "storage of a class": b"\x80\x02(X\7\0\0\0storageccollections\nOrderedDict\nX\1\0\0\0"
    b"0X\3\0\0\0cpuK\1tQ.",
    "no storage": b"\x80\x02X\6\0\0\0module\x85Q.",
    "empty": b"",
    "no end": b"\x80\x02]",
    "empty stack": b"\x80\x02.",
    "no mark": b"\x80\x02t.",
    "no memo": b"\x80\x02h\x05.",
    "unknown protocol": b"\x80\x09N.",
    "unhashable key": b"\x80\x02}]K\1s.",
}


@pytest.mark.parametrize("weights_only", [None, True, False])
@pytest.mark.parametrize("pickled", MISCHIEF.values(), ids=MISCHIEF.keys())
def test_mischief_is_refused(pickled: bytes, weights_only: bool | None) -> None:
    """No pickle calls, imports or changes anything but what is on the list."""
    _ran.clear()
    with pytest.raises(pickle.UnpicklingError):
        load(with_pickle(pickled), weights_only=weights_only)
    assert not _ran


@pytest.mark.parametrize("pickled", [MISCHIEF["own function"], MISCHIEF["nested"]])
def test_mischief_in_the_old_format_is_refused(pickled: bytes) -> None:
    """Also where PyTorch's old format keeps its magic number, and in the object itself."""
    head = saved(1, _use_new_zipfile_serialization=False)
    end = head.rindex(b"\x80\x02K\x01.")
    for data in (pickled, head[:end] + pickled + pickle.dumps([], 2)):
        _ran.clear()
        with pytest.raises(pickle.UnpicklingError):
            load(data)
        assert not _ran


def test_refusal_names_the_global_and_the_way_out() -> None:
    """The message tells what was refused and how to allow it."""
    with pytest.raises(pickle.UnpicklingError) as caught:
        load(with_pickle(MISCHIEF["own function"]))
    name = f"{__name__}._run"
    assert f"GLOBAL {name} was not an allowed global" in str(caught.value)
    assert f"serialization.add_safe_globals([{name}])" in str(caught.value)


def test_tensors_cannot_reach_beyond_their_storage() -> None:
    """Sizes, strides and offsets of a file are checked before memory is touched."""
    pickled = record(STATE_DICT, "data.pkl")
    assert pickled.count(b"K\x00K\x02K\x03\x86") == 1  # offset 0, size (2, 3)
    for forged in (b"K\x01K\x02K\x03\x86", b"K\x00K\x02K\x04\x86", b"K\x00K\xffK\xff\x86"):
        bad = pickled.replace(b"K\x00K\x02K\x03\x86", forged)
        with pytest.raises(pickle.UnpicklingError, match=r"beyond its storage"):
            load(rewritten(STATE_DICT, {"data.pkl": bad}))
    negative = pickled.replace(b"K\x00K\x02K\x03\x86", b"J\xff\xff\xff\xffK\x02K\x03\x86")
    with pytest.raises(pickle.UnpicklingError, match="is no number"):
        load(rewritten(STATE_DICT, {"data.pkl": negative}))


def test_storages_must_be_as_large_as_promised() -> None:
    """A file cannot make the reader ask for memory that it does not fill."""
    pickled = record(STATE_DICT, "data.pkl").replace(b"K\x06t", b"J\xff\xff\xff\x7ft", 1)
    with pytest.raises(RuntimeError, match="are needed"):
        load(rewritten(STATE_DICT, {"data.pkl": pickled}))


class Config:
    """A class of a user's own."""

    def __init__(self, size: int) -> None:
        self.size = size


def test_users_allow_their_own_classes() -> None:
    """What is on the user's list is made, for as long as it is on it."""
    data = saved({"config": Config(3), "weights": torch.ones(1)})
    with pytest.raises(pickle.UnpicklingError, match="Config"):
        load(data)
    with torch.serialization.safe_globals([Config]):
        assert torch.serialization.get_safe_globals() == [Config]
        assert load(data)["config"].size == 3
    with pytest.raises(pickle.UnpicklingError, match="Config"):
        load(data)
    renamed = data.replace(b"Config", b"Former")
    torch.serialization.add_safe_globals([(Config, f"{__name__}.Former")])
    try:
        assert load(fixed(renamed))["config"].size == 3
    finally:
        torch.serialization.clear_safe_globals()
    assert torch.serialization.get_safe_globals() == []


def test_some_modules_are_never_allowed() -> None:
    """Not even a user's wish lets a file call the operating system."""
    with torch.serialization.safe_globals([os.system]):
        with pytest.raises(pickle.UnpicklingError, match="is blocked"):
            load(with_pickle(MISCHIEF["os.system"]))


def test_unsafe_globals_are_listed_without_loading() -> None:
    """A file can be asked what it would need."""
    _ran.clear()
    names = torch.serialization.get_unsafe_globals_in_checkpoint
    assert names(io.BytesIO(with_pickle(MISCHIEF["nested"]))) == [f"{__name__}._run"]
    assert names(io.BytesIO(KINDS)) == []
    assert not _ran
    with pytest.raises(ValueError, match=r"torch.save"):
        names(io.BytesIO(LEGACY))


def test_other_pickle_modules_are_refused() -> None:
    """Neither direction uses a module that would run code."""
    with pytest.raises(RuntimeError, match="explicit pickle_module"):
        load(STATE_DICT, pickle_module=pickle, weights_only=True)
    assert load(STATE_DICT, pickle_module=pickle)
    assert load(STATE_DICT, pickle_module=pickle, weights_only=False)
    with pytest.raises(RuntimeError, match="no other module"):
        load(STATE_DICT, pickle_module=json, weights_only=False)
    with pytest.raises(RuntimeError, match="cannot use json"):
        saved(1, pickle_module=json)
    with pytest.raises(TypeError, match="unexpected keyword argument 'nonsense'"):
        load(STATE_DICT, nonsense=1)


# ------------------------------------------------------------------------------------ damaged files


@pytest.mark.parametrize("data", [STATE_DICT, LEGACY], ids=["zip", "legacy"])
def test_every_truncation_is_noticed(data: bytes) -> None:
    """However a file is cut off, the error says that it is."""
    for length in range(0, len(data) - 1, 7):
        with pytest.raises((RuntimeError, pickle.UnpicklingError, EOFError)):
            load(data[:length])


def test_a_flipped_bit_is_noticed() -> None:
    """Checksums are compared, and so is the structure; what is read is never wrong."""
    for position in range(40, len(STATE_DICT), 11):
        damaged = bytearray(STATE_DICT)
        damaged[position] ^= 4
        try:
            state = load(bytes(damaged))
        except (RuntimeError, pickle.UnpicklingError):
            continue
        assert state["weight"].tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]


def test_errors_name_what_is_damaged() -> None:
    """A wrong checksum, a missing record, no checkpoint, no file."""
    at = STATE_DICT.index(b"\x00\x00\x80\x3f\x00\x00\x00\x40")
    damaged = STATE_DICT[:at] + b"\x01" + STATE_DICT[at + 1 :]
    with pytest.raises(RuntimeError, match="record 'data/0' is damaged: its checksum is wrong"):
        load(damaged)
    with pytest.raises(RuntimeError, match=r"'data.pkl'"):
        load(rewritten(STATE_DICT, {}).replace(b"data.pkl", b"date.pkl"))
    with pytest.raises(RuntimeError, match=r"not a whole zip archive"):
        load(b"PK\3\4 and no more")
    with pytest.raises(RuntimeError, match="Invalid magic number; corrupt file"):
        load(pickle.dumps(1, 2))
    with pytest.raises(EOFError, match="empty"):
        load(b"")
    with pytest.raises(FileNotFoundError):
        torch.load("there/is/no/such/file.pt")


def test_checkpoints_without_checksums_are_read() -> None:
    """PyTorch can be told to leave them out, and then writes zeros."""
    data = STATE_DICT
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for info in archive.infolist():
            data = data.replace(info.CRC.to_bytes(4, "little"), bytes(4))
    assert load(data)["bias"].tolist() == [0.0, 1.0, 2.0]


def test_python_2_strings_follow_the_encoding() -> None:
    """Byte strings of Python 2 are text in the given encoding, or stay bytes."""
    pickled = with_pickle(b"\x80\x02U\x02\xc3\xbc.")
    assert load(pickled) == "ü"
    assert load(pickled, encoding="latin1") == "Ã¼"
    assert load(pickled, encoding="bytes") == b"\xc3\xbc"
