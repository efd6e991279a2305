"""Section of the data card on the annotators: sizes of their groups, agreement, confidence of classes."""

from __future__ import annotations

from collections.abc import Mapping

from fgbench.catalogue.pseudonyms import Names, how_named
from fgbench.config import ConsensusConfig
from fgbench.evaluation.agreement import Agreement
from fgbench.evaluation.clusters import FEW
from fgbench.preparation import settling
from fgbench.preparation.stages._plain_text import plain
from fgbench.preparation.stages._vote_agreement import Annotation, ClassAgreement, Round
from fgbench.preparation.voting import PAPERS_CONFIDENCE, PAPERS_GROUP, low_classes


def annotation_lines(annotation: Annotation, config: ConsensusConfig, annotators: Names) -> list[str]:
    """Lines of Markdown; none where the data set has neither votes nor confidences.

    Args:
        annotation: Votes and confidences.
        config: Section ``consensus`` of the recipe.
        annotators: Form of their names.
    """
    lines = []
    if annotation.rounds:
        lines += ["## Votes", "", rule(config), "", how_named(annotators), ""]
        for number, votes in annotation.rounds.items():
            lines += [*_round(number, votes), ""]
        lines += [*_legend(annotation.rounds), ""]
    if any(value is not None for value in annotation.confidences.values()):
        lines += [*_confidences(annotation.confidences, config), ""]
    return lines


def rule(config: ConsensusConfig) -> str:
    """Return how votes become labels, in words."""
    own = (
        f" A clip whose mean confidence is below {config.min_confidence:g} counts as not settled: a rule of "
        "fgbench, the paper has none for clips."
        if config.min_confidence > 0
        else ""
    )
    frames = config.key_frame_tolerance
    apart = f"{config.key_frame_tolerance_s:g} s" if frames is None else f"{frames} frames"
    enough = f"with at least {config.min_votes} votes that are more than half of those cast"
    about = settling.load(config.rule).about.format(**config.model_dump())
    stands = (
        f"A label, or a key frame (up to {apart} apart), stands {enough}"
        if about == enough
        else f"A label stands {about}, a key frame (up to {apart} apart) {enough}"
    )
    return f"{stands}; else the clip is voted on again, after a second vote it is dropped.{own}"


def _round(number: int, votes: Round) -> list[str]:
    whole = votes.whole
    text = (
        f"Round {number}: {whole.n_votes} votes for a class, of {votes.n_annotators} annotators on "
        f"{whole.n_clips} {'clip' if whole.n_clips == 1 else 'clips'}."
    )
    odd = votes.odd_groups
    if odd:
        sizes = ", ".join(f"{count} by {size}" for size, count in odd.items())
        text += (
            f" **Voted on by other than {PAPERS_GROUP} annotators, the paper's group: {sum(odd.values())} of "
            f"them ({sizes}).**"
        )
    return [
        text,
        "",
        "| class | clips | votes | alpha of the label | of the key frame | of the confidence |",
        "|---|---|---|---|---|---|",
        _row("all", whole),
        *(_row(name, one) for name, one in votes.classes.items()),
    ]


def _row(name: str, one: ClassAgreement) -> str:
    cells = [_cell(agreement) for agreement in (one.label, one.key_frame, one.confidence)]
    return f"| {plain(name)} | {one.n_clips} | {one.n_votes} | {' | '.join(cells)} |"


def _cell(agreement: Agreement) -> str:
    if agreement.alpha is None:
        return ""
    if agreement.low is None or agreement.high is None:
        return f"{agreement.alpha:.3f}"
    return f"{agreement.alpha:.3f} ({agreement.low:.3f} to {agreement.high:.3f})"


def _legend(rounds: Mapping[int, Round]) -> list[str]:
    fewest = min(votes.whole.label.n_clusters for votes in rounds.values())
    rough = f" With {fewest} of them, fewer than {FEW}, intervals are a rough guide." if fewest < FEW else ""
    return [
        "Krippendorff's alpha over all votes of the round, those on clips that were not settled too: 1 where "
        "all agree, 0 where they agree as by chance, blank where it is not defined. Labels: nominal, a class "
        "against all others. Key frames and confidences: interval, of a class on the clips that have most "
        "votes for it. In brackets: 95 % interval by the bootstrap over persons, else sources, else clips; "
        f"none for a single one.{rough} The paper tells no agreement."
    ]


def _confidences(confidences: Mapping[str, float | None], config: ConsensusConfig) -> list[str]:
    dropped = low_classes(confidences, config.drop_classes_below)
    what = (
        f"Classes below {config.drop_classes_below:g} are dropped (`consensus.drop_classes_below`)."
        if config.drop_classes_below > 0
        else f"The paper drops classes below {PAPERS_CONFIDENCE:g}; this recipe drops none "
        "(`consensus.drop_classes_below`)."
    )

    def remark(name: str, value: float | None) -> str:
        if name in dropped:
            return "dropped"
        return "low" if value is not None and value < PAPERS_CONFIDENCE else ""

    return [
        "## Confidence of the classes",
        "",
        "Mean over the votes of the first round for the class, and over final labels that come with a "
        f"confidence. {what}",
        "",
        "| class | mean confidence | |",
        "|---|---|---|",
        *(
            f"| {plain(name)} | {'' if value is None else f'{value:.3f}'} | {remark(name, value)} |"
            for name, value in confidences.items()
        ),
    ]
