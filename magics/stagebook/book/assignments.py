"""Following assignments: to names, to parts of objects, to several at once."""

from __future__ import annotations

import ast

from stagebook.book.frames import GONE
from stagebook.book.library import Library
from stagebook.book.objects import NOTHING, Value, either, every
from stagebook.book.parts import global_name


class Assignments(Library):
    """Binding, augmenting and deleting."""

    def assigned(self, node: ast.expr) -> Value:
        """The value of the right side; a function that is given another name is not used by that."""
        if isinstance(node, ast.Name):
            self.stand_at(node)
            return self.load(node.id)
        if isinstance(node, ast.Lambda):
            return Value(frozenset((self.function(node, "lambda"),)), sure=True, solid=True)
        return self.eval(node)

    def assign(self, target: ast.expr, value: Value) -> None:
        """Bind a target of an assignment, a loop or a comprehension."""
        self.stand_at(target)
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
                value = every((value, self.iterate(value)))
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
        part = self.iterate(value)
        if len(target.elts) > 1:
            part = part._replace(sure=False)
        for element in target.elts:
            self.assign(element, part)

    def augment(self, node: ast.AugAssign) -> None:
        """`target += value`."""
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
            self.iterate(new)
        held = self.heap.inside(new)
        for thing in old.objects:
            self.heap.put(thing, Value(held))
        if not held and not old.objects:
            return NOTHING
        if not held and all(isinstance(thing, str) for thing in old.objects):
            return old
        return every((old._replace(sure=False), self.fresh(node, held | self.heap.inside(old))))

    def delete_target(self, target: ast.expr) -> None:
        """`del target`."""
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
                self.delete_target(element)
        elif isinstance(target, (ast.Attribute, ast.Subscript)):
            base = self.receiver(target.value)
            if isinstance(target, ast.Subscript):
                self.eval(target.slice)
            self.change_in(base)
