"""The process that kernels are forked from. It imports, waits and forks; it never works.

Its arguments are the number of a socket, and a JSON list of import statements, which it runs first. For each line
`{"fork": NUMBER, "connection": FILE, "log": FILE}` it then forks a kernel. It answers with lines:
`{"template": PID}` at once, `{"fit": true, "imports": [...]}` once it can, with the statements that it has run,
`{"ready": NUMBER, "pid": PID}` when a kernel can be connected to, and `{"ended": NUMBER, "status": STATUS}` when one
has ended, its status as `subprocess` has it. When the socket is closed it ends, and all its kernels with it.

It is forked itself, by a seed, so that the runs of one process start Python once. Forking is safe as
long as both have one thread. Those that numerical libraries keep are no danger: the libraries stop them before a fork,
and start others after it where they are needed. An import that starts other threads, says something, or has effects
beyond itself is taken back, by beginning anew without it: the kernel does it.
"""

from __future__ import annotations

import ast
import gc
import importlib
import importlib.util
import json
import os
import selectors
import signal
import socket
import sys
import sysconfig
from pathlib import Path
from typing import Any

from stagebook.registry import make_ready
from stagebook.run.orphans import end_with_parent
from stagebook.run.surroundings import foreign_folders
from stagebook.run.warm.app import WarmApp
from stagebook.run.warm.command import command
from stagebook.run.warm.streams import Stream

NEEDED = (
    "stagebook.run.inside",
    "tornado.platform.asyncio",
    "IPython.extensions.storemagic",
    "IPython.core.debugger",
    "IPython.core.logger",
    "encodings.ascii",
    "faulthandler",
    "pdb",
    "psutil",
    "wrapt",
)
"""What every kernel imports."""
_TASKS = Path("/proc/self/task")
_LIBRARY = sysconfig.get_path("stdlib")
_SAFE_THREADS = frozenset({"jemalloc_bg_thd"})
"""Threads that stay in a fork's parent, and whose library sees to it that the child is whole."""


def main() -> None:
    """Be a template, and in its children a kernel."""
    sys.exit(Template(socket.socket(fileno=int(sys.argv[1])), json.loads(sys.argv[2])).serve())


class Template:
    """The forking process.

    Args:
        channel: the socket to the runner.
        imports: import statements to be run first.
    """

    def __init__(self, channel: socket.socket, imports: list[str]) -> None:
        self.channel = channel
        self.imports = imports
        self.imported: list[str] = []
        self.app = WarmApp.instance()
        self._read = b""
        self._numbers: dict[int, int] = {}  # of kernels, by process
        self._pipes: dict[int, tuple[int, int]] = {}  # on which kernels say that they are ready: their number, process
        self._selector = selectors.DefaultSelector()

    def serve(self) -> int:
        """Fork until the runner is gone. In a child: be a kernel until that is to end; and the status to exit with."""
        self._tell(template=os.getpid())
        self._import_all()
        gc.collect()
        gc.freeze()
        signals = _woken_by_children()
        self._selector.register(self.channel, selectors.EVENT_READ)
        self._selector.register(signals, selectors.EVENT_READ)
        self._tell(fit=True, imports=self.imported)
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self.channel:
                    received = self.channel.recv(65536)
                    if not received:
                        return 0
                    *lines, self._read = (self._read + received).split(b"\n")
                    for job in map(json.loads, lines):
                        ready = self._fork(job["fork"])
                        if ready is not None:
                            return self._be_kernel(ready, connection_file=job["connection"], log=job["log"])
                elif key.fileobj is signals:
                    signals.recv(4096)
                    self._reap()
                else:
                    self._note_ready(key.fd)

    def _import_all(self) -> None:
        shell = self.app.prepare()
        streams = {name: Stream(name, getattr(sys, name)) for name in ("stdout", "stderr")}
        for name, stream in streams.items():
            setattr(sys, name, stream)
        for module in NEEDED:
            importlib.import_module(module)
        make_ready("codec")
        make_ready("state")
        foreign_folders()
        before = _effects(streams)
        for statement in filter(_is_installed, self.imports):
            try:
                with shell.builtin_trap:
                    exec(statement, {"__name__": "__main__"})
            except Exception:
                self._begin_without(statement)
            if _effects(streams) != before:
                self._begin_without(statement)
            self.imported.append(statement)

    def _begin_without(self, statement: str) -> None:
        """Begin anew, in this same process."""
        os.set_inheritable(self.channel.fileno(), True)  # noqa: FBT003 - so it is
        others = [other for other in self.imports if other != statement]
        os.execv(sys.executable, command(sys.executable, self.channel, others))

    def _fork(self, number: int) -> int | None:
        """Fork; in the child, the pipe on which to say that it is ready, else None."""
        reading, writing = os.pipe()
        process = os.fork()
        if not process:
            os.close(reading)
            return writing
        os.close(writing)
        self._numbers[process] = number
        self._pipes[reading] = (number, process)
        self._selector.register(reading, selectors.EVENT_READ)
        return None

    def _be_kernel(self, ready: int, *, connection_file: str, log: str) -> int:
        """In the child: leave behind what is the parent's, then be a kernel."""
        end_with_parent()
        os.setsid()
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL if number == signal.SIGCHLD else signal.default_int_handler)
        self._selector.close()
        self.channel.close()
        for reading in self._pipes:
            os.close(reading)
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.close(output)
        if "numpy.random" in sys.modules:
            sys.modules["numpy.random"].seed()  # all children would draw the same
        sys.argv = [*_program("ipykernel_launcher"), "-f", connection_file]
        self.app.become_kernel(connection_file)
        os.write(ready, b".")
        os.close(ready)
        self.app.start()  # type: ignore[no-untyped-call]
        return 0

    def _note_ready(self, reading: int) -> None:
        number, process = self._pipes.pop(reading)
        if os.read(reading, 1):
            self._tell(ready=number, pid=process)
        self._selector.unregister(reading)
        os.close(reading)

    def _reap(self) -> None:
        while self._numbers:
            process, status = os.waitpid(-1, os.WNOHANG)
            if not process:
                return
            self._tell(ended=self._numbers.pop(process), status=os.waitstatus_to_exitcode(status))

    def _tell(self, **answer: Any) -> None:
        self.channel.sendall(json.dumps(answer).encode() + b"\n")


def _woken_by_children() -> socket.socket:
    """A socket that can be read when a child has ended."""
    reading, writing = socket.socketpair()
    for end in (reading, writing):
        end.setblocking(False)  # noqa: FBT003 - the socket module's signature
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(writing.detach(), warn_on_full_buffer=False)
    return reading


def _program(module: str) -> list[str]:
    found = importlib.util.find_spec(module)
    return [found.origin] if found is not None and found.origin is not None else []


def _is_installed(statement: str) -> bool:
    """Whether an import statement names installed packages only, and not the user's own modules."""
    node = ast.parse(statement).body[0]
    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [getattr(node, "module", "")]
    return all(_is_foreign(name.partition(".")[0]) for name in names if name)


def _is_foreign(top: str) -> bool:
    if top in sys.builtin_module_names:
        return True
    try:
        found = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return False
    places = [found.origin or "", *(found.submodule_search_locations or ())] if found is not None else []
    return any(_is_in_environment(place) for place in places)


def _is_in_environment(place: str) -> bool:
    return place.startswith(_LIBRARY) or "site-packages" in place or "dist-packages" in place or place == "frozen"


def _effects(streams: dict[str, Stream]) -> tuple[Any, ...]:
    """What an import must leave as it is."""
    if _threads() > 1:
        _fork_once()  # numerical libraries' threads are gone after that
    spoken = [stream.has_spoken() for stream in streams.values()]
    own = sorted(name for name, module in list(sys.modules.items()) if _is_users(getattr(module, "__file__", None)))
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)]
    return (any(spoken), os.fstat(1).st_size, _threads(), own, handlers, Path.cwd())


def _is_users(file: str | None) -> bool:
    ours = str(Path(__file__).parents[2])
    return file is not None and not _is_in_environment(file) and not file.startswith(ours)


def _threads() -> int:
    names = []
    for task in _TASKS.iterdir():
        try:
            names.append((task / "comm").read_text().strip())
        except OSError:  # it has ended
            continue
    return sum(name not in _SAFE_THREADS for name in names)


def _fork_once() -> None:
    process = os.fork()
    if not process:
        os._exit(0)
    os.waitpid(process, 0)
