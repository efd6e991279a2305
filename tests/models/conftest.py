import pytest


@pytest.fixture(autouse=True, scope="module")
def _small_networks(one_thread):
    """The networks here are so small that threads, where other programs run too, wait more than they work."""
