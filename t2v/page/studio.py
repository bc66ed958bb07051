"""What the tabs of a page are built around."""

from dataclasses import dataclass, field

from t2v.engine.engine import Engine
from t2v.jobs.queue import Jobs
from t2v.page.glances import Glances
from t2v.weights.source import BUNDLED


@dataclass(frozen=True)
class Studio:
    """The engine, its queue, the model that is chosen at first, and glances at clips."""

    engine: Engine
    jobs: Jobs
    default_model: str = BUNDLED
    glances: Glances = field(default_factory=Glances)
