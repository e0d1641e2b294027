"""Where a run's code stands: whose run it is, which notebook it was, and what git says of the notebook's folder."""

from __future__ import annotations

import getpass
import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from stagebook.run.files import write_text
from stagebook.store.digests import digest_of_file

CHANGES = "changes.diff"
"""File beside `run.json`: what the working tree had that the commit has not; digests of files unknown to git."""

_MOST = 1 << 20
"""Bytes of changes that are kept."""
_MOST_FILES = 200
"""Files unknown to git that are listed."""
_MOST_BYTES = 100_000_000
"""Bytes of them that are read for their digests: no run waits for more."""
_PATIENCE = 2.0
"""Seconds that git may take longer than the run itself."""
_REST = "\n(the rest is left out)\n"
_UNTRACKED = ("ls-files", "--others", "--exclude-standard", "--full-name", "-z", "--", ":/")
_PLAIN = ("--no-color", "--no-ext-diff", "--no-textconv")


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a run's code stands.

    Attributes:
        user: who ran it, empty where the system does not say.
        notebook: digest of the notebook's file, as it was when the run began.
        commit: git's, empty where there is none.
        changed: whether files that git knows differ from the commit; None where that is not known.
    """

    user: str = ""
    notebook: str = ""
    commit: str = ""
    changed: bool | None = None


class Inquiry:
    """A question to git, which answers while the run goes on.

    Args:
        notebook: the source notebook.
    """

    def __init__(self, notebook: Path) -> None:
        self._notebook = digest_of_file(notebook) if notebook.is_file() else ""
        self._commit = _asked(notebook.parent, "rev-parse", "HEAD")
        self._top = _asked(notebook.parent, "rev-parse", "--show-toplevel")
        self._changes = _asked(notebook.parent, "diff", "HEAD", *_PLAIN)
        self._untracked = _asked(notebook.parent, *_UNTRACKED)

    def answer(self, folder: Path) -> Provenance:
        """What is known by now; changes are written into `folder`."""
        deadline = time.monotonic() + _PATIENCE
        commit = _told(self._commit, deadline)
        top = _told(self._top, deadline)
        changes = _told(self._changes, deadline) if commit else None
        untracked = _told(self._untracked, deadline) if commit else None
        told = (changes or "") + (_unknown_to_git(Path(top.rstrip("\n")), untracked) if top and untracked else "")
        if told:
            write_text(folder / CHANGES, told)
        return Provenance(user(), self._notebook, (commit or "").strip(), None if changes is None else bool(changes))


def user() -> str:
    """Whose process this is; empty where that is not known, as in a container whose user has no name."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


def _unknown_to_git(top: Path, names: str) -> str:
    """The files that git neither knows nor ignores, as comments below the changes: digest and path, no content."""
    found = sorted(names.removesuffix(_REST).rstrip("\0").split("\0"))
    lines, left = [], _MOST_BYTES
    for name in found[:_MOST_FILES]:
        said, size = _content(top / name, left)
        lines.append(f"# {said}  {_shown(name)}")
        left -= size
    more = len(found) - len(lines)
    if more or names.endswith(_REST):
        lines.append(f"# and {more} more" + (" at least" if names.endswith(_REST) else ""))
    return "\n".join(["# Files that git does not know, with digests of what they held at the run's end:", *lines, ""])


def _content(path: Path, most: int) -> tuple[str, int]:
    """The digest of a file of so many bytes at the most, or its size, and how many bytes have been read for it."""
    try:
        if path.is_symlink() or not path.is_file():
            return "no file", 0
        size = path.stat().st_size
        return (digest_of_file(path), size) if size <= most else (f"{size} bytes", 0)
    except OSError:
        return "not readable", 0


def _shown(name: str) -> str:
    return name if name.isprintable() else ascii(name)


_Question = tuple["subprocess.Popen[bytes]", IO[bytes]]


def _asked(folder: Path, *words: str) -> _Question | None:
    """A git command under way, and the file that it writes to; None where there is no git."""
    answer = tempfile.TemporaryFile()  # noqa: SIM115 - read when the command has ended
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    command, quiet = ["git", "-C", str(folder), *words], subprocess.DEVNULL
    try:
        return subprocess.Popen(command, env=environment, stdin=quiet, stdout=answer, stderr=quiet), answer
    except OSError:
        answer.close()
        return None


def _told(question: _Question | None, deadline: float) -> str | None:
    """What git has answered; None if nothing, or not in time."""
    if question is None:
        return None
    process, answer = question
    with answer:
        try:
            status = process.wait(max(deadline - time.monotonic(), 0.01))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return None
        if status:
            return None
        answer.seek(0)
        text = answer.read(_MOST).decode(errors="replace")
        return f"{text}{_REST}" if answer.read(1) else text
