"""The contracts of tables and of figures."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

from fgbench.contracts.signatures import signature_fault
from fgbench.errors import FgbenchError
from fgbench.reports.rendering.table import Figure, Table


def table_faults(name: str, module: ModuleType) -> list[str]:
    """What a table does not keep to: of an empty folder it is a table, or an error of fgbench's.

    Args:
        name: Its name.
        module: Its module.
    """
    return _faults(module, Table)


def figure_faults(name: str, module: ModuleType) -> list[str]:
    """What a figure does not keep to: of an empty folder it is a figure, or an error of fgbench's.

    Args:
        name: Its name.
        module: Its module.
    """
    return _faults(module, Figure)


def _faults(module: ModuleType, wanted: type[Table | Figure]) -> list[str]:
    found = signature_fault(module.build, ["workdir"])
    if hasattr(module, "build_of"):
        found += signature_fault(module.build_of, ["workdirs"])
    if found:
        return found
    with TemporaryDirectory(prefix="fgbench-") as folder:
        try:
            made = module.build(Path(folder))
        except FgbenchError:
            return []
        except Exception as error:
            return [
                f"build of an empty folder raises {type(error).__name__} ({error}), "
                "expected fgbench.errors.ManifestError"
            ]
    return [] if isinstance(made, wanted) else [f"build gives {type(made).__name__}, not {wanted.__name__}"]
