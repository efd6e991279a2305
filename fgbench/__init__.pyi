"""What ``import fgbench`` offers, for type checkers and editors."""

from fgbench.annotation.exported_round import ExportedTasks
from fgbench.annotation.imported_timelines import ImportedTimelines
from fgbench.annotation.imported_votes import ImportedVotes
from fgbench.annotation.pushed_tasks import PushedTasks
from fgbench.api.annotation import export_tasks, import_votes
from fgbench.api.annotation_server import pull_selection, pull_votes, push_tasks
from fgbench.api.data_sets import data_sets, survey
from fgbench.api.differences import Compared
from fgbench.api.drawing import synth
from fgbench.api.faces import Face, align, align_all
from fgbench.api.features import dense_trajectories, lbp
from fgbench.api.health import doctor
from fgbench.api.hub import Pulled, Pushed, pull, push
from fgbench.api.images import Images
from fgbench.api.labels import label_set, label_sets
from fgbench.api.methods import OwnNetwork, add_network
from fgbench.api.networks import Network, load
from fgbench.api.plugin_checks import check_plugin
from fgbench.api.predictions import Prediction
from fgbench.api.prepared import prepare
from fgbench.api.publishing import diff, publish, rebuild
from fgbench.api.recipes import recipe, recipes
from fgbench.api.report_values import Figure, Table
from fgbench.api.runs import Run
from fgbench.api.scoring import Scored, compare, score
from fgbench.api.selecting import export_frame_tasks, export_frames, import_selection
from fgbench.api.unit_runs import UnitRun
from fgbench.api.work import Work
from fgbench.api.work import open_work as open  # noqa: A004
from fgbench.errors import FgbenchError

__all__ = [
    "Compared",
    "ExportedTasks",
    "Face",
    "FgbenchError",
    "Figure",
    "Images",
    "ImportedTimelines",
    "ImportedVotes",
    "Network",
    "OwnNetwork",
    "Prediction",
    "Pulled",
    "Pushed",
    "PushedTasks",
    "Run",
    "Scored",
    "Table",
    "UnitRun",
    "Work",
    "__version__",
    "add_network",
    "align",
    "align_all",
    "check_plugin",
    "compare",
    "data_sets",
    "dense_trajectories",
    "diff",
    "doctor",
    "export_frame_tasks",
    "export_frames",
    "export_tasks",
    "import_selection",
    "import_votes",
    "label_set",
    "label_sets",
    "lbp",
    "load",
    "open",
    "prepare",
    "publish",
    "pull",
    "pull_selection",
    "pull_votes",
    "push",
    "push_tasks",
    "rebuild",
    "recipe",
    "recipes",
    "score",
    "survey",
    "synth",
]

__version__: str
