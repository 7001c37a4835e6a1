"""``torch.testing``: PyTorch's words about what differs, and its numbers."""

from __future__ import annotations

import numpy as np
import pytest

import arraytorch as torch
from arraytorch.testing import assert_close, make_tensor

t = torch.tensor
nan = float("nan")


@pytest.mark.parametrize(
    ("actual", "expected", "options"),
    [
        (t([1.0, 2.0]), t([1.0, 2.0 + 1e-6]), {}),
        (t([nan]), t([nan]), {"equal_nan": True}),
        (nan, nan, {"equal_nan": True}),
        ((1, 2.0, None, True), [1, 2.0, None, True], {}),
        ({"a": t([1.0]), "b": [1j]}, {"b": [1j], "a": t([1.0])}, {}),
        (np.ones(2), np.ones(2), {}),
        (torch.empty(2, device="meta"), torch.empty(2, device="meta"), {}),
        (t([1.0]), t([1.0], dtype=torch.float64), {"check_dtype": False}),
        (torch.nn.Parameter(t([1.0])), t([1.0]), {}),
        (torch.zeros(0), torch.zeros(0), {}),
        ([], [], {}),
        (1, 1.0, {"check_dtype": False}),
    ],
)
def test_close(actual, expected, options):
    """What is close passes."""
    assert_close(actual, expected, **options)


TENSORS = "Tensor-likes are not {}!\n\nMismatched elements: {}\nGreatest absolute difference: {}\nGreatest relative difference: {}"
SCALARS = "Scalars are not {}!\n\nExpected {} but got {}.\nAbsolute difference: {}\nRelative difference: {}"


@pytest.mark.parametrize(
    ("actual", "expected", "options", "words"),
    [
        (t([1.0, 2.0, 3.0]), t([1.0, 2.0, 4.0]), {}, TENSORS.format(
            "close", "1 / 3 (33.3%)", "1.0 at index (2,) (up to 1e-05 allowed)",
            "0.25 at index (2,) (up to 1.3e-06 allowed)")),
        (t([1, 2, 3]), t([1, 2, 4]), {}, TENSORS.format(
            "equal", "1 / 3 (33.3%)", "1 at index (2,)", "0.25 at index (2,)")),
        (t([True, False]), t([True, True]), {}, TENSORS.format(
            "equal", "1 / 2 (50.0%)", "1 at index (1,)", "1.0 at index (1,)")),
        (t([255], dtype=torch.uint8), t([0], dtype=torch.uint8), {}, TENSORS.format(
            "equal", "1 / 1 (100.0%)", "255 at index (0,)", "inf at index (0,)")),
        (t([float("inf"), 1.0]), t([1.0, float("inf")]), {}, TENSORS.format(
            "close", "2 / 2 (100.0%)", "inf at index (0,) (up to 1e-05 allowed)",
            "nan at index (1,) (up to 1.3e-06 allowed)")),
        (torch.ones(2, 2), torch.zeros(2, 2), {"rtol": 0, "atol": 0}, TENSORS.format(
            "equal", "4 / 4 (100.0%)", "1.0 at index (0, 0)", "inf at index (0, 0)")),
        (t([1.0], dtype=torch.bfloat16), t([1.1], dtype=torch.bfloat16), {}, TENSORS.format(
            "close", "1 / 1 (100.0%)", "0.1015625 at index (0,) (up to 1e-05 allowed)",
            "0.09228515625 at index (0,) (up to 0.016 allowed)")),
        (t(1.0), t(2.0), {}, SCALARS.format(
            "close", 2.0, 1.0, "1.0 (up to 1e-05 allowed)", "0.5 (up to 1.3e-06 allowed)")),
        (1, 2, {}, SCALARS.format("equal", 2, 1, 1, 0.5)),
        (1 + 2j, 1 + 3j, {}, SCALARS.format("close", "(1+3j)", "(1+2j)",
            "1.0 (up to 1e-07 allowed)", "0.31622776601683794 (up to 1e-07 allowed)")),
        (nan, nan, {}, SCALARS.format("close", nan, nan, "nan (up to 1e-07 allowed)",
            "nan (up to 1e-07 allowed)")),
        ({"a": {"x": [1, 2]}}, {"a": {"x": [1, 3]}}, {}, SCALARS.format(
            "equal", 3, 2, 1, 0.3333333333333333)
            + "\n\nThe failure occurred for item ['a']['x'][1]"),
        (1, 2.0, {}, "The (d)types do not match: <class 'int'> != <class 'float'>."),
        (True, False, {}, "Booleans mismatch: True is not False"),
        (None, t(1.0), {}, "None mismatch: None is not 1.0"),
        ([1, 2], [1, 2, 3], {}, "The length of the sequences mismatch: 2 != 3"),
        ({"a": 1, "b": 2}, {"a": 1, "c": 2}, {}, "The keys of the mappings do not match:\nMissing "
            "keys in the actual mapping: ['c']\nAdditional keys in the actual mapping: ['b']"),
        (t([1.0]), t([1.0, 2.0]), {}, "The values for attribute 'shape' do not match: "
            "torch.Size([1]) != torch.Size([2])."),
        (t([1.0]), t([1]), {}, "The values for attribute 'dtype' do not match: torch.float32 != "
            "torch.int64."),
        (t([1.0]), torch.ones(1, device="meta"), {}, "The values for attribute 'device' do not "
            "match: cpu != meta."),
        (torch.ones(2, 2), torch.ones(2, 2).T, {"check_stride": True}, "The values for attribute "
            "'stride()' do not match: (2, 1) != (1, 2)."),
        (1, 2, {"msg": "mine"}, "mine"),
        (True, False, {"msg": lambda text: "so: " + text}, "so: Booleans mismatch: True is not False"),
    ],
)  # fmt: skip
def test_apart(actual, expected, options, words):
    """What is not raises AssertionError, with PyTorch's words."""
    with pytest.raises(AssertionError) as found:
        assert_close(actual, expected, **options)
    assert str(found.value) == words


@pytest.mark.parametrize(
    ("actual", "expected"),
    [("a", "a"), (t(1.0), 1.0), ([1.0], t([1.0])), ({1}, {1}), (np.ones(1), t([1.0])), (t, t)],
)
def test_what_cannot_be_compared(actual, expected):
    """Values of unlike kinds, and kinds that are unknown, raise TypeError."""
    with pytest.raises(TypeError, match="No comparison pair was able to handle inputs of type"):
        assert_close(actual, expected)


def test_arguments():
    """Tolerances come together; subclasses can be refused."""
    with pytest.raises(ValueError, match="Both 'rtol' and 'atol' must be either specified or om"):
        assert_close(1.0, 1.0, rtol=0.1)
    with pytest.raises(TypeError, match="No comparison pair"):
        assert_close(torch.nn.Parameter(t([1.0])), t([1.0]), allow_subclasses=False)


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"dtype": torch.float32}, [-0.0674, 4.8280, -7.4074]),
        ({"dtype": torch.float64}, [8.4610, 3.7408, -0.7311]),
        ({"dtype": torch.int64}, [6, -5, -9]),
        ({"dtype": torch.uint8}, [4, 9, 3]),
        ({"dtype": torch.bool}, [False, True, True]),
        ({"dtype": torch.bfloat16}, [-0.0674, 4.8125, -7.4062]),
        ({"dtype": torch.complex64}, [-0.0674 + 4.8280j, -7.4074 - 6.6235j, -3.4664 + 2.4134j]),
        ({"dtype": torch.float32, "noncontiguous": True}, [4.8280, -6.6235, 2.4134]),
        ({"dtype": torch.float32, "high": 20}, [5.3914, 13.2784, -6.4342]),
        ({"dtype": torch.int64, "low": 1.5, "high": 3.5}, [2, 3, 3]),
        ({"dtype": torch.float16, "low": -1e9, "high": 1e9}, [-490.5, 35136.0, -53920.0]),
        ({"dtype": torch.int64, "low": 0, "high": 2, "exclude_zero": True}, [1, 1, 1]),
    ],
)
def test_make_tensor(options, wanted):
    """The numbers are PyTorch's."""
    torch.manual_seed(0)
    found = make_tensor(3, device="cpu", **options)
    assert found.dtype is options["dtype"]
    assert found.is_contiguous() is not options.get("noncontiguous", False)
    assert found.tolist() == pytest.approx(wanted, abs=1e-4)


def test_make_tensor_of_shapes():
    """Shapes are given as they come; gradients and memory formats as asked for."""
    kind = {"dtype": torch.float32, "device": "cpu"}
    assert make_tensor((2, 3), **kind).shape == make_tensor(2, 3, **kind).shape == (2, 3)
    assert make_tensor(**kind).shape == make_tensor((), **kind).shape == ()
    assert make_tensor(2, requires_grad=True, **kind).requires_grad
    images = make_tensor(2, 3, 4, 5, memory_format=torch.channels_last, **kind)
    assert images.stride() == (60, 1, 15, 3)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"dtype": torch.int64, "requires_grad": True}, "not supported for boolean and integral"),
        (
            {"dtype": torch.float32, "low": 2, "high": 1},
            "`low` must be less than `high`, but got 2",
        ),
        (
            {"dtype": torch.float32, "low": nan},
            "`low` and `high` cannot be NaN, but got low=nan and",
        ),
        (
            {"dtype": torch.uint8, "low": 300, "high": 400},
            r"but torch.uint8 only supports \[0, 256\)",
        ),
        (
            {"dtype": torch.float32, "noncontiguous": True, "memory_format": torch.channels_last},
            "are mutually exclusive",
        ),
    ],
)
def test_make_tensor_errors(options, words):
    """PyTorch's class and words."""
    with pytest.raises(ValueError, match=words):
        make_tensor(5, device="cpu", **options)


def test_make_tensor_of_one_number():
    """Equal bounds are deprecated."""
    with pytest.warns(FutureWarning, match="Passing `low==high`"):
        assert make_tensor(2, dtype=torch.float32, device="cpu", low=2, high=2).tolist() == [2, 2]
