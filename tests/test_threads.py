"""The number of threads of the CPU's matrix library."""

import pytest

import arraytorch as torch
from arraytorch.backends import threads


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


def test_threads_are_given_back_by_whoever_leaves_last():
    """Inside, the library computes alone, while the number that was set is still what is told."""
    before = torch.get_num_threads()
    library = threads._controls()[0]
    outer, inner = threads.library_alone(), threads.library_alone()
    try:
        torch.set_num_threads(2)
        with outer:
            with inner:
                assert (library(), torch.get_num_threads()) == (1, 2)
            assert (library(), torch.get_num_threads()) == (1, 2)
        assert (library(), torch.get_num_threads()) == (2, 2)
    finally:
        torch.set_num_threads(before)
