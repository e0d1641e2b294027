"""Following instances of classes whose body is known."""

from __future__ import annotations

import ast

from stagebook.book.calls import Arguments, Calls
from stagebook.book.definitions import Definitions
from stagebook.book.objects import NOTHING, Class, Function, Value, either


class Classes(Calls):
    """Making instances and calling their methods."""

    def __init__(self, known: Definitions) -> None:
        super().__init__(known)
        self.own_classes: set[Class] = set()
        self._known_classes: set[Class] | None = None

    @property
    def classes(self) -> set[Class]:
        """All classes whose body is known."""
        if self._known_classes is None:
            self._known_classes = self.known.classes()
        return self.own_classes | self._known_classes

    def instantiate(self, node: ast.AST, made: Class, arguments: Arguments) -> Value:
        """Make an instance of a known class."""
        number = self.heap.new(node, f"instance of {made.name}")
        self.heap.classes.setdefault(number, set()).add(made)
        instance = Value(frozenset((number,)), sure=True, solid=False)
        self.mention(made)
        initialisers = made.find("__init__") | made.find("__new__") | made.find("__post_init__")
        if made.open or not made.find("__init__"):
            # A dataclass, an exception, a subclass of what we cannot see into: it may keep what it is given.
            self.heap.put(number, Value(arguments.everything().objects))
        for method in sorted(initialisers, key=repr):
            own = Arguments() if method.name == "__post_init__" else arguments
            self.apply(method, own.after(instance))
        for name, methods in list(made.methods.items()):
            if name.startswith("__") and name not in ("__init__", "__new__", "__post_init__"):
                for method in sorted(methods, key=repr):
                    with self.perhaps():
                        self.apply(method, Arguments((instance,)))
        return instance

    def mention(self, thing: Class) -> None:
        """A class is used: any of its methods may be called."""
        if thing in self.referenced:
            return
        self.referenced.add(thing)
        for methods in list(thing.methods.values()):
            for method in sorted(methods, key=repr):
                self.invoke(method, NOTHING)
        for base in sorted(thing.bases, key=repr):
            self.mention(base)

    def call_methods(self, node: ast.AST, base: Value, name: str, arguments: Arguments) -> Value:
        """Call a method of instances that we saw made."""
        methods: set[Function] = set()
        missing = False
        for thing in base.objects:
            for owner in self.owners(thing):
                found = owner.find(name)
                methods |= found
                missing = missing or not found
        result: Value | None = None
        certain = len(methods) == 1 and not missing
        for method in sorted(methods, key=repr):
            bound = arguments if method.binding == "static" else arguments.after(base)
            if certain:
                return self.apply(method, bound)
            with self.maybe():
                returned = self.apply(method, bound)
                result = returned if result is None else either(result, returned)
        if missing or result is None:
            unknown = self.call_unknown(node, base, arguments)
            result = unknown if result is None else either(result, unknown)
        return result
