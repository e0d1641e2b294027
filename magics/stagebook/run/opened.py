"""Which files a stage reads, lists, writes and removes, by CPython's audit events (PEP 578).

Files that a library opens without Python (Arrow, SQLite) raise no events; those are followed where the code names them.
"""

from __future__ import annotations

import functools
import os
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stagebook.run.environment import imported_files
from stagebook.run.sockets import PREFIX, temporary
from stagebook.run.surroundings import foreign_folders, is_importing, is_mlflows, own_work
from stagebook.store.digests import digest_of_file, digest_of_json

CHANGED = "changed while it was read"
"""In place of a digest: no content is equal to it."""
FOLDER = "a folder"
"""In place of a digest: folders are alike, whatever is in them."""

_GIT = "/.git/"
_WRITING = os.O_WRONLY | os.O_RDWR
_LISTING = frozenset({"os.listdir", "os.scandir"})
_OUTSIDE = frozenset({"subprocess.Popen", "os.system", "os.posix_spawn", "os.fork", "os.forkpty"})
_MOST = 5_000
"""Files of the notebook's folder that are looked at, at the most, to see what other programs have done."""

_OF_TWO = frozenset({"os.link", "os.rename"})
_BELOW = frozenset({"os.remove", "os.rmdir"})
_REMOVING = frozenset({*_OF_TWO, *_BELOW, "os.symlink", "os.truncate"})
_NOTED = _LISTING | _OUTSIDE | _REMOVING | {"open", "os.chdir", "os.mkdir"}
_OURS = os.path.join(temporary(), PREFIX)  # noqa: PTH118 - a text, as events have it
"""What paths of our own temporary files start with."""


def _nothing(_: Path) -> None:
    """Keep nothing."""


@dataclass(slots=True)
class Opened:
    """What was seen since `begin`.

    Attributes:
        folder: the notebook's folder, to which paths are relative.
        store: the store's folder, of which nothing is noted.
        keep: called before a file is written to.
        read: files read, with what told their state when they were opened.
        written: files written to or removed, with digests of what they were before; None: nothing.
        since: when they were first written to (POSIX seconds).
        extended: the part of `written` of which something was left as it was.
        listed: what was seen in folders that were listed.
        around: what was in the notebook's folder when the stage first started another program.
        of_setup: the part of `read` that setup has read.
        made: folders that were made. Where one is gone at the end, what was in it is nobody's business.
    """

    folder: str = ""
    store: str = ""
    listening: bool = False
    keep: Callable[[Path], None] = _nothing
    code: tuple[str, ...] = ()
    candidates: dict[str, str | None] = field(default_factory=dict)
    read: dict[str, Any] = field(default_factory=dict)
    written: dict[str, str | None] = field(default_factory=dict)
    since: dict[str, float] = field(default_factory=dict)
    extended: set[str] = field(default_factory=set)
    listed: dict[str, list[str]] = field(default_factory=dict)
    around: dict[str, Any] | None = None
    of_setup: dict[str, Any] | None = None
    made: set[str] = field(default_factory=set)

    def listen(self, folder: str, store: str, keep: Callable[[Path], None]) -> None:
        """From now on, note what is opened; a hook cannot be taken away again, so there is one for all stages."""
        self.folder, self.store = folder, os.path.join(store, "")  # noqa: PTH118 - a text, as events have it
        self.keep = keep
        if not getattr(sys, "_stagebook_listens", False):
            sys._stagebook_listens = True  # type: ignore[attr-defined]
            sys.addaudithook(self._hook)
            os.stat = self._watched(os.stat)  # there is no event for it

    def begin(self, candidates: Iterable[str], *, code: Iterable[str] = ()) -> None:
        """Start anew, but for what setup has read.

        Args:
            candidates: paths that the stage's code names, which may be read or written without an event.
            code: that of setup and the stage. The modules that it imports by name count as modules, not as files.
        """
        self.candidates = {path: content_digest(Path(self.folder, path)) for path in candidates}
        self.code = tuple(code)
        self.of_setup = dict(self.read) if self.of_setup is None else self.of_setup
        self.read = dict(self.of_setup)
        self.around = None
        self.made.clear()
        self.listed.clear()
        self.extended.clear()
        self.written.clear()
        self.since.clear()

    def forget(self) -> None:
        """Forget all that was read, setup's among it: it is about to run again."""
        self.read, self.of_setup = {}, None

    def end(self) -> None:
        """Note what other programs have done to files since the stage first started one, and forget what is gone."""
        gone = tuple(f"{made}{os.sep}" for made in self.made if not os.path.lexists(made))
        if gone:
            self.read = {path: state for path, state in self.read.items() if not f"{path}{os.sep}".startswith(gone)}
            self.listed = {name: seen for name, seen in self.listed.items() if not self._long(name).startswith(gone)}
        before, now = self.around or {}, {} if self.around is None else self._surroundings()
        for path in before.keys() | now.keys():
            if path not in self.written and before.get(path) != now.get(path):
                self.written[path] = None if path not in before else CHANGED

    def _surroundings(self) -> dict[str, Any]:
        """What tells the state of each file in the notebook's folder, hidden ones left out."""
        found: dict[str, Any] = {}
        for folder, folders, names in os.walk(self.folder):
            folders[:] = sorted(name for name in folders if not name.startswith((".", "__pycache__")))
            for name in folders:
                found[os.path.join(folder, name)] = FOLDER  # noqa: PTH118
            for name in sorted(name for name in names if not name.startswith(".")):
                found[os.path.join(folder, name)] = _look(os.path.join(folder, name))  # noqa: PTH118
            if len(found) > _MOST:
                break
        return found

    def files(self, declared: Iterable[str]) -> dict[str, str | None]:
        """The files that the outcome depends on, with their digests; None: looked for and not there.

        Args:
            declared: files that are the stage's results.
        """
        after = {path: content_digest(Path(self.folder, path)) for path in self.candidates}
        found = {path: digest for path, digest in self.candidates.items() if after[path] == digest}
        has_code = any(path.endswith(".py") for path in self.read)
        modules = imported_files(self.code, Path(self.folder)) if has_code else frozenset()
        for path, before in self.read.items():
            if path in self.written:
                found[self.short(path)] = self.written[path]
            elif path in modules:
                continue
            elif before is None and Path(path).is_dir():  # it is there, or was looked for, and made
                found[self.short(path)] = FOLDER
            else:
                found[self.short(path)] = content_digest(Path(path)) if _look(path) == before else CHANGED
        found |= {folder: digest_of_json(names) for folder, names in self.listed.items()}
        return {path: digest for path, digest in found.items() if path not in declared}

    def left(self, declared: Iterable[str]) -> dict[str, str | None]:
        """The files that were written or removed, with their digests at the end; None: gone."""
        lasting = (path for path, before in self.written.items() if before is not None or Path(path).exists())
        paths = {self.short(path) for path in lasting} | {*declared}
        paths |= {path for path, before in self.candidates.items() if content_digest(Path(self.folder, path)) != before}
        return {path: content_digest(Path(self.folder, path)) for path in sorted(paths)}

    def continued(self) -> list[str]:
        """The files of which something was left as it was: appended to, or written to in part."""
        return sorted(map(self.short, self.extended))

    def replaced(self) -> dict[str, str | None]:
        """The files that were written or removed, with digests of what was there before."""
        return {self.short(path): digest for path, digest in self.written.items()}

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.listening or event not in _NOTED or own_work.under_way:
            return
        own_work.under_way = True  # looking at files raises events itself
        try:
            if event == "open":
                self._note_open(*arguments)
            elif event in _LISTING:
                if not is_importing(sys._getframe(1)):
                    self._note_listing(_at(".", arguments[0]) if isinstance(arguments[0], int) else arguments[0] or ".")
            elif event in _OUTSIDE:
                self.around = self.around if self.around is not None else self._surroundings()
            elif event == "os.chdir":
                self._note_look(arguments[0])
            elif event == "os.mkdir":
                self._note_made(_at(arguments[0], arguments[2]))
            elif event in _OF_TWO:
                self._note_write(_at(arguments[0], arguments[2]))
                self._note_write(_at(arguments[1], arguments[3]))
            elif event == "os.symlink":
                self._note_write(_at(arguments[1], arguments[2]))
            else:
                self._note_write(_at(arguments[0], arguments[1] if event in _BELOW else -1))
        finally:
            own_work.under_way = False

    def _watched(self, stat: Callable[..., os.stat_result]) -> Callable[..., os.stat_result]:
        @functools.wraps(stat)
        def look(path: Any, *arguments: Any, **options: Any) -> os.stat_result:
            if not self.listening or own_work.under_way:
                return stat(path, *arguments, **options)
            own_work.under_way = True
            try:
                self._note_look(path)
            finally:
                own_work.under_way = False
            return stat(path, *arguments, **options)

        return look

    def _note_look(self, path: Any) -> None:
        """Somebody asks whether something is there: it matters if it is a file, or nothing."""
        place = self._place(path)
        if place is not None and place not in self.written:
            self.read.setdefault(place, None if Path(place).is_dir() else _look(place))

    def _note_open(self, path: Any, mode: Any, flags: int) -> None:
        if isinstance(mode, str):
            writes, reads, extends = any(letter in mode for letter in "wax+"), "r" in mode, "a" in mode
        else:
            writes, extends = bool(flags & _WRITING), bool(flags & os.O_APPEND)
            reads = not flags & (os.O_WRONLY | os.O_TRUNC | os.O_EXCL)
        if reads:
            self._note_read(path)
        if writes:
            self._note_write(path, extends=extends or reads)

    def _note_read(self, path: Any) -> None:
        place = self._place(path)
        if place is not None and place not in self.written:
            self.read.setdefault(place, _look(place))

    def _note_listing(self, path: Any) -> None:
        place = self._place(path)
        if place is not None:
            self.listed.setdefault(f"{self.short(place)}/", names_in(Path(place)))

    def _note_write(self, path: Any, *, extends: bool = False) -> None:
        """The hook is called before anything is done: what is there now is what was there before."""
        place = self._place(path)
        if place is not None and place not in self.written:
            changed = place in self.read and _look(place) != self.read[place]
            self.written[place] = CHANGED if changed else content_digest(Path(place))
            self.since[place] = time.time()
            self.keep(Path(place))
            if extends:
                self.extended.add(place)

    def _note_made(self, path: Any) -> None:
        """A folder is about to be made, unless it is there."""
        place = self._place(path)
        if place is not None and not os.path.lexists(place):
            self.made.add(place)

    def _place(self, path: Any) -> str | None:
        """The path, absolute; None for what is no file of the notebook's."""
        if not isinstance(path, (str, bytes, os.PathLike)):
            return None
        place = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 - resolve() would open files itself
        foreign = place.startswith((*foreign_folders(), self.store, _OURS)) or "__pycache__" in place
        return None if foreign or "ipykernel_" in place or (_GIT in f"{place}/" and is_mlflows()) else place

    def _long(self, short: str) -> str:
        """A folder's path, absolute again, with a separator at its end."""
        return os.path.join(self.folder, short)  # noqa: PTH118 - keeps the separator

    def short(self, path: str) -> str:
        """Relative to the notebook's folder, if it is below that."""
        plain = Path(path)
        return plain.relative_to(self.folder).as_posix() if plain.is_relative_to(self.folder) else plain.as_posix()


opened = Opened()


def content_digest(path: Path) -> str | None:
    """The digest of a file's content; None for what is not there."""
    try:
        if path.is_dir():
            return FOLDER
        return digest_of_file(path) if path.is_file() else None
    except OSError:
        return None


def listing_digest(folder: Path) -> str | None:
    """The digest of the list of what is in a folder; None where there is none."""
    return digest_of_json(names_in(folder)) if folder.is_dir() else None


def names_in(folder: Path) -> list[str]:
    """What is in a folder, hidden files left out, sorted."""
    try:
        return sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError:
        return []


def _at(path: Any, folder: int) -> Any:
    """The path, where it is relative to an open folder, as `shutil.rmtree` has them."""
    if folder in (-1, None):
        return path
    try:
        return os.path.join(os.readlink(f"/proc/self/fd/{folder}"), os.fsdecode(path))  # noqa: PTH115, PTH118
    except OSError:  # a system without /proc
        return path


def _look(path: str) -> Any:
    """What tells that a file has been changed: its time, size and number."""
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino)
