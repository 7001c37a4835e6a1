"""func.jacrev, jacfwd, hessian, jvp, linearize, and dual numbers: against derivatives by hand."""

from __future__ import annotations

import pytest

import arraytorch as torch
import arraytorch.autograd.forward_ad as fwAD
from arraytorch.autograd import functional

func = torch.func


def tensor(*values):
    """A double tensor."""
    return torch.tensor(values, dtype=torch.float64)


W = torch.tensor([[1.0, 2.0], [3.0, -1.0], [0.5, 1.0]], dtype=torch.float64)
X = tensor(0.3, -0.2)


def layer(x):
    """tanh(W x), whose Jacobian is diag(1 - out^2) W."""
    return torch.tanh(W @ x)


def slope(x):
    """The Jacobian of `layer`."""
    return (1 - layer(x) ** 2)[:, None] * W


def curvature(x):
    """The second derivatives of `layer`: -2 out (1 - out^2) w w^T."""
    out = layer(x)
    return (-2 * out * (1 - out**2))[:, None, None] * W[:, :, None] * W[:, None, :]


@pytest.mark.parametrize("jacobian", [func.jacrev, func.jacfwd])
def test_jacobian_of_a_layer(jacobian):
    """By rows and by columns."""
    torch.testing.assert_close(jacobian(layer)(X), slope(X))


@pytest.mark.parametrize("outer", [func.jacrev, func.jacfwd])
@pytest.mark.parametrize("inner", [func.jacrev, func.jacfwd])
def test_second_derivatives(outer, inner):
    """All four ways to nest the two."""
    torch.testing.assert_close(outer(inner(layer))(X), curvature(X))


def test_third_derivative():
    """Three levels: that of x^4 is 24 x on the diagonal."""
    found = func.jacfwd(func.jacrev(func.jacrev(lambda x: (x**4).sum())))(tensor(1.0, 2.0))
    wanted = torch.zeros(2, 2, 2, dtype=torch.float64)
    wanted[0, 0, 0], wanted[1, 1, 1] = 24, 48
    torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize("jacobian", [func.jacrev, func.jacfwd])
def test_structures(jacobian):
    """Trees of arguments and results, several argnums, and something besides."""

    def function(a, d):
        return {"product": a * d["x"], "sum": (a.sum() + d["y"],)}, a.detach()

    a, d = tensor(1.0, 2.0), {"x": tensor(3.0, 4.0), "y": tensor(5.0)[0]}
    found, aux = jacobian(function, (0, 1), has_aux=True)(a, d)
    assert aux.tolist() == [1.0, 2.0]
    assert found["product"][0].tolist() == [[3.0, 0.0], [0.0, 4.0]]
    assert found["product"][1]["x"].tolist() == [[1.0, 0.0], [0.0, 2.0]]
    assert found["product"][1]["y"].tolist() == [0.0, 0.0]
    assert found["sum"][0][0].tolist() == [1.0, 1.0]
    assert found["sum"][0][1]["x"].tolist() == [0.0, 0.0]
    assert found["sum"][0][1]["y"].item() == 1.0
    only = jacobian(lambda a, d: a * d["x"], 1)(a, d)
    assert only["x"].tolist() == [[1.0, 0.0], [0.0, 2.0]]


@pytest.mark.parametrize("chunk_size", [1, 2, 3, 10])
def test_chunks_of_rows(chunk_size):
    """Some rows at a time."""
    torch.testing.assert_close(func.jacrev(layer, chunk_size=chunk_size)(X), slope(X))


def test_vmap_of_jacobians_and_jacobians_of_vmap():
    """Per-sample Jacobians lie on the diagonal of the whole one."""
    xs = torch.stack([X, 2 * X])
    each = torch.stack([slope(x) for x in xs])
    torch.testing.assert_close(torch.vmap(func.jacrev(layer))(xs), each)
    torch.testing.assert_close(torch.vmap(func.jacfwd(layer))(xs), each)
    for jacobian in (func.jacrev, func.jacfwd):
        whole = jacobian(torch.vmap(layer))(xs)
        torch.testing.assert_close(whole[0, :, 0], each[0])
        torch.testing.assert_close(whole[1, :, 1], each[1])
        assert not whole[0, :, 1].any()


def test_hessian_of_a_network():
    """Against differences of gradients, in all parameters."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1)
    ).double()
    parameters = {k: v.detach() for k, v in model.named_parameters()}
    x = torch.randn(4, 2, dtype=torch.float64)

    def loss(p):
        return func.functional_call(model, p, (x,)).pow(2).sum()

    hessian, gradient, h = func.hessian(loss)(parameters), func.grad(loss), 1e-6
    for a in parameters:
        for i in range(parameters[a].numel()):
            step = torch.zeros_like(parameters[a])
            step.view(-1)[i] = h
            up, down = (gradient({**parameters, a: parameters[a] + s}) for s in (step, -step))
            for b in parameters:
                got = hessian[b][a].reshape(*parameters[b].shape, -1)[..., i]
                torch.testing.assert_close(got, (up[b] - down[b]) / (2 * h), rtol=1e-6, atol=1e-7)


def test_jvp_and_linearize():
    """The Jacobian times a vector, and the same function for several vectors."""
    v, u = tensor(1.0, -2.0), tensor(0.0, 1.0)
    value, pushed = func.jvp(layer, (X,), (v,))
    torch.testing.assert_close(value, layer(X))
    torch.testing.assert_close(pushed, slope(X) @ v)
    assert not value.requires_grad and not pushed.requires_grad
    value, push = func.linearize(layer, X)
    torch.testing.assert_close(push(v), slope(X) @ v)
    torch.testing.assert_close(
        torch.vmap(push)(torch.stack([v, u])), (slope(X) @ torch.stack([v, u]).T).T
    )
    value, pushed, aux = func.jvp(lambda x: (layer(x), x), (X,), (v,), has_aux=True)
    torch.testing.assert_close(aux, X)


def test_hessian_times_vector():
    """jvp of grad, and grad of jvp."""
    v = tensor(1.0, -2.0)
    wanted = torch.einsum("kij,j->i", curvature(X), v)
    loss = lambda x: layer(x).sum()
    torch.testing.assert_close(func.jvp(func.grad(loss), (X,), (v,))[1], wanted)
    torch.testing.assert_close(func.grad(lambda x: func.jvp(loss, (x,), (v,))[1])(X), wanted)


def test_gradients_have_a_history_only_where_someone_outside_asks():
    """grad of captured tensors that require gradients can be differentiated further."""
    w = tensor(2.0).requires_grad_()
    found = func.grad(lambda x: (w * x**2).sum())(tensor(3.0))
    found.backward()
    assert w.grad.item() == 6.0
    assert not func.grad(lambda x: (x**2).sum())(tensor(3.0)).requires_grad


WRONG = [
    (lambda: func.jacrev(layer, chunk_size=0), ValueError, "should be greater than 0"),
    (lambda: func.jacrev(layer, 1)(X), RuntimeError, "argnum=1, but only 1 positional"),
    (lambda: func.jacfwd(layer, 1)(X), RuntimeError, "argnum=1, but only 1 positional"),
    (lambda: func.jacrev(lambda x: 2)(X), RuntimeError, "to return only tensors"),
    (lambda: func.jvp(layer, X, (X,)), RuntimeError, "Expected primals to be a tuple"),
    (lambda: func.jvp(layer, (X,), (X, X)), RuntimeError, "the same python structure"),
    (lambda: func.jvp(layer, (), ()), RuntimeError, "at least one Tensor"),
    (lambda: func.jvp(layer, (3,), (X,)), RuntimeError, "to only contain Tensors"),
    (lambda: func.jvp(layer, (X,), (tensor(1.0),)), RuntimeError, "different size"),
    (lambda: func.jvp(lambda x: 3, (X,), (X,)), RuntimeError, "to return only tensors"),
    (lambda: func.jvp(lambda x: W, (X,), (X,), strict=True), RuntimeError, "independent of the"),
    (lambda: func.linearize(layer, X)[1](tensor(1.0)), RuntimeError, "doesn't match the shape"),
    (lambda: func.linearize(layer, X)[1](X, X), RuntimeError, "same argspec"),
    (lambda: func.jacfwd(lambda x: x * torch.rand(2))(X), RuntimeError, "randomness error mode"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "words"), WRONG)
def test_what_is_refused(call, error, words):
    """By PyTorch's classes of exceptions."""
    with pytest.raises(error, match=words):
        call()


def test_results_without_derivatives():
    """A result that does not depend on the argument has zeros."""
    assert func.jvp(lambda x: torch.ones(2), (X,), (X,))[1].tolist() == [0.0, 0.0]
    assert func.jacrev(lambda x: torch.ones(2))(X).tolist() == [[0.0, 0.0]] * 2
    assert func.jacfwd(lambda x: torch.ones(2))(X).tolist() == [[0.0, 0.0]] * 2


def test_functional_vectorized():
    """All rows, or columns, at once give what one after the other does."""
    y = tensor(2.0, 0.5)
    function = lambda x, y: (layer(x) * y.sum(), (x * y).sum())
    plain = functional.jacobian(function, (X, y))
    for options in ({}, {"strategy": "forward-mode"}, {"create_graph": True}):
        if "create_graph" in options:
            plain = functional.jacobian(function, (X, y), create_graph=True)
        found = functional.jacobian(function, (X, y), vectorize=True, **options)
        torch.testing.assert_close(found, plain)
    scalar = lambda x: layer(x).sum()
    for strategy in ("reverse-mode", "forward-mode"):
        found = functional.hessian(scalar, X, vectorize=True, outer_jacobian_strategy=strategy)
        torch.testing.assert_close(found, curvature(X).sum(0))


# ----------------------------------------------------------------------------------- dual numbers


def test_dual_numbers():
    """Tangents go through operations and modules, and can be differentiated."""
    v = tensor(1.0, -2.0)
    with fwAD.dual_level() as level:
        assert level == 0
        x = fwAD.make_dual(X, v)
        value, tangent = fwAD.unpack_dual(layer(x))
        torch.testing.assert_close(value, layer(X))
        torch.testing.assert_close(tangent, slope(X) @ v)
        assert not tangent.requires_grad
        assert fwAD.unpack_dual(x).tangent.tolist() == v.tolist()
        assert fwAD.unpack_dual(X).tangent is None
        w = X.clone().requires_grad_()
        cube = fwAD.make_dual(w, v) ** 3
        fwAD.unpack_dual(cube).tangent.sum().backward()
        torch.testing.assert_close(w.grad, 6 * X * v)
        y = x * 2
    assert fwAD.unpack_dual(y).tangent is None


def test_several_duals():
    """The tangent of a result is the sum over all duals that it depends on."""
    with fwAD.dual_level():
        x, y = fwAD.make_dual(tensor(2.0), tensor(1.0)), fwAD.make_dual(tensor(3.0), tensor(10.0))
        assert fwAD.unpack_dual(x * y).tangent.tolist() == [23.0]
        assert fwAD.unpack_dual(x * 5).tangent.tolist() == [5.0]


DUALS = [
    (lambda: fwAD.make_dual(X, tensor(1.0)), RuntimeError, "different size"),
    (lambda: fwAD.make_dual(X.int(), X), ValueError, "Expected primal to be floating point"),
    (lambda: fwAD.make_dual(X, X.int()), ValueError, "Expected tangent to be floating point"),
    (fwAD.enter_dual_level, RuntimeError, "Nested forward mode AD"),
    (lambda: fwAD.unpack_dual(3), TypeError, "must be Tensor, not int"),
    (lambda: fwAD.exit_dual_level(level=3), RuntimeError, "not the last one that was created"),
]


@pytest.mark.parametrize(("call", "error", "words"), DUALS)
def test_what_dual_numbers_refuse(call, error, words):
    """By PyTorch's classes of exceptions."""
    with fwAD.dual_level(), pytest.raises(error, match=words):
        call()


def test_dual_numbers_need_a_level():
    """They cannot be made outside, nor can a level be left that there is not."""
    with pytest.raises(RuntimeError, match="no level exists"):
        fwAD.make_dual(X, X)
    with pytest.raises(RuntimeError, match="must be a positive number"):
        fwAD.exit_dual_level()
