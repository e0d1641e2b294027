"""Following statements: assignments, ways through the code, definitions and imports."""

from __future__ import annotations

import ast
import functools
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar

from stagebook.book import effects
from stagebook.book.assignments import Assignments
from stagebook.book.definitions import Definitions
from stagebook.book.frames import GONE, State
from stagebook.book.objects import NOTHING, Module, Value, either
from stagebook.book.patterns import exhaustive


class Statements(Assignments):
    """The statements of the language, definitions and imports excepted."""

    steps: ClassVar[dict[type[ast.AST], str]] = {
        ast.Expr: "_expression",
        ast.Assign: "_assign",
        ast.AugAssign: "augment",
        ast.AnnAssign: "_annotated",
        ast.For: "_for",
        ast.AsyncFor: "_for",
        ast.While: "_while",
        ast.If: "_if",
        ast.With: "_with",
        ast.AsyncWith: "_with",
        ast.Try: "_try",
        ast.Match: "_match",
        ast.Delete: "_delete",
        ast.Return: "_return",
        ast.Raise: "_raise",
        ast.Assert: "_assert",
        ast.Break: "_break",
        ast.Continue: "_continue",
        ast.Global: "_pass",
        ast.Nonlocal: "_pass",
        ast.Pass: "_pass",
        **{vars(ast)[newer]: "_try" for newer in ("TryStar",) if hasattr(ast, newer)},
    }
    """The methods that follow each kind of statement."""

    def __init__(self, known: Definitions) -> None:
        super().__init__(known)
        self._do = _methods(type(self))

    def run(self, body: Sequence[ast.stmt]) -> None:
        """Follow statements, as far as the code can get."""
        for statement in body:
            if not self.live:
                return
            if not self.depth:
                self.line = statement.lineno
            self._do[type(statement)](self, statement)

    def _pass(self, _: ast.AST) -> None:
        pass

    # Assignments

    def _expression(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Call):
            self.call(node.value, dropped=True)
        elif isinstance(node.value, ast.Await) and isinstance(node.value.value, ast.Call):
            self.use(self.call(node.value.value, dropped=True))
        else:
            self.eval(node.value)

    def _assign(self, node: ast.Assign) -> None:
        value = self.assigned(node.value)
        for target in node.targets:
            self.assign(target, value)

    def _annotated(self, node: ast.AnnAssign) -> None:
        function = self.frame.function
        if not self.annotations_wait and (function is None or self.frame.class_body):
            self.eval(node.annotation)
        if node.value is not None:
            self.assign(node.target, self.assigned(node.value))
        elif not isinstance(node.target, ast.Name):
            self.eval(node.target.value)

    @property
    @abstractmethod
    def annotations_wait(self) -> bool:
        """Whether annotations are left unevaluated."""

    def _delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            self.delete_target(target)

    # Ways through the code

    def _if(self, node: ast.If) -> None:
        self.eval(node.test)
        truth = self._truth(node.test)
        if truth is not None:
            self.run(node.body if truth else node.orelse)
            return
        before = self.snapshot()
        self.run(node.body)
        after = (self.globals, self.frame.slots) if self.live else None
        self.restore(before)
        self.run(node.orelse)
        self.meet(after)

    def _truth(self, node: ast.expr) -> bool | None:
        """What a condition is for sure; None where it depends."""
        if isinstance(node, ast.Constant):
            return bool(node.value)
        if isinstance(node, (ast.Name, ast.Attribute)):
            value = (
                self.load(node.id) if isinstance(node, ast.Name) else self.attribute(self.eval(node.value), node.attr)
            )
            paths = {thing.path for thing in value.objects if isinstance(thing, Module)}
            if paths == {"typing.TYPE_CHECKING"} and len(value.objects) == 1:
                return False
        return None

    def _loop(self, once: Callable[[], None], otherwise: Sequence[ast.stmt], *, endless: bool = False) -> None:
        frame = self.frame
        outer = frame.breaks, frame.continues
        frame.breaks, frame.continues = [], []

        def again() -> None:
            once()
            self.meet(*frame.continues)
            frame.continues = []

        self.repeat(again)
        breaks, (frame.breaks, frame.continues) = frame.breaks, outer
        if endless:
            self.live = False
        self.run(otherwise)
        self.meet(*breaks)

    def _for(self, node: ast.For | ast.AsyncFor) -> None:
        source = self.eval(node.iter)

        def once() -> None:
            self.assign(node.target, self.iterate(source))
            self.run(node.body)

        self._loop(once, node.orelse)

    def _while(self, node: ast.While) -> None:
        self.eval(node.test)
        truth = self._truth(node.test)
        if truth is False:
            self.run(node.orelse)
            return

        def once() -> None:
            self.run(node.body)
            if self.live:
                self.eval(node.test)

        self._loop(once, node.orelse, endless=truth is True)

    def _break(self, _: ast.Break) -> None:
        self.frame.breaks.append(self.snapshot() or ({}, {}))
        self.live = False

    def _continue(self, _: ast.Continue) -> None:
        self.frame.continues.append(self.snapshot() or ({}, {}))
        self.live = False

    def _return(self, node: ast.Return) -> None:
        if node.value is not None:
            value = self.eval(node.value)
            frame = self.frame
            frame.returned = either(frame.returned, value) if frame.returned.objects or frame.exits else value
        self.frame.exits.append(self.snapshot() or ({}, {}))
        self.live = False

    def _raise(self, node: ast.Raise) -> None:
        self.eval_all((node.exc, node.cause))
        self.raised.append(self.snapshot() or ({}, {}))
        self.live = False

    @property
    @abstractmethod
    def raised(self) -> list[State]:
        """The states in which an exception was raised on purpose."""

    def _assert(self, node: ast.Assert) -> None:
        self.eval(node.test)
        if node.msg is not None:
            with self.maybe():
                self.eval(node.msg)

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        suppresses = False
        for item in node.items:
            value = self.eval(item.context_expr)
            self.use(value)
            self.touch_all(frozenset(t for t in value.objects if not isinstance(t, Module)))
            if item.optional_vars is not None:
                entered = value.objects | self.heap.reachable(value.objects)
                self.assign(item.optional_vars, Value(entered, solid=not entered))
            suppresses = suppresses or self._suppresses(item.context_expr, value)
        if suppresses:
            with self.watching() as seen:
                self.run(node.body)
            self.meet(seen)
        else:
            self.run(node.body)

    def _suppresses(self, node: ast.expr, value: Value) -> bool:
        """Whether leaving the block may swallow an exception."""
        callee = node.func if isinstance(node, ast.Call) else node
        name = callee.id if isinstance(callee, ast.Name) else getattr(callee, "attr", "")
        if name in effects.SUPPRESSING:
            return True
        if isinstance(callee, ast.Name):
            written = self.load(callee.id).objects
            if any(getattr(thing, "swallows", False) for thing in written):
                return True
        return any(owner.find("__exit__") for thing in value.objects for owner in self.owners(thing))

    def _try(self, node: ast.Try) -> None:
        frame = self.frame
        marks = len(frame.breaks), len(frame.continues), len(frame.exits)
        with self.watching() as anywhere:
            with self.watching() as seen:
                self.run(node.body)
            after_body: State | None = None
            if self.live:
                self.run(node.orelse)
                after_body = (self.globals, frame.slots) if self.live else None
            for handler in node.handlers:
                self.restore((seen[0].copy(), seen[1].copy()))
                self._handle(handler)
                after_body = self.join(after_body, (self.globals, frame.slots) if self.live else None)
        if not node.finalbody:
            self.restore(after_body)
            return
        self.restore((anywhere[0].copy(), anywhere[1].copy()))
        self.run(node.finalbody)
        final = self.snapshot()
        for jumps, mark in zip((frame.breaks, frame.continues, frame.exits), marks, strict=True):
            # Whoever leaves the block by a jump has run `finally`, too.
            jumps[mark:] = [state for state in [final] * len(jumps[mark:]) if state is not None]
        self.restore(after_body)
        self.run(node.finalbody)

    def _handle(self, handler: ast.ExceptHandler) -> None:
        if handler.type is not None:
            self.eval(handler.type)
        if handler.name:
            self.store(handler.name, NOTHING)
        self.run(handler.body)
        if handler.name and self.live:
            self.store(handler.name, NOTHING, GONE)

    def _match(self, node: ast.Match) -> None:
        subject = self.assigned(node.subject)
        ends: list[State | None] = []
        for case in node.cases:
            unmatched = self.snapshot()
            self.match_pattern(case.pattern, subject)
            if case.guard is not None:
                self.eval(case.guard)
            failed = None if exhaustive(case) else self.join(unmatched, self.snapshot())
            self.run(case.body)
            ends.append((self.globals, self.frame.slots) if self.live else None)
            self.restore(failed)
            if failed is None:
                break
        self.meet(*ends)

    def match_pattern(self, pattern: ast.pattern, subject: Value) -> None:
        """Bind what a pattern captures."""
        parts = Value(subject.objects | self.heap.reachable(subject.objects)) if subject.objects else NOTHING
        for inner in ast.walk(pattern):
            if isinstance(inner, ast.MatchValue):
                self.eval(inner.value)
            elif isinstance(inner, ast.MatchClass):
                self.eval(inner.cls)
            elif isinstance(inner, ast.MatchMapping):
                self.eval_all(inner.keys)
                if inner.rest:
                    self.store(inner.rest, self.fresh(inner, parts.objects))
            elif isinstance(inner, ast.MatchStar) and inner.name:
                self.store(inner.name, self.fresh(inner, parts.objects))
            elif isinstance(inner, ast.MatchAs) and inner.name:
                self.store(inner.name, subject if inner is pattern else parts)


@functools.cache
def _methods(kind: type[Statements]) -> dict[type[ast.AST], Callable[..., None]]:
    """Those methods, looked up once."""
    return {node: getattr(kind, name) for node, name in kind.steps.items()}
