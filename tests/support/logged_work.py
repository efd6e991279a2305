"""Work of other processes that logs what it does."""

import logging


def start():
    """Prepare a worker: nothing is needed."""


def double(number):
    """Twice a number."""
    logging.getLogger("fgbench.doubling").debug("doubling %d", number)
    return 2 * number
