"""The contracts of tables and of figures."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

from fgbench.contracts.signatures import signature_fault
from fgbench.errors import FgbenchError
from fgbench.reports.rendering.table import Figure, Table


def table_faults(name: str, module: ModuleType) -> list[str]:
    """Violations of the contract by a table: of an empty folder it gives a table, or an error of fgbench.

    Args:
        name: Its name.
        module: Its module.
    """
    return _faults(module, Table)


def figure_faults(name: str, module: ModuleType) -> list[str]:
    """Violations of the contract by a figure: of an empty folder it gives a figure, or an error of fgbench.

    Args:
        name: Its name.
        module: Its module.
    """
    return _faults(module, Figure)


def _faults(module: ModuleType, wanted: type[Table | Figure]) -> list[str]:
    faults = signature_fault(module.build, ["workdir"])
    if hasattr(module, "build_of"):
        faults += signature_fault(module.build_of, ["workdirs"])
    if faults:
        return faults
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
