"""All commands, in the order in which help lists them."""

from __future__ import annotations

import click

from stagebook.commands import (
    comparing,
    doctoring,
    drifting,
    explaining,
    exporting,
    models,
    monitoring,
    reading,
    recording,
    running,
    serving,
    standing,
    storing,
    suggesting,
    sweeping,
    testing,
    verifying,
)

COMMANDS: tuple[click.Command, ...] = (
    suggesting.suggest,
    reading.check,
    reading.show,
    reading.plan,
    running.run,
    sweeping.sweep,
    testing.test,
    standing.status,
    explaining.why,
    recording.runs,
    comparing.compare,
    comparing.diff,
    drifting.drift,
    monitoring.monitor,
    models.lineage,
    models.promote,
    models.rollback,
    serving.serve,
    serving.score,
    exporting.export,
    verifying.verify,
    recording.sync,
    storing.gc,
    doctoring.doctor,
)
