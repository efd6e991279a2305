"""``work.audit``: data shared by training, validation or test parts that should not be."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fgbench.api.arguments import path_of, path_or_none, whole, workers
from fgbench.api.progress import Shown, bars, shown_as
from fgbench.notebook_lines import NotebookLines

if TYPE_CHECKING:
    from fgbench.audit.leak import Leak
    from fgbench.audit.leaks import Audit

_SHOWN = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited(NotebookLines):
    """Result of an audit.

    Attributes:
        audit: All of it: parts that were compared, leaks, groups of clips that show the same.
        page: The report with pictures of the pairs; beside it ``audit.json`` has everything.
    """

    audit: Audit
    page: Path

    @property
    def leaks(self) -> Sequence[Leak]:
        """Leaks that the recipe does not allow, the worst first."""
        return self.audit.disallowed

    def check(self) -> None:
        """Do nothing where there is no leak.

        Raises:
            LeakError: If there is one.
        """
        from fgbench.errors import LeakError

        if not self.leaks:
            return
        against = self.audit.against
        raise LeakError(
            f"{len(self.leaks)} {'leak' if len(self.leaks) == 1 else 'leaks'} in {self.audit.folder.path}"
            + ("" if against is None else f" against {against.path}"),
            f"see {self.page}; {self._remedy()}",
        )

    def _remedy(self) -> str:
        if self.audit.against is not None:
            return "results on that test part are not to be trusted"
        if self.audit.folder.folds:
            return (
                "keep such clips in one fold (a fold file for training); or fgbench prepare --drop-leaks "
                "keeps the first of them alone"
            )
        return "fgbench prepare --drop-leaks takes such clips out of training and validation"

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return self.audit.to_json()

    def lines(self) -> list[str]:
        """Return lines of text: what was compared, a table of what was found, and the verdict."""
        from fgbench.naming import counted

        audit = self.audit
        lines = [*_compared(audit), *_table(audit)]
        if audit.groups:
            lines.append(
                f"{sum(group.n_clips for group in audit.groups)} clips show the same as others in another "
                f"part, in {counted(len(audit.groups), 'group')}; the largest has {audit.groups[0].n_clips}"
            )
        if audit.unreadable:
            lost, n = counted(len(audit.unreadable), "picture"), len(audit.unreadable)
            lines.append(f"{lost} cannot be decoded, and {'was' if n == 1 else 'were'} not compared")
        return [*lines, *_verdict(audit)]

    def __repr__(self) -> str:
        n = len(self.leaks)
        return f"<Audited {self.audit.folder.dataset}: {n} leak{'' if n == 1 else 's'}, {self.page}>"


def audit(
    workdir: str | os.PathLike[str],
    *,
    against: str | os.PathLike[str] | None = None,
    pictures: int = _SHOWN,
    jobs: int | None = None,
    progress: Shown = None,
) -> Audited:
    """Look for leaks between the parts of a work folder, and write ``audit/audit.html`` and
    ``audit/audit.json`` in it.

    Looked for are clips, subjects, sources, equal files, equal pictures and nearly equal faces in two parts,
    and augmented copies away from their originals. What the recipe does not keep apart is told, but is no
    leak.

    Args:
        workdir: Work folder.
        against: Another one, with whose test part is compared what this one trains and chooses on;
            ``None``: the parts of this one with each other.
        pictures: Pairs of which the page shows pictures.
        jobs: Threads; ``None``: one per core.
        progress: Whether bars are shown; ``None``: in terminals and notebooks; or a function that is called
            with a name, the number done, and the total.

    Raises:
        ManifestError: If a folder has no manifests, or they are damaged.
        ResourceError: If the report cannot be written.
    """
    from fgbench.audit.leaks import audit_against, audit_parts
    from fgbench.preparation.engines.local import limit_threads
    from fgbench.reports.audit_page import write_report
    from fgbench.workfolders.folder import check_results

    folder, threads = path_of("workdir", workdir, example="work.path"), workers(jobs)
    other = path_or_none("against", against, example="against=other.path")
    pictures, progress = whole("pictures", pictures, least=0), shown_as(progress)
    check_results(folder)
    limit_threads()
    with bars(progress) as update:
        if other is None:
            result = audit_parts(folder, jobs=threads, progress=update)
        else:
            result = audit_against(folder, other, jobs=threads, progress=update)
    _, page = write_report(result, shown=pictures)
    return Audited(audit=result, page=page)


def _compared(audit: Audit) -> list[str]:
    lines = [f"{audit.folder.dataset} is synthetic: drawn faces"] if audit.folder.synthetic else []
    if audit.folder.folds > 0 and audit.against is None:
        sizes = {pair.first: (pair.clips[0], pair.pictures[0]) for pair in audit.compared}
        sizes |= {pair.second: (pair.clips[1], pair.pictures[1]) for pair in audit.compared}
        n_clips, n_pictures = (sum(size[index] for size in sizes.values()) for index in (0, 1))
        return [
            *lines,
            f"{len(sizes)} folds, each compared with the others: {n_clips:,} clips, {n_pictures:,} pictures",
        ]
    return lines + [
        f"{pair.first} / {pair.second}: {pair.clips[0]} / {pair.clips[1]} clips, "
        f"{pair.pictures[0]} / {pair.pictures[1]} pictures"
        for pair in audit.compared
    ]


def _table(audit: Audit) -> list[str]:
    from fgbench.audit.leak import KINDS

    names = {str(kind): text for kind, text in KINDS.items()}
    rows = [
        (names[kind], f"{one}, {other}" if other else one, str(leaks), str(allowed))
        for kind, one, other, leaks, allowed in audit.counts()
    ]
    if not rows:
        return []
    rows.insert(0, ("found", "parts", "leaks", "allowed"))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = []
    for row in rows:
        left = "  ".join(cell.ljust(width) for cell, width in zip(row[:2], widths[:2], strict=True))
        right = "  ".join(cell.rjust(width) for cell, width in zip(row[2:], widths[2:], strict=True))
        lines.append(f"{left}  {right}")
    return lines


def _verdict(audit: Audit) -> list[str]:
    from fgbench.reports.audit_page import NO_LOOKS, comparisons

    if not audit.n_comparisons:
        return ["nothing was compared: no two parts have clips, so that nothing is said of leaks"]
    lines = [] if audit.disallowed else [f"no leak was found in {comparisons(audit)}"]
    return lines if audit.n_looks else [*lines, NO_LOOKS]
