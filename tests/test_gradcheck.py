"""gradcheck finds wrong derivatives, anomaly detection finds where; the functional forms."""

from __future__ import annotations

import pytest

import arraytorch as torch
from arraytorch.autograd import (
    Function,
    GradcheckError,
    detect_anomaly,
    functional,
    gradcheck,
    gradgradcheck,
    set_detect_anomaly,
)


def leaf(values, dtype=torch.float64):
    return torch.tensor(values, dtype=dtype, requires_grad=True)


class Wrong(Function):
    """Doubles, and says that it trebles."""

    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, g):
        return g * 3


class WrongSecond(Function):
    """Squares; its gradient is right, and the gradient's own is not."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * x.detach() * 2


@pytest.mark.parametrize("fast", [False, True])
def test_a_wrong_gradient_is_found(fast):
    """The message gives both Jacobians."""
    with pytest.raises(
        GradcheckError, match=r"(?s)output 0 with respect to input 0.*numerical:.*analytical"
    ):
        gradcheck(Wrong.apply, leaf([1.0, 2.0, 3.0]), fast_mode=fast)
    assert not gradcheck(Wrong.apply, leaf([1.0, 2.0, 3.0]), fast_mode=fast, raise_exception=False)


@pytest.mark.parametrize("fast", [False, True])
def test_a_wrong_second_gradient_is_found(fast):
    """First order passes and second does not."""
    x = leaf([1.0, 2.0])
    assert gradcheck(WrongSecond.apply, x, fast_mode=fast)
    with pytest.raises(GradcheckError):
        gradgradcheck(WrongSecond.apply, x, fast_mode=fast)


def test_message_names_input_and_output():
    """The faulty pair is named among several."""
    with pytest.raises(GradcheckError, match="output 1 with respect to input 1"):
        gradcheck(lambda x, y: (x * y, x * Wrong.apply(y)), (leaf([1.0]), leaf([2.0])))


def test_complex_outputs_and_inputs():
    """Parts count on their own, and the imaginary one is named where it fails."""
    z = leaf([1 + 2j, -0.5j], torch.complex128)
    x = leaf([1.0, 2.0])
    for fast in (False, True):
        assert gradcheck(lambda z, x: (z * x, torch.abs(z), z.conj() * z), (z, x), fast_mode=fast)
        assert gradgradcheck(lambda z, x: (z * x, torch.abs(z)), (z, x), fast_mode=fast)
    with pytest.raises(GradcheckError, match="imaginary part of complex outputs only"):
        gradcheck(lambda z: torch.complex(z.real, Wrong.apply(z.imag)), z)


def test_options_of_gradcheck():
    """The other checks pass on a right function, and ints may be among the arguments."""
    x, y = leaf([[1.0, 2.0], [3.0, 4.0]]), leaf([0.5, 1.5])
    options = {"check_batched_grad": True, "check_grad_dtypes": True, "nondet_tol": 1e-9}
    assert gradcheck(lambda x, n, y: (x * y, x * n), (x, 3, y), **options)
    assert gradgradcheck(lambda x, n, y: (x * y, x * n), (x, 3, y), **options)
    assert gradgradcheck(
        lambda x: x**3, x, torch.ones(2, 2, dtype=torch.float64), gen_non_contig_grad_outputs=True
    )
    assert gradgradcheck(lambda x: x**3, x, gen_non_contig_grad_outputs=True)


def test_inputs_that_gradcheck_refuses():
    """No gradient asked for, overlapping memory, single precision."""
    with pytest.raises(ValueError, match="at least one input tensor to require gradient"):
        gradcheck(lambda x: x, torch.ones(2))
    with pytest.raises(RuntimeError, match="stride 0"):
        gradcheck(lambda x: x, leaf([1.0]).expand(3))
    with pytest.warns(UserWarning, match="not a double precision"):
        gradcheck(lambda x: x * 1, leaf([1.0], torch.float32), eps=1e-2, atol=1e-2)


def test_functions_without_a_gradient():
    """A constant passes; what only looks constant to the tape does not."""
    x = leaf([1.2, 2.2])
    assert gradcheck(lambda x: x.detach() * 0, x)
    with pytest.raises(GradcheckError, match="expected to be zero"):
        gradcheck(lambda x: x.detach() * 2, x)


def test_irreproducible_backward_is_found():
    """Two backward passes must agree."""

    class Drifting(Function):
        count = 0

        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            Drifting.count += 1
            return g * (2 + 1e-6 * Drifting.count)

    with pytest.raises(GradcheckError, match="not reentrant"):
        gradcheck(Drifting.apply, leaf([1.0]))
    assert gradcheck(Drifting.apply, leaf([1.0]), nondet_tol=1e-3)


# ------------------------------------------------------------------------------------- anomaly


def test_nan_in_a_gradient_raises_with_the_forward_line():
    """The exception names the function and carries the line that called it."""
    x = leaf(0.0)
    with set_detect_anomaly(True):
        y = x.sqrt() * 0  # the line in question
        with pytest.raises(
            RuntimeError, match="'SqrtBackward0' returned nan values in its 0th"
        ) as e:
            y.backward()
    assert any("the line in question" in note for note in e.value.__notes__)
    assert not any("engine.py" in note for note in e.value.__notes__)
    y = x.sqrt() * 0
    y.backward()  # off again


def test_nan_check_can_be_left_out():
    """check_nan=False keeps the traces only; NaN of one pullback of several is found otherwise."""
    x, y = leaf([0.0]), leaf([1.0])
    with set_detect_anomaly(True, check_nan=False):
        assert torch.is_anomaly_enabled() and not torch.is_anomaly_check_nan_enabled()
        (x.sqrt() * 0).backward()
    with set_detect_anomaly(True), pytest.raises(RuntimeError, match=r"DivBackward0.* 1th output"):
        (x * 0 / (y * 0)).backward()
    assert not torch.is_anomaly_enabled() and torch.is_anomaly_check_nan_enabled()


def test_detect_anomaly_warns_and_nests():
    """The context manager says that it costs time and restores what was."""
    with pytest.warns(UserWarning, match="Anomaly Detection has been enabled"):
        mode = detect_anomaly()
    with mode:
        with set_detect_anomaly(False):
            assert not torch.is_anomaly_enabled()
        assert torch.is_anomaly_enabled()
    assert not torch.is_anomaly_enabled()


def test_errors_in_user_functions_carry_the_forward_line():
    """An exception in backward is the user's own, with the op's name and the line as notes."""

    class Failing(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            raise KeyError("mine")

    x = leaf(1.0)
    with set_detect_anomaly(True):
        y = Failing.apply(x)  # called here
    with pytest.raises(KeyError, match="mine") as e:
        y.backward()
    assert "Failing" in "".join(e.value.__notes__) and "called here" in "".join(e.value.__notes__)


# ---------------------------------------------------------------------------------- functional


def test_jacobian_shapes_and_values():
    """A tensor, a tuple or a tuple of tuples, by rows or by columns alike."""
    x, y = torch.tensor([1.0, 2.0]), torch.tensor([[3.0], [4.0], [5.0]])
    f = lambda x, y: (x * y, (x * x).sum())
    plain = functional.jacobian(f, (x, y))
    assert [[tuple(j.shape) for j in row] for row in plain] == [
        [(3, 2, 2), (3, 2, 3, 1)],
        [(2,), (3, 1)],
    ]
    assert plain[1][0].tolist() == [2.0, 4.0] and plain[1][1].tolist() == [[0.0]] * 3
    for options in ({"vectorize": True}, {"vectorize": True, "strategy": "forward-mode"}):
        for row, expected in zip(functional.jacobian(f, (x, y), **options), plain, strict=True):
            for a, b in zip(row, expected, strict=True):
                assert a.tolist() == b.tolist() and a.shape == b.shape
    assert functional.jacobian(lambda x: x * 2, x).tolist() == [[2.0, 0.0], [0.0, 2.0]]
    assert isinstance(functional.jacobian(lambda x: (x,), x), tuple)
    assert functional.jacobian(lambda x: x[:0], x).shape == (0, 2)


def test_jacobian_create_graph_and_strict():
    """The Jacobian can be differentiated, and strict mode asks for dependence."""
    x = leaf([1.0, 2.0])
    j = functional.jacobian(lambda x: x**3, x, create_graph=True)
    assert torch.autograd.grad(j.sum(), x)[0].tolist() == [6.0, 12.0]
    assert not functional.jacobian(lambda x: x**3, x).requires_grad
    with pytest.raises(RuntimeError, match="independent of input 1"):
        functional.jacobian(lambda x, y: x * 1, (x, x * 2), strict=True)
    with pytest.raises(RuntimeError, match="does not require gradients"):
        functional.jacobian(lambda x: x.detach(), x, strict=True)
    with pytest.raises(TypeError, match="must be either a Tensor or a tuple of Tensors"):
        functional.jacobian(lambda x: 3, x)


def test_hessian_and_products():
    """Against the closed form of a cubic in two tensors."""
    x, y, v = torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0]), torch.tensor([1.0, -1.0])
    f = lambda x, y: (x * x * y).sum()
    (xx, xy), (yx, yy) = functional.hessian(f, (x, y))
    assert xx.tolist() == [[6.0, 0.0], [0.0, 8.0]] and yy.tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert xy.tolist() == yx.tolist() == [[2.0, 0.0], [0.0, 4.0]]
    expected = [(xx @ v + xy @ v).tolist(), (yx @ v + yy @ v).tolist()]
    for product in (functional.hvp, functional.vhp):
        value, found = product(f, (x, y), (v, v))
        assert value.item() == 19.0 and [t.tolist() for t in found] == expected
    assert functional.hessian(lambda x: (x**3).sum(), x, vectorize=True).tolist() == [
        [6.0, 0.0],
        [0.0, 12.0],
    ]
    with pytest.raises(RuntimeError, match="single element"):
        functional.hessian(lambda x: x, x)
    with pytest.raises(RuntimeError, match="v has invalid size"):
        functional.vjp(lambda x: x, x, torch.ones(3))
    with pytest.raises(RuntimeError, match="v can only be None"):
        functional.vjp(lambda x: x, x)


def test_jvp_of_a_linear_function_is_constant():
    """The pushforward of a function whose slope does not depend on the input."""
    x = torch.tensor([1.0, 2.0])
    out, pushed = functional.jvp(lambda x: x * 3, x, torch.tensor([1.0, 10.0]))
    assert out.tolist() == [3.0, 6.0] and pushed.tolist() == [3.0, 30.0]
    out, pulled = functional.vjp(lambda x: x.sum(), x)
    assert out.item() == 3.0 and pulled.tolist() == [1.0, 1.0]
