"""What imported modules are, for the fingerprint: a distribution's version, or the content of the user's own files.

Run as `python -m stagebook.run.environment FOLDER MODULE...` it prints the answer of that Python as JSON.
"""

from __future__ import annotations

import ast
import functools
import importlib.util
import json
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec, PathFinder
from pathlib import Path

from stagebook.book.cells import without_magic
from stagebook.book.normal import normal_form
from stagebook.book.syntax import parse, syntax_tree
from stagebook.errors import KernelError
from stagebook.run.installed import Installed
from stagebook.store.digests import digest_of, digest_of_file

_INSTALLED = ("site-packages", "dist-packages")
_STDLIB = (sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"))
_SUFFIXES = frozenset({".py", *(f".{suffix.rpartition('.')[2]}" for suffix in EXTENSION_SUFFIXES)})
_NOT_OWN = frozenset({"stagebook", "__future__", "__main__"})


def describe_modules(
    modules: Iterable[str], folder: Path, *, python: str, installed: Installed | None = None
) -> dict[str, str]:
    """By imported module, its top-level package or the user's own module, and what identifies that one's content.

    Args:
        modules: dotted names as imported.
        folder: the notebook's folder, first on the import path.
        python: the interpreter that will import them.
        installed: knows what is installed for this interpreter.

    Returns:
        For each name, parts as `package:pandas=3.0.6` or `module:helpers/clean.py=<digest>`, several joined by
        newlines; empty for the standard library and for what is not to be found (running will say so).

    Raises:
        KernelError: another interpreter than this one could not be asked.
    """
    names = sorted(set(modules))
    if python == sys.executable:
        return _described(names, folder, installed or Installed())
    command = [python, "-m", "stagebook.run.environment", str(folder), *names]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise KernelError(f"The kernel's Python {python} cannot be started: {error.strerror}.") from error
    if answer.returncode:
        cause = answer.stderr.strip().splitlines()[-1] if answer.stderr.strip() else f"exit {answer.returncode}"
        raise KernelError(f"The kernel's Python {python} cannot be asked: {cause}. Is stagebook installed there?")
    found: dict[str, str] = json.loads(answer.stdout)
    return found


def imported_files(sources: Iterable[str], folder: Path) -> frozenset[str]:
    """The user's own files that code imports by name, directly and through one another.

    Args:
        sources: the code, as notebook cells have it.
        folder: the notebook's folder, first on the import path.
    """
    return frozenset(str(path) for path in imports_of(sources, folder)[0].values())


def imports_of(sources: Iterable[str], folder: Path) -> tuple[dict[str, Path], dict[str, str]]:
    """What code imports, directly and through modules of the user's own.

    Args:
        sources: the code, as notebook cells have it.
        folder: the notebook's folder, first on the import path.

    Returns:
        The user's own files, by the paths under which they are imported (`helpers/clean.py`); the top-level names of
        all else that is not of Python itself, each with the file that imports it, empty for the code.
    """
    own: dict[str, Path] = {}
    others: dict[str, str] = {}
    for top in sorted({name.split(".")[0] for text in sources for name in _imported(parse(without_magic(text)))}):
        files, installed = _closure(top, folder)
        own |= files
        for name in sorted(installed - sys.stdlib_module_names - _NOT_OWN):
            others.setdefault(name, "" if name == top else ", ".join(sorted(files)))
    return own, others


def _described(modules: list[str], folder: Path, known: Installed) -> dict[str, str]:
    found = {module: _closure(module.split(".")[0], folder) for module in modules}
    tops = {top for _, installed in found.values() for top in installed}
    tops = {top for top in tops if top not in _NOT_OWN and top not in sys.stdlib_module_names}
    versions = known.packages(tops)
    described = {}
    for module, (own, installed) in found.items():
        parts = [f"module:{name}={_source(path)[1]}" for name, path in sorted(own.items())]
        described[module] = "\n".join([*parts, *sorted({line for top in installed for line in versions.get(top, ())})])
    return described


def _closure(top: str, folder: Path) -> tuple[dict[str, Path], set[str]]:
    """What importing `top` brings in: files of the user's own, by name, and installed top-level packages."""
    own: dict[str, Path] = {}
    installed: set[str] = set()
    seen: set[str] = set()
    queue = [top]
    while queue:
        name = queue.pop()
        if name in seen:
            continue
        seen.add(name)
        files = _own_files(name, folder)
        if files is None:
            installed.add(name)
            continue
        own |= files
        queue.extend(imported.split(".")[0] for path in files.values() for imported in _source(path)[0])
    return own, installed


def _own_files(top: str, folder: Path) -> dict[str, Path] | None:
    """The files of a module or package that is the user's own; None for an installed one, and one not to be found."""
    if top in _NOT_OWN or (top in sys.stdlib_module_names and PathFinder.find_spec(top, [str(folder)]) is None):
        return None
    spec = PathFinder.find_spec(top, [str(folder), *sys.path]) or _found(top)
    if spec is None:
        return None
    places = list(spec.submodule_search_locations or ())
    if not places and not spec.has_location:
        return None
    if any(_is_installed(Path(place)) for place in places or [str(spec.origin)]):
        return None
    if not places:
        return {Path(str(spec.origin)).name: Path(str(spec.origin))}
    roots = [Path(place) for place in places]
    return {f"{top}/{path.relative_to(root).as_posix()}": path for root in roots for path in sorted(_sources(root))}


def _sources(root: Path) -> Iterator[Path]:
    """Python files and extension modules below a package's folder."""
    for path in root.rglob("*"):
        if path.suffix in _SUFFIXES and path.is_file():
            yield path


def _is_installed(place: Path) -> bool:
    """Whether a package manager, or Python itself, has put it there."""
    return any(part in _INSTALLED for part in place.parts) or any(place.is_relative_to(root) for root in _STDLIB)


def _found(top: str) -> ModuleSpec | None:
    """As editable installs' own finders have it."""
    try:
        return importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None


@functools.lru_cache(maxsize=4096)
def _read(path: Path, _: tuple[int, ...]) -> tuple[tuple[str, ...], str]:
    """What a file, in the state that its second argument tells, imports, and a digest of what its code means.

    Comments and layout do not count.
    """
    if path.suffix == ".py":
        try:
            tree = syntax_tree(path.read_bytes())
            return tuple(_imported(tree)), digest_of(normal_form([tree]).encode())
        except (SyntaxError, ValueError):
            pass
    return (), digest_of_file(path)


def _source(path: Path) -> tuple[tuple[str, ...], str]:
    found = path.stat()
    return _read(path, (found.st_mtime_ns, found.st_size, found.st_ino))


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


if __name__ == "__main__":
    print(json.dumps(describe_modules(sys.argv[2:], Path(sys.argv[1]), python=sys.executable)))
