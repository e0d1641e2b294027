"""Will a New York flight be late?

The stages of flights.ipynb as tasks, written by `stagebook export prefect`. What a
stage does stands in the notebook; change here how it is called, scheduled and retried.
Results are kept in the notebook's store, which decides what need not run again.
"""

from pathlib import Path

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from stagebook.flows import Job, Stages, run_stage, watch

NOTEBOOK = Path(__file__).parent / "../flights.ipynb"


@task(name="load", cache_policy=NO_CACHE)
def load(job: Job):
    """Load.

    Stage `load`, cell 4 of the notebook.
    """
    return run_stage(job)


@task(name="features", cache_policy=NO_CACHE)
def features(job: Job):
    """Features.

    Stage `features`, cells 6 and 7 of the notebook.
    """
    return run_stage(job)


@task(name="split", cache_policy=NO_CACHE)
def split(job: Job):
    """Split.

    Stage `split`, cell 9 of the notebook.
    """
    return run_stage(job)


@task(name="linear", cache_policy=NO_CACHE)
def linear(job: Job):
    """Two models, side by side.

    Stage `linear`, cell 11 of the notebook. It is ended after 300 s.
    """
    return run_stage(job)


@task(name="boosting", cache_policy=NO_CACHE, retries=1)
def boosting(job: Job):
    """Two models, side by side.

    Stage `boosting`, cell 12 of the notebook. It is ended after 300 s.
    """
    return run_stage(job)


@task(name="evaluate", cache_policy=NO_CACHE)
def evaluate(job: Job):
    """Evaluate.

    Stage `evaluate`, cell 13 of the notebook.
    """
    return run_stage(job)


@task(name="choose", cache_policy=NO_CACHE)
def choose(job: Job):
    """Choose.

    Stage `choose`, cell 16 of the notebook.
    """
    return run_stage(job)


@flow(name="flights")
def flights(
    late_after: int = 15,
    hold_out: str = "days",
    test_share: float = 0.25,
    depth: int = 6,
    learning_rate: float = 0.03,
    seed: int = 13,
    promote: bool = False,
):
    """Will a New York flight be late?

    Args:
        late_after: minutes behind schedule after which an arrival counts as late.
        hold_out: what is kept for testing: whole "days", the "end" of the year or single "flights".
        test_share: how much of it is kept, from 0 to 1.
        depth: how many questions in a row one tree may ask.
        learning_rate: how far each tree moves the answer.
        seed: where everything random starts.
        promote: Whether the model becomes the one in use, if its gates allow.
    """
    stages = Stages(
        NOTEBOOK,
        {
            "late_after": late_after,
            "hold_out": hold_out,
            "test_share": test_share,
            "depth": depth,
            "learning_rate": learning_rate,
            "seed": seed,
        },
        promote=promote,
    )
    after_load = stages.add(load)
    after_features = stages.add(features, after_load)
    after_split = stages.add(split, after_features)
    after_linear = stages.add(linear, after_features, after_split)
    after_boosting = stages.add(boosting, after_features, after_split)
    after_evaluate = stages.add(evaluate, after_split, after_linear, after_boosting)
    stages.add(choose, after_linear, after_boosting, after_evaluate)
    return stages.run()


@flow(name="flights-watch")
def watch_flights(window: str = "7d", every: str = "1d"):
    """Train again where what the service is asked has drifted from the training data.

    Args:
        window: A window of requests that is compared, as 12h, 7d or 2w.
        every: From the end of one window to the end of the next.
    """
    return watch(
        "models:/flights@champion",
        NOTEBOOK,
        lambda: flights(promote=True, return_state=True),
        window=window,
        every=every,
    )


if __name__ == "__main__":
    flights()
