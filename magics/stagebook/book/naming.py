"""Following definitions of functions and classes, and imports."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterable
from typing import ClassVar

from stagebook.book import effects
from stagebook.book.calls import Arguments
from stagebook.book.definitions import Definitions
from stagebook.book.frames import Frame, State
from stagebook.book.objects import NOTHING, Class, Function, Module, Value, either
from stagebook.book.statements import Statements


class Naming(Statements):
    """Definitions and imports: with them, the whole language."""

    steps: ClassVar[dict[type[ast.AST], str]] = {
        **Statements.steps,
        ast.FunctionDef: "_define_function",
        ast.AsyncFunctionDef: "_define_function",
        ast.ClassDef: "_define_class",
        ast.Import: "_import",
        ast.ImportFrom: "_import_from",
        **{vars(ast)[newer]: "_define_type" for newer in ("TypeAlias",) if hasattr(ast, newer)},
    }

    def __init__(self, known: Definitions) -> None:
        super().__init__(known)
        self._wait = known.annotations_wait
        self._raised: list[State] = []
        self._made: dict[int, Class] = {}

    @property
    def annotations_wait(self) -> bool:
        """Whether annotations are left unevaluated."""
        return self._wait

    @property
    def raised(self) -> list[State]:
        """The states in which an exception was raised on purpose."""
        return self._raised

    # Functions and classes

    def _define_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        decorators = [self._callee(decorator) for decorator in node.decorator_list]
        with_types = self._enter_type_parameters(node)
        if not self.annotations_wait:
            arguments = node.args
            every_one = (
                *arguments.posonlyargs,
                *arguments.args,
                *arguments.kwonlyargs,
                arguments.vararg,
                arguments.kwarg,
            )
            self.eval_all([argument.annotation for argument in every_one if argument is not None])
            self.eval_all([node.returns])
        function = self.function(node, node.name)
        if with_types:
            self.frame.overlays.pop()
        value = Value(frozenset((function,)), sure=True, solid=True)
        self.store(node.name, self._decorated(node, value, decorators))

    def _decorated(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, value: Value, decorators: Iterable[Value]
    ) -> Value:
        for written, decorator in reversed(list(zip(node.decorator_list, decorators, strict=True))):
            target = written.func if isinstance(written, ast.Call) else written
            if isinstance(target, ast.Attribute) and target.attr in ("setter", "getter", "deleter"):
                continue
            paths = {thing.path for thing in decorator.objects if isinstance(thing, Module)}
            if isinstance(written, ast.Call) and isinstance(target, (ast.Name, ast.Attribute)):
                made_by = self._path_of(target)
                paths = {made_by} if made_by else paths
            if paths and paths <= effects.TRANSPARENT_DECORATORS:
                continue
            result = self.call_value(written, decorator, Arguments((value,)))
            # Whatever a decorator makes of a function, it may call it with what it is given.
            value = either(result, value) if not _replaces(result) else result
        return value

    def _path_of(self, node: ast.Name | ast.Attribute) -> str | None:
        value = self.load(node.id) if isinstance(node, ast.Name) else self.eval(node)
        paths = [thing.path for thing in value.objects if isinstance(thing, Module)]
        return paths[0] if len(paths) == 1 else None

    def _enter_type_parameters(self, node: ast.AST) -> bool:
        parameters = getattr(node, "type_params", None)
        if not parameters:
            return False
        self.frame.overlays.append({parameter.name: NOTHING for parameter in parameters})
        self.eval_all([getattr(parameter, "bound", None) for parameter in parameters])
        return True

    def _define_class(self, node: ast.ClassDef) -> None:
        decorators = [self._callee(decorator) for decorator in node.decorator_list]
        with_types = self._enter_type_parameters(node)
        made = self._made.setdefault(id(node), Class(node.name))
        self.own_classes.add(made)
        for base in node.bases:
            self._inherit(made, self._callee(base))
        given = {keyword.arg or "": self._callee(keyword.value) for keyword in node.keywords}
        for value in given.values():
            self._inherit(made, value)
        self._follow_class_body(node, made)
        itself = Value(frozenset((made,)), sure=True, solid=True)
        for hook in sorted(made.find_above("__init_subclass__"), key=repr):
            self.apply(hook, Arguments((itself,), given))
        if with_types:
            self.frame.overlays.pop()
        self.store(node.name, self._decorated(node, itself, decorators))

    def _inherit(self, made: Class, base: Value) -> None:
        for thing in base.objects:
            if isinstance(thing, Class):
                made.bases.add(thing)
                if thing.open:
                    made.open.append(True)
            elif not (isinstance(thing, Module) and thing.path in ("builtins.object", "abc.ABC", "typing.Protocol")):
                made.open.append(True)

    def _follow_class_body(self, node: ast.ClassDef, made: Class) -> None:
        here = self.frame
        frame = Frame(here.function, class_body=True, declared=_declared_global(node.body))
        frame.overlays = [overlay for overlay in here.overlays[-1:] if getattr(node, "type_params", None)]
        outside = here.slots
        self.frame = frame
        self.run(node.body)
        for name, (_, value) in frame.slots.items():
            for thing in value.objects:
                if isinstance(thing, Function):
                    made.methods.setdefault(name, set()).add(thing)
            self.heap.put(made, Value(frozenset(t for t in value.objects if not isinstance(t, Function))))
        self.frame, here.slots = here, outside

    def _define_type(self, node: ast.AST) -> None:
        name = getattr(node, "name", None)
        if isinstance(name, ast.Name):
            self.store(name.id, NOTHING)

    # Imports

    def _import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._note_import(alias.name)
            if alias.asname:
                self.store(alias.asname, _module(alias.name))
            else:
                top = alias.name.partition(".")[0]
                self.store(top, _module(top))

    def _import_from(self, node: ast.ImportFrom) -> None:
        module = "." * node.level + (node.module or "")
        if module == "__future__":
            self._wait = self._wait or any(alias.name == "annotations" for alias in node.names)
            self.change(Value(frozenset({"setting:compiler"}), sure=True))
        self._note_import(module)
        for alias in node.names:
            if alias.name == "*":
                self._import_star(module)
            else:
                self.store(alias.asname or alias.name, _module(f"{module}.{alias.name}"))

    def _note_import(self, module: str) -> None:
        if not module.startswith("%"):
            self.log.imports.add(module)

    def _import_star(self, module: str) -> None:
        if module not in effects.RESOLVED_STARS:
            self.log.stars.add(module)
            return
        found = importlib.import_module(module)
        names = getattr(found, "__all__", None) or [name for name in vars(found) if not name.startswith("_")]
        for name in names:
            self.store_global(name, _module(f"{module}.{name}"))


def _module(path: str) -> Value:
    return Value(frozenset((Module(path),)), sure=True, solid=True)


def _replaces(value: Value) -> bool:
    """Whether a decorator's result is surely known functions."""
    return bool(value.objects) and all(isinstance(thing, (Function, Class)) for thing in value.objects)


def _declared_global(body: Iterable[ast.stmt]) -> frozenset[str]:
    return frozenset(name for statement in body if isinstance(statement, ast.Global) for name in statement.names)
