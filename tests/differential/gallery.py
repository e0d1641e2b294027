"""scikit-learn's examples as samples: taken from the source distribution of the version that is installed."""

from __future__ import annotations

import hashlib
import io
import tarfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import platformdirs
from tests.differential.corpus import Sample, read_script

LIST = Path(__file__).with_name("gallery.txt")


@dataclass(frozen=True, slots=True)
class Chosen:
    """A line of `gallery.txt`: an example, and the seconds that one plain kernel took for it where it was chosen."""

    name: str
    seconds: float


def chosen() -> list[Chosen]:
    """The examples of `gallery.txt`, the cheapest first."""
    lines = (line.split("#")[0].split() for line in LIST.read_text(encoding="utf-8").splitlines())
    return [Chosen(words[1], float(words[0])) for words in lines if words]


def gallery(names: list[str] | None = None) -> list[Sample]:
    """The chosen examples that the installed version has, or those of the given names."""
    folder = examples()
    wanted = [one.name for one in chosen()] if names is None else names
    return [example(folder, name) for name in wanted if Path(folder, f"{name}.py").exists()]


def example(folder: Path, name: str) -> Sample:
    """The example `name`, such as `cluster/plot_ward`, named with its folder."""
    sample = read_script(Path(folder, f"{name}.py"))
    return Sample(name.replace("/", "."), sample.cells)


def examples() -> Path:
    """The folder of the examples, fetched once and kept in the user's cache."""
    of = f"scikit-learn-{version('scikit-learn')}"
    kept = platformdirs.user_cache_path("stagebook-tests") / of
    if not (kept / "examples").is_dir():
        part = kept.with_name(f"{of}.part")
        _unpack(_source_distribution("scikit-learn", version("scikit-learn")), part)
        part.rename(kept)
    return kept / "examples"


def _source_distribution(project: str, release: str) -> bytes:
    """The file, from the index and through the proxy that pip is configured for; `pip download` would build it, too."""
    from pip._internal.commands import create_command

    command: Any = create_command("download")
    options, _ = command.parse_args(["--no-binary", ":all:", "--no-deps", project])
    with command.main_context():
        session = command.get_default_session(options)
        finder = command._build_package_finder(options, session)
        links = [
            candidate.link for candidate in finder.find_all_candidates(project) if str(candidate.version) == release
        ]
        link = next(link for link in links if link.filename.endswith(".tar.gz"))
        answer = session.get(link.url.partition("#")[0])
        answer.raise_for_status()
    found = hashlib.new(link.hash_name, answer.content).hexdigest()
    if found != link.hash:
        raise ValueError(f"{link.filename} is not what the index says: its {link.hash_name} is {found}.")
    return bytes(answer.content)


def _unpack(archive: bytes, folder: Path) -> None:
    """The scripts of `examples/`, without the archive's top folder."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        for member in files:
            path = Path(*Path(member.name).parts[1:])
            content = files.extractfile(member) if member.isfile() and path.suffix == ".py" else None
            if content is not None and path.parts[0] == "examples" and ".." not in path.parts:
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content.read())
