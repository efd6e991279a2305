"""Optimisers that take turns, an epoch each, as the losses of a task do.

Each turn has its own optimiser: the moments of one loss would set the steps of the other, whose
gradients may be ten times smaller, and momentum and weight decay would change parameters outside the turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from fgbench.config import OptimiserConfig
from fgbench.training.optimisation import build_optimiser
from fgbench.training.task import Task, TurningTask


class Turns:
    """The optimisers of a training, one per turn; most trainings have a single turn.

    Args:
        optimisers: At least one, in the order of the turns.
    """

    def __init__(self, optimisers: Sequence[torch.optim.Optimizer]) -> None:
        self._optimisers = list(optimisers)

    def __len__(self) -> int:
        return len(self._optimisers)

    def of(self, epoch: int) -> torch.optim.Optimizer:
        """Return the optimiser of an epoch (from 0)."""
        return self._optimisers[epoch % len(self)]

    def parameters(self, epoch: int) -> list[nn.Parameter]:
        """Return the parameters that an epoch (from 0) trains."""
        return [parameter for group in self.of(epoch).param_groups for parameter in group["params"]]

    def state(self) -> dict[str, Any]:
        """Return the state of all, for a checkpoint."""
        return {str(turn): optimiser.state_dict() for turn, optimiser in enumerate(self._optimisers)}

    def load_state(self, state: dict[str, Any]) -> None:
        """Load the state of :meth:`state`.

        Raises:
            KeyError: If the state is of fewer turns.
        """
        for turn, optimiser in enumerate(self._optimisers):
            optimiser.load_state_dict(state[str(turn)])


def build_turns(task: Task, config: OptimiserConfig) -> Turns:
    """Build the optimisers of a task.

    Raises:
        ConfigError: If nothing is to be trained in a turn.
    """
    turns = task.turns() if isinstance(task, TurningTask) else [task.groups()]
    return Turns([build_optimiser(groups, config) for groups in turns])
