"""What is measured: for each session a workload, and who takes part in which situation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from benchmarks.peers.model import SITUATIONS, Situation

EVERYONE = ("stagebook", "papermill", "nbconvert", "ploomber", "metaflow", "kedro", "prefect", "dagster")
CACHING = ("stagebook", "ploomber", "metaflow", "prefect")
TWO = ("stagebook", "papermill")

SLOW = {"prefect": 2, "dagster": 1}


@dataclass(frozen=True)
class Session:
    """Measurements made together, in the same minutes: what is compared comes from one session.

    Attributes:
        name: what its measurements are filed under.
        workload: the workload's name.
        contenders: who takes part, by situation; situations follow one another in one folder of each contender.
        watch_memory: measure memory, not time.
        rarely: those that take very long take part in so many rounds only, which the report says.
    """

    name: str
    workload: str
    contenders: Mapping[Situation, tuple[str, ...]]
    watch_memory: bool = False
    rarely: Mapping[str, int] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """All who take part; each takes part in the cold situation, which comes first."""
        return self.contenders["cold"]

    def only(self, peers: Iterable[str]) -> Session:
        """The same with these contenders only."""
        chosen = set(peers)
        left = {
            situation: tuple(name for name in self.contenders[situation] if name in chosen)
            for situation in SITUATIONS
            if situation in self.contenders
        }
        return replace(self, contenders=left)


PLAN = (
    Session("trivial", "trivial", {"cold": EVERYONE, "nothing changed": CACHING[:3]}, rarely=SLOW),
    Session(
        "branches",
        "branches",
        {"cold": EVERYONE, "nothing changed": CACHING, "last stage edited": CACHING, "sweep": TWO},
        rarely=SLOW,
    ),
    Session("linear", "linear", {"cold": TWO}),
    Session(
        "flights",
        "flights",
        {
            "cold": ("stagebook", "papermill", "nbconvert", "ploomber"),
            "nothing changed": ("stagebook", "ploomber"),
            "last stage edited": ("stagebook", "ploomber"),
        },
    ),
    Session("record", "flights", {"cold": ("stagebook", "untracked")}),
    Session(
        "gigabyte",
        "gigabyte",
        {"cold": ("stagebook", "papermill", "ploomber", "metaflow", "kedro")},
        rarely={"ploomber": 2, "metaflow": 1, "kedro": 2},
    ),
    Session("cells", "cells", {"cold": ("stagebook", "nbclient")}),
    Session("output", "output", {"cold": ("stagebook", "nbclient")}),
    Session("memory", "branches", {"cold": TWO}, watch_memory=True),
)
