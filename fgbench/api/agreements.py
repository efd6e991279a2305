"""Agreement of the annotators of a work folder, as values and as files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fgbench.api.arguments import name_of, path_of, two_names
from fgbench.api.showing import paragraph, table
from fgbench.naming import counted

if TYPE_CHECKING:
    import pandas as pd

    from fgbench.api.report_values import Figure
    from fgbench.reports.rendering.table import Table as ReportTable
    from fgbench.reports.votes.cast_votes import CastVotes
    from fgbench.reports.votes.figures import VoteFigures


class Agreement:
    """Agreement of annotators: tables of pandas, a row per round, class, annotator or pair.

    Undefined figures are missing. The columns are those of :mod:`fgbench.reports.votes.figures`; the notes of
    ``fgbench report --votes`` say what each means.

    Args:
        cast: The votes.
        figures: What was counted of them.
    """

    def __init__(self, cast: CastVotes, figures: VoteFigures) -> None:
        self._cast = cast
        self._figures = figures

    @property
    def alpha(self) -> float | None:
        """Krippendorff's alpha of the labels of all rounds together; ``None`` if undefined."""
        return self._figures.alpha

    @cached_property
    def rounds(self) -> pd.DataFrame:
        """By ``round``: ``annotators``, ``clips``, ``votes``, those ``unsure``, ``not_usable``, ``unknown``,
        clips ``settled``, ``alpha`` with ``low`` and ``high``, ``key_frame_alpha`` with ``key_frame_low`` and
        ``key_frame_high``, ``confidence_alpha`` likewise, and ``clusters``."""
        from fgbench.reports.votes.figures import RoundFigures

        return _frame(RoundFigures, self._figures.rounds, "round")

    @cached_property
    def classes(self) -> pd.DataFrame:
        """By ``round`` and ``label``: ``clips``, ``votes``, ``settled``, mean ``confidence``, and ``alpha``
        of the class against all others with ``low`` and ``high``."""
        from fgbench.reports.votes.figures import ClassFigures

        return _frame(ClassFigures, self._figures.classes, "round", "label")

    @cached_property
    def annotators(self) -> pd.DataFrame:
        """By ``annotator``: ``votes``, votes ``compared`` and their ``agreement`` with the others,
        ``alpha_without``, votes on ``gold`` items with ``gold_accuracy``, ``gold_low``, ``gold_high``, median
        ``seconds``, ``key_frames`` compared with ``key_bias_s`` and ``key_spread_s``, shares ``unsure``,
        ``not_usable`` and ``fast``, ``p`` and ``is_fast_and_wrong``."""
        from fgbench.reports.votes.figures import AnnotatorFigures

        return _frame(AnnotatorFigures, self._figures.annotators, "annotator")

    @cached_property
    def pairs(self) -> pd.DataFrame:
        """By ``first`` and ``second`` annotator: clips ``shared``, ``agreement``, Cohen's ``kappa``."""
        from fgbench.reports.votes.figures import PairFigures

        return _frame(PairFigures, self._figures.pairs, "first", "second")

    @cached_property
    def confusions(self) -> pd.DataFrame:
        """By ``first`` and ``second`` class, those confused most first: ``pairs`` of votes, ``share``."""
        from fgbench.reports.votes.figures import ConfusionFigures

        return _frame(ConfusionFigures, self._figures.confusions, "first", "second")

    def confusion(self, first: str, second: str) -> pd.DataFrame:
        """Return the clips by the class of one annotator (rows) and of another (columns), all classes.

        A clip counts once in each round in which both voted for a class.

        Args:
            first: Annotator, as in :attr:`annotators`.
            second: Another one.

        Raises:
            ConfigError: If one of them has no votes, or both are one.
        """
        import pandas as pd

        from fgbench.reports.votes.pair import confusion_of

        one = name_of("first", first, example="first='a-3f9c0d21'")
        other = name_of("second", second, example="second='a-51c0de99'")
        classes = list(self._cast.classes)
        counts = confusion_of(self._cast, one, other)
        return pd.DataFrame(counts, pd.Index(classes, name=one), pd.Index(classes, name=other))

    def figure(self) -> Figure:
        """Return the heat map of all pairs, and the agreement of each annotator."""
        from fgbench.api.report_values import Figure
        from fgbench.reports.votes.heat_map import agreement_figure

        return Figure(agreement_figure(self._cast, self._figures))

    def __repr__(self) -> str:
        alpha = "not defined" if self.alpha is None else f"{self.alpha:.3f}"
        people = counted(len(self._figures.annotators), "annotator")
        votes = counted(sum(one.votes for one in self._figures.annotators), "vote")
        return f"<Agreement: alpha {alpha}, {votes} of {people}>"

    def _repr_html_(self) -> str:
        return f"{paragraph(repr(self)[1:-1])}{table(self.rounds)}{table(self.annotators)}"


def agreement(workdir: str | os.PathLike[str]) -> Agreement:
    """Return the agreement of the annotators of a work folder.

    Raises:
        ManifestError: If the data set has no votes, or manifests are missing or damaged.
    """
    from fgbench.reports.votes.agreement import vote_figures
    from fgbench.reports.votes.cast_votes import read_votes

    cast = read_votes(path_of("workdir", workdir, example="work.path"))
    return Agreement(cast, vote_figures(cast))


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteReport:
    """Tables and files on votes that were written.

    Attributes:
        tables: By round, by class, annotators, pairs, confused classes; of a pair, the classes that both
            confuse, and the matrix.
        paths: All files.
    """

    tables: tuple[ReportTable, ...]
    paths: tuple[Path, ...]

    @property
    def short(self) -> list[ReportTable]:
        """The tables for a terminal: long ones cut, with a note on what is left out."""
        from fgbench.reports.votes.pair import MATRIX
        from fgbench.reports.votes.tables import SHORT, shortened

        return [shortened(one) for one in self.tables if one.name != MATRIX or len(one.rows) <= SHORT // 2]


def report_votes(
    workdir: str | os.PathLike[str] = ".",
    *,
    out: str | os.PathLike[str] | None = None,
    formats: Sequence[str] | None = None,
    for_paper: bool = False,
    pair: Sequence[str] | None = None,
) -> VoteReport:
    """Write the tables and the figure on the votes of a work folder.

    Args:
        workdir: The work folder.
        out: This and what follows: as of :func:`fgbench.api.reports.report`.
        pair: Two annotators, whose confused classes are written in place of the other tables.

    Raises:
        ConfigError: If there is no such format or annotator, or a file would replace one that fgbench did not
            write.
        ManifestError: If the data set has no votes, or manifests are missing or damaged.
        ResourceError: If a file cannot be written.
    """
    from fgbench.api.reports import check_formats, formats_for
    from fgbench.reports.rendering.files import Look
    from fgbench.reports.votes.files import write_votes
    from fgbench.workfolders.folder import check_results

    check_formats(formats)
    folder = path_of("workdir", workdir, example="work.path")
    if out is None:
        check_results(folder)
    tables, paths = write_votes(
        folder,
        folder / "reports" if out is None else path_of("out", out, example="out='reports'"),
        formats_for(formats, for_paper=for_paper),
        look=Look(for_paper=for_paper),
        own=out is None,
        pair=two_names("pair", pair, example="pair=('a-3f9c0d21', 'a-51c0de99')"),
    )
    return VoteReport(tables=tuple(tables), paths=tuple(paths))


def _frame(kind: type[Any], figures: Sequence[Any], *index: str) -> pd.DataFrame:
    """A row per value of figures, by the columns that name it; of none, the columns alone."""
    import pandas as pd

    columns = [field.name for field in fields(kind)]
    return pd.DataFrame([asdict(one) for one in figures], columns=columns).set_index(list(index))
