"""Files that pass from stage to stage, as far as options and code name them: writers come before readers."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from stagebook.book.again import once
from stagebook.book.syntax import nodes_of
from stagebook.model import Stage

_PATH = re.compile(r"(?!.*://)[\w./~+-]*[\w-]\.[A-Za-z]\w{0,7}")
_WRITING_CALL = re.compile(r"(to_|write|save|dump|export|touch|unlink|remove|rename)\w*")
_REMOVING = frozenset({"rmtree", "rmdir", "unlink", "removedirs"})
_OF_IPYTHON = re.compile(r"!|%%?\w+ ")
_WORD = re.compile(r"(?P<into>>{1,2}\s*|%%writefile\s+(?:-a\s+)?)?(?P<path>[\w./~+-]+)")


@dataclass(frozen=True, slots=True)
class Files:
    """Paths, as they are spelled, that a stage names, and those of them that it writes.

    Attributes:
        named: the paths.
        written: those that it writes or removes.
        clears: whether it removes what the code does not name, as for a temporary folder.
    """

    named: frozenset[str]
    written: frozenset[str]
    clears: bool = False


def files_of(stage: Stage, trees: Iterable[ast.Module]) -> Files:
    """The files that a stage names in its options, as literals in its code, in shell lines, and by importing them.

    Args:
        stage: the stage.
        trees: its code.
    """
    found = [once("files", (), (tree,), partial(_files_in, tree)) for tree in trees]
    imported = {f"{module.replace('.', '/')}.py" for module in stage.names.imports}
    return Files(
        frozenset({*stage.options.reads, *stage.options.writes, *imported}).union(*(one.named for one in found)),
        frozenset(stage.options.writes).union(*(one.written for one in found)),
        any(one.clears for one in found),
    )


def _files_in(tree: ast.Module) -> Files:
    named: set[str] = set()
    written: set[str] = set()
    clears = False
    for node in nodes_of(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            named |= {node.value} if _PATH.fullmatch(node.value) else set()
            for path, writes in shell_words(node.value):
                named.add(path)
                written |= {path} if writes else set()
        elif isinstance(node, ast.Call):
            opened = _opened(node)
            clears |= _clears(node)
            named |= opened
            if _writes(node):
                written |= {text for text in _texts(node) if _PATH.fullmatch(text)} | opened
    return Files(frozenset(named), frozenset(written), clears)


def shell_words(text: str) -> list[tuple[str, bool]]:
    """The words of a shell line or a cell magic, as the reader of cells left it, and whether each is written to."""
    if not _OF_IPYTHON.match(text):
        return []
    return [(word["path"], word["into"] is not None) for word in _WORD.finditer(text.lstrip("!"))]


def orders(stages: Sequence[tuple[str, Files]]) -> dict[str, set[str]]:
    """Per stage, given in notebook order, the earlier ones that must be done: one of the two writes what both name.

    One that removes what it does not name waits for all.
    """
    before = list(itertools.accumulate(([name] for name, _ in stages), initial=[]))
    after = {name: set(before[index]) if files.clears else set() for index, (name, files) in enumerate(stages)}
    for path in {path for _, files in stages for path in files.written}:
        meeting = [(name, path in files.written) for name, files in stages if path in files.named | files.written]
        for position, (later, writes) in enumerate(meeting):
            after[later] |= {earlier for earlier, wrote in meeting[:position] if writes or wrote}
    return after


def _writes(call: ast.Call) -> bool:
    """Whether a call looks like one that writes: `frame.to_csv(...)`, `json.dump(...)`, `open(path, "w")`."""
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if name == "open":
        modes = [*call.args[:2], *(keyword.value for keyword in call.keywords if keyword.arg == "mode")]
        return any(re.fullmatch(r"[rwaxbt+]*[wax+][rwaxbt+]*", text) for mode in modes for text in _texts(mode))
    return _WRITING_CALL.fullmatch(name) is not None


def _clears(call: ast.Call) -> bool:
    """Whether a call removes a file or folder of a computed name: `shutil.rmtree(folder)`."""
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    owner = getattr(function.value, "id", "") if isinstance(function, ast.Attribute) else ""
    return (name in _REMOVING or (owner, name) == ("os", "remove")) and not _texts(call)


def _opened(call: ast.Call) -> set[str]:
    """The path in `open("path")`, which is one whatever it looks like."""
    if not (isinstance(call.func, ast.Name) and call.func.id == "open" and call.args):
        return set()
    first = call.args[0]
    return {first.value} if isinstance(first, ast.Constant) and isinstance(first.value, str) else set()


def _texts(node: ast.AST) -> list[str]:
    return [one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)]
