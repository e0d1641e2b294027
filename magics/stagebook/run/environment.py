"""What imported modules are, for the fingerprint: a distribution's version, or the content of the user's own files.

Run as `python -m stagebook.run.environment FOLDER MODULE...` it prints the answer of that Python as JSON.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib.machinery import PathFinder
from importlib.metadata import packages_distributions, version
from pathlib import Path

from stagebook.errors import KernelError
from stagebook.store.digests import digest_of

_INSTALLED = ("site-packages", "dist-packages")


def kernel_python(name: str) -> str:
    """The Python that the kernel `name` runs on."""
    from jupyter_client.kernelspec import KernelSpecManager

    arguments = KernelSpecManager().get_kernel_spec(name).argv
    first = arguments[0] if arguments else "python"
    return first if Path(first).is_absolute() else sys.executable


def describe_modules(modules: Iterable[str], folder: Path, *, python: str) -> dict[str, str]:
    """By imported module, its top-level package or the user's own module, and what identifies that one's content.

    Args:
        modules: dotted names as imported.
        folder: the notebook's folder, first on the import path.
        python: the interpreter that will import them.

    Returns:
        For each name, parts as `package:pandas=3.0.6` or `module:helpers=<digest>`, several joined by newlines; empty
        for the standard library and for what is not to be found (running will say so).

    Raises:
        KernelError: another interpreter than this one could not be asked.
    """
    names = sorted(set(modules))
    if python == sys.executable:
        return {name: "\n".join(_parts(name, folder)) for name in names}
    command = [python, "-m", "stagebook.run.environment", str(folder), *names]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode:
        cause = answer.stderr.strip().splitlines()[-1] if answer.stderr.strip() else f"exit {answer.returncode}"
        raise KernelError(f"The kernel's Python {python} cannot be asked: {cause}. Is stagebook installed there?")
    found: dict[str, str] = json.loads(answer.stdout)
    return found


def _parts(module: str, folder: Path) -> list[str]:
    top = module.split(".")[0]
    if top in sys.stdlib_module_names or top in ("stagebook", "__future__"):
        return []
    own = _own_files(module, folder)
    if own is None:
        return _versions(top)
    files, imported = own
    content = digest_of(*(path.read_bytes() for path in files))
    installed = {part for other in imported for part in _versions(other.split(".")[0])}
    return [f"module:{top}={content}", *sorted(installed)]


def _versions(top: str) -> list[str]:
    return [f"package:{name}={version(name)}" for name in sorted(set(_distributions().get(top, ())))]


@lru_cache(maxsize=1)
def _distributions() -> dict[str, list[str]]:
    return dict(packages_distributions())


def _own_files(module: str, folder: Path) -> tuple[list[Path], list[str]] | None:
    """The source files of a module that is the user's own, with all modules they import; None for an installed one."""
    top = module.split(".")[0]
    spec = PathFinder.find_spec(top, [str(folder)]) or _found(top)
    if spec is None or spec.origin is None or any(part in _INSTALLED for part in Path(spec.origin).parts):
        return None
    origin = Path(spec.origin)
    if origin.suffix != ".py" or origin.is_relative_to(sys.base_prefix):
        return None
    files = sorted(origin.parent.rglob("*.py")) if spec.submodule_search_locations else [origin]
    seen, queue, imported = set(files), list(files), set()
    while queue:
        for name in _imports(queue.pop()):
            sibling = PathFinder.find_spec(name.split(".")[0], [str(folder)])
            path = Path(sibling.origin) if sibling is not None and sibling.origin else None
            if path is not None and path.suffix == ".py" and path not in seen:
                seen.add(path)
                queue.append(path)
            imported.add(name)
    return sorted(seen), sorted(imported)


def _found(top: str) -> importlib.machinery.ModuleSpec | None:
    try:
        return importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None


def _imports(path: Path) -> Iterator[str]:
    try:
        tree = ast.parse(path.read_bytes())
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


if __name__ == "__main__":
    print(json.dumps(describe_modules(sys.argv[2:], Path(sys.argv[1]), python=sys.executable)))
