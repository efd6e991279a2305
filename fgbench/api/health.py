"""``fgbench.doctor``: the state of this machine, and what is missing on it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fgbench.notebook_lines import NotebookLines

if TYPE_CHECKING:
    from fgbench.remote.urls import Opener


@dataclass(frozen=True, slots=True, kw_only=True)
class Health(NotebookLines):
    """Facts about this machine.

    Attributes:
        facts: Group to name to value; the groups are ``versions``, ``requirements`` (packages of the core
            whose versions will not do), ``extras``, ``storages`` (URLs that can be
            opened), ``decoders``, ``detectors``, ``models``, ``plugins`` (those of other packages),
            ``device`` and ``disk``.
    """

    facts: dict[str, dict[str, Any]]

    @property
    def missing(self) -> tuple[str, ...]:
        """Decoders, model files and packages without which fgbench does not work; empty where all is well."""
        decoders = [name for name, value in self.facts["decoders"].items() if value != "ok"]
        models = [name for name, value in self.facts["models"].items() if str(value).startswith("missing")]
        packages = [f"{name} {value}" for name, value in self.facts["requirements"].items()]
        return (*decoders, *models, *packages)

    def check(self) -> None:
        """Do nothing where all is well.

        Raises:
            DependencyError: If something is missing.
        """
        from fgbench.errors import DependencyError

        if self.missing:
            raise DependencyError(
                f"not usable: {', '.join(self.missing)}",
                "reinstall fgbench: pip install --force-reinstall fgbench",
            )

    def lines(self) -> list[str]:
        """Return the facts as lines of text, groups without any left out."""
        return [
            line
            for group, entries in self.facts.items()
            if entries
            for line in (f"{group}:", *(f"  {name}: {value}" for name, value in entries.items()))
        ]

    def __repr__(self) -> str:
        state = f"missing {', '.join(self.missing)}" if self.missing else "nothing is missing"
        return f"<Health: {state}>"


def doctor() -> Health:
    """Return versions, optional packages, decoders, detectors, model files, plug-ins, device and free disk of
    this machine."""
    from fgbench import plugins
    from fgbench.api.required_packages import required_packages
    from fgbench.cores import n_cores
    from fgbench.provenance import provenance
    from fgbench.remote.urls import PACKAGES
    from fgbench.workfolders.default_folders import BASE

    origin = provenance()
    packages = origin.pop("packages")
    assert isinstance(packages, dict)
    required = required_packages()
    return Health(
        facts={
            "versions": {**{name: value for name, value in origin.items() if value is not None}, **packages},
            "requirements": {one.package: one.state for one in required if not one.extra and not one.is_met},
            "extras": {
                one.package: one.state
                for one in required
                if one.extra and not one.extra.startswith("storage")
            },
            "storages": {f"{scheme}://": _storage(opener) for scheme, opener in PACKAGES.items()},
            "decoders": {name: _decoder(name) for name in plugins.own_names("decoders")},
            "detectors": {name.replace("_", "-"): _detector(name) for name in plugins.own_names("detectors")},
            "models": _models(),
            "plugins": _plugins(),
            "device": {"cores": n_cores(), **_cuda()},
            "disk": {str(BASE): f"{_free(BASE)}, {_locks(BASE)}"},
        }
    )


def _storage(opener: Opener) -> str:
    """Version of the package that opens a storage, or the command that installs what is missing."""
    from fgbench.provenance import installed_version

    found = {name: installed_version(name) for name in ("fsspec", opener.package)}
    if missing := [name for name, here in found.items() if here is None]:
        return f"not installed: {', '.join(missing)} (pip install 'fgbench[{opener.extra}]')"
    return f"{opener.package} {found[opener.package]}"


def _decoder(name: str) -> str:
    from fgbench import plugins

    try:
        plugins.load("decoders", name)
    except ImportError as error:
        return f"missing: {error}"
    return "ok"


def _detector(name: str) -> str:
    from fgbench import plugins

    try:
        module = plugins.load("detectors", name)
    except ImportError as error:
        return f"missing: {error}"
    first = (module.__doc__ or "").strip().split("\n\n")[0]
    return " ".join(first.replace("``", "").partition(": ")[2].split())


def _plugins() -> dict[str, str]:
    """Plugins of other packages: their package, and whether they can be used."""
    from fgbench import plugins

    states = {}
    for one in plugins.installed():
        state = f"disabled: {one.fault} ({one.remedy})" if one.fault else "ok"
        name = f"{one.kind}/{one.name.replace('_', '-')}".strip("/") or "all"
        key = name if name not in states else f"{name} of {one.origin}"
        states[key] = f"{one.origin}, {state}"
    return states


def _models() -> dict[str, str]:
    from fgbench.errors import DependencyError
    from fgbench.faces.models import MODEL_FILES, find_model

    paths = {}
    for name in MODEL_FILES:
        try:
            path = find_model(name)
        except DependencyError as error:
            paths[name] = f"missing: {error.message}"
        else:
            paths[name] = f"{path} ({path.stat().st_size / 1e6:.1f} MB)"
    return paths


def _cuda() -> dict[str, str]:
    try:
        import torch
    except ImportError:
        return {"cuda": "torch is not installed (pip install 'fgbench[train]')"}
    if not torch.cuda.is_available():
        return {"cuda": "none"}
    return {f"cuda:{index}": torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())}


def _free(folder: Path) -> str:
    return f"{shutil.disk_usage(_existing(folder)).free / 1e9:.1f} GB free"


def _locks(folder: Path) -> str:
    """Whether locks of work folders keep others out on the disk of a folder."""
    import tempfile

    from fgbench.errors import ResourceError
    from fgbench.storage import excludes_others

    try:
        with tempfile.TemporaryDirectory(prefix=".fgbench-", dir=_existing(folder)) as name:
            return "locks work" if excludes_others(Path(name)) else "locks do not keep others out"
    except (OSError, ResourceError) as error:
        return f"locks cannot be tried: {error}"


def _existing(folder: Path) -> Path:
    existing = folder.resolve()
    while not existing.exists():
        existing = existing.parent
    return existing
