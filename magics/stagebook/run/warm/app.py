"""An IPython kernel of which all that needs no socket and no thread is made before the process is forked."""

from __future__ import annotations

import os
from typing import Any

from ipykernel.compiler import XCachingCompiler
from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from ipykernel.zmqshell import ZMQInteractiveShell
from IPython.core.application import BaseIPythonApplication  # noqa: TID253 - this file is for kernels' processes only

from stagebook.run.lean import without

with without("debugpy"):  # to import it takes longer than all else of a kernel's start, and nobody debugs here
    import ipykernel.debugger  # noqa: F401


class _Once(BaseIPythonApplication):
    """What an application reads and finds is read and found once, and not again by each child."""

    is_prepared = False

    def initialize(self, argv: Any = None) -> None:
        if not self.is_prepared:
            super().initialize(argv)  # type: ignore[no-untyped-call]
            self.is_prepared = True


class _Kernel(IPythonKernel):
    """A kernel around the shell that is there already."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)  # type: ignore[no-untyped-call]
        shell: Any = self.shell
        shell.kernel = shell.parent = self


class WarmApp(IPKernelApp, _Once):
    """ipykernel's application, in two steps: `prepare` before the fork, `become_kernel` after it."""

    def prepare(self) -> Any:
        """Read the configuration and make the shell, which is returned; no thread may be started by that."""
        self.kernel_class = _Kernel
        self.config.HistoryManager.enabled = False  # it would write in a thread
        BaseIPythonApplication.initialize(self, [])  # type: ignore[no-untyped-call]
        self.is_prepared = True
        self.init_path()  # type: ignore[no-untyped-call]
        if not os.environ.get("MPLBACKEND"):  # as the kernel does when it starts, which is after early imports
            os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
        self.log.setLevel(self.log_level)  # what would not be shown need not be written
        shell: Any = ZMQInteractiveShell.instance(
            parent=self, profile_dir=self.profile_dir, user_ns={}, compiler_class=XCachingCompiler
        )
        shell.transform_cell("None")  # compiles patterns
        shell.display_formatter.format(None)  # makes formatters
        return shell

    def become_kernel(self, connection_file: str) -> None:
        """Open the sockets that a connection file names and be ready for `start`."""
        self.connection_file = connection_file
        self.initialize([])  # type: ignore[no-untyped-call]
