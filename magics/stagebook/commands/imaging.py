"""What `export image` does beyond writing a context: building it, and pushing what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

OPTIONS: tuple[click.Option, ...] = (
    click.Option(["--build/--no-build"], default=False, help="Build it, by docker or podman."),
    click.Option(["--push"], is_flag=True, help="Build it, and push it to where its tag says."),
    click.Option(["--tag", "tags"], multiple=True, metavar="NAME[:TAG]", help="What it is called [NAME-TARGET]."),
    click.Option(
        ["--engine"],
        type=click.Choice(["auto", "docker", "podman"]),
        default="auto",
        show_default=True,
        help="What builds it.",
    ),
    click.Option(["--no-engine"], is_flag=True, help="Ask no engine: write the context, and say how it is built."),
    click.Option(
        ["--secret", "secrets"],
        multiple=True,
        metavar="id=NAME,src=FILE",
        help="A file for the build alone: uv (uv.toml), netrc, ca. It is in no layer.",
    ),
)
NAMES = ("build", "push", "tags", "engine", "no_engine", "secrets")


def variant(given: Mapping[str, Any]) -> str:
    """What the folder is called after the notebook: a folder for each target."""
    return f"image-{given['target']}"


def check(asked: Mapping[str, Any]) -> None:
    """Refuse what cannot be done, before anything is written.

    Args:
        asked: a value for each of `NAMES`.

    Raises:
        UsageError: a tag is none, there is no engine, or one is asked for and not to be asked.
    """
    from stagebook.image.engines import checked_tag, engine_named, secrets_of

    for tag in asked["tags"]:
        checked_tag(tag)
    if asked["no_engine"] and (asked["build"] or asked["push"]):
        raise click.UsageError("--no-engine goes with neither --build nor --push.")
    if asked["push"] and not asked["tags"]:
        raise click.UsageError("--push needs --tag: the image's name says where it goes.")
    if asked["build"] or asked["push"]:
        secrets_of(engine_named(asked["engine"]), asked["secrets"])


def check_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Refuse what others put where the Dockerfile copies whole folders from: it would be in the image.

    Args:
        folder: where the context is to be.
        files: what is to be in it.

    Raises:
        UsageError: there is such a file.
    """
    from stagebook.errors import UsageError
    from stagebook.export.writing import states

    ours = {one.path for one in states(files, folder, exporter="image")}
    copied = sorted({path.partition("/")[0] for path in files if "/" in path})
    there = (path for name in copied for path in sorted((folder / name).rglob("*")) if not path.is_dir())
    named = (path.relative_to(folder).as_posix() for path in there if "__pycache__" not in path.parts)
    others = [name for name in named if name not in ours]
    if others:
        more = f" and {len(others) - 3} more" if len(others) > 3 else ""
        raise UsageError(
            f"In {folder}, the export did not make {', '.join(others[:3])}{more}: it would be in the image. Nothing is "
            "written. Remove it, or export with --force if it is meant."
        )


def finish(folder: Path, files: Mapping[str, bytes], asked: Mapping[str, Any]) -> None:
    """Build and push, if that is asked for; else say how.

    Args:
        folder: where the context is.
        files: what is in it.
        asked: a value for each of `NAMES`.

    Raises:
        StagebookError: it cannot be built or pushed.
    """
    from stagebook.image.engines import build, build_command, engine_named, engine_there, push, secrets_of, shown
    from stagebook.image.guide import tag_in

    tags = list(asked["tags"]) or [tag_in(files["README.md"].decode("utf-8"))]
    if not asked["build"] and not asked["push"]:
        engine = None if asked["no_engine"] else engine_there(asked["engine"])
        secrets = asked["secrets"] if engine is None else secrets_of(engine, asked["secrets"])
        click.echo(f"Build it: {shown(build_command(engine or 'docker', tags, secrets, str(folder)))}")
        return
    chosen = engine_named(asked["engine"])
    build(chosen, folder, tags, asked["secrets"])
    click.echo(f"Built {', '.join(tags)} by {chosen}. How to run it: {folder / 'README.md'}")
    if asked["push"]:
        push(chosen, tags)
        click.echo(f"Pushed {', '.join(tags)}.")
