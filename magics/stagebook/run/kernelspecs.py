"""Which kernels there are, and on which Python each runs.

`jupyter_client` knows; it takes as long to import as all else that deciding needs. So the common case, a kernel that is
installed in one of Jupyter's folders and is run as its `kernel.json` says, is looked up here, and all others there.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from stagebook.errors import UsageError, did_you_mean

_TRAITS = ("argv", "display_name", "language", "env", "interrupt_mode", "metadata")
_NAME = re.compile(r"[a-z0-9._-]+\Z")


def check_kernel(name: str) -> None:
    """Raise UsageError if there is no kernel of this name, naming those that there are."""
    if _spec(name) is not None:
        return
    from jupyter_client.kernelspec import KernelSpecManager

    known = KernelSpecManager().find_kernel_specs()
    if name not in known:
        raise UsageError(
            f"The notebook asks for the kernel `{name}`, which is not installed.{did_you_mean(name, known)}"
        )


def kernel_python(name: str) -> str:
    """The Python that the kernel `name` runs on."""
    spec = _spec(name)
    if spec is None:
        from jupyter_client.kernelspec import KernelSpecManager

        arguments = KernelSpecManager().get_kernel_spec(name).argv
    else:
        arguments = spec["argv"]
    first = arguments[0] if arguments else "python"
    return first if Path(first).is_absolute() else sys.executable


def how_started(name: str) -> tuple[list[str], dict[str, str]] | None:
    """Arguments and environment variables with which the kernel `name` is started; None where only Jupyter knows."""
    spec = _spec(name)
    return None if spec is None else (list(spec["argv"]), dict(spec.get("env") or {}))


def described(name: str) -> dict[str, Any] | None:
    """What `kernel.json` says of the kernel `name`, as traits of jupyter_client's `KernelSpec`; None as above."""
    spec = _spec(name)
    return None if spec is None else {trait: spec[trait] for trait in _TRAITS if trait in spec}


def _spec(name: str) -> dict[str, Any] | None:
    """The kernel's description, where it is a plain one in the first of Jupyter's folders that has one of this name."""
    from jupyter_core.paths import jupyter_path

    if not _NAME.match(name):
        return None
    for folder in jupyter_path("kernels"):
        try:
            entries = [one for one in Path(folder).iterdir() if one.name.lower() == name]
        except OSError:
            continue
        for entry in entries:
            path = entry / "kernel.json"
            if path.is_file():
                return _plain(path)
    return None


def _plain(path: Path) -> dict[str, Any] | None:
    try:
        spec = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(spec, dict) or not isinstance(spec.get("argv"), list) or "kernel_provisioner" in str(spec):
        return None
    return spec
