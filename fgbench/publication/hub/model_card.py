"""Model cards as the Hub reads them: the card of a run, below a header with its scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

_METRICS = {"uar": "Mean of the per-class accuracies (UAR)", "war": "Accuracy", "macro_f1": "Macro F1"}
_TASK = "image-classification"


def hub_card(name: str, text: str, result: Mapping[str, Any] | None) -> str:
    """Return a model card with a YAML header.

    Args:
        name: Name of the network.
        text: Card of its run, in Markdown.
        result: Content of the result of its run; ``None`` if there is none: then the header has no scores.
    """
    from huggingface_hub import ModelCard, ModelCardData

    is_drawn = "SYNTHETIC" in text if result is None else bool(result["details"].get("synthetic"))
    data = ModelCardData(
        library_name="fgbench",
        license="other",
        pipeline_tag=_TASK,
        tags=["facial-expression-recognition", "fgbench", *(["synthetic"] if is_drawn else [])],
        model_name=name,
        eval_results=list(_scores(result)) if result is not None else None,
    )
    if not data.eval_results:
        data.model_name = data.eval_results = None
    return str(ModelCard(f"---\n{data.to_yaml()}\n---\n\n{text}"))


def _scores(result: Mapping[str, Any]) -> Iterator[EvalResult]:
    """Yield the scores on the test part; of action units their mean F1."""
    from huggingface_hub import EvalResult

    details = result["details"]
    dataset = f"{details['dataset']} (synthetic)" if details.get("synthetic") else str(details["dataset"])
    metrics = result.get("metrics")
    scores = (
        {name: (title, metrics[name]) for name, title in _METRICS.items()}
        if metrics is not None
        else {"mean_f1": ("Mean F1 of the action units", result.get("mean_f1"))}
    )
    for metric, (title, value) in scores.items():
        if value is not None:
            yield EvalResult(
                task_type=_TASK,
                dataset_type=str(details["dataset"]),
                dataset_name=dataset,
                dataset_split="test",
                metric_type=metric,
                metric_name=title,
                metric_value=float(value),
            )
