"""The number of threads of the CPU's matrix library."""

import pytest

import arraytorch as torch


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
