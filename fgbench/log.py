"""Logger of the library, ``fgbench``: takes sentences for people, and is silent unless the caller listens."""

from __future__ import annotations

import logging

from fgbench.printable import printable

LOGGER = logging.getLogger("fgbench")
"""Takes the sentences that the command line prints."""


class _Printable(logging.Filter):
    """Makes names of files in messages text that every handler can write."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = printable(record.getMessage()), ()
        return True


LOGGER.addHandler(logging.NullHandler())  # else Python prints errors itself
LOGGER.addFilter(_Printable())
