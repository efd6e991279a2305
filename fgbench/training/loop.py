"""The training loop: one for all networks, on one device or several, that can be killed and resumed.

Writes into its folder ``checkpoint.pt`` (after every epoch, and every ``optimiser.checkpoint_steps`` steps),
``history.json`` and ``log/`` (TensorBoard). On the CPU the final weights are the same to the last bit whether
the training was stopped or not: random numbers depend on (seed, epoch, step), and the checkpoint holds all
other state.

No step waits for the device. Losses and gradient norms stay on it and are fetched every few steps, before
every checkpoint and at the end of an epoch. Values that are not finite are therefore noticed up to
``CHECK_STEPS - 1`` steps later, but always before anything is written; their batch is then drawn again to
name its samples.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn

import torch
from torch import Tensor, nn

from fgbench.callbacks import Note, ignore
from fgbench.config import OptimiserConfig
from fgbench.errors import ConfigError, DatasetError
from fgbench.files.temporaries import remove_temporaries
from fgbench.runs.settings import CHECKPOINT as CHECKPOINT
from fgbench.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from fgbench.training.device import memory_explained
from fgbench.training.epoch_lines import epoch_line, kept_line, resumed_line
from fgbench.training.history import Epoch, History, Standing
from fgbench.training.log import Log, open_log
from fgbench.training.optimisation import gradient_norm, rate_factor, set_rate
from fgbench.training.processes import (
    Descend,
    Processes,
    descend_together,
    join_processes,
    refuse_idle,
    spread_parameters,
)
from fgbench.training.randomness import deterministic, isolated, seed_step
from fgbench.training.task import Task, ThawingTask
from fgbench.training.turns import Turns, build_turns
from fgbench.workfolders.sealed_json import write_sealed

HISTORY = "history.json"
"""Name of the history in the folder of a training."""

CHECK_STEPS = 16
"""Most steps between two fetches of losses from the device."""

_NAMED = 32
_GRADIENT = "gradient_norm"


@dataclass(slots=True, kw_only=True)
class _Run:
    task: Task
    config: OptimiserConfig
    seed: int
    device: torch.device
    folder: Path
    fingerprint: str
    progress: Callable[[str, int, int], None]
    note: Note
    measure: str
    processes: Processes
    turns: Turns
    descend: Descend
    standing: Standing
    ended: Callable[[Epoch], object]
    best: dict[str, Tensor] = field(default_factory=dict)

    @property
    def parameters(self) -> list[nn.Parameter]:
        return self.turns.parameters(self.standing.epoch)

    @property
    def optimiser(self) -> torch.optim.Optimizer:
        return self.turns.of(self.standing.epoch)


def fit(
    task: Task,
    config: OptimiserConfig,
    *,
    seed: int,
    device: torch.device,
    folder: Path,
    fingerprint: str,
    resume: bool,
    progress: Callable[[str, int, int], None],
    note: Note = ignore,
    measure: str = "UAR",
    ended: Callable[[Epoch], object] = ignore,
) -> History:
    """Train a network until its epochs or its patience end, and give it the weights of the epoch to keep.

    If the losses of a task take turns, the recipe's epochs, patience and schedule count rounds (an epoch
    of each turn), and the task is scored after whole rounds. See :class:`fgbench.training.task.TurningTask`.

    Several processes (``torchrun``, ``accelerate launch``) train together when each calls this, and descend
    like one, except for dropout; see :mod:`fgbench.training.processes`.

    Args:
        task: Task to train. Its network must depend on ``seed`` alone.
        config: The recipe's section.
        seed: Seed of dropout; the task orders the batches.
        device: Device of the network and of the task's batches.
        folder: Folder of checkpoint, history and log.
        fingerprint: Digest of everything that the result depends on.
        resume: Whether to continue from the checkpoint in ``folder`` if there is one; else old files are
            replaced.
        progress: Called with ``("train", steps done, steps of all epochs)``.
        note: Called with a line after every epoch: losses, score, time; at the end with the kept epoch.
        measure: Name of the score, for these lines.
        ended: Called with every epoch that ended, in the process that writes; first with those before a
            checkpoint.

    Returns:
        The epochs, also those before a checkpoint.

    Raises:
        ConfigError: If a loss, a gradient or the score is not finite (the network has then to be built
            anew; the checkpoint is from before), if nothing is to be trained, if there are more processes
            than rows in a batch, or if the checkpoint is of another recipe.
        DatasetError: If there is no batch.
        ManifestError: If the checkpoint is damaged.
        ResourceError: If memory or disk are full.
    """
    with memory_explained(), deterministic(device), isolated(device):
        processes = join_processes(device)
        refuse_idle(processes, config.batch)
        task.model.to(device)
        turns = build_turns(task, config)
        run = _Run(
            task=task,
            config=config,
            seed=seed,
            device=device,
            folder=folder,
            fingerprint=fingerprint,
            progress=progress,
            note=note if processes.main else ignore,
            measure=measure,
            processes=processes,
            turns=turns,
            descend=descend_together(processes, task, device, bf16=config.precision == "bf16"),
            standing=Standing(turns=len(turns)),
            ended=ended if processes.main else ignore,
        )
        _start(run, resume=resume)
        standing = run.standing
        if standing.steps_done and not standing.finished(config):
            run.note(resumed_line(standing, config))
        for epoch in standing.epochs:
            run.ended(epoch)
        write = processes.main and not standing.finished(config)
        with open_log(folder / "log", steps_done=standing.steps_done, write=write) as log:
            while not standing.finished(config):
                rate = _train_epoch(run, log)
                _close_epoch(run, log, rate)
        task.model.load_state_dict(run.best)
        progress("train", standing.steps_done, standing.steps_done)
        history = standing.history(config)
        run.note(kept_line(history, run.measure))
        return history


def _start(run: _Run, *, resume: bool) -> None:
    path = run.folder / CHECKPOINT
    if resume and any(run.processes.gather(path.exists())):
        checkpoint = load_checkpoint(path, fingerprint=run.fingerprint)
        run.task.model.load_state_dict(checkpoint.model)
        run.turns.load_state(checkpoint.optimisers)
        run.standing, run.best = checkpoint.standing, checkpoint.best
    else:
        spread_parameters(run.processes, run.task.model)
    run.processes.wait()
    if run.processes.main and run.folder.is_dir():
        remove_temporaries(run.folder)
        if not run.standing.steps_done:
            for old in (path, run.folder / HISTORY):
                old.unlink(missing_ok=True)


def _train_epoch(run: _Run, log: Log) -> float:
    """Train the remaining steps of an epoch; return the last learning rate."""
    task, config, standing = run.task, run.config, run.standing
    if isinstance(task, ThawingTask):
        task.begin(standing.epoch)
    batches = task.batches(epoch=standing.epoch, rank=run.processes.rank, world=run.processes.world)
    steps, parameters = len(batches), run.parameters
    if not steps:
        raise DatasetError(
            "there are no samples to train on", "check the split and the recipe's data section"
        )
    task.model.train()
    waiting: list[tuple[int, dict[str, Tensor]]] = []
    clock, rate = time.perf_counter(), 0.0
    for step, batch in islice(enumerate(batches), standing.step, None):
        last = step + 1 == steps
        rate = set_rate(run.optimiser, rate_factor(config, epoch=standing.round, step=step, steps=steps))
        waiting.append(_step(run, batch, parameters, step=step))
        standing.step, standing.steps_done = step + 1, standing.steps_done + 1
        due = bool(config.checkpoint_steps) and standing.step % config.checkpoint_steps == 0 and not last
        if last or due or len(waiting) == CHECK_STEPS:
            _settle(run, waiting, log)
            standing.seconds += time.perf_counter() - clock
            if due:
                _save(run, log)
            clock = time.perf_counter()
        run.progress("train", standing.steps_done, config.epochs * standing.turns * steps)
    return rate


def _step(
    run: _Run, batch: Any, parameters: Sequence[nn.Parameter], *, step: int
) -> tuple[int, dict[str, Tensor]]:
    """Train one step; return this process's rows, and its measures, still on the device."""
    rows, epoch = run.task.rows(batch), run.standing.epoch
    seed_step(run.seed, epoch, step, rank=run.processes.rank)
    run.optimiser.zero_grad(set_to_none=True)
    measured = run.descend(batch, epoch, rows)
    measured[_GRADIENT] = gradient_norm(parameters, clip_norm=run.config.clip_norm)
    run.optimiser.step()
    return rows, measured


def _settle(run: _Run, waiting: list[tuple[int, dict[str, Tensor]]], log: Log) -> None:
    """Fetch the measures of the last steps from all processes; raise if not finite, else add them."""
    standing, processes = run.standing, run.processes
    names: list[str] = processes.gather(list(waiting[0][1]))[0]
    zero = torch.zeros((), device=run.device)
    values = torch.stack([measured.get(name, zero).float() for _, measured in waiting for name in names])
    own = zip([rows for rows, _ in waiting], values.view(-1, len(names)).tolist(), strict=True)
    means: dict[str, float] = {}
    for index, shares in enumerate(zip(*processes.gather(list(own)), strict=True)):
        total = sum(rows for rows, _ in shares)
        columns = zip(*([rows * value for value in row] for rows, row in shares), strict=True)
        means = {name: sum(column) / total for name, column in zip(names, columns, strict=True)}
        if not all(map(math.isfinite, means.values())):
            _diverged(run, standing.step - len(waiting) + index, means)
        standing.add(means, total)
    log.add("train", means, standing.steps_done)
    waiting.clear()


def _diverged(run: _Run, step: int, means: dict[str, float]) -> NoReturn:
    epoch, processes = run.standing.epoch, run.processes
    batches = run.task.batches(epoch=epoch, rank=processes.rank, world=processes.world)
    own = list(run.task.ids(next(islice(batches, step, None))))
    ids = [name for part in processes.gather(own) for name in part]
    wrong = ", ".join(f"{name} = {value}" for name, value in means.items() if not math.isfinite(value))
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    raise ConfigError(
        f"training diverged in epoch {epoch + 1}, step {step + 1}: {wrong}, expected finite numbers; "
        f"samples of the batch: {', '.join(ids[:_NAMED])}{more}",
        "look at these samples; if they are sound, lower optimiser.learning_rate or set optimiser.clip_norm "
        "(e.g. to 1) in the recipe. Nothing was overwritten: the last checkpoint is that of before",
    )


def _close_epoch(run: _Run, log: Log, rate: float) -> None:
    standing, model = run.standing, run.task.model
    score = _score(run) if standing.is_scored(run.config) else {}
    ended = standing.close_epoch(score, run.config, learning_rate=rate)
    if standing.best_epoch == ended.epoch:
        run.best = {name: value.detach().to("cpu", copy=True) for name, value in model.state_dict().items()}
    run.ended(ended)
    run.note(epoch_line(ended, standing, run.config, run.measure))
    log.add("epoch", ended.losses | {"images_per_s": ended.images_per_s}, standing.steps_done)
    log.add("selection", score, standing.steps_done)
    log.add("optimiser", {"learning_rate": rate}, standing.steps_done)
    if run.processes.main:
        write_sealed(run.folder / HISTORY, standing.history(run.config).plain())
    _save(run, log)


def _score(run: _Run) -> dict[str, float]:
    """Return the measures of the task on the selection samples.

    Raises:
        ConfigError: If the score is not finite.
    """
    run.task.model.eval()
    with torch.no_grad():
        own = {name: float(value) for name, value in run.task.score().items()}
    score: dict[str, float] = run.processes.gather(own)[0]
    if not math.isfinite(score["score"]):
        raise ConfigError(
            f"the score on the selection samples is {score['score']} after epoch "
            f"{run.standing.epoch + 1}, expected a number",
            "check that the selection split holds samples of the classes that are scored",
        )
    return score


def _save(run: _Run, log: Log) -> None:
    if not run.processes.main:
        return
    log.flush()
    save_checkpoint(
        run.folder / CHECKPOINT,
        Checkpoint(
            fingerprint=run.fingerprint,
            standing=run.standing,
            model=dict(run.task.model.state_dict()),
            optimisers=run.turns.state(),
            best=run.best,
        ),
    )
