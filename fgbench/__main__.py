"""``python -m fgbench``.

Python then imports from the current directory first. That is undone here, before more is imported; the few
modules by which Python itself starts a module were not safe: with files of others in the current directory
use the command ``fgbench``, or ``python -P -m fgbench``.
"""

import os
import sys

import fgbench

if not sys.flags.safe_path and f"{sys.path[0]}{os.sep}fgbench" not in fgbench.__path__:
    del sys.path[0]

from fgbench.cli.entry import main

if __name__ == "__main__":
    main()
