"""What ``import fgbench`` offers, for type checkers and editors."""

from fgbench.api.faces import Face as Face
from fgbench.api.faces import align as align
from fgbench.api.faces import align_all as align_all
from fgbench.api.features import dense_trajectories as dense_trajectories
from fgbench.api.features import lbp as lbp
from fgbench.api.images import Images as Images
from fgbench.api.networks import Network as Network
from fgbench.api.networks import Prediction as Prediction
from fgbench.api.networks import load as load
from fgbench.api.runs import Run as Run
from fgbench.api.runs import UnitRun as UnitRun
from fgbench.api.scoring import Compared as Compared
from fgbench.api.scoring import Scored as Scored
from fgbench.api.scoring import compare as compare
from fgbench.api.scoring import score as score
from fgbench.api.work import Work as Work
from fgbench.api.work import open_work as open  # noqa: A004
from fgbench.api.work import prepare as prepare
from fgbench.errors import FgbenchError as FgbenchError

__version__: str
