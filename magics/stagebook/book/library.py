"""Following calls of builtins, imported functions and methods, by the tables of effects."""

from __future__ import annotations

import ast

from stagebook.book import effects, hidden
from stagebook.book.calls import Arguments
from stagebook.book.classes import Classes
from stagebook.book.definitions import Definitions
from stagebook.book.frames import GONE, Frame
from stagebook.book.objects import NOTHING, Class, Function, Module, Object, Value, either, every
from stagebook.book.parts import Receiver, is_namespace, names_in_texts
from stagebook.book.syntax import syntax_tree

_TYPES = frozenset({"list", "dict", "set", "frozenset", "tuple", "str", "bytes", "bytearray", "object", "int", "float"})


class Library(Classes):
    """Calls by name: what the tables say, and the worst for what they do not."""

    def __init__(self, known: Definitions) -> None:
        super().__init__(known)
        self.kept: list[ast.AST] = []  # objects are told apart by the identity of their code, which must live on

    # Methods

    def call_attribute(self, node: ast.Call, base: Receiver, arguments: Arguments, *, dropped: bool) -> Value:
        """`base.name(...)`."""
        assert isinstance(node.func, ast.Attribute)
        name = node.func.attr
        if _is_super(node.func.value):
            return self._call_super(base.value, name, arguments)
        plain: set[Object] = set()
        result: Value | None = None
        for thing in sorted(base.value.objects, key=repr):
            if isinstance(thing, Module):
                returned = self._call_in_module(node, thing, name, arguments)
            elif isinstance(thing, Class):
                returned = self._call_on_class(node, thing, name, arguments)
            elif isinstance(thing, int) and any(owner.find(name) for owner in self.owners(thing)):
                returned = self.call_methods(node, Value(frozenset((thing,)), sure=True), name, arguments)
            else:
                plain.add(thing)
                continue
            result = returned if result is None else either(result, returned)
        if plain or result is None:
            rest = Receiver(base.value._replace(objects=frozenset(plain)), base.whole)
            returned = self._call_method(node, rest, arguments, dropped=dropped)
            result = returned if result is None else either(result, returned)
        return result

    def _call_super(self, base: Value, name: str, arguments: Arguments) -> Value:
        methods = {m for thing in base.objects for owner in self.owners(thing) for m in owner.find_above(name)}
        result = Value(arguments.everything().objects)
        self.touch(result)
        for thing in base.objects:
            self.heap.put(thing, result)
        for method in sorted(methods, key=repr):
            with self.maybe():
                result = either(result, self.apply(method, arguments.after(base)))
        return result

    def _call_on_class(self, node: ast.Call, owner: Class, name: str, arguments: Arguments) -> Value:
        methods = owner.find(name)
        if not methods:
            return self.call_unknown(node, Value(frozenset((owner,))), arguments)
        result = NOTHING
        for method in sorted(methods, key=repr):
            own = arguments.after(Value(frozenset((owner,)), sure=True)) if method.binding == "class" else arguments
            result = either(result, self.apply(method, own)) if result.objects else self.apply(method, own)
        return result

    def _call_in_module(self, node: ast.Call, module: Module, name: str, arguments: Arguments) -> Value:
        parent, _, owner = module.path.rpartition(".")
        is_type = (parent == "builtins" and owner in _TYPES) or module.path in ("pandas.DataFrame", "pandas.Series")
        if is_type and arguments.positional and name not in ("fromkeys", "from_records", "from_dict", "maketrans"):
            # `list.append(items, 1)` is `items.append(1)`.
            first = arguments.positional[0]
            rest = arguments._replace(positional=arguments.positional[1:])
            return self._call_method(node, Receiver(first, first if first.sure else NOTHING), rest, dropped=True)
        if name in effects.EFFECT_METHODS and module.path.partition(".")[0] not in effects.PURE_ROOTS:
            self.touch(Value(frozenset((module,))))  # an object in a module: `config.rows.append(1)`
        return self.call_imported(node, Module(f"{module.path}.{name}", module.root), arguments)

    def _call_method(self, node: ast.Call, base: Receiver, arguments: Arguments, *, dropped: bool) -> Value:
        """A method of an object whose class is not known: by the tables, and as any known class has it."""
        assert isinstance(node.func, ast.Attribute)
        name = node.func.attr
        self.called_others = True
        if name in hidden.OF_LOGGERS:
            self.touch(Value(frozenset({"setting:logging"})))
        value = base.value
        result = NOTHING
        if any(isinstance(thing, str) for thing in value.objects):
            result = self._call_known_classes(value, name, arguments)
        held = self._method_stored(value, name, arguments)
        result = either(result, held) if result.objects else held
        returned = self._by_table(node, base, name, arguments, dropped=dropped)
        return either(result, returned) if result.objects else returned

    def _call_known_classes(self, value: Value, name: str, arguments: Arguments) -> Value:
        result = NOTHING
        for owner in sorted(self.classes, key=repr):
            for method in sorted(owner.methods.get(name, ()), key=repr):
                own = Value(value.objects | {owner})
                with self.perhaps():
                    result = either(result, self.apply(method, arguments.after(own)))
        return result

    def _method_stored(self, value: Value, name: str, arguments: Arguments) -> Value:
        """A function kept in an attribute, or under a key, of the object may be what is called."""
        result = NOTHING
        if name in effects.PURE_METHODS or name in effects.EFFECT_METHODS:
            return result
        for thing in sorted(self.heap.inside(value), key=repr):
            if isinstance(thing, (Function, Class)):
                with self.maybe():
                    returned = self.call_object(arguments.node or ast.Pass(), thing, arguments)
                result = either(result, returned)
        return result

    def _by_table(self, node: ast.Call, base: Receiver, name: str, arguments: Arguments, *, dropped: bool) -> Value:
        self._keywords(base, arguments)
        if name in effects.CHANGES_ARGUMENT and arguments.positional:
            self.change(arguments.positional[0])
            self.touch(base.value)
            return NOTHING
        effect = effects.EFFECT_METHODS.get(name)
        if effect is None and name.endswith("_") and not name.endswith("__"):
            effect = effects.Effect(stores=True, returns="part")  # torch: `x.add_(1)` is done in place
        if effect is not None:
            return self._effect(node, base, effect, arguments, dropped=dropped)
        if name in effects.DRAWING_METHODS:
            if arguments.positional:
                self.touch(base.value)
            self.call_back(arguments.everything())
            return self.fresh(node, self.heap.inside(base.value) if arguments.positional else frozenset())
        pure = effects.PURE_METHODS.get(name)
        if pure is None:
            if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, (ast.Constant, ast.JoinedStr)):
                pure = "fresh"  # text, a number: it has no way to change anything
            elif name.startswith(effects.DRAWING_PREFIXES):
                self.touch(base.value)
                pure = "part"
            else:
                return self.call_unknown(node, base.value, arguments)
        if name in effects.CONSUMING_METHODS:
            self._consume(arguments)
        returned = self._call_back_from(base.value, arguments, runs=name in effects.RUNNING_METHODS)
        if name in effects.DICT_VIEWS:
            return self._dict_view(node, name, base)
        return self._result(node, pure, base.value, arguments, returned)

    def _dict_view(self, node: ast.AST, name: str, base: Receiver) -> Value:
        """What `items()` and its like give: something to run over again and again, with parts of the object in it."""
        keys = Value(self.heap.inside(base.value))
        element = self.iterate(base.value._replace(solid=True))
        if name == "items":
            pair = self.heap.new(node, "tuple")
            self.heap.put_fields(pair, (keys, element))
            element = Value(frozenset((pair,)), sure=True)
        made = self.heap.new(node)
        self.heap.put(made, element if name != "keys" else keys)
        return Value(frozenset((made,)), sure=True, solid=True)

    def _keywords(self, base: Receiver, arguments: Arguments) -> None:
        """`inplace=True` and its like."""
        for name, value in arguments.named.items():
            if name == "inplace" or (name == "copy" and base.value.objects):
                written = arguments.keyword(name)
                constant = written.value if isinstance(written, ast.Constant) else None
                if name == "inplace" and constant is not False:
                    self.change_in(base, certain=constant is True)
            elif name in effects.CHANGED_KEYWORDS:
                self.change(value)
            elif name in effects.TOUCHED_KEYWORDS or name.startswith("overwrite"):
                self.touch(value)
                if name.startswith("overwrite"):
                    self.touch(arguments.everything())

    def _effect(
        self, node: ast.Call, base: Receiver, effect: effects.Effect, arguments: Arguments, *, dropped: bool
    ) -> Value:
        self.change_in(base, certain=dropped or not effect.ambiguous)
        everything = arguments.everything()
        if effect.deep:
            self.touch_all(self.heap.reachable(base.value.objects))
        if effect.consumes:
            self._consume(arguments)
        if effect.stores or effect.deep or effect.consumes:
            held = everything.objects | (self.heap.inside(everything) if effect.consumes else frozenset())
            for thing in base.value.objects:
                self.heap.put(thing, Value(held, sure=everything.sure and not effect.consumes))
        returned = self._call_back_from(base.value, arguments, runs=effect.deep)
        return self._result(node, effect.returns, base.value, arguments, returned)

    def _consume(self, arguments: Arguments) -> None:
        for value in (*arguments.positional, *arguments.named.values()):
            self.iterate(value)

    def _call_back_from(self, base: Value, arguments: Arguments, *, runs: bool = False) -> Value:
        """Functions among the arguments get the other arguments and parts of the object: `df.apply(score)`.

        Args:
            base: the object.
            arguments: what the call is given.
            runs: whether functions that the object holds are called, too: those of a pipeline, a kernel's methods.
        """
        everything = arguments.everything().objects | (base.objects if runs else frozenset())
        reachable = self.heap.reachable(everything) if everything else everything
        self.use(Value(everything))
        if any(isinstance(thing, (Function, Class)) for thing in reachable):
            return self.call_back(Value(reachable | self.heap.reachable(base.objects)))
        return NOTHING

    def _result(
        self, node: ast.AST, kind: effects.Result, base: Value, arguments: Arguments, returned: Value = NOTHING
    ) -> Value:
        if kind == "fresh":
            return self.fresh(node)
        if kind == "part":
            found = base.objects | self.heap.inside(base) | arguments.everything().objects | returned.objects
            return Value(found) if found else self.fresh(node)
        held = self.heap.inside(base) | arguments.everything().objects | self.heap.inside(arguments.everything())
        held |= returned.objects
        if kind == "copies":
            inner = self.fresh(node, held, kind="copy")
            return self.fresh(node, inner.objects)
        return self.fresh(node, held)

    # Functions

    def call_imported(self, node: ast.AST, module: Module, arguments: Arguments) -> Value:
        """A call of a function or class found by its dotted path."""
        path = module.path
        root, _, rest = path.partition(".")
        last = path.rpartition(".")[2]
        self.note_hidden(path)
        self._keywords(Receiver(every(arguments.positional), NOTHING), arguments)
        first = arguments.positional[0] if arguments.positional else arguments.spread or NOTHING
        if path in effects.CHANGES_FIRST or (root == "numpy" and rest.endswith(".at")):
            self._change_first(path, first, arguments)
        elif root not in effects.PURE_ROOTS or (root == "builtins" and _unknown_builtin(last)):
            return self.call_unknown(node, NOTHING, arguments)
        place = effects.FILE_ARGUMENT.get(last)
        if place is not None and place < len(arguments.positional):
            self.touch(arguments.positional[place])
        if path in effects.CONSUMING_FUNCTIONS or root in effects.CONSUMING_ROOTS:
            self._consume(arguments)
        returned = self._call_back_from(NOTHING, arguments)
        return self._imported_result(node, path, arguments, returned)

    def _change_first(self, path: str, first: Value, arguments: Arguments) -> None:
        self.change(first)
        self.use(first)
        for thing in first.objects:
            self.heap.put(thing, Value(arguments.everything().objects - {thing}))
        if path == "functools.update_wrapper":
            self.touch(arguments.everything())

    def _imported_result(self, node: ast.AST, path: str, arguments: Arguments, returned: Value) -> Value:
        everything = arguments.everything()
        root, parent = path.partition(".")[0], path.rpartition(".")[0]
        if path in effects.FRESH_FUNCTIONS or root in effects.FRESH_ROOTS or parent in effects.FRESH_PARENTS:
            return self.fresh(node)
        if path in effects.COPYING:
            return self._result(node, "copies", NOTHING, arguments)
        if path in effects.TRANSPARENT_DECORATORS and everything.objects:
            return everything
        if path in effects.ALIASING:
            found = self.heap.inside(everything) | everything.objects
            return Value(found | returned.objects | self.fresh(node, found | returned.objects).objects)
        if path in ("builtins.zip", "builtins.enumerate"):
            return self._tuples(node, path, arguments)
        if path in ("builtins.list", "builtins.tuple", "builtins.set", "builtins.sorted", "builtins.reversed"):
            made = self.fresh(node)
            self.heap.put(next(iter(made.objects)), self.iterate(everything))
            return made
        return self.fresh(node, everything.objects | self.heap.inside(everything) | returned.objects)

    def _tuples(self, node: ast.AST, path: str, arguments: Arguments) -> Value:
        """What `zip` and `enumerate` give: tuples, of which each part is an element of one argument."""
        elements = [self.iterate(value) for value in arguments.positional]
        if path == "builtins.enumerate":
            elements = [NOTHING, *elements[:1]]
        number = self.heap.new(node, "tuple")
        if arguments.spread is not None:
            self.heap.put(number, every((*elements, self.iterate(arguments.spread))))
        else:
            self.heap.put_fields(number, tuple(elements))
        made = self.heap.new(node)
        self.heap.put(made, Value(frozenset((number,)), sure=True))
        return Value(frozenset((made,)), sure=True, solid=True)

    # Calls that are not what they seem

    def special(self, node: ast.Call) -> Value | None:
        """`exec` of written code, `super()`, `globals()`; None for other calls."""
        function = node.func
        if isinstance(function, ast.Name) and function.id in _SPECIAL:
            return self._special_name(node, function.id)
        for name in names_in_texts(node):
            self.ask_for(name)
        if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Call):
            inner = function.value
            if isinstance(inner.func, ast.Name) and inner.func.id in ("globals", "locals", "vars") and not inner.args:
                return self._namespace_method(node, function.attr)
        return None

    def _special_name(self, node: ast.Call, name: str) -> Value | None:
        if name in ("exec", "eval") and node.args:
            return self._execute(node, name)
        function = self.frame.function
        if is_namespace(node) and (name == "globals" or function is None):
            self.log.stars.add("globals")
        if name == "super" and function is not None and function.scope.positional and len(node.args) != 1:
            self.load_global("super")
            return self.load(function.scope.positional[0])
        if name == "getattr" and len(node.args) >= 2 and isinstance(node.args[1], ast.Constant):
            self.load_global("getattr")
            attribute = node.args[1].value
            if isinstance(attribute, str):
                value = self.attribute(self.eval(node.args[0]), attribute)
                return value if len(node.args) == 2 else either(value, self.eval(node.args[2]))
        return None

    def _execute(self, node: ast.Call, name: str) -> Value | None:
        code = node.args[0]
        if not (isinstance(code, ast.Constant) and isinstance(code.value, str) and len(node.args) == 1):
            self.log.stars.add(name)
            return None
        try:
            tree = syntax_tree(code.value.strip())
        except SyntaxError:
            return None
        self.load_global(name)
        self.kept.append(tree)
        self.depth += 1
        here = self.frame
        if here.function is not None:
            # In a function, what `exec` binds is lost: its names are a copy of the function's.
            self.frame = Frame(here.function, class_body=True, slots=here.slots.copy())
        if name == "eval" and len(tree.body) == 1 and isinstance(tree.body[0], ast.Expr):
            value = self.eval(tree.body[0].value)
        else:
            self.run(tree.body)
            value = NOTHING
        self.depth -= 1
        self.frame = here
        return value

    def _namespace_method(self, node: ast.Call, method: str) -> Value | None:
        """`globals().get("x")`, `globals().update(x=1)`."""
        if method in ("get", "pop", "setdefault") and node.args and isinstance(node.args[0], ast.Constant):
            name = node.args[0].value
            if isinstance(name, str):
                value = self.load_global(name)
                for default in node.args[1:]:
                    value = either(value, self.eval(default))
                if method == "setdefault":
                    with self.maybe():
                        self.store_global(name, value)
                if method == "pop":
                    self.store_global(name, NOTHING, GONE)
                return value
        if method == "update":
            for keyword in node.keywords:
                value = self.eval(keyword.value)
                if keyword.arg:
                    self.store_global(keyword.arg, value)
                else:
                    self.log.stars.add("globals")
            for argument in node.args:
                self._update_namespace(argument)
            return NOTHING
        return None

    def _update_namespace(self, argument: ast.expr) -> None:
        value = self.eval(argument)
        if isinstance(argument, ast.Dict) and all(isinstance(key, ast.Constant) for key in argument.keys):
            for key, item in zip(argument.keys, argument.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    self.store_global(key.value, self.eval(item))
        else:
            self.iterate(value)
            self.log.stars.add("globals")


_SPECIAL = frozenset({"exec", "eval", "super", "getattr", "globals", "locals", "vars"})


def _is_super(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"


def _unknown_builtin(name: str) -> bool:
    return name in ("exec", "eval", "breakpoint", "__import__", "__build_class__", "compile")
