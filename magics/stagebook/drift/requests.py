"""The request log of a service: how its files are called and laid out, and reading them as one table.

A log is a folder: `day=YYYY-MM-DD/HHMMSS-ID.parquet`, by UTC, with a row for each row that was scored. Small files are
merged into larger ones. A merged file names those whose place it takes, so that they do not count twice where whoever
merged them was killed before they were removed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from stagebook.errors import StoreError, UsageError, did_you_mean

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

PREDICTION = "prediction"
"""Column of what a model said of a row; where that is several values, each is in `prediction.NAME`."""
INPUT = "input."
"""What stands before the name of an input column that would otherwise be called like one of ours."""
TIME, REQUEST, ROW = "stagebook.time", "stagebook.request", "stagebook.row"
VERSION, LATENCY = "stagebook.version", "stagebook.latency"
FACTS = (TIME, REQUEST, ROW, VERSION, LATENCY)
"""Columns of ours: when the request came (UTC), its id, the row's place in it, the model version, seconds it took."""
REPLACES = b"stagebook.replaces"
"""Key in a merged file's metadata: JSON, the names of the files whose place it takes."""
_DAY = "day="


@contextmanager
def log_at(place: str) -> Iterator[Path]:
    """The folder of a log; where that is a URL that fsspec knows, a copy of it, for as long as this lasts.

    Raises:
        StagebookError: there is no log at the URL, or it cannot be read.
    """
    if "://" not in place:
        yield Path(place)
        return
    import fsspec

    scheme, _, rest = place.partition("://")
    shown = f"{scheme}://{rest.rpartition('@')[2]}"  # without a password
    with TemporaryDirectory(prefix="stagebook-requests-") as folder:
        try:
            files, path = fsspec.core.url_to_fs(place)
            files.get(f"{path.rstrip('/')}/", folder, recursive=True)
        except FileNotFoundError as error:
            raise no_log(shown) from error
        except (OSError, ValueError, ImportError) as error:
            remedy = "Is the address right, and is the package that opens it installed?"
            raise StoreError(f"The request log at {shown} cannot be read ({type(error).__name__}). {remedy}") from error
        yield Path(folder)


def day_folder(folder: Path, moment: datetime) -> Path:
    """The folder of the log's files of this moment's day."""
    return folder / f"{_DAY}{moment.astimezone(timezone.utc):%Y-%m-%d}"


def days_in(folder: Path) -> dict[date, Path]:
    """The log's folders by day, the oldest first."""
    found = {}
    for path in sorted(folder.glob(f"{_DAY}*")):
        try:
            found[date.fromisoformat(path.name.removeprefix(_DAY))] = path
        except ValueError:  # not one of ours
            continue
    return found


def input_column(name: str) -> str:
    """What an input column is called in the log: its own name, unless that is one of ours."""
    taken = name == PREDICTION or name.startswith((f"{PREDICTION}.", "stagebook.", INPUT))
    return INPUT + name if taken else name


def is_input(column: str) -> bool:
    """Whether a column of the log is one of the model's inputs."""
    return column.startswith(INPUT) or input_column(column) == column


def read_requests(
    folder: Path, *, since: datetime | None = None, until: datetime | None = None, columns: Sequence[str] | None = None
) -> pd.DataFrame:
    """What was asked and said, a row for each row that was scored, in the order in which it came.

    Columns are flat. Inputs are called as the model calls them (`input.NAME` where that is a name of ours), outputs
    `prediction`, or `prediction.NAME` where a model says several things of a row (`prediction.0` and on where they have
    no names). Beside them are `stagebook.time` (UTC), `stagebook.request`, `stagebook.row`, `stagebook.version` and
    `stagebook.latency` (seconds). Where versions differ in their columns, what a row lacks is missing.

    Args:
        folder: the log.
        since: the first moment that counts, with a time zone; None: from the start.
        until: the first moment that does not; None: to the end. Only the days between are read.
        columns: those to read; None: all. Those of ours may be among them, or not.

    Raises:
        UsageError: there is no log, a moment has no time zone, or no row has such a column.
        StoreError: a file cannot be read.
    """
    import pandas as pd

    _check_zones(since, until)
    days = days_in(folder)
    if not days:
        raise no_log(folder)
    wanted = None if columns is None else [*dict.fromkeys([*columns, TIME, REQUEST, ROW])]
    tables = [_read(path, wanted, since, until) for day in _between(days, since, until) for path in log_files(day)]
    frame: Any = _joined([table for table in tables if table.num_rows])
    if frame is None:
        empty: pd.DataFrame = pd.DataFrame(columns=list(columns or FACTS))
        return empty
    frame = frame.sort_values([TIME, REQUEST, ROW], kind="stable", ignore_index=True)
    for name in columns or ():
        if name not in frame.columns:
            raise UsageError(f"The request log has no column `{name}`.{did_you_mean(name, map(str, frame.columns))}")
    found: pd.DataFrame = frame if columns is None else frame[list(columns)]
    return found


def no_log(folder: Path | str) -> UsageError:
    """What is said where no service has logged anything."""
    remedy = "`stagebook serve` writes one to .stagebook/requests/NAME, or where its --log says: name that folder."
    return UsageError(f"There is no request log in the folder `{folder}`. {remedy}")


def log_files(day: Path) -> list[Path]:
    """The files of a day that count: those that a merged one takes the place of do not."""
    files = sorted(day.glob("*.parquet"))
    replaced = {name for path in files for name in replaced_by(path)}
    return [path for path in files if path.name not in replaced]


def replaced_by(path: Path) -> list[str]:
    """The names of the files whose place this one takes.

    Raises:
        StoreError: it cannot be read.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_schema(path).metadata or {}
    except FileNotFoundError:  # merged meanwhile
        return []
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(path, error) from error
    names: list[str] = json.loads(metadata.get(REPLACES, b"[]"))
    return names


def _check_zones(*moments: datetime | None) -> None:
    for moment in moments:
        if moment is not None and moment.tzinfo is None:
            raise UsageError(f"{moment} has no time zone, and the request log is in UTC. Give it one.")


def _between(days: dict[date, Path], since: datetime | None, until: datetime | None) -> Iterable[Path]:
    first = since.astimezone(timezone.utc).date() if since else date.min
    last = until.astimezone(timezone.utc).date() if until else date.max
    return [path for day, path in days.items() if first <= day <= last]


def _read(path: Path, columns: list[str] | None, since: datetime | None, until: datetime | None) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            known = set(file.schema_arrow.names)
            table = file.read(columns=None if columns is None else [name for name in columns if name in known])
    except FileNotFoundError:  # merged meanwhile: the merged file is younger, and was not listed
        raise StoreError(f"{path} was merged into another file while the log was read. Read it again.") from None
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(path, error) from error
    if since is not None:
        table = table.filter(pc.greater_equal(table[TIME], pa.scalar(since)))
    if until is not None:
        table = table.filter(pc.less(table[TIME], pa.scalar(until)))
    return table


def _joined(tables: Sequence[Any]) -> pd.DataFrame | None:
    """One frame of all; where versions differ in a column's type beyond what Arrow widens, it holds objects."""
    import pandas as pd
    import pyarrow as pa

    if not tables:
        return None
    try:
        frame: pd.DataFrame = pa.concat_tables(tables, promote_options="permissive").to_pandas()
    except pa.ArrowException:
        frame = pd.concat([table.to_pandas() for table in tables], ignore_index=True)
    return frame


def _unreadable(path: Path, error: Exception) -> StoreError:
    cause = str(error).splitlines()[0] if str(error) else type(error).__name__
    return StoreError(f"{path} of the request log cannot be read: {cause}. Remove it, or restore it.")
