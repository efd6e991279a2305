"""Lines of a training for the user: one after every epoch, the same with a terminal and without."""

from __future__ import annotations

from fgbench.config import OptimiserConfig
from fgbench.training.history import Epoch, History, Standing


def epoch_line(ended: Epoch, standing: Standing, config: OptimiserConfig, measure: str) -> str:
    """Return the line of an epoch: loss, score on validation, best score so far and training time.

    Args:
        ended: The epoch.
        standing: State of the training after it.
        config: The recipe's section.
        measure: Name of the score.
    """
    words = [f"loss {ended.losses['loss']:.3f}"]
    score = ended.score.get("score")
    if score is not None:
        words.append(f"validation {measure} {score:.3f}")
        is_best = standing.best_epoch == ended.epoch
        words.append("best so far" if is_best else f"best {standing.best_score:.3f}")
    words.append(f"{ended.seconds:.0f} s")
    return f"epoch {ended.epoch + 1} of {config.epochs * standing.turns}: {', '.join(words)}"


def resumed_line(standing: Standing, config: OptimiserConfig) -> str:
    """Return the line of a training that is resumed."""
    step = f", step {standing.step + 1}" if standing.step else ""
    return f"goes on with epoch {standing.epoch + 1} of {config.epochs * standing.turns}{step}"


def kept_line(history: History, measure: str) -> str:
    """Return the line of a finished training: the epoch that it keeps, and why it ended early if it did."""
    kept = f"kept epoch {history.best_epoch + 1}"
    if history.best_score is not None:
        kept += f", validation {measure} {history.best_score:.3f}"
    return f"{kept}; stopped early, for want of a better one" if history.stopped_early else kept
