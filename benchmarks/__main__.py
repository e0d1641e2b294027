"""`python -m benchmarks`: make the environments, compare results, measure, report."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import click

from benchmarks.campaign import Campaign
from benchmarks.environments import ROOT
from benchmarks.machine import machine
from benchmarks.peers import ALL as PEERS
from benchmarks.plan import PLAN
from benchmarks.report import report
from benchmarks.scaling import plot

MEASURED = Path(__file__).parent / ".measured"
RESULTS = Path(__file__).parent / "RESULTS.md"
NOTES = Path(__file__).parent / "NOTES.md"
PLOT = Path(__file__).parent / "scaling.svg"
PARTS = (*(session.name for session in PLAN), "starts", "share", "handoff", "scaling")


@click.command()
@click.option("--only", multiple=True, type=click.Choice(PARTS), help="Measure this part; may be given more than once.")
@click.option("--peers", multiple=True, type=click.Choice(list(PEERS)), help="Only these, beside Stagebook.")
@click.option("--repeats", type=click.IntRange(min=1), default=5, show_default=True, help="Rounds; medians count.")
@click.option("--quick", is_flag=True, help="One round, small scaling, the report on the screen: to see that it works.")
@click.option("--source", type=click.Path(path_type=Path, exists=True), default=ROOT, help="Stagebook's source [this].")
@click.option("--fresh", is_flag=True, help="Forget what has been measured of this source before.")
@click.option("--report-only", is_flag=True, help="Measure nothing; write the report of what has been measured.")
def main(
    *,
    only: tuple[str, ...],
    peers: tuple[str, ...],
    repeats: int,
    quick: bool,
    source: Path,
    fresh: bool,
    report_only: bool,
) -> None:
    """Measure Stagebook and its peers side by side, and write benchmarks/RESULTS.md.

    An interrupted run goes on where it was, as long as neither the source nor the workloads have changed.
    """
    campaign = Campaign(
        parts=only or PARTS,
        peers=("stagebook", *peers) if peers else tuple(PEERS),
        repeats=1 if quick else repeats,
        quick=quick,
        source=source.resolve(),
        folder=MEASURED,
        tell=click.echo,
    )
    if fresh:
        shutil.rmtree(campaign.records, ignore_errors=True)
    if not report_only:
        for stopping in (signal.SIGINT, signal.SIGTERM):  # also where a shell in the background has them ignored
            signal.signal(stopping, signal.default_int_handler)
        campaign.run()
    rounds = campaign.recorded()
    text = report(rounds, campaign.contenders(), machine(), NOTES.read_text(encoding="utf-8"))
    if quick:
        click.echo(text)
        return
    RESULTS.write_text(text, encoding="utf-8")
    plot(rounds, PLOT)
    click.echo(f"Written: {RESULTS}{f' and {PLOT}' if PLOT.exists() else ''}")


if __name__ == "__main__":
    main()
