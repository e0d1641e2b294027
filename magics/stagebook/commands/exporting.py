"""`export`: a pipeline as other tools' files; each exporter that is installed is a command of its own."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stagebook.commands.options import examples

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from stagebook.export.exporter import Exporter, ExportOption
    from stagebook.export.writing import FileState


class _Exporters(click.Group):
    """The exporters as commands, found when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Their names."""
        from stagebook.export.exporter import exporters

        return list(exporters())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """The exporter of this name as a command."""
        from stagebook.export.exporter import exporters

        exporter = exporters().get(cmd_name)
        return None if exporter is None else _command(cmd_name, exporter)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does it; where there is no such exporter, with the closest one's name.

        Raises:
            UsageError: there is none.
        """
        from stagebook.errors import UsageError, did_you_mean

        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            raise UsageError(f"There is no exporter `{args[0]}`.{did_you_mean(args[0], self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=_Exporters,
    subcommand_metavar="EXPORTER NOTEBOOK [OPTIONS]",
    epilog=examples(
        "stagebook export python flights.ipynb              a module, in flights-python/",
        "stagebook export python flights.ipynb --dry-run    which files it would write",
        "stagebook export python --help                     what this exporter can be told",
    ),
)
def export() -> None:
    """Write a notebook's pipeline as other tools' files."""


_FINISHING = {"image": "stagebook.commands.imaging"}
"""Commands that go on when the files are written, by exporter: a module with `OPTIONS` and what becomes of them."""


def _command(name: str, exporter: Exporter) -> click.Command:
    more = importlib.import_module(_FINISHING[name]) if name in _FINISHING else None
    in_repository = bool(getattr(exporter, "in_repository", False))
    usual = "the repository's root" if in_repository else f"NOTEBOOK-{name}"
    parameters: list[click.Parameter] = [
        click.Argument(["notebook"], type=click.Path(path_type=Path)),
        click.Option(["--out"], type=click.Path(path_type=Path, file_okay=False), help=f"Folder [{usual}]."),
        *(_option(one) for one in exporter.options),
        *(more.OPTIONS if more is not None else ()),
        click.Option(["--force"], is_flag=True, help="Write over files that were edited since the last export."),
        click.Option(["--dry-run"], is_flag=True, help="Say what would be written; write nothing."),
    ]

    from stagebook.export.repository import root_for
    from stagebook.export.writing import default_folder, listed_as

    def run(notebook: Path, *, out: Path | None, force: bool, dry_run: bool, **given: Any) -> None:
        if out is not None and out.suffix == ".py":
            raise click.UsageError(f"--out takes a folder, and {out} is called like a module. Name a folder.")
        asked = {one: given.pop(one) for one in (more.NAMES if more is not None else ())}
        if more is not None:
            more.check(asked)
            out = out or notebook.parent / default_folder(notebook, more.variant(given))
        if out is not None and given.get("source", "") is None:
            given["source"] = _seen_from(out, notebook)
        files = files_for(name, notebook, given)
        usual = (
            root_for(notebook) if in_repository and out is None else notebook.parent / default_folder(notebook, name)
        )
        folder = usual if out is None else out
        if more is not None and not force:
            more.check_folder(folder, files)
        listed = listed_as(name, notebook, folder, in_repository=in_repository)
        _write(files, folder, listed, overwrite=force, dry=dry_run)
        if more is not None and not dry_run:
            more.finish(folder, files, asked)

    return click.Command(
        name,
        callback=run,
        params=parameters,
        help=f"{exporter.title}. {exporter.says}",
        short_help=exporter.says,
        epilog=examples(
            f"stagebook export {name} flights.ipynb",
            f"stagebook export {name} flights.ipynb --out build --force",
            status="Exit status: 0 all is written, 2 nothing is.",
        ),
    )


def _seen_from(folder: Path, notebook: Path) -> str:
    """The notebook's path, from the folder that files are written to: for exporters that ask for their `source`."""
    import os

    return Path(os.path.relpath(notebook.resolve(), folder.resolve())).as_posix()


def _option(option: ExportOption) -> click.Option:
    names = [f"--{option.name.replace('_', '-')}", option.name]
    if option.kind == "switch":
        on = names[0]
        return click.Option([f"{on}/--no-{on[2:]}", option.name], default=bool(option.default), help=option.help)
    kinds: dict[str, Any] = {"text": str, "number": float, "choice": click.Choice(option.choices)}
    shown = option.default is not None
    return click.Option(names, type=kinds[option.kind], default=option.default, show_default=shown, help=option.help)


def files_for(name: str, notebook: Path, given: Mapping[str, Any]) -> Mapping[str, bytes]:
    """What an exporter makes of a notebook; one that asks for `tables` is told those that runs have shown to be some.

    Raises:
        StagebookError: the notebook, or what the exporter is told, is not in order.
    """
    from stagebook.book.notebook import read_document
    from stagebook.book.pipeline import recalled_pipeline
    from stagebook.export.exporter import exported_files, exporters

    document = read_document(notebook)
    pipeline = recalled_pipeline(document, notebook)
    if given.get("tables") is None and "tables" in {option.name for option in exporters()[name].options}:
        from stagebook.run.tabular import tables_of

        given = {**given, "tables": ",".join(tables_of(pipeline))}
    return exported_files(name, pipeline, document, given)


def _write(files: Mapping[str, bytes], folder: Path, listed: str, *, overwrite: bool, dry: bool) -> None:
    """Write the files, or say which would be written."""
    from stagebook.export.writing import states, write

    if dry:
        click.echo(_told(folder, states(files, folder, exporter=listed), files, dry=True))
    else:
        click.echo(_told(folder, write(files, folder, exporter=listed, overwrite=overwrite), files, dry=False))


def _told(folder: Path, found: Iterable[FileState], files: Any, *, dry: bool) -> str:
    """The files, a line each, with what becomes of them."""
    words = {"edited": "edited since: --force writes over it" if dry else "written over"}
    rows = [
        (one.path, f"{len(files[one.path]):,} bytes" if one.path in files else "", words.get(one.state, one.state))
        for one in found
    ]
    wide = [max((len(row[column]) for row in rows), default=0) for column in (0, 1)]
    lines = [f"  {path:{wide[0]}}  {size:>{wide[1]}}  {said}".rstrip() for path, size, said in rows]
    return "\n".join([f"{'Would write' if dry else 'Wrote'} to {folder}:", *lines])
