"""What a run is asked for, in the words of the command line, and what of that holds for the runs after it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from stagebook.book.secrets import shown_values
from stagebook.errors import UsageError
from stagebook.model import Parameter, frozen_map
from stagebook.plan import Selection


@dataclass(frozen=True, slots=True)
class Asked:
    """A run that is asked for.

    Attributes:
        words: its command.
        selection: the stages that may run.
        given: parameters as text; the secret ones among them as far as they are known here.
        secrets: the secret ones.
        environment: variables for the process.
        store: where results are kept, if that was said.
        jobs: kernels at work at once, if that was said.
        track: whether it is recorded in MLflow.
    """

    words: tuple[str, ...] = ()
    selection: Selection = Selection()  # noqa: RUF009 - frozen
    given: Mapping[str, str] = field(default_factory=frozen_map, repr=False)
    secrets: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=frozen_map, repr=False)
    store: str | None = None
    jobs: int | None = None
    track: bool = True

    def again(self) -> list[str]:
        """Options with which another run is given the same."""
        words = [word for name, text in self.given.items() if name not in self.secrets for word in ("-p", name, text)]
        words += [word for name in self.secrets for word in ("--secret", name)]
        words += ["--jobs", str(self.jobs)] if self.jobs is not None else []
        return [*words, *self.everywhere()]

    def everywhere(self) -> list[str]:
        """Those that hold for all runs that are started from one place."""
        return [
            *(["--store", self.store] if self.store is not None else []),
            *([] if self.track else ["--no-track"]),
        ]

    def shown(self, parameters: Iterable[Parameter]) -> str:
        """What was given, in a line; of secrets a mask."""
        values = shown_values(parameters, self.given)
        return ", ".join(f"{name} = {values[name]}" for name in (*self.given, *self.secrets_unknown) if name in values)

    @property
    def secrets_unknown(self) -> tuple[str, ...]:
        """Secrets whose values are not known here."""
        return tuple(name for name in self.secrets if name not in self.given)


def asked_for(words: Sequence[str], environment: Mapping[str, str], *, before: Asked) -> Asked:
    """What these words ask for.

    Args:
        words: of a `stagebook run`, the first one `run`.
        environment: variables for its process, beside those of this one.
        before: what was asked for in the same place: its store and whether it is recorded hold on.

    Raises:
        UsageError: the command does not take them.
    """
    import click

    from stagebook.commands.running import run

    try:
        asked = run.make_context("run", list(words[1:])).params
    except click.exceptions.Exit as error:  # its help has been printed
        raise UsageError("") from error
    except click.ClickException as error:
        raise UsageError(f"stagebook run: {error.format_message()}") from error
    known = {**os.environ, **environment}
    secret = {name: known[name.upper()] for name in asked["secrets"] if known.get(name.upper())}
    found = Asked(
        selection=Selection(asked["only"], asked["start"], asked["end"], asked["force"]),
        given=frozen_map({**dict(asked["parameters"]), **secret}),
        secrets=tuple(asked["secrets"]),
        environment=frozen_map(environment),
        store=asked["store"] or before.store,
        jobs=asked["jobs"],
        track=before.track and not asked["no_track"],
    )
    missing = [word for word in found.everywhere() if word not in words]
    return replace(found, words=(*words, *missing))
