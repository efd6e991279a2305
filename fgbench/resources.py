"""Location of the data files packed with fgbench: recipes (``pipelines/``) and tables (``manifests/``).

In an installed wheel they are under ``fgbench/_data``; in a source checkout (editable install) at its root.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def resource(*parts: str) -> Path:
    """Path of a packed file or folder, e.g. ``resource("manifests", "taxonomy.csv")``.

    Raises:
        FileNotFoundError: If the installation lacks it.
    """
    for root in (_PACKAGE / "_data", _PACKAGE.parent):
        path = root.joinpath(*parts)
        if path.exists():
            return path
    raise FileNotFoundError(f"fgbench was installed without its data file {'/'.join(parts)}; reinstall it")
