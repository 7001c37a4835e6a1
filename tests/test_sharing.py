"""Threads that share the work of one operation."""

import os
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest

import arraytorch as torch
from arraytorch import backends
from arraytorch.backends import numpy_pointwise, sharing
from arraytorch.backends.numpy import NumpyBackend
from arraytorch.backends.waking import Bell, End, ring_all

F = torch.nn.functional


@pytest.fixture(params=["awake", "asleep"])
def many_parts(monkeypatch, request):
    """Three threads, and parts of a few elements."""
    before = torch.get_num_threads()
    monkeypatch.setattr(sharing, "processors", lambda: 8 if request.param == "awake" else 1)
    torch.set_num_threads(3)
    monkeypatch.setattr(sharing, "BLOCK", 64)
    monkeypatch.setattr(sharing, "LARGE", 128)
    monkeypatch.setattr(sharing, "SHARE", 64)
    yield
    torch.set_num_threads(before)


def rand(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).standard_normal(shape).astype("f4")


@pytest.mark.parametrize("rows", [1, 2, 5, 64, 65, 1000])
@pytest.mark.parametrize("width", [1, 7, 64, 300])
def test_parts_cover_all_rows_once(many_parts, rows, width):
    """Whatever the numbers, and however many threads take part."""
    x, seen = np.zeros((rows, width)), np.zeros(rows)

    def part(x, seen):
        x += 1
        seen += 1

    sharing.rowwise(part, x, seen)
    assert (x == 1).all()
    assert (seen == 1).all()
    sharing.blockwise(part, x, x.copy())
    assert (x == 2).all()


def test_who_listens_first_tells_of_an_end():
    bell, end = Bell(100_000), End()
    for _ in range(2):
        bell.quiet()
        end.begin()
        bell.listen(None)  # nobody rings
        assert not end.told[0]
        bell.listen(end)
        assert end.told[0]
        end.release()
        end.wait(awake=True)


def test_a_bell_is_heard_until_it_is_quiet():
    """Listening ends at once, of which there is no other sign than the byte."""
    bells = [Bell(100_000), Bell(100_000)]
    ring_all(bells)
    assert all(bell.byte[0] for bell in bells)
    bells[0].quiet()
    assert not bells[0].byte[0]
    assert bells[1].byte[0]


@pytest.mark.parametrize("awake", [True, False])
def test_nobody_is_told_before_the_end(awake):
    """Whoever waits sleeps when it takes long, and then returns without having been told."""
    end, events = End(), []
    for _ in range(3):
        end.begin()
        events.clear()

        def finish():
            time.sleep(0.02)
            events.append("finished")
            end.release()

        thread = threading.Thread(target=finish)
        thread.start()
        end.wait(awake)
        assert events == ["finished"]
        thread.join()


def test_several_threads_take_part(many_parts):
    """A part that waits for another one ends."""
    barrier = threading.Barrier(3, timeout=30)
    names = set()

    def part(number):
        barrier.wait()
        names.add(threading.get_ident())

    sharing.run(part, [(0,), (1,), (2,)])
    assert len(names) == 3


ELEMENTWISE = [
    *(getattr(torch, n) for n in ("exp", "sin", "tanh", "sigmoid", "erf", "sign", "nan_to_num")),
    *(getattr(F, n) for n in ("gelu", "silu", "elu", "softplus", "logsigmoid", "leaky_relu")),
    *(getattr(F, n) for n in ("hardswish", "hardsigmoid", "softshrink", "hardshrink", "mish")),
    lambda x: torch.where(x > 0, x, 0.5),
    lambda x: x.masked_fill(x > 0, 0),
    lambda x: F.gelu(x, approximate="tanh"),
    lambda x: F.huber_loss(x, x * 2 + 1, reduction="none"),
]


@pytest.mark.parametrize("function", ELEMENTWISE)
def test_elementwise_results_do_not_depend_on_threads(many_parts, function):
    """To the last bit, as do gradients."""
    results = []
    for threads in (3, 1):
        torch.set_num_threads(threads)
        x = torch.tensor(rand(21000) * 3, requires_grad=True)
        y = function(x)
        y.sum().backward()
        results.append((y.detach().numpy(), x.grad.numpy()))
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)


ROWS = [
    lambda x: torch.softmax(x, -1),
    lambda x: torch.log_softmax(x, -1),
    lambda x: F.layer_norm(x, x.shape[1:], torch.ones(x.shape[1:]), torch.ones(x.shape[1:])),
    lambda x: F.group_norm(x.reshape(90, 4, -1), 2),
    lambda x: F.cross_entropy(x, torch.arange(90), reduction="sum") + 0 * x.sum(),
]


@pytest.mark.parametrize("function", ROWS)
def test_results_by_rows_are_those_of_one_thread(many_parts, function):
    """To rounding, as do gradients."""
    results = []
    for threads in (3, 1):
        torch.set_num_threads(threads)
        x = torch.tensor(rand(90, 240) * 3, requires_grad=True)
        y = function(x)
        (y * torch.tensor(rand(*y.shape, seed=1))).sum().backward()
        results.append((y.detach().numpy(), x.grad.numpy()))
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_shared_ufuncs_write_in_place_and_into_views(many_parts):
    """`out` may be the argument; what is not contiguous or of other types goes to the ufunc."""
    B = NumpyBackend()
    x = np.abs(rand(300)) + 1
    expected = np.sqrt(x)
    np.testing.assert_array_equal(B.sqrt(x), expected)
    np.testing.assert_array_equal(B.sqrt(x[::2]), expected[::2])
    assert B.sqrt(np.arange(300)).dtype == np.float64
    assert B.sqrt(x, x) is x
    np.testing.assert_array_equal(x, expected)
    t = torch.tensor(rand(300))
    expected = t.exp()
    assert t.exp_() is t
    assert torch.equal(t, expected)


def test_an_error_in_a_part_reaches_the_caller(many_parts):
    """After all parts have ended, wherever it was raised."""

    def part(number):
        if number == 1:
            raise KeyError("one")

    for _ in range(20):
        with pytest.raises(KeyError, match="one"):
            sharing.run(part, [(0,), (1,), (2,)])


def test_parts_may_share_in_turn(many_parts):
    """Threads that wait for each other would hang."""
    x = np.zeros(1000)

    def inner(x):
        x += 1

    sharing.run(lambda x: sharing.blockwise(inner, x), [(x[:500],), (x[500:],)])
    assert (x == 1).all()


def test_numpys_error_state_holds_in_all_threads(many_parts):
    """It is a context variable, which new threads do not inherit by themselves."""
    seen = []
    barrier = threading.Barrier(3, timeout=30)

    def part(number):
        barrier.wait()
        seen.append(np.geterr()["over"])

    with np.errstate(over="raise"):
        sharing.run(part, [(0,), (1,), (2,)])
    assert seen == ["raise"] * 3


def test_large_arrays_are_shared_without_being_asked():
    """The sizes are what they are outside of tests."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        x = torch.tensor(rand(1 << 19))
        assert torch.equal(x.exp(), torch.tensor(np.exp(x.numpy())))
        assert numpy_pointwise._plain(x.numpy())
        assert torch.allclose(torch.softmax(x.reshape(512, -1), 1).sum(1), torch.ones(512))
    finally:
        torch.set_num_threads(before)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
@pytest.mark.parametrize("choice", ["numpy", ""])  # "" takes numba where that is installed
def test_shared_kernels_work_in_threads_and_forked_children(choice):
    """Three Python threads at once, and a child that was forked after there were threads."""
    program = """
        import os, threading, warnings
        import arraytorch as torch
        warnings.simplefilter("ignore")
        torch.set_num_threads(2)
        x, a = torch.ones(1000, 1000), torch.ones(300, 300)
        image, filters = torch.ones(8, 16, 40, 40), torch.ones(32, 16, 3, 3)

        def work():
            for _ in range(5):
                assert (torch.nn.functional.conv2d(image, filters) == 144).all()
                assert (a @ a == 300).all()
                assert abs(torch.softmax(x, 1).sum().item() - 1000) < 1e-2
                assert torch.equal(x.exp(), torch.full_like(x, x[0, 0].exp().item()))
                y = torch.nn.functional.gelu(x)
                assert y.min() == y.max()

        threads = [threading.Thread(target=work) for _ in range(3)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert torch.get_num_threads() == 2
        child = os.fork()
        if not child:
            work()
            os._exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        print("done")
    """
    out = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env={**os.environ, "ARRAYTORCH_CPU": choice},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert out.stdout == "done\n", out.stderr


ARITHMETIC = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.true_divide,
    "maximum": np.maximum, "minimum": np.minimum, "eq": np.equal, "ne": np.not_equal,
    "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal,
}  # fmt: skip


@pytest.fixture
def shared_arithmetic(many_parts, monkeypatch):
    """Plain arithmetic, which looks at sizes once there are large arrays, of a few elements here."""
    monkeypatch.setattr(sharing, "PAIR", 64)
    backends.expect_large()


@pytest.mark.parametrize("name", ARITHMETIC)
@pytest.mark.parametrize("dtype", ["f4", "f8", "i8", "c8"])
def test_plain_arithmetic_is_shared(shared_arithmetic, name, dtype):
    """Of arrays of one shape, of an array and a number, and of all that goes the usual way."""
    if dtype == "c8" and name not in ("add", "sub", "mul", "div", "eq", "ne"):
        pytest.skip("complex numbers have no order")
    ufunc, op = ARITHMETIC[name], getattr(torch, name)
    x = (rand(30, 40) * 3).round().astype(dtype)
    x[0, 0] = 1
    y = (rand(30, 40, seed=1) * 2).round().astype(dtype) + np.array(0.5, dtype)
    y[y == 0] = 1
    cases = [
        (x, y),
        (x.T, y.T),
        (x, y[0]),
        (x[0], y),
        (x, y[:, :1]),
        (x, y[0, 0]),
        (x[::2], y[::2]),
    ]
    for a, b in cases:
        want = ufunc(a, b)
        if want.dtype == "f8" and dtype == "i8":
            want = want.astype("f4")
        got = op(torch.tensor(a), torch.tensor(b))
        np.testing.assert_allclose(got.numpy(), want, rtol=1e-6)
        assert got.numpy().dtype == want.dtype
    if name not in ("maximum", "minimum") and dtype in ("f4", "f8"):
        got = op(torch.tensor(x), 1.0)
        np.testing.assert_array_equal(got.numpy(), ufunc(x, np.array(1, dtype)))
    if name in ("add", "sub", "mul", "lt") and dtype == "i8":
        np.testing.assert_array_equal(op(torch.tensor(x), 2).numpy(), ufunc(x, 2))
        np.testing.assert_allclose(op(torch.tensor(x), 0.5).numpy(), ufunc(x, 0.5))


@pytest.mark.parametrize("name", ["add", "sub", "mul", "div"])
def test_plain_arithmetic_in_place_is_shared(shared_arithmetic, name):
    """Also with an operand that overlaps what is written to."""
    ufunc, method = ARITHMETIC[name], name + "_"
    x, y = rand(1001), rand(1001, seed=1) + 3
    t = torch.tensor(x)
    assert getattr(t, method)(torch.tensor(y)) is t
    np.testing.assert_array_equal(t.numpy(), ufunc(x, y))
    t = torch.tensor(x)
    getattr(t, method)(2.0)
    np.testing.assert_array_equal(t.numpy(), ufunc(x, np.float32(2)))
    t = torch.tensor(x)
    getattr(t, method)(t)
    np.testing.assert_array_equal(t.numpy(), ufunc(x, x))
    t = torch.tensor(x)
    getattr(t[1:], method)(t[:-1])
    np.testing.assert_array_equal(t.numpy()[1:], ufunc(x[1:], x[:-1]))


@pytest.mark.parametrize("name", ["add", "maximum", "lt"])
def test_shared_arithmetic_writes_where_it_is_told_to(shared_arithmetic, name):
    """Also into memory that an operand overlaps, of another type, and transposed."""
    ufunc, op = ARITHMETIC[name], getattr(torch, name)
    x, y = rand(30, 40), rand(30, 40, seed=1)
    want = ufunc(x, y)
    for out in (
        torch.empty(30, 40, dtype=torch.float64),
        torch.empty(40, 30).t(),
        torch.empty(30, 40),
    ):
        assert op(torch.tensor(x), torch.tensor(y), out=out) is out
        np.testing.assert_array_equal(out.numpy(), want)
    a, b = torch.tensor(x), torch.tensor(y)
    op(a, b, out=b)
    np.testing.assert_array_equal(b.numpy(), want)
    memory = torch.tensor(np.stack([x, x, y]).reshape(-1))
    op(memory[7:1207], memory[2400:], out=memory[:1200])
    np.testing.assert_array_equal(
        memory[:1200].numpy(), ufunc(np.r_[x.ravel()[7:], x.ravel()[:7]], y.ravel())
    )
    np.testing.assert_array_equal(memory[1200:].numpy(), np.r_[x.ravel(), y.ravel()])


ONES = {
    "neg": np.negative, "abs": np.abs, "square": np.square, "floor": np.floor, "ceil": np.ceil,
    "trunc": np.trunc, "round": np.round, "isnan": np.isnan, "isinf": np.isinf,
    "isfinite": np.isfinite, "signbit": np.signbit,
}  # fmt: skip


@pytest.mark.parametrize("name", ONES)
@pytest.mark.parametrize("dtype", ["f4", "f8", "i8"])
def test_plain_functions_are_shared(shared_arithmetic, name, dtype):
    """Also in place, and into memory that the operand overlaps."""
    x = (rand(30, 40) * 5).astype(dtype)
    if dtype != "i8":
        x[1, :4] = np.nan, np.inf, -np.inf, -0.0
    want = ONES[name](x)
    for a, b in ((x, want), (x.T, want.T), (x[::2], want[::2])):
        got = getattr(torch, name)(torch.tensor(a)).numpy()
        np.testing.assert_array_equal(got, b)
        assert got.dtype == want.dtype
    if want.dtype == dtype:
        t = torch.tensor(x)
        assert getattr(t, name + "_")() is t
        np.testing.assert_array_equal(t.numpy(), want)
        line = torch.tensor(x.reshape(-1))
        getattr(torch, name)(line[7:], out=line[:-7])
        np.testing.assert_array_equal(line.numpy()[:-7], want.reshape(-1)[7:])


def test_gradients_of_shared_arithmetic(shared_arithmetic):
    x, y = rand(40, 50).astype("f8"), rand(40, 50, seed=1).astype("f8") + 3
    a, b = torch.tensor(x, requires_grad=True), torch.tensor(y, requires_grad=True)
    (a * b + a / b - b).sum().backward()
    np.testing.assert_allclose(a.grad.numpy(), y + 1 / y, rtol=1e-12)
    np.testing.assert_allclose(b.grad.numpy(), x - x / y**2 - 1, rtol=1e-12)
