"""Compilation of this package's kernels with a cache on disk, and the type of an image row.

A loop that LLVM is to turn into vector instructions works on whole one-dimensional rows, writes one or two of
them and reads few: beyond eight pairs LLVM gives up testing that they do not overlap.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fgbench.features._compiling import compiled
from fgbench.features._lanes import IS_PLAIN

Row = npt.NDArray[np.float32]


def kernel(function: Any) -> Any:
    """Compile with Numba on first use; machine code is kept on disk and runs without the GIL.

    If neither the package's folder nor the user's cache folder can be written, every process compiles
    anew. Numba notices a change of the file of a kernel, not of the files of the kernels that it calls:
    delete ``__pycache__`` after changing one of those. For the same reason plain loops are not kept:
    machine code of the vector instructions would be used for them.
    """
    return compiled(function, is_kept=not IS_PLAIN)
