"""Following statements: assignments, ways through the code, definitions and imports."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from stagebook.book import effects
from stagebook.book.definitions import Definitions
from stagebook.book.expressions import global_name
from stagebook.book.frames import GONE, State
from stagebook.book.library import Library
from stagebook.book.objects import NOTHING, Module, Value, either, every
from stagebook.book.patterns import exhaustive


class Statements(Library):
    """The statements of the language, definitions and imports excepted."""

    def __init__(self, known: Definitions) -> None:
        super().__init__(known)
        self.kept: list[ast.AST] = []
        self._do: dict[type[ast.AST], Callable[..., None]] = {
            ast.Expr: self._expression,
            ast.Assign: self._assign,
            ast.AugAssign: self._augmented,
            ast.AnnAssign: self._annotated,
            ast.For: self._for,
            ast.AsyncFor: self._for,
            ast.While: self._while,
            ast.If: self._if,
            ast.With: self._with,
            ast.AsyncWith: self._with,
            ast.Try: self._try,
            ast.Match: self._match,
            ast.Delete: self._delete,
            ast.Return: self._return,
            ast.Raise: self._raise,
            ast.Assert: self._assert,
            ast.Break: self._break,
            ast.Continue: self._continue,
            ast.Global: _pass,
            ast.Nonlocal: _pass,
            ast.Pass: _pass,
        }
        if hasattr(ast, "TryStar"):
            self._do[ast.TryStar] = self._try

    def run(self, body: Sequence[ast.stmt]) -> None:
        """Follow statements, as far as the code can get."""
        for statement in body:
            if not self.live:
                return
            if not self.depth:
                self.line = statement.lineno
            self._do[type(statement)](statement)

    # Assignments

    def _expression(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Call):
            self.call(node.value, dropped=True)
        elif isinstance(node.value, ast.Await) and isinstance(node.value.value, ast.Call):
            self.use(self.call(node.value.value, dropped=True))
        else:
            self.eval(node.value)

    def _assign(self, node: ast.Assign) -> None:
        value = self._assigned(node.value)
        for target in node.targets:
            self.assign(target, value)

    def _assigned(self, node: ast.expr) -> Value:
        """The value of the right side; a function that is given another name is not used by that."""
        if isinstance(node, ast.Name):
            return self.load(node.id)
        if isinstance(node, ast.Lambda):
            return Value(frozenset((self.function(node, "lambda"),)), sure=True, solid=True)
        return self.eval(node)

    def assign(self, target: ast.expr, value: Value) -> None:
        """Bind a target of an assignment, a loop or a comprehension."""
        if isinstance(target, ast.Name):
            if self.targets is not None:
                old = self.targets.get(target.id)
                self.targets[target.id] = value if old is None else either(old, value)
            else:
                self.store(target.id, value)
        elif isinstance(target, (ast.Tuple, ast.List)):
            self._unpack(target, value)
        elif isinstance(target, ast.Starred):
            self.assign(target.value, self.fresh(target, value.objects))
        elif isinstance(target, (ast.Attribute, ast.Subscript)):
            self._put(target, value)

    def _put(self, target: ast.Attribute | ast.Subscript, value: Value) -> None:
        name = global_name(target)
        if name is not None:
            self.store_global(name, value)
            return
        base = self.receiver(target.value)
        if isinstance(target, ast.Subscript):
            key = self.eval(target.slice)
            if key.objects:
                value = every((value, key))
            if isinstance(target.slice, ast.Slice):
                value = every((value, self.iterate(value, target)))
        self.change_in(base)
        for thing in base.value.objects:
            self.heap.put(thing, value)

    def _unpack(self, target: ast.Tuple | ast.List, value: Value) -> None:
        fields = self.fields(value)
        spread = any(isinstance(element, ast.Starred) for element in target.elts)
        if fields is not None and len(fields) == len(target.elts) and not spread:
            for element, part in zip(target.elts, fields, strict=True):
                self.assign(element, part)
            return
        part = self.iterate(value, target)
        if len(target.elts) > 1:
            part = part._replace(sure=False)
        for element in target.elts:
            self.assign(element, part)

    def _augmented(self, node: ast.AugAssign) -> None:
        target = node.target
        if isinstance(target, ast.Name):
            old = self.load(target.id)
            new = self.eval(node.value)
            same = old.objects == {target.id}
            self.change(old, certain=same or not any(isinstance(thing, str) for thing in old.objects))
            self.store(target.id, self._combined(node, old, new))
            return
        base = self.receiver(target.value)
        name = global_name(target)
        if isinstance(target, ast.Subscript):
            if name is None:
                self.eval(target.slice)
            old = self.part(base.value, target.slice) if name is None else self.load_global(name)
        else:
            old = self.attribute(base.value, target.attr)
        new = self.eval(node.value)
        self.touch(old)
        result = self._combined(node, old, new)
        if name is not None:
            self.store_global(name, result)
            return
        self.change_in(base)
        for thing in base.value.objects:
            self.heap.put(thing, result)

    def _combined(self, node: ast.AugAssign, old: Value, new: Value) -> Value:
        """What `old` is after `old += new`: itself, holding what `new` holds, or something new that does."""
        if new.objects:
            self.iterate(new, node)
        held = self.heap.inside(new)
        for thing in old.objects:
            self.heap.put(thing, Value(held))
        if not held and not old.objects:
            return NOTHING
        if not held and all(isinstance(thing, str) for thing in old.objects):
            return old
        return every((old._replace(sure=False), self.fresh(node, held | self.heap.inside(old))))

    def _annotated(self, node: ast.AnnAssign) -> None:
        function = self.frame.function
        if not self.annotations_wait and (function is None or self.frame.class_body):
            self.eval(node.annotation)
        if node.value is not None:
            self.assign(node.target, self._assigned(node.value))
        elif not isinstance(node.target, ast.Name):
            self.eval(node.target.value)

    @property
    def annotations_wait(self) -> bool:
        """Whether annotations are left unevaluated."""
        raise NotImplementedError

    def _delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            self._delete_target(target)

    def _delete_target(self, target: ast.expr) -> None:
        name = target.id if isinstance(target, ast.Name) else global_name(target)
        if name is not None:
            if isinstance(target, ast.Name):
                self.load(name)
            else:
                self.load_global(name)
            if isinstance(target, ast.Name):
                self.store(name, NOTHING, GONE)
            else:
                self.store_global(name, NOTHING, GONE)
        elif isinstance(target, (ast.Tuple, ast.List)):
            for element in target.elts:
                self._delete_target(element)
        elif isinstance(target, (ast.Attribute, ast.Subscript)):
            base = self.receiver(target.value)
            if isinstance(target, ast.Subscript):
                self.eval(target.slice)
            self.change_in(base)

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
            self.assign(node.target, self.iterate(source, node.iter))
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
    def raised(self) -> list[State]:
        """The states in which an exception was raised on purpose."""
        raise NotImplementedError

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
        return any(owner.find("__exit__") for thing in value.objects for owner in self._owners(thing))

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
        subject = self._assigned(node.subject)
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


def _pass(_: ast.stmt) -> None:
    return None
