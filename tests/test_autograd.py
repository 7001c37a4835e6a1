"""The tape: modes, backward and grad, hooks, errors, sharing of memory, depth and threads."""

from __future__ import annotations

import contextlib
import gc
import threading
import weakref

import pytest

import arraytorch as torch
from arraytorch.autograd import backward, grad


def leaf(values, dtype=torch.float64):
    return torch.tensor(values, dtype=dtype, requires_grad=True)


# --------------------------------------------------------------------------------------- modes


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_modes_as_context_decorator_and_generator(mode):
    """Nothing is recorded inside; outside, and in the caller of a generator, all is as before."""
    x = leaf(2.0)
    with mode():
        assert not (x * 2).requires_grad and not torch.is_grad_enabled()
    assert (x * 2).requires_grad

    @mode()
    def called(y):
        return y * 2

    @mode
    def bare(y):
        return y * 2

    @mode()
    def generated():
        got = yield x * 2
        try:
            yield got * x
        except KeyError:
            yield (x * 3)

    assert not called(x).requires_grad and not bare(x).requires_grad
    assert called.__name__ == "called"
    steps = generated()
    assert not next(steps).requires_grad and torch.is_grad_enabled()
    assert not steps.send(x).requires_grad and torch.is_grad_enabled()
    assert not steps.throw(KeyError()).requires_grad
    with pytest.raises(StopIteration):
        next(steps)


def test_modes_nest_and_survive_exceptions():
    """The innermost decides, and leaving it restores the one around, by an exception too."""
    x = leaf(1.0)
    with torch.no_grad():
        with torch.enable_grad():
            assert (x * 2).requires_grad
        assert not (x * 2).requires_grad
        with torch.set_grad_enabled(True):
            assert (x * 2).requires_grad
        assert not torch.is_grad_enabled()
    with contextlib.suppress(KeyError), torch.no_grad():
        raise KeyError
    assert torch.is_grad_enabled()
    with torch.inference_mode(), torch.inference_mode(False):
        assert not torch.is_inference_mode_enabled()
    mode = torch.no_grad()
    for _ in range(2):
        with mode, mode:
            assert not torch.is_grad_enabled()
        assert torch.is_grad_enabled()


def test_set_grad_enabled_acts_at_once_and_as_a_decorator():
    """Called, it switches; decorating, it switches inside the function only."""
    torch.set_grad_enabled(False)
    try:
        assert not torch.is_grad_enabled()
    finally:
        torch.set_grad_enabled(True)

    @torch.set_grad_enabled(False)
    def f(x):
        return x * 2

    assert torch.is_grad_enabled() and not f(leaf(1.0)).requires_grad


def test_modes_decorate_classes():
    """A decorated class records nothing while it initialises."""
    x = leaf(1.0)

    @torch.no_grad()
    class Made:
        def __init__(self):
            self.y = x * 2

    assert not Made().y.requires_grad and torch.is_grad_enabled()


def test_modes_are_the_threads_own():
    """Another thread records, whatever this one does."""
    seen = []
    with torch.no_grad():
        t = threading.Thread(target=lambda: seen.append(torch.is_grad_enabled()))
        t.start()
        t.join()
    assert seen == [True]


def test_requires_grad_and_leaves():
    """What is a leaf, what requires gradients, and what may change that."""
    x = leaf([1.0])
    y = x * 2
    assert x.is_leaf and not y.is_leaf and y.requires_grad and y.detach().is_leaf
    assert y.grad_fn.name() == "MulBackward0" and x.grad_fn is None
    assert not (torch.ones(1) * 2).requires_grad
    assert not (x > 0).requires_grad
    with pytest.raises(RuntimeError, match="can only change requires_grad flags of leaf"):
        y.requires_grad_(False)
    with pytest.raises(RuntimeError, match="floating point"):
        torch.ones(2, dtype=torch.int64).requires_grad_()
    assert not x.requires_grad_(False).requires_grad


# -------------------------------------------------------------------------- backward and grad


def test_backward_accumulates_and_grad_does_not():
    """backward adds to .grad; grad leaves it alone."""
    x = leaf([1.0, 2.0])
    for _ in range(2):
        (x * x).sum().backward()
    assert x.grad.tolist() == [4.0, 8.0]
    assert grad((x * x).sum(), x)[0].tolist() == [2.0, 4.0]
    assert x.grad.tolist() == [4.0, 8.0]
    x.grad = None
    assert x.grad is None


def test_weights_of_outputs():
    """Vectors of the vector-Jacobian product: one, several, broadcast to none."""
    x = leaf([1.0, 2.0])
    (x * x).backward(torch.tensor([1.0, 10.0], dtype=torch.float64))
    assert x.grad.tolist() == [2.0, 40.0]
    x.grad = None
    backward([x * 2, (x * 3).sum()], [torch.ones(2, dtype=torch.float64), None])
    assert x.grad.tolist() == [5.0, 5.0]
    with pytest.raises(
        RuntimeError, match="grad can be implicitly created only for scalar outputs"
    ):
        (x * 2).backward()
    with pytest.raises(RuntimeError, match="Mismatch in shape: grad_output"):
        (x * 2).backward(torch.ones(3))
    with pytest.raises(RuntimeError, match="does not require grad and does not have a grad_fn"):
        torch.ones(1).backward()


def test_inputs_limit_what_backward_does():
    """Only the named tensors, leaves or not, receive gradients; nodes off the way do not run."""
    x, y = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    z = x * y
    ran = []
    (y * 1).register_hook(ran.append)
    (z * z).sum().backward(inputs=[x, z])
    assert x.grad.tolist() == [18.0, 64.0] and y.grad is None and z.grad.tolist() == [6.0, 16.0]
    with pytest.raises(RuntimeError, match="cannot be empty"):
        z.sum().backward(inputs=[])
    with pytest.raises(RuntimeError, match="does not require grad"):
        (x * 2).sum().backward(inputs=torch.ones(1))


def test_inputs_hold_with_hooks_and_joint_rules():
    """Nor do hooks on nodes, or ops of many inputs, let gradients leak to other leaves."""
    x, y = leaf([1.0]), leaf([2.0])
    z = torch.cat([x, y]) * torch.stack([y, x]).flatten()
    z.grad_fn.register_hook(lambda given, got: None)
    z.sum().backward(inputs=[x])
    assert x.grad.tolist() == [4.0] and y.grad is None


def test_unused_inputs():
    """An error, None or zeros, as asked."""
    x, y = leaf([1.0, 2.0]), leaf([3.0])
    with pytest.raises(RuntimeError, match="appears to not have been used in the graph"):
        grad((x * 2).sum(), [x, y])
    assert grad((x * 2).sum(), [x, y], allow_unused=True)[1] is None
    assert grad((x * 2).sum(), [x, y], materialize_grads=True)[1].tolist() == [0.0]
    with pytest.raises(ValueError, match="Expected allow_unused to be True"):
        grad((x * 2).sum(), [x, y], allow_unused=False, materialize_grads=True)


def test_gradients_of_intermediates_and_of_an_output_itself():
    """Any tensor with history may be an input of grad; the output's own gradient is its weight."""
    x = leaf([1.0, 2.0])
    y = x * 2
    z = y * y
    assert grad(z.sum(), y, retain_graph=True)[0].tolist() == [4.0, 8.0]
    assert grad(z, [z, y, x], torch.ones_like(z))[0].tolist() == [1.0, 1.0]


def test_higher_derivatives():
    """create_graph makes gradients that can be differentiated again, and accumulates them."""
    x = leaf(2.0)
    values, y = [], x**4
    for _ in range(4):
        (y,) = grad(y, x, create_graph=True)
        values.append(y.item())
    assert values == [32.0, 48.0, 48.0, 24.0]
    (x**3).backward(create_graph=True)
    assert x.grad.requires_grad and x.grad.item() == 12.0
    (g,) = grad(x.grad, x)
    assert g.item() == 12.0


def test_batched_vectors():
    """is_grads_batched takes a vector per row of grad_outputs."""
    x = leaf([1.0, 2.0, 3.0])
    (rows,) = grad(x * x, x, torch.eye(3, dtype=torch.float64), is_grads_batched=True)
    assert rows.tolist() == [[2.0, 0.0, 0.0], [0.0, 4.0, 0.0], [0.0, 0.0, 6.0]]


def test_dtypes_of_gradients_are_their_tensors():
    """What promotion and broadcasting did to arguments is undone, exactly once."""
    a = leaf([[1.0], [2.0]], torch.float16)
    b, c = leaf([1.0, 2.0, 3.0], torch.float32), leaf(2.0, torch.float64)
    (a * b * c).sum().backward()
    assert (a.grad.dtype, a.grad.shape) == (torch.float16, (2, 1))
    assert (b.grad.dtype, b.grad.shape) == (torch.float32, (3,))
    assert (c.grad.dtype, c.grad.shape) == (torch.float64, ())
    assert a.grad.tolist() == [[12.0], [12.0]] and c.grad.item() == 18.0
    z = torch.tensor([1 + 2j], requires_grad=True)
    (b[:1] * z).abs().sum().backward()
    assert b.grad.dtype == torch.float32 and z.grad.dtype == torch.complex64


def test_complex_gradients_are_conjugate():
    """PyTorch's convention: the gradient of |z|^2 is 2 z, a step of steepest ascent."""
    z = torch.tensor([3 + 4j], requires_grad=True)
    (z * z.conj()).real.sum().backward()
    assert z.grad.tolist() == [6 + 8j]
    with pytest.raises(RuntimeError, match="only for real scalar outputs"):
        (z * 2).sum().backward()


# -------------------------------------------------------------------------------------- errors


def test_backward_twice_raises_unless_retained():
    """What the first pass freed is named, with the remedy."""
    x = leaf([1.0])
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    with pytest.raises(
        RuntimeError, match=r"backward through the graph a second time.*retain_graph=True"
    ):
        y.backward()


def test_stale_saved_tensor_raises_and_says_where():
    """The message names the op, what it saved, the shapes and the line that wrote."""
    x = leaf([1.0, 2.0])
    y = x * 1
    z = y * y
    y.add_(1)  # written here
    with pytest.raises(RuntimeError, match="modified by an inplace operation") as e:
        z.sum().backward()
    assert "MulBackward0" in str(e.value) and "[2]" in str(e.value)
    assert f"{__file__}:" in str(e.value) and "test_stale_saved_tensor" in str(e.value)


@pytest.mark.parametrize("write", ["add_", "__setitem__", "copy_", "data_view", "detached"])
def test_every_way_of_writing_is_noticed(write):
    """By op, by index, through a view, through a detached tensor: all share the clock."""
    x = leaf([1.0, 2.0])
    y = x.exp()
    z = y * y
    if write == "add_":
        y[:1].add_(1)
    elif write == "__setitem__":
        y[0] = 5
    elif write == "copy_":
        y.copy_(torch.ones(2))
    elif write == "data_view":
        y.detach().view(2, 1)[0].zero_()
    else:
        y.detach().mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.sum().backward()


def test_writes_that_do_no_harm_are_allowed():
    """What is not saved, was written before, or is data out of the tape's sight, may be written."""
    x = leaf([1.0, 2.0])
    y = x * 3
    y.add_(1)
    z = y * 2
    y.zero_()
    x.data.mul_(1)
    with torch.no_grad():
        x.mul_(2)
    z.sum().backward()
    assert x.grad.tolist() == [6.0, 6.0]


def test_leaves_are_protected():
    """A leaf that requires gradients, and views of it, may be written under no_grad only."""
    x = leaf([1.0, 2.0])
    for target in (x, x[:1], x.view(2, 1)):
        with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
            target.add_(1)
        with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
            target[0] = 1
    with torch.no_grad():
        x[0] = 7
    assert x.tolist() == [7.0, 2.0] and x.is_leaf


def test_errors_in_rules_name_the_op():
    """An exception in backward carries the op whose gradient was computed."""
    x = leaf([1.0])
    y = x * 2
    y.register_hook(lambda g: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        y.sum().backward()


# --------------------------------------------------------------------------------------- hooks


def test_tensor_hooks_see_and_replace():
    """In order of registration, on leaves and others; removed by handle or with."""
    x = leaf([1.0, 2.0])
    y = x * 2
    seen = []
    first = y.register_hook(lambda g: seen.append(g.tolist()))
    second = y.register_hook(lambda g: g * 10)
    third = x.register_hook(lambda g: g + 1)
    y.sum().backward()
    assert seen == [[1.0, 1.0]] and x.grad.tolist() == [21.0, 21.0]
    for handle in (first, second, third, third):
        handle.remove()
    x.grad = None
    (x * 2).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]
    with pytest.raises(RuntimeError, match="doesn't require gradient"):
        torch.ones(1).register_hook(print)
    z = x * 2
    z.register_hook(lambda g: g[:1])
    with pytest.raises(RuntimeError, match="changed the size"):
        z.sum().backward()


def test_hooks_on_leaves_run_once_with_the_whole_gradient():
    """However many uses a leaf has, its hook sees the sum."""
    x = leaf(3.0)
    seen = []
    x.register_hook(lambda g: seen.append(g.item()))
    (x * x + x).backward()
    assert seen == [7.0]
    grad(x * x, x)
    assert seen == [7.0, 6.0]


def test_retain_grad():
    """An intermediate tensor keeps its gradient, after its hooks."""
    x = leaf([1.0, 2.0])
    y = x * 2
    assert not y.retains_grad
    y.retain_grad()
    y.retain_grad()
    x.retain_grad()
    assert y.retains_grad
    (y * y).sum().backward()
    assert y.grad.tolist() == [4.0, 8.0] and x.grad.tolist() == [8.0, 16.0]
    with pytest.raises(RuntimeError, match="requires_grad=False"):
        torch.ones(1).retain_grad()


def test_node_hooks():
    """Before and after a node; both may replace gradients."""
    x, y = leaf([1.0]), leaf([2.0])
    z = x * y
    z.grad_fn.register_prehook(lambda got: (got[0] * 10,))
    z.grad_fn.register_hook(lambda given, got: (given[0] + 1, None))
    z.sum().backward()
    assert x.grad.tolist() == [21.0] and y.grad is None


def test_post_accumulate_hooks():
    """They see the tensor with its new gradient: an optimizer can step and free there."""
    x = leaf([1.0])
    seen = []
    x.register_post_accumulate_grad_hook(lambda t: seen.append(t.grad.tolist()))
    (x * 3).sum().backward()
    assert seen == [[3.0]]
    with pytest.raises(RuntimeError, match="non-leaf"):
        (x * 1).register_post_accumulate_grad_hook(print)


def test_the_graph_can_be_walked():
    """next_functions lead to the leaves, with the number of the output."""
    x, y = leaf([1.0]), leaf([2.0])
    node = (x * y + 1).grad_fn
    (mul, index), *_ = node.next_functions
    assert (node.name(), mul.name(), index) == ("AddBackward0", "MulBackward0", 0)
    assert [n.variable is t for (n, _), t in zip(mul.next_functions, (x, y), strict=True)] == [
        True
    ] * 2
    node.metadata["mine"] = 1
    assert node.metadata == {"mine": 1}


# ------------------------------------------------------------------------------ memory and size


def test_gradients_share_no_memory():
    """Not with each other, not with the user's weights, not with what the ops saved."""
    x, y = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    weights = torch.ones(2, dtype=torch.float64)
    (x + y).backward(weights)
    x.grad.mul_(5)
    assert y.grad.tolist() == weights.tolist() == [1.0, 1.0]
    a, b = grad(x + y, [x, y], weights)
    a.zero_()
    assert b.tolist() == weights.tolist() == [1.0, 1.0]
    for f in (torch.neg, lambda t: t.reshape(2, 1), lambda t: t[:], lambda t: t.expand(2, 2)):
        x.grad = None
        out = f(x)
        w = torch.ones(out.shape, dtype=torch.float64)
        out.backward(w)
        x.grad.fill_(9)
        assert (w == 1).sum().item() == w.numel()
    x.grad = None
    big = torch.ones(200, 200, requires_grad=True)
    held = (big * 2).sum(), big.sum()
    (held[0] + held[1] + (big * big).sum()).backward()
    first = big.grad.clone()
    assert (first == 5).sum().item() == 40000


def test_grads_of_one_pass_are_not_changed_by_the_next():
    """A gradient handed out earlier stays, unless it is the .grad that accumulates."""
    x = leaf([1.0, 2.0])
    (g,) = grad((x * x).sum(), x)
    kept = g.tolist()
    (x * x).sum().backward()
    (x * x).sum().backward()
    assert g.tolist() == kept
    mine = torch.tensor([5.0, 5.0], dtype=torch.float64)
    x.grad = mine
    x.sum().backward()
    assert mine is x.grad and mine.tolist() == [6.0, 6.0]


def test_long_chains():
    """100,000 nodes deep: forward, both kinds of backward, and release, without recursion."""
    x = leaf(1.0)
    y = x
    for _ in range(100_000):
        y = y + 1e-5
    y.backward()
    assert x.grad.item() == 1.0
    del y
    y = x
    for _ in range(100_000):
        y = -y
    assert grad(y, x)[0].item() == 1.0
    y = x
    for _ in range(100_000):
        y = y * 1
    del y
    gc.collect()


def test_nothing_waits_for_the_collector():
    """Dropping the result frees the graph at once: there are no reference cycles."""
    gc.disable()
    try:
        x = leaf([1.0, 2.0])
        for f in (
            torch.exp,
            torch.tanh,
            lambda t: t * t,
            lambda t: t[0:1],
            lambda t: torch.cat([t, t]),
        ):
            y = f(x)
            node = weakref.ref(y.grad_fn)
            del y
            assert node() is None
    finally:
        gc.enable()


def test_threads_run_forward_and_backward_at_once():
    """Gradients of a shared leaf add up, and each thread's own are right."""
    shared = leaf([1.0, 2.0])
    failures = []

    def work(k):
        try:
            for _ in range(50):
                own = leaf([float(k), 1.0])
                y = ((own * shared).sin() * own).sum()
                (g,) = grad(y, own, retain_graph=True)
                (own * shared).sum().backward()
                expected = own * shared * (own * shared).cos() + (own * shared).sin()
                if not torch.allclose(g, expected):
                    failures.append(g)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failures
    assert shared.grad.tolist() == [50.0 * (0 + 1 + 2 + 3), 200.0]


def test_a_walk_that_ends_at_a_tensor_leaves_what_made_it():
    """`grad` with respect to an intermediate result frees nothing behind it, as in PyTorch."""
    w = torch.tensor([0.5, -0.5], requires_grad=True)
    h = (w * 2).tanh()
    (g,) = torch.autograd.grad((h * h).sum(), h)
    assert g.tolist() == pytest.approx((2 * h).tolist())
    (again,) = torch.autograd.grad(h.sum(), w)  # through the tanh, which has saved its result
    assert again.tolist() == pytest.approx((2 * (1 - h * h)).tolist())
    first, second = (w * 2).chunk(2)
    outer, inner = torch.autograd.grad(first.exp() + second.exp(), [first, w])
    assert outer.item() == pytest.approx(2.718281, rel=1e-5) and inner.shape == (2,)
