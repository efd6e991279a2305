"""State of a work folder with its runs: checked, tested again, shown."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fgbench.api.progress import Shown
from fgbench.records import SPLITS

if TYPE_CHECKING:
    import pandas as pd

    from fgbench.api.audits import Audited
    from fgbench.api.condition import Status
    from fgbench.api.pages import Page
    from fgbench.api.report_files import Report
    from fgbench.api.soundness import Soundness
    from fgbench.api.testing import Evaluated
    from fgbench.api.unit_testing import UnitsEvaluated


class Inspected:
    """State of a work folder, and its files for readers."""

    path: Path

    @property
    def class_counts(self) -> pd.DataFrame:
        """A row per class, in the order of probabilities: ``upper`` class (``None`` where there is none), and
        numbers of clips in ``train``, ``val`` and ``test``."""
        import pandas as pd

        from fgbench.api.labels import class_counts

        counts = class_counts(self.path)
        rows = {label: {"upper": upper, **counts.clips[label]} for label, upper in counts.upper.items()}
        return pd.DataFrame.from_dict(rows, orient="index", columns=["upper", *SPLITS])

    def status(self) -> Status:
        """Return what is done, what waits and what was rejected; nothing is done.

        Raises:
            DatasetError: If the data set has moved, or its layout is wrong.
            ManifestError: If its recipe is damaged.
        """
        from fgbench.api.condition import status

        return status(self.path)

    def check(
        self,
        *,
        deep: bool = False,
        repair: bool = False,
        jobs: int | None = None,
        progress: Shown = None,
    ) -> Soundness:
        """Compare its files with the digests noted when they were written.

        Args:
            deep: Whether the results of all stages, caches and predictions of runs are hashed too.
            repair: Whether what is damaged of manifests and results is computed anew first.
            jobs: Worker processes; ``None``: one per core.
            progress: Whether bars of a repair are shown; ``None``: in terminals and notebooks; or a function
                that is called with a name, the number done, and the total.

        Returns:
            Faults, a line each; ``require()`` raises where there is one.

        Raises:
            DatasetError: If the data set has moved, for a repair.
            ManifestError: If there are no manifests.
            ResourceError: If something may not be read.
        """
        from fgbench.api.soundness import check

        return check(self.path, deep=deep, repair=repair, jobs=jobs, progress=progress)

    def audit(
        self,
        *,
        against: Inspected | str | os.PathLike[str] | None = None,
        pictures: int = 60,
        jobs: int | None = None,
        progress: Shown = None,
    ) -> Audited:
        """Look for leaks between its parts, and write a page of them in ``audit/``.

        Args:
            against: Another work folder, with whose test part is compared what this one trains and chooses
                on; ``None``: the parts of this one with each other.
            pictures: Pairs of which the page shows pictures.
            jobs: Threads; ``None``: one per core.
            progress: See :meth:`check`.

        Returns:
            The leaks; ``check()`` raises where there is one.

        Raises:
            ManifestError: If a folder has no manifests, or they are damaged.
            ResourceError: If the page cannot be written.
        """
        from fgbench.api.audits import audit

        other = against.path if isinstance(against, Inspected) else against
        return audit(self.path, against=other, pictures=pictures, jobs=jobs, progress=progress)

    def evaluate(
        self,
        run: str | os.PathLike[str],
        *,
        fusion_weight: float | str | None = None,
        device: str | None = None,
        jobs: int | None = None,
        progress: Shown = None,
    ) -> Evaluated | UnitsEvaluated:
        """Predict its test images or clips anew with a trained network, and score them.

        Where the run was scored on the same manifests, its predictions are compared with the new ones. With
        another weight of the streams, and on other data, a new run appears.

        Args:
            run: Folder of a run, its weights, or the name of an experiment of this work folder.
            fusion_weight: Of networks of clips: weight of the spatial stream, 0 to 1, or ``"tuned"`` (best on
                validation); ``None``: the recipe's.
            device: ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"``; ``None``: a GPU if there is one.
            jobs: Worker processes; ``None``: one per core.
            progress: See :meth:`check`.

        Raises:
            ConfigError: If several runs are meant, the weight is none, or there is no such device.
            DatasetError: If the network does not fit the classes of the data.
            DependencyError: If torch is not installed.
            ManifestError: If manifests or weights are missing or damaged.
        """
        from fgbench.api.testing import evaluation

        test = evaluation(run, [self.path], fusion_weight=fusion_weight, device=device)
        return test.run(jobs=jobs, progress=progress)

    def report(
        self,
        *,
        everything: bool = False,
        formats: Sequence[str] | None = None,
        out: str | os.PathLike[str] | None = None,
        for_paper: bool = False,
        with_paper: bool = True,
    ) -> Report:
        """Write all tables and figures that there are runs for; what is left out is logged with the reason.

        Args:
            everything: Whether all are written in all formats that suit, with an index that tells what is
                blank.
            formats: ``"md"``, ``"tex"``, ``"csv"``, ``"html"``, of figures also ``"png"``, ``"pdf"``,
                ``"svg"``; ``None``: Markdown, figures also PNG; for a paper LaTeX, figures also PDF.
            out: Folder; ``None``: ``reports`` in the work folder.
            for_paper: Whether figures are as wide as a column or page of a paper, without title, and notes
                without commands.
            with_paper: Whether with the numbers of the paper that fgbench follows.

        Raises:
            ConfigError: If there is no such format, or a file would replace one that fgbench did not write.
            ManifestError: If the manifests are damaged.
            ResourceError: If a file cannot be written.
        """
        from fgbench.api.reports import report

        return report(
            [self.path],
            everything=everything,
            formats=formats,
            out=out,
            for_paper=for_paper,
            with_paper=with_paper,
        )

    def page(self, out: str | os.PathLike[str] | None = None) -> Page:
        """Write one page of it all for a browser: data set, every run, comparison.

        Args:
            out: The file, or an existing folder; ``None``: ``reports/report.html`` in the work folder.

        Raises:
            ConfigError: If the file is there and is no such page.
            ManifestError: If the manifests are missing or damaged.
            ResourceError: If the file cannot be written.
        """
        from fgbench.api.pages import page

        return page(self.path, out)
