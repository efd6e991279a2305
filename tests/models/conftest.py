import pytest
import torch


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """The networks here are so small that threads, where other programs run too, wait more than they work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
