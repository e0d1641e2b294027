"""Code to check the analysis on, made up from a grammar of what notebooks do with names.

Every choice is made by `choose`, so that hypothesis, which shrinks what it finds, can write, and so can plain chance.
"""

import re

BEFORE = ("a", "b", "c", "d", "o", "t", "it", "n")
NEW = ("x", "y", "z")
FUNCTIONS = ("f", "g", "h")
CLASSES = ("Box", "Pot")
LOCALS = ("p", "q", "r")

# In a pattern, `N` is a name to bind, `A` any name, `P` a part, `F` a function, `C` a class, `E` an expression.
ATOMS = ("A", "A", "A", "N", "0", "'k'", "[]", "{}", "()", "n + 1", "AP", "AP")
EXPRESSIONS = (
    *(
        "APP",
        "[E, E]",
        "(E, E)",
        "{'k': E, 'v': E}",
        "{**d, 'k': E}",
        "[*A, E]",
        "(E or E)",
        "(E and E)",
        "(E if A else E)",
    ),
    *(
        "(A + A)",
        "(A in A)",
        "-n",
        "[q for q in E]",
        "[qP for q in E]",
        "[q.append(E) for q in E]",
        "[E for q in A if q]",
    ),
    *(
        "[E for q in A for r in q]",
        "(E for q in A)",
        "(q for q in E)",
        "{q: E for q in range(2)}",
        "{id(E) for q in A}",
    ),
    *("list(E)", "tuple(E)", "iter(E)", "next(A)", "next(iter(A))", "list(map(A, A))", "list(zip(A, A))", "zip(A, A)"),
    *("list(enumerate(A))", "sorted(A, key=lambda q: E)", "sum([], A)", "max(A, A, key=id)", "getattr(A, 'v', A)"),
    *("A.pop()", "A.copy()", "A.get('k', E)", "A.setdefault('k', E)", "list(A.values())", "list(A.items())"),
    *(
        "A.merge_into(A)",
        "F(E)",
        "F(E, E)",
        "F(E, q=E)",
        "F(*A)",
        "F(**d)",
        "A(E)",
        "AP(E)",
        "(lambda q: E)",
        "(lambda q=E: E)(E)",
    ),
    *(
        "(lambda: E)()",
        "(N := E)",
        "C(E)",
        "C(E).go(E)",
        "A.go(E)",
        "A.seen",
        "f'{A}'",
        "globals()['N']",
        "Bag(E)",
        "F",
        "F(F)",
    ),
    *(
        "A.append",
        "A.append(E)",
        "eval('A')",
        "copy.copy(A)",
        "copy.deepcopy(A)",
        "functools.partial(F, A)",
        "functools.reduce(F, A)",
    ),
    *(
        "F(E)(E)",
        "F(E).append(E)",
        "AP.append(E)",
        "type(A)",
        "dict(k=A)",
        "Bag(E, E)P",
        "{'k': F}['k'](E)",
        "[F][0](A)",
        "F(E)P",
    ),
)
TARGETS = ("N", "N", "N", "A", "AP", "APP", "N, A", "N, *A", "(N, N), N", "A.v, N", "F")
SINGLE = ("N", "N", "A", "AP", "APP")
LINES = (
    *(
        "T = E",
        "T = E",
        "T = E",
        "N = A",
        "N = AP",
        "T = T = E",
        "S += E",
        "S += [E]",
        "N: int = E",
        "N, N = A, A",
        "del S",
    ),
    *(
        "A.append(E)",
        "AP.append(E)",
        "A.extend(E)",
        "A.update(E)",
        "A.update(k=E)",
        "A.insert(0, E)",
        "A.clear()",
        "E",
        "E",
    ),
    *("setattr(A, 'v', E)", "list.append(A, E)", "globals()['N'] = E", "import math as N", "assert E or True", "pass"),
    *("raise ValueError(a)", "F(A)", "F(A, A)", "A.append(F)", "F.v = A", "N = F(E)", "N = C(E)", "A.go(A)", "N.v = A"),
    *(
        "exec('N = A')",
        "N = lambda q=A: E",
        "N = [A]",
        "N = {'k': A}",
        "N = (A, A)",
        "del N",
        "from math import pi as N",
    ),
)
HEADERS = ("p, q=0", "p, q=a", "p=None, *q", "p, q=[]", "p, *, q=b", "p=1, **q", "p, q=E", "*p", "q=None, p=x")
NESTED = (
    ("def g(*r):", "    q = p", "    p.append(r)", "    return p"),
    ("def h(r=p):", "    nonlocal q", "    q = r", "    return a"),
    ("def f(r):", "    nonlocal p", "    return [p for p in r]", "r = f"),
    ("r = lambda *s: p",),
    ("def r(*s):", "    global x", "    x = p", "    return s"),
    ("class Pot:", "    seen = p", "    def go(self, *s): return p"),
)
CLASS_STARTS = (
    ("seen = []",),
    ("seen = a",),
    ("@property", "def seen(self): return self.v"),
    ("def __init__(self, p, q=None):", "    self.v = p", "    self.k = a"),
    ("def __init__(self, *p):", "    self.v = list(p)", "    self.seen.append(p)"),
    ("@staticmethod", "def go(p, q=0): p.append(b)"),
    ("@classmethod", "def go(cls, p=0, q=0): cls.seen = p"),
    ("def __call__(self, p): p.append(self); return x",),
)
COMPOUND = (
    ("if E:", 0, "else:", 0),
    ("if E:", 0),
    ("if E:", 0, "elif E:", 0),
    ("for T in E:", 1),
    ("for T in A:", 1),
    ("for T in [E, a]:", 1, "else:", 0),
    ("for N, N in zip(A, [A, A]):", 1),
    ("for N, N in A.items():", 1),
    ("while tick():", 1),
    ("while tick():", 1, "else:", 0),
    ("while True:", 1, 2),
    ("try:", 0, "except Exception as e:", 0),
    ("try:", 0, "except KeyError:", 0, "finally:", 0),
    ("try:", 0, "except Exception:", 0, "else:", 0),
    ("try:", 0, "finally:", 0),
    ("with A:", 0),
    ("with A as N, Bag(E) as N:", 0),
    ("with contextlib.suppress(Exception):", 0),
    (
        "match E:",
        "    case [x, *y]:",
        3,
        "    case {'k': z, **y} if z:",
        3,
        "    case str() | int() as x: pass",
        "    case N: pass",
    ),
    ("match E:", "    case (a, [b, *_]) if E:", 3, "    case Bag(v=y):", 3),
)
PRELUDES = (
    (),
    ("def f(p, q=0):", "    p.append(q)", "    return p"),
    ("def f(p, q=0): return p", "def g(p=0, q=0): return a", "def h(p=0, q=0): return [p, q]"),
    (
        "def f(*p):",
        "    global x",
        "    x = p",
        "def g(p):",
        "    return h(p)",
        "def h(p):",
        "    p.v = b",
        "    return p.k",
    ),
)


class Writer:
    """Writes code, as `choose` chooses."""

    def __init__(self, choose):
        self.choose = choose

    def text(self, pattern, depth):
        # A part follows a name without a space between, so the pattern's letters are taken one by one.
        pattern = re.sub(r"\b([AFNC])(P+)", lambda m: " ".join((m[1], *m[2])), pattern)
        pattern = re.sub(r"([)\]])P\b", r"\1 P", pattern)
        pattern = re.sub(r"\bqP\b", "q P", pattern)
        written = re.sub(r"\b[NAFCESTP]\b", lambda m: self.letter(m[0], depth), pattern)
        return re.sub(r"(?<=[\w)\]]) (?=[.\[](?:v|k|w|0|1|-1|:|'k'|n)\b|\[:\]|\['k'\])", "", written)

    def letter(self, letter, depth):
        if letter == "N":
            return self.choose(NEW * 2 + BEFORE)
        if letter == "A":
            return self.choose((BEFORE + NEW) * 2 + FUNCTIONS + LOCALS)
        if letter == "P":
            return self.choose(("[0]", "['k']", ".v", ".k", "[1]", "[:]", "[-1]"))
        if letter == "F":
            return self.choose(FUNCTIONS)
        if letter == "C":
            return self.choose(CLASSES)
        if letter == "T":
            return self.text(self.choose(TARGETS), depth)
        if letter == "S":
            return self.text(self.choose(SINGLE), depth)
        return self.expression(depth)

    def expression(self, depth):
        deeper = depth > 0 and self.choose((True, False))
        return self.text(self.choose(EXPRESSIONS if deeper else ATOMS), depth - 1)

    def block(self, depth, **where):
        lines = []
        for _ in range(self.choose((1, 1, 2, 3))):
            lines += self.statement(depth, **where)
        return ["    " + line for line in lines]

    def statement(self, depth, **where):
        kind = self.choose(("line",) * 5 + ("compound", "compound", "function", "class") if depth else ("line",))
        if kind == "function":
            return self.function(depth - 1)
        if kind == "class":
            return self.class_(depth - 1)
        if kind == "compound":
            return self.compound(depth - 1, **where)
        return [self.line(**where)]

    def line(self, *, in_function=False, in_loop=False):
        choices = list(LINES)
        if in_function:
            choices += ["return E"] * 6 + ["yield E", "x = yield E"]
        if in_loop:
            choices += ["break", "continue"] * 2
        return self.text(self.choose(choices), 2)

    def compound(self, depth, **where):
        lines = []
        for part in self.choose(COMPOUND):
            if part == 0:
                lines += self.block(depth, **where)
            elif part == 1:
                lines += self.block(depth, **{**where, "in_loop": True})
            elif part == 2:
                lines.append("    if not tick(): break")
            elif part == 3:
                lines += ["    " + line for line in self.block(depth, **where)]
            else:
                lines.append(self.text(part, 2))
        return lines

    def function(self, depth, names=FUNCTIONS):
        lines = [f"def {self.choose(names)}({self.text(self.choose(HEADERS), 1)}):"]
        declared = self.choose(("", "", "global x", "global a", "global y, b, f"))
        if declared:
            lines.append("    " + declared)
        if self.choose((False, False, True)):
            lines += ["    " + line for line in self.choose(NESTED)]
        lines += self.block(min(depth, 1), in_function=True)
        if self.choose((False, True)):
            lines.append("    return " + self.expression(1))
        decorator = self.choose(("",) * 8 + ("@functools.cache", "@f", "@h(c)", "@contextlib.contextmanager"))
        return [decorator, *lines] if decorator else lines

    def class_(self, depth):
        lines = [f"class {self.choose(CLASSES)}{self.choose(('', '', '(Bag)', '(Box)'))}:"]
        for _ in range(self.choose((0, 1, 1, 2))):
            lines += ["    " + line for line in self.choose(CLASS_STARTS)]
        method = ["def go(self, p=0, q=0):", *self.block(min(depth, 1), in_function=True)]
        return [*lines, *("    " + line for line in method)]

    def snippet(self):
        lines = []
        for _ in range(self.choose((1, 2, 3, 4, 5, 6))):
            statement = self.statement(2)
            if self.choose((True, False)):
                # Made-up code fails often; so that it gets further, some of it may.
                statement = ["try:", *("    " + line for line in statement), "except Exception: pass"]
            lines += statement
        return "\n".join(lines)

    def setup(self):
        lines = list(self.choose(PRELUDES))
        for _ in range(self.choose((0, 1, 2, 3))):
            lines += self.function(1) if self.choose((True, True, False)) else self.class_(1)
        if self.choose((False, False, True)):
            extra = self.choose(
                ("x = f", "y = {'k': f}", "x = [lambda q: q.append(a), g]", "z = lambda *q: b", "y = a")
            )
            lines.append(extra)
        return "\n".join(lines)


def compiles(source):
    try:
        compile(source, "<snippet>", "exec")
    except SyntaxError:
        return False
    return True
