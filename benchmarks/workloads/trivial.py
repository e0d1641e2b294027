"""Steps that do nothing worth mention: what is measured is the way from one to the next."""

from __future__ import annotations

from benchmarks.workloads.model import FIRST_EDITION, Step, Workload


def trivial(count: int) -> Workload:
    """So many steps in a chain, each of which adds to what the one before has made."""
    steps = [Step("stage1", ("a1 = 1",))]
    steps += [Step(f"stage{number}", (f"a{number} = a{number - 1} + 1",)) for number in range(2, count - 1)]
    steps.append(Step(f"stage{count - 1}", (f"a{count - 1} = a{count - 2} + rise",)))
    told = f'print("RESULT " + json.dumps({{"total": total, {FIRST_EDITION}}}))'
    steps.append(Step(f"stage{count}", (f"total = a{count - 1} + 1\n{told}",)))
    return Workload(
        name="trivial",
        title=f"{count} trivial stages in a chain",
        setup="import json",
        steps=tuple(steps),
        parameters={"rise": 1},
        sweep=("rise", (2, 3, 4, 5, 6, 7, 8, 9)),
        metrics=("total",),
    )
