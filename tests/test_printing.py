"""The text of tensors: literals recorded from PyTorch 2.13, and what is not PyTorch's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import inf, nan
from typing import Any

import pytest

import arraytorch as torch
from arraytorch._printing import printoptions, tensor_html, tensor_str


@pytest.fixture(autouse=True)
def _usual_options() -> Iterator[None]:
    """Undoes what a test sets."""
    yield
    torch.set_printoptions(profile="default")


Make = Callable[[], Any]
RECORDED: list[tuple[Make, str]] = [
    (lambda: torch.tensor(1), "tensor(1)"),
    (lambda: torch.tensor(-7, dtype=torch.int8), "tensor(-7, dtype=torch.int8)"),
    (lambda: torch.tensor(1.0), "tensor(1.)"),
    (lambda: torch.tensor(0.1), "tensor(0.1000)"),
    (lambda: torch.tensor(-0.0), "tensor(-0.)"),
    (lambda: torch.tensor(1e-5), "tensor(1.0000e-05)"),
    (lambda: torch.tensor(123456.789), "tensor(123456.7891)"),
    (lambda: torch.tensor(1e9), "tensor(1.0000e+09)"),
    (lambda: torch.tensor(nan), "tensor(nan)"),
    (lambda: torch.tensor(True), "tensor(True)"),
    (lambda: torch.tensor(1 + 2j), "tensor(1.+2.j)"),
    (lambda: torch.tensor(1 - 0j), "tensor(1.+0.j)"),
    (lambda: torch.tensor([]), "tensor([])"),
    (lambda: torch.tensor([], dtype=torch.int64), "tensor([], dtype=torch.int64)"),
    (lambda: torch.tensor([], dtype=torch.bool), "tensor([], dtype=torch.bool)"),
    (lambda: torch.zeros(0, 3), "tensor([], size=(0, 3))"),
    (
        lambda: torch.zeros(2, 0, dtype=torch.float64),
        "tensor([], size=(2, 0), dtype=torch.float64)",
    ),
    (lambda: torch.tensor([1, 2, 300]), "tensor([  1,   2, 300])"),
    (
        lambda: torch.tensor([-1, 20, 3], dtype=torch.int32),
        "tensor([-1, 20,  3], dtype=torch.int32)",
    ),
    (lambda: torch.tensor([1, 255], dtype=torch.uint8), "tensor([  1, 255], dtype=torch.uint8)"),
    (lambda: torch.tensor([True, False]), "tensor([ True, False])"),
    (lambda: torch.tensor([1.0, 2.0, 3.0]), "tensor([1., 2., 3.])"),
    (lambda: torch.tensor([1.0, 2.5, -3.25]), "tensor([ 1.0000,  2.5000, -3.2500])"),
    (lambda: torch.tensor([0.0, 0.0]), "tensor([0., 0.])"),
    (lambda: torch.tensor([0.0, 1e-8]), "tensor([0.0000e+00, 1.0000e-08])"),
    (lambda: torch.tensor([1e-5, 1.0]), "tensor([1.0000e-05, 1.0000e+00])"),
    (lambda: torch.tensor([1.5, 1500.0]), "tensor([   1.5000, 1500.0000])"),
    (lambda: torch.tensor([1.5, 1501.5]), "tensor([1.5000e+00, 1.5015e+03])"),
    (lambda: torch.tensor([1.0, 100000.0]), "tensor([1.0000e+00, 1.0000e+05])"),
    (
        lambda: torch.tensor([1.0, 1000.0, 1000000.0]),
        "tensor([1.0000e+00, 1.0000e+03, 1.0000e+06])",
    ),
    (lambda: torch.tensor([1e8, 1.0]), "tensor([1.0000e+08, 1.0000e+00])"),
    (lambda: torch.tensor([2e8, 2e8]), "tensor([2.0000e+08, 2.0000e+08])"),
    (lambda: torch.tensor([0.0001, 0.0002]), "tensor([1.0000e-04, 2.0000e-04])"),
    (lambda: torch.tensor([0.00009, 0.0002]), "tensor([9.0000e-05, 2.0000e-04])"),
    (lambda: torch.tensor([1.0, nan, inf]), "tensor([1., nan, inf])"),
    (lambda: torch.tensor([1.5, -inf, nan, 0.0]), "tensor([1.5000,   -inf,    nan, 0.0000])"),
    (lambda: torch.tensor([nan, nan]), "tensor([nan, nan])"),
    (lambda: torch.tensor([inf, -inf]), "tensor([inf, -inf])"),
    (lambda: torch.tensor([1e-10, inf]), "tensor([1.0000e-10,        inf])"),
    (
        lambda: torch.tensor([1.5, 2.5], dtype=torch.float64),
        "tensor([1.5000, 2.5000], dtype=torch.float64)",
    ),
    (
        lambda: torch.tensor([1.5, 2.5], dtype=torch.float16),
        "tensor([1.5000, 2.5000], dtype=torch.float16)",
    ),
    (
        lambda: torch.tensor([0.1, 1000.0], dtype=torch.bfloat16),
        "tensor([1.0010e-01, 1.0000e+03], dtype=torch.bfloat16)",
    ),
    (lambda: torch.tensor([65504.0], dtype=torch.float16), "tensor([65504.], dtype=torch.float16)"),
    (
        lambda: torch.tensor([1e300, 1e-300], dtype=torch.float64),
        "tensor([1.0000e+300, 1.0000e-300], dtype=torch.float64)",
    ),
    (
        lambda: torch.tensor([5e-324], dtype=torch.float64),
        "tensor([4.9407e-324], dtype=torch.float64)",
    ),
    (lambda: torch.tensor([1 + 2j, -3.5 - 0.25j]), "tensor([ 1.0000+2.0000j, -3.5000-0.2500j])"),
    (lambda: torch.tensor([1e6 + 1j, 2e-3j]), "tensor([1000000.+1.0000j,       0.+0.0020j])"),
    (lambda: torch.tensor([complex(nan, inf), complex(0.0, -0.0)]), "tensor([nan+infj, 0.-0.j])"),
    (
        lambda: torch.tensor([1 + 2j], dtype=torch.complex128),
        "tensor([1.+2.j], dtype=torch.complex128)",
    ),
    (
        lambda: torch.tensor([[1 + 1j, 2 - 2j], [3 + 0j, 4j]]),
        ("tensor([[1.+1.j, 2.-2.j],\n        [3.+0.j, 0.+4.j]])"),
    ),
    (
        lambda: torch.arange(20),
        (
            "tensor([ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15, 16, 17,\n"
            "        18, 19])"
        ),
    ),
    (
        lambda: torch.arange(30),
        (
            "tensor([ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15, 16, 17,\n"
            "        18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29])"
        ),
    ),
    (
        lambda: torch.arange(12).reshape(3, 4),
        ("tensor([[ 0,  1,  2,  3],\n        [ 4,  5,  6,  7],\n        [ 8,  9, 10, 11]])"),
    ),
    (
        lambda: torch.arange(24).reshape(2, 3, 4),
        (
            "tensor([[[ 0,  1,  2,  3],\n"
            "         [ 4,  5,  6,  7],\n"
            "         [ 8,  9, 10, 11]],\n"
            "\n"
            "        [[12, 13, 14, 15],\n"
            "         [16, 17, 18, 19],\n"
            "         [20, 21, 22, 23]]])"
        ),
    ),
    (
        lambda: torch.arange(16).reshape(2, 2, 2, 2),
        (
            "tensor([[[[ 0,  1],\n"
            "          [ 2,  3]],\n"
            "\n"
            "         [[ 4,  5],\n"
            "          [ 6,  7]]],\n"
            "\n"
            "\n"
            "        [[[ 8,  9],\n"
            "          [10, 11]],\n"
            "\n"
            "         [[12, 13],\n"
            "          [14, 15]]]])"
        ),
    ),
    (
        lambda: torch.arange(6.0).reshape(2, 3).t(),
        ("tensor([[0., 3.],\n        [1., 4.],\n        [2., 5.]])"),
    ),
    (
        lambda: torch.tensor([[1.5, 22.25], [-333.125, 4.0]]),
        ("tensor([[   1.5000,   22.2500],\n        [-333.1250,    4.0000]])"),
    ),
    (lambda: torch.tensor([[True], [False]]), ("tensor([[ True],\n        [False]])")),
    (lambda: torch.zeros(1, 1, 1), "tensor([[[0.]]])"),
    (
        lambda: torch.zeros(1000)[:40],
        (
            "tensor([0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.,\n"
            "        0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.])"
        ),
    ),
    (lambda: torch.arange(1001), "tensor([   0,    1,    2,  ...,  998,  999, 1000])"),
    (
        lambda: torch.arange(2000.0).reshape(40, 50),
        (
            "tensor([[0.0000e+00, 1.0000e+00, 2.0000e+00,  ..., 4.7000e+01, 4.8000e+01,\n"
            "         4.9000e+01],\n"
            "        [5.0000e+01, 5.1000e+01, 5.2000e+01,  ..., 9.7000e+01, 9.8000e+01,\n"
            "         9.9000e+01],\n"
            "        [1.0000e+02, 1.0100e+02, 1.0200e+02,  ..., 1.4700e+02, 1.4800e+02,\n"
            "         1.4900e+02],\n"
            "        ...,\n"
            "        [1.8500e+03, 1.8510e+03, 1.8520e+03,  ..., 1.8970e+03, 1.8980e+03,\n"
            "         1.8990e+03],\n"
            "        [1.9000e+03, 1.9010e+03, 1.9020e+03,  ..., 1.9470e+03, 1.9480e+03,\n"
            "         1.9490e+03],\n"
            "        [1.9500e+03, 1.9510e+03, 1.9520e+03,  ..., 1.9970e+03, 1.9980e+03,\n"
            "         1.9990e+03]])"
        ),
    ),
    (
        lambda: torch.arange(1200.0).reshape(2, 3, 200) / 7,
        (
            "tensor([[[0.0000e+00, 1.4286e-01, 2.8571e-01,  ..., 2.8143e+01,\n"
            "          2.8286e+01, 2.8429e+01],\n"
            "         [2.8571e+01, 2.8714e+01, 2.8857e+01,  ..., 5.6714e+01,\n"
            "          5.6857e+01, 5.7000e+01],\n"
            "         [5.7143e+01, 5.7286e+01, 5.7429e+01,  ..., 8.5286e+01,\n"
            "          8.5429e+01, 8.5571e+01]],\n"
            "\n"
            "        [[8.5714e+01, 8.5857e+01, 8.6000e+01,  ..., 1.1386e+02,\n"
            "          1.1400e+02, 1.1414e+02],\n"
            "         [1.1429e+02, 1.1443e+02, 1.1457e+02,  ..., 1.4243e+02,\n"
            "          1.4257e+02, 1.4271e+02],\n"
            "         [1.4286e+02, 1.4300e+02, 1.4314e+02,  ..., 1.7100e+02,\n"
            "          1.7114e+02, 1.7129e+02]]])"
        ),
    ),
    (
        lambda: torch.zeros(2000, dtype=torch.bool),
        "tensor([False, False, False,  ..., False, False, False])",
    ),
    (
        lambda: torch.arange(1002) * (1 + 1j),
        (
            "tensor([0.0000e+00+0.0000e+00j, 1.0000e+00+1.0000e+00j, 2.0000e+00+2.0000e+00j,\n"
            "         ..., 9.9900e+02+9.9900e+02j, 1.0000e+03+1.0000e+03j,\n"
            "        1.0010e+03+1.0010e+03j])"
        ),
    ),
    (lambda: torch.ones(2, requires_grad=True), "tensor([1., 1.], requires_grad=True)"),
    (lambda: torch.ones(2, requires_grad=True) * 2, "tensor([2., 2.], grad_fn=<MulBackward0>)"),
    (
        lambda: torch.ones(2, dtype=torch.float64, requires_grad=True).exp(),
        "tensor([2.7183, 2.7183], dtype=torch.float64, grad_fn=<ExpBackward0>)",
    ),
    (
        lambda: torch.ones(12, requires_grad=True) + 0.123456,
        (
            "tensor([1.1235, 1.1235, 1.1235, 1.1235, 1.1235, 1.1235, 1.1235, 1.1235, 1.1235,\n"
            "        1.1235, 1.1235, 1.1235], grad_fn=<AddBackward0>)"
        ),
    ),
    (lambda: torch.ones(2, 2, requires_grad=True).sum(), "tensor(4., grad_fn=<SumBackward0>)"),
    (lambda: torch.empty(3, device="meta"), "tensor(..., device='meta', size=(3,))"),
    (
        lambda: torch.empty(2, 3, dtype=torch.int64, device="meta"),
        "tensor(..., device='meta', size=(2, 3), dtype=torch.int64)",
    ),
    (
        lambda: torch.empty(0, device="meta", requires_grad=True),
        "tensor(..., device='meta', size=(0,), requires_grad=True)",
    ),
    (
        lambda: torch.nn.Parameter(torch.tensor([1.0, 2.0])),
        ("Parameter containing:\ntensor([1., 2.], requires_grad=True)"),
    ),
    (
        lambda: torch.nn.Parameter(torch.tensor([1.0, 2.0]), requires_grad=False),
        ("Parameter containing:\ntensor([1., 2.])"),
    ),
]
RECORDED_WITH_OPTIONS: list[tuple[dict[str, Any], Make, str]] = [
    ({"precision": 2}, lambda: torch.tensor([1.23456, 2.0]), "tensor([1.23, 2.00])"),
    ({"precision": 0}, lambda: torch.tensor([1.5, 2.5]), "tensor([2, 2])"),
    ({"precision": 8}, lambda: torch.tensor([1.23456, 2.0]), "tensor([1.23456001, 2.00000000])"),
    ({"sci_mode": True}, lambda: torch.tensor([1.5, 200.0]), "tensor([1.5000e+00, 2.0000e+02])"),
    ({"sci_mode": True}, lambda: torch.tensor([1.0, 2.0]), "tensor([1.0000e+00, 2.0000e+00])"),
    ({"sci_mode": True}, lambda: torch.tensor([0.0, 0.0]), "tensor([0., 0.])"),
    (
        {"sci_mode": False},
        lambda: torch.tensor([1e-5, 1e6, 0.5]),
        "tensor([      0.0000, 1000000.0000,       0.5000])",
    ),
    (
        {"sci_mode": False},
        lambda: torch.tensor([1e10, 1.0]),
        "tensor([10000000000.,           1.])",
    ),
    ({"threshold": 5}, lambda: torch.arange(10), "tensor([0, 1, 2,  ..., 7, 8, 9])"),
    ({"threshold": 5, "edgeitems": 1}, lambda: torch.arange(10), "tensor([0,  ..., 9])"),
    (
        {"threshold": 5, "edgeitems": 2},
        lambda: torch.arange(100.0).reshape(10, 10),
        (
            "tensor([[ 0.,  1.,  ...,  8.,  9.],\n"
            "        [10., 11.,  ..., 18., 19.],\n"
            "        ...,\n"
            "        [80., 81.,  ..., 88., 89.],\n"
            "        [90., 91.,  ..., 98., 99.]])"
        ),
    ),
    ({"threshold": 0}, lambda: torch.tensor(3), "tensor(3)"),
    ({"threshold": 0}, lambda: torch.arange(4), "tensor([0, 1, 2, 3])"),
    ({"threshold": 5, "edgeitems": 0}, lambda: torch.arange(10), "tensor([...], size=(10,))"),
    ({"threshold": 5, "edgeitems": 0}, lambda: torch.zeros(3, 4), "tensor([...], size=(3, 4))"),
    ({"edgeitems": 0}, lambda: torch.ones(2), "tensor([1., 1.], size=(2,))"),
    (
        {"linewidth": 40},
        lambda: torch.arange(30),
        (
            "tensor([ 0,  1,  2,  3,  4,  5,  6,  7,\n"
            "         8,  9, 10, 11, 12, 13, 14, 15,\n"
            "        16, 17, 18, 19, 20, 21, 22, 23,\n"
            "        24, 25, 26, 27, 28, 29])"
        ),
    ),
    (
        {"linewidth": 10},
        lambda: torch.tensor([1.5, 2.5], dtype=torch.float64),
        ("tensor([1.5000,\n        2.5000],\n       dtype=torch.float64)"),
    ),
    (
        {"linewidth": 120},
        lambda: torch.arange(40.0),
        (
            "tensor([ 0.,  1.,  2.,  3.,  4.,  5.,  6.,  7.,  8.,  9., 10., 11., 12., 13., 14., 15., 16., 17., 18., 19., 20., 21.,\n"
            "        22., 23., 24., 25., 26., 27., 28., 29., 30., 31., 32., 33., 34., 35., 36., 37., 38., 39.])"
        ),
    ),
    (
        {"linewidth": 30},
        lambda: torch.ones(2, dtype=torch.float16, requires_grad=True),
        ("tensor([1., 1.],\n       dtype=torch.float16,\n       requires_grad=True)"),
    ),
    ({"profile": "short"}, lambda: torch.tensor([1.23456, 2.0]), "tensor([1.23, 2.00])"),
    ({"profile": "short"}, lambda: torch.arange(2000), "tensor([   0,    1,  ..., 1998, 1999])"),
    (
        {"profile": "full", "linewidth": 200},
        lambda: torch.arange(1003)[::1][-40:],
        (
            "tensor([ 963,  964,  965,  966,  967,  968,  969,  970,  971,  972,  973,  974,  975,  976,  977,  978,  979,  980,  981,  982,  983,  984,  985,  986,  987,  988,  989,  990,  991,  992,  993,  994,\n"
            "         995,  996,  997,  998,  999, 1000, 1001, 1002])"
        ),
    ),
    (
        {"profile": "short", "precision": 6},
        lambda: torch.tensor([1.23456, 2.0]),
        "tensor([1.234560, 2.000000])",
    ),
]


@pytest.mark.parametrize(("make", "text"), RECORDED)
def test_repr_is_pytorchs(make: Make, text: str) -> None:
    """Every tensor prints as PyTorch prints it."""
    assert repr(make()) == text


@pytest.mark.parametrize(("options", "make", "text"), RECORDED_WITH_OPTIONS)
def test_repr_follows_the_options(options: dict[str, Any], make: Make, text: str) -> None:
    """Precision, threshold, width and notation act as in PyTorch."""
    torch.set_printoptions(**options)
    assert repr(make()) == text


def test_default_dtype_decides_which_suffix_is_left_out() -> None:
    """The default floating-point type, and its complex partner, go without a suffix."""
    torch.set_default_dtype(torch.float64)
    try:
        assert repr(torch.tensor([1.5])) == "tensor([1.5000])"
        assert repr(torch.tensor([1j])) == "tensor([0.+1.j])"
        single = torch.ones(1, dtype=torch.float32)
        assert repr(single) == "tensor([1.], dtype=torch.float32)"
    finally:
        torch.set_default_dtype(torch.float32)


def test_leaving_out_sci_mode_resets_it() -> None:
    """Alone of all options, sci_mode falls back to None in every call."""
    torch.set_printoptions(sci_mode=True)
    torch.set_printoptions(precision=2)
    assert torch.get_printoptions() == {
        "precision": 2,
        "threshold": 1000,
        "edgeitems": 3,
        "linewidth": 80,
        "sci_mode": None,
    }


def test_printoptions_are_undone_after_the_block() -> None:
    """The context manager restores what was set before."""
    torch.set_printoptions(precision=3)
    with printoptions(precision=1, sci_mode=True):
        assert repr(torch.tensor([1.5])) == "tensor([1.5e+00])"
    assert repr(torch.tensor([1.5])) == "tensor([1.500])"


def test_an_unknown_profile_changes_nothing() -> None:
    """PyTorch ignores profiles that it does not know."""
    torch.set_printoptions(profile="loud")
    assert torch.get_printoptions()["precision"] == 4


def test_given_contents_replace_the_numbers() -> None:
    """Only the frame and the suffixes are made around contents that the caller brings."""
    t = torch.ones(2, dtype=torch.float64)
    assert tensor_str(t, tensor_contents="...") == "tensor(..., dtype=torch.float64)"


def test_a_subclass_shows_its_name() -> None:
    """A subclass of Tensor prints with its own name and aligned to it."""

    class Weights(torch.Tensor):
        pass

    t = Weights(torch.arange(4).reshape(2, 2))
    assert repr(t) == "Weights([[0, 1],\n         [2, 3]])"


def test_negative_steps_print_like_any_other_layout() -> None:
    """Layouts that PyTorch lacks show their elements in order."""
    assert repr(torch.arange(4)[::-1]) == "tensor([3, 2, 1, 0])"


def test_html_is_a_table_with_type_shape_and_device() -> None:
    """A matrix becomes rows and columns under a caption."""
    html = tensor_html(torch.tensor([[1.5, 2.0], [3.0, 4.0]]))
    assert html.startswith(
        "<table><caption>Tensor of torch.float32, shape (2, 2), on cpu</caption>"
    )
    assert "<tr><th>0</th><td>1.5000</td><td>2.0000</td></tr>" in html


def test_html_of_a_vector_has_one_row() -> None:
    """A vector needs no row labels."""
    assert "<tr><th>0</th><th>1</th></tr><tr><td>1</td><td>2</td></tr>" in tensor_html(
        torch.tensor([1, 2])
    )


def test_html_of_a_large_matrix_is_summarised() -> None:
    """Few of a million elements are shown, with the last indices right."""
    html = tensor_html(torch.zeros(1000, 1000))
    assert html.count("<td>") == 7 * 7
    assert "<th>999</th>" in html


@pytest.mark.parametrize("shape", [(), (0,), (2, 0), (2, 2, 2)])
def test_html_of_other_shapes_is_the_text(shape: tuple[int, ...]) -> None:
    """What is no table is shown as text."""
    assert "<pre>tensor(" in tensor_html(torch.zeros(shape))


def test_html_escapes_what_could_be_markup() -> None:
    """The name of a class, or of an op, cannot inject markup."""
    sneaky = type("<b>", (torch.Tensor,), {})
    html = tensor_html(sneaky(torch.zeros(2, 2, 2)))
    assert "<b>" not in html
    assert "&lt;b&gt;" in html
