"""The number of threads of the CPU's matrix library."""

import os
import time
from functools import partial

import numpy as np
import pytest

import arraytorch as torch
from arraytorch.backends import numpy_products, sharing, threads


@pytest.fixture
def two_threads():
    """Two threads, and what the library says it has."""
    before = torch.get_num_threads()
    threads.give_back()
    torch.set_num_threads(2)
    yield threads._controls()[0]
    threads.give_back()
    torch.set_num_threads(before)


def test_the_number_of_threads_is_the_librarys_own():
    """What was set is what the library answers."""
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(
    ("number", "error"), [(0, RuntimeError), (-1, RuntimeError), (1.5, TypeError)]
)
def test_a_number_that_is_none_is_refused(number, error):
    """PyTorch's errors."""
    with pytest.raises(error, match="set_num_threads expects"):
        torch.set_num_threads(number)


def test_threads_are_given_back_by_whoever_leaves_last(two_threads):
    """Inside, the library computes alone, while the number that was set is still what is told."""
    outer, inner = threads.library_alone(), threads.library_alone()
    with outer:
        with inner:
            assert (two_threads(), torch.get_num_threads()) == (1, 2)
        assert (two_threads(), torch.get_num_threads()) == (1, 2)
    assert (two_threads(), torch.get_num_threads()) == (2, 2)


def test_threads_can_stay_away_until_they_are_given_back(two_threads):
    """Whoever comes in between does not give them back; whoever is inside keeps them away."""
    with threads.library_alone(after=True):
        assert not threads.give_back()
    with threads.library_alone():
        pass
    assert (two_threads(), torch.get_num_threads()) == (1, 2)
    torch.set_num_threads(3)
    assert (two_threads(), torch.get_num_threads()) == (1, 3)
    assert threads.give_back()
    assert (two_threads(), torch.get_num_threads()) == (3, 3)


def test_the_library_has_its_threads_back_when_ours_rest(two_threads, monkeypatch):
    """A while after the last shared operation, and at once for what LAPACK does."""
    monkeypatch.setattr(sharing, "in_use", lambda: True)
    monkeypatch.setattr(sharing, "_WHILE", 0.2)
    parts = [(i,) for i in range(2)]
    sharing.run(lambda i: None, parts)
    assert (two_threads(), torch.get_num_threads()) == (1, 2)
    assert torch.linalg.det(torch.eye(3)) == 1
    assert two_threads() == 2
    sharing.run(lambda i: None, parts)
    assert two_threads() == 1
    limit = time.monotonic() + 30
    while two_threads() == 1 and time.monotonic() < limit:
        time.sleep(0.01)
    assert (two_threads(), torch.get_num_threads()) == (2, 2)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_child_is_not_inside(two_threads):
    """What a thread of the parent was in the middle of, nobody in the child would end."""
    with threads.library_alone(), threads._lock:
        child = os.fork()
        if not child:
            with threads.library_alone():
                pass
            os._exit(0 if two_threads() == 2 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("rows", [1, 2, 4, 5, 8, 40, 64, 65])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_few_rows_by_a_transposed_matrix(rows, dtype):
    """Which is the transposed product of the matrix by columns; the result is in C order."""
    rng = np.random.default_rng(rows)
    for k, n in ((128, 250), (600, 500), (40, 100)):
        x, w = (
            rng.standard_normal((rows, k)).astype(dtype),
            rng.standard_normal((n, k)).astype(dtype),
        )
        bias = rng.standard_normal(n).astype(dtype)
        want = np.einsum("ik,jk->ij", x.astype("f8"), w.astype("f8"))
        a, b = torch.tensor(x), torch.tensor(w)
        near = partial(np.testing.assert_allclose, atol=1e-3 if dtype == "f4" else 1e-10)
        near((a @ b.T).numpy(), want)
        assert (a @ b.T).is_contiguous()
        got = torch.nn.functional.linear(a, b, torch.tensor(bias))
        near(got.numpy(), want + bias)
        near((a.T.contiguous().T @ b.T).numpy(), want)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        torch.ones(8, 300) @ torch.ones(400, 200).T


@pytest.mark.parametrize("number", [2, 3, 4, 6])
def test_threads_share_a_product_by_tiles(number, monkeypatch):
    """Of any layout, and of tiles that do not divide the result."""
    monkeypatch.setattr(sharing, "get_num_threads", lambda: number)
    monkeypatch.setattr(numpy_products, "get_num_threads", lambda: number)
    monkeypatch.setattr(numpy_products, "_EACH", 1)
    rng = np.random.default_rng(number)
    for m, k, n in (
        (40, 30, 50),
        (7, 9, 2),
        (1, 20, 33),
        (33, 20, 1),
        (2, 1, 1),
        (0, 3, 4),
        (3, 0, 4),
    ):
        x, y = rng.standard_normal((m, k)), rng.standard_normal((n, k))
        tiles = numpy_products._tiles(x, y.T, np.empty((m, n)))
        assert len(tiles) <= number
        assert sum(out.size for _, _, out in tiles) == m * n
        for a in (x, np.asfortranarray(x)):
            for b in (y.T, np.ascontiguousarray(y.T)):
                got = numpy_products.dot(a, b)
                np.testing.assert_allclose(
                    got, np.einsum("ik,jk->ij", x, y), rtol=1e-10, atol=1e-12
                )
                assert got.flags.c_contiguous
    with pytest.raises(ValueError):
        numpy_products.dot(x, x)
    monkeypatch.setattr(numpy_products, "in_use", lambda: True)
    monkeypatch.setattr(numpy_products, "_ENOUGH", 1)
    x, y = rng.standard_normal((3, 20, 30)), rng.standard_normal((3, 30, 7))
    np.testing.assert_allclose(numpy_products.batched(x, y), x @ y, rtol=1e-10)
