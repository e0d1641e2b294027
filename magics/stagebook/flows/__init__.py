"""What an exported Prefect flow calls: stages as tasks of the flow that is running, and monitors that train again."""

from stagebook.flows.stages import Stages
from stagebook.flows.watching import watch
from stagebook.run.tasks import Job, run_stage

__all__ = ["Job", "Stages", "run_stage", "watch"]
