"""Division of the samples of a work folder: by its parts, or by folds of which each is tested once.

Reads the index of the manifests (``protocol``), the clips, and fold files; writes ``folds/<protocol>.csv`` of
the work folder if there is none yet.

- **parts**: named parts train, select and test. Where no part is left to select on (the official validation
  part is the test), a tenth of the training groups is held out for it.
- **k-fold**: fold k tests; the next fold selects (after the last comes the first), or a tenth of the groups
  outside fold k; the others train. So selection never sees the test fold (nested validation). Clips that
  could not be read are tested in one fold each (`fgbench.runs.lost_folds`) and do not move any other clip.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fgbench.errors import ConfigError, ManifestError
from fgbench.files.hashing import digest_json
from fgbench.runs.results import SINGLE_FOLD
from fgbench.runs.samples import Sample

FOLDS = "folds"
"""Folder of the fold files in a work folder."""

HELD_OUT = "held-out"
"""Name of a selection on held-out training groups."""

VAL_IS_TEST = "tested on the official validation set"
"""Label of a protocol whose test part is the official validation part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """Role of every clip in every fold.

    Attributes:
        name: Short name, e.g. ``"parts"``, ``"10-fold-by-subject"``.
        label: Name in tables.
        group_by: Column whose values are kept together.
        parts: Part of a clip to its role (``train``, ``val``, ``test``) in a division by parts.
        held_out: Clips to select on by fold, where neither a part nor the next fold is used.
        fold_of: Clip to fold in a division by folds, including clips that could not be read; else empty.
        n_folds: Number of folds; 0 in a division by parts.
    """

    name: str = "parts"
    label: str = "parts of the data set"
    group_by: str = "clip_id"
    parts: Mapping[str, str] = field(
        default_factory=lambda: {name: name for name in ("train", "val", "test")}
    )
    held_out: Mapping[str, frozenset[str]] = field(default_factory=dict)
    fold_of: Mapping[str, str] = field(default_factory=dict)
    n_folds: int = 0

    @property
    def folds(self) -> tuple[str, ...]:
        """Names of the folds: ``"1"`` to the last, or ``"0"`` alone in a division by parts."""
        return tuple(str(number) for number in range(1, self.n_folds + 1)) or (SINGLE_FOLD,)

    @property
    def digest(self) -> str | None:
        """Digest of the folds and roles; ``None`` for the parts train, val and test as they are."""
        if not self.n_folds and not self.held_out and self.parts == Division().parts:
            return None
        held = [sorted(self.held_out[fold]) for fold in self.folds if fold in self.held_out]
        return digest_json([dict(self.fold_of), dict(self.parts), held])

    def to_json(self) -> dict[str, Any]:
        """Plain values to keep with a result."""
        return {
            "name": self.name,
            "label": self.label,
            "folds": list(self.folds),
            "group_by": self.group_by,
            "digest": self.digest,
            "select_on": HELD_OUT if self.held_out else "fold" if self.n_folds else "part",
        }

    def divide(self, samples: Sequence[Sample], fold: str) -> list[Sample]:
        """Samples with ``part`` set to their role in a fold; those without a role are left out.

        Raises:
            ConfigError: If there is no such fold.
            ManifestError: If a sample is of a clip that is in no fold.
        """
        self.check_fold(fold)
        divided = []
        for sample in samples:
            role = self._role(sample, fold)
            if role is not None:
                divided.append(sample if sample.part == role else replace(sample, part=role))
        return divided

    def check_fold(self, fold: str) -> None:
        """Refuse a fold that does not exist.

        Raises:
            ConfigError: If there is no fold of this name.
        """
        if fold not in self.folds:
            raise ConfigError(
                f"no fold {fold!r} in protocol {self.name}, expected one of {', '.join(self.folds)}",
                "leave out --fold to run all",
            )

    def tested(self, samples: Sequence[Sample]) -> list[Sample]:
        """Samples that are tested in one of the folds, with ``part`` set to ``test``."""
        return [
            replace(sample, part="test")
            for sample in samples
            if self.n_folds or self.parts.get(sample.part) == "test"
        ]

    def _role(self, sample: Sample, fold: str) -> str | None:
        if not self.n_folds:
            role = self.parts.get(sample.part)
            return "val" if role == "train" and sample.clip_id in self.held_out.get(fold, ()) else role
        own = self.fold_of.get(sample.clip_id)
        if own is None:
            raise ManifestError(
                f"clip {sample.clip_id!r} is in no fold of {self.name}", "run fgbench prepare again"
            )
        if own == fold:
            return "test"
        if self.held_out:
            return "val" if sample.clip_id in self.held_out[fold] else "train"
        return "val" if own == str(int(fold) % self.n_folds + 1) else "train"
