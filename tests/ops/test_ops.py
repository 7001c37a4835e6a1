"""Every op of the sample table: its numbers, its derivatives, and what all ops have in common."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from sample import COMPLEX_TOO, NATIVE
from samples import SAMPLES

import arraytorch as torch
from arraytorch.autograd import gradcheck, gradgradcheck

DEFAULT = {"float16": 3e-3, "bfloat16": 2e-2, "float32": 2e-5, "complex64": 2e-5}
having = lambda wanted: pytest.mark.parametrize("s", [s for s in SAMPLES if wanted(s)], ids=str)


def tensors(arrays):
    """Tensors with copies of the arrays' values."""
    return [torch.from_numpy(np.array(x)) for x in arrays]


def flat(result):
    """The tensors of a result, one or several."""
    return list(result) if isinstance(result, (tuple, list)) else [result]


def values(t):
    """A tensor's values as an array that NumPy computes with."""
    x = t.detach()
    return (x.double() if x.dtype in (torch.float16, torch.bfloat16) else x).numpy()


def leaves(s, one, dtype):
    """The inputs of a case, the floating ones requiring gradients."""
    made = tensors(s.arrays(one, dtype))
    return [t.requires_grad_() if t.is_floating_point() or t.is_complex() else t for t in made]


def checked(s):
    """The dtypes and cases whose derivatives are checked."""
    doubles = [d for d in ("float64", "complex128") if d in s.dtypes]
    if str(s) in COMPLEX_TOO and "complex128" not in doubles:
        doubles.append("complex128")
    return [
        (d, c)
        for d in doubles
        for c in s.cases
        if 0 not in [n for x in c.shapes if isinstance(x, tuple) for n in x]
    ]


@having(lambda s: s.ref is not None)
def test_values_and_dtypes(s):
    """Results agree with the reference in every dtype of the row, and have the dtype it says."""
    for dtype in s.dtypes:
        for one in s.cases:
            arrays = s.arrays(one, dtype)
            for got, wanted in zip(
                flat(s(tensors(arrays), one)), flat(s.reference(arrays, one)), strict=True
            ):
                wanted = np.asarray(wanted)
                own = str(got.dtype).removeprefix("torch.")
                tol = max(DEFAULT.get(dtype, 1e-10), DEFAULT.get(own, 1e-10), s.rtol)
                assert got.shape == wanted.shape, (dtype, one)
                x = values(got)
                if dtype in ("uint8", "int8", "int16") and x.dtype.kind in "iu":
                    wanted = wanted.astype(x.dtype)
                np.testing.assert_allclose(x, wanted, tol, tol, err_msg=f"{dtype} {one}")
                if s.result is not None:
                    assert own == expected_dtype(s, dtype)


def bare(s):
    """Whether the row calls the op itself, not a function around it that adds arguments."""
    return getattr(s.op, "__name__", "") != "<lambda>"


def expected_dtype(s, dtype):
    """The dtype of a result by the rule that the row names."""
    if s.result in ("bool", "int64"):
        return s.result
    if "float" in s.result and NATIVE[dtype].kind in "biu":
        return "float32"
    if "real" in s.result and NATIVE[dtype].kind == "c":
        return {"complex64": "float32", "complex128": "float64"}[dtype]
    return dtype


@having(lambda s: s.grad)
def test_gradients(s):
    """First derivatives agree with finite differences."""
    for dtype, one in checked(s):
        inputs = leaves(s, one, dtype)
        assert gradcheck(
            lambda *t, c=one: s(list(t), c), inputs, check_undefined_grad=len(one.shapes) < 9
        )


@having(lambda s: s.gradgrad)
def test_second_gradients(s):
    """Second derivatives agree with finite differences of the first."""
    every = checked(s)
    for dtype, one in every[:2] + [pair for pair in every[2:] if pair[0] == "complex128"][:1]:
        inputs = leaves(s, one, dtype)
        assert gradgradcheck(lambda *t, c=one: s(list(t), c), inputs, fast_mode=True)


@having(lambda s: s.strided)
def test_strided_inputs_give_the_same(s):
    """Memory with gaps, in another order or read backwards changes neither results nor gradients."""
    dtype = s.dtypes[-1]
    for one in s.cases:
        arrays = s.arrays(one, dtype)
        strided = [strewn(x) for x in arrays]
        if not s.grad:
            plain, odd = s(tensors(arrays), one), s(strided, one)
        else:
            plain, odd = (
                [*flat(s(ts, one)), *pulled(s, ts, one)] for ts in (tensors(arrays), strided)
            )
        for a, b in zip(flat(plain), flat(odd), strict=True):
            np.testing.assert_allclose(values(a), values(b), 1e-6, 1e-7, err_msg=str(one))


def strewn(x):
    """A tensor of the same values in strange memory."""
    if not x.ndim:
        return torch.from_numpy(np.array([x, x]))[1]
    wide = np.zeros((*x.shape[:-1], 2 * x.shape[-1]), x.dtype)
    wide[..., ::2] = x[..., ::-1]
    return torch.from_numpy(np.array(wide.T, order="C").T)[..., ::2][..., ::-1]


def pulled(s, ts, one):
    """The gradients of the sum of all results."""
    ts = [t.detach().requires_grad_() if t.is_floating_point() or t.is_complex() else t for t in ts]
    outs = [o for o in flat(s(ts, one)) if o.requires_grad]
    wanted = [t for t in ts if t.requires_grad]
    found = torch.autograd.grad(outs, wanted, [torch.ones_like(o) for o in outs], allow_unused=True)
    return [torch.zeros_like(t) if g is None else g for t, g in zip(wanted, found, strict=True)]


@having(lambda s: "out" in inspect.signature(s.op).parameters and s.op is not torch.where)
def test_out_receives_the_result(s):
    """out= is filled and returned, resized from empty, and refused where gradients would be lost."""
    one, dtype = s.cases[0], s.dtypes[-1]
    given = tensors(s.arrays(one, dtype))
    plain = s(given, one)
    if isinstance(plain, tuple):
        outs = tuple(torch.empty(0, dtype=p.dtype) for p in plain)
    else:
        outs = torch.empty(0, dtype=plain.dtype)
    returned = s(given, one, out=outs)
    for p, o, r in zip(flat(plain), flat(outs), flat(returned), strict=True):
        assert r is o
        np.testing.assert_array_equal(values(p), values(o))
    first = flat(plain)[0]
    if s.grad and not isinstance(plain, tuple):
        with pytest.raises(RuntimeError, match="don't support automatic differentiation"):
            s(leaves(s, one, dtype), one, out=torch.empty_like(first))
    if s.name in ("sum", "prod"):  # which are computed in the dtype of out=
        assert s(given, one, out=torch.empty(first.shape, dtype=torch.bool)).dtype is torch.bool
    elif first.dtype not in (torch.bool, torch.int64) and not isinstance(plain, tuple):
        with pytest.raises(
            RuntimeError,
            match=r"can't be cast|requires dtype|Expected object|the same dtype|not implemented for|different dtypes",
        ):
            s(given, one, out=torch.empty(first.shape, dtype=torch.bool))


@having(lambda s: not s.where and bare(s) and hasattr(torch.Tensor, s.name + "_"))
def test_in_place_is_the_same(s):
    """The form with an underscore writes what the other returns, and has its gradient."""
    one, dtype = s.cases[0], s.dtypes[-1]
    method = getattr(torch.Tensor, s.name + "_")
    first, *rest = tensors(s.arrays(one, dtype))
    plain = s([first, *rest], one)
    if not torch.can_cast(plain.dtype, first.dtype):
        with pytest.raises(RuntimeError, match="can't be cast"):
            method(first, *rest, *one.args, **one.kwargs)
        return
    written = first.clone()
    assert method(written, *rest, *one.args, **one.kwargs) is written
    np.testing.assert_array_equal(values(written), values(plain.to(first.dtype)))
    if s.grad:
        in_place = lambda t, *r: method(t * 1, *r, *one.args, **one.kwargs)
        assert gradcheck(in_place, leaves(s, one, dtype), fast_mode=True)
        with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
            method(*leaves(s, one, dtype), *one.args, **one.kwargs)


@having(
    lambda s: (
        not s.where
        and bare(s)
        and not s.listed
        and s.name != "where"
        and hasattr(torch.Tensor, s.name)
    )
)
def test_method_is_the_function(s):
    """x.op(...) and torch.op(x, ...) are the same."""
    one, dtype = s.cases[0], s.dtypes[-1]
    first, *rest = tensors(s.arrays(one, dtype))
    method = getattr(torch.Tensor, s.name)
    if isinstance(method, property):
        return
    got = method(first, *rest, *one.args, **one.kwargs)
    for a, b in zip(flat(got), flat(s([first, *rest], one)), strict=True):
        np.testing.assert_array_equal(values(a), values(b))


@having(lambda s: s.result is not None and bare(s))
def test_meta_tensors_have_the_same_shape_and_dtype(s):
    """On meta, an op computes the shape and the dtype that it gives on the CPU, and nothing else."""
    dtype = s.dtypes[-1]
    for one in s.cases:
        given = tensors(s.arrays(one, dtype))
        if (
            any(not (t.is_floating_point() or t.is_complex()) for t in given)
            and NATIVE[dtype].kind in "fc"
        ):
            continue  # indices: what they say decides
        for a, b in zip(
            flat(s(given, one)), flat(s([t.to("meta") for t in given], one)), strict=True
        ):
            assert b.is_meta and (a.shape, a.dtype) == (b.shape, b.dtype)


@having(lambda s: s.pointwise and len(s.cases[0].shapes) == 2)
def test_shapes_that_do_not_broadcast_raise(s):
    """The error names the op, both sizes and the dimension."""
    x, y = (torch.ones(*n, dtype=getattr(torch, s.dtypes[-1])) for n in ((2, 3), (2, 4)))
    sizes = r"\((3|4)\)"
    with pytest.raises(
        RuntimeError, match=f"size of tensor a {sizes} must match .* b {sizes} .* dimension 1"
    ):
        s([x, y], s.cases[0])


@having(lambda s: hasattr(s.op, "declared"))
def test_arguments_of_a_wrong_type_raise(s):
    """A string is no tensor: PyTorch's TypeError says which argument it is."""
    count = len(s.cases[0].shapes)
    with pytest.raises(
        TypeError, match=r"must be Tensor, not str|must be Tensor or Number, not str"
    ):
        s(["no"] if count == 1 else [torch.ones(2), "no"], s.cases[0])
