"""Pipelines made to go wrong as a module, each in one way, that give the same."""

from __future__ import annotations

SAME = {
    "decor_stage_state": [
        ("stage:a", "reg = []\ndef add(f):\n    reg.append(f.__name__)\n    return f"),
        ("stage:b", "@add\ndef one():\n    return 1"),
        ("stage:c", "@add\ndef two():\n    return 2\nprint(reg, one(), two())"),
    ],
    "setup_fn_local_import": [
        ("setup", "def f():\n    import math\n    return math.pi"),
        ("stage:a", "math = 3\nprint(f(), math)"),
    ],
    "import_in_fn_hoist": [
        ("stage:a", "def f():\n    from math import floor\n    return floor(2.5)\nx = f()"),
        ("stage:b", "floor = 9\nprint(x, f(), floor)"),
    ],
    "pandas_that_no_code_names": [("setup", "import pandas as pd"), ("stage:a", "print([1])")],
    "iter_shared": [
        ("stage:a", "it = iter(range(5))\nz = zip(it, it)"),
        ("stage:b", "print(next(z))"),
        ("stage:c", "print(list(it))"),
    ],
    "setup_fn_comp_var": [("setup", "def f(xs):\n    return [i for i in xs]"), ("stage:a", "i = 9\nprint(f([1]), i)")],
    "import_alias_two": [
        ("stage:a", "import numpy as np\nx = np.arange(3)"),
        ("stage:b", "import numpy\nprint(numpy.sum(x), x)"),
    ],
    "import_shadow_later": [
        ("stage:a", "import json\nt = json.dumps([1])"),
        ("stage:b", "json = 5\nprint(json, t)"),
        ("stage:c", "print(json)"),
    ],
    "import_in_if": [
        ("parameters", "n = 1"),
        ("stage:a", "if n:\n    import math as m\nelse:\n    import cmath as m\nx = m.sqrt(4)"),
        ("stage:b", "print(m.sqrt(9), x)"),
    ],
    "func_uses_later_import": [
        ("stage:a", "def f(x):\n    return math.sqrt(x)"),
        ("stage:b", "import math\ny = f(4)"),
        ("stage:c", "print(y)"),
    ],
    "partial": [
        ("setup", "import functools"),
        ("stage:a", "k = 2\ndef f(a, b):\n    return a * b + k\ng = functools.partial(f, 3)"),
        ("stage:b", "print(g(4))"),
    ],
    "while_else": [("stage:a", "n = 3\nwhile n:\n    n -= 1\nelse:\n    done = True"), ("stage:b", "print(n, done)")],
    "nested_fstring": [
        ("stage:a", "w = 5\nv = 3.14159\ns = f'{v:{w}.2f}|{[f\"{i}\" for i in range(2)]}'"),
        ("stage:b", "print(s)"),
    ],
    "multi_target": [("stage:a", "a = b = [1]\na.append(2)"), ("stage:b", "b.append(3)\nprint(a is b, a)")],
    "sub_aug": [("stage:a", "d = {'a': 1}"), ("stage:b", "d['a'] += 5\nd['b'] = d['a']"), ("stage:c", "print(d)")],
    "class_in_setup_reads_param": [
        ("parameters", "n = 4"),
        ("setup", "class A:\n    def m(self):\n        return n"),
        ("stage:a", "print(A().m(), n)"),
    ],
    "class_attr_param": [("parameters", "n = 4"), ("setup", "class A:\n    size = n"), ("stage:a", "print(A.size)")],
    "setup_order": [("setup", "a = 1"), ("parameters", "n = 2"), ("setup", "b = a + n"), ("stage:x", "print(a, b, n)")],
    "setup_try": [
        ("setup", "try:\n    import nonexistent_q\nexcept ImportError:\n    nonexistent_q = None"),
        ("stage:a", "print(nonexistent_q)"),
    ],
    "async_for": [
        ("setup", "async def gen():\n    for i in range(3):\n        yield i"),
        ("stage:a", "xs = []\nasync for i in gen():\n    xs.append(i)"),
        ("stage:b", "ys = [x async for x in gen()]\nprint(xs, ys)"),
    ],
    "async_task": [
        ("setup", "import asyncio"),
        (
            "stage:a",
            "async def work():\n    await asyncio.sleep(0)\n    return 5\nt = asyncio.ensure_future(work())\nawait asyncio.sleep(0)",
        ),
        ("stage:b", "print(await t)"),
    ],
    "backslash": [("stage:a", "x = 1 + \\\n    2\ny = 'a\\\nb'"), ("stage:b", "print(x, y)")],
    "tabs": [("stage:a", "if True:\n\tx = 1\n\tif x:\n\t\ty = 2\nelse:\n\tx = y = 0"), ("stage:b", "print(x)")],
    "fn_in_stage_doc": [
        ("stage:a", 'k = 2\ndef f():\n    """Doc.\n\n    deep\n    """\n    return k'),
        ("stage:b", "print(f(), repr(f.__doc__))"),
    ],
    "rebinding_fn": [("stage:a", "def f():\n    return 1\nf = f()"), ("stage:b", "print(f)")],
    "enum_in_stage": [
        ("stage:a", "from enum import Enum\nclass C(Enum):\n    A = 1"),
        ("stage:b", "print(C.A, C(1) is C.A)"),
    ],
    "class_inherits_hoisted": [
        ("stage:a", "class A:\n    def m(self):\n        return 1"),
        ("stage:b", "class B(A):\n    def m(self):\n        return super().m() + 1\nb = B()"),
        ("stage:c", "print(b.m())"),
    ],
    "slots_prop": [
        (
            "stage:a",
            "class T:\n    __slots__ = ('v',)\n    def __init__(self, v):\n        self.v = v\n    @property\n    def d(self):\n        return self.v * 2\n    @d.setter\n    def d(self, x):\n        self.v = x / 2\nt = T(2)",
        ),
        ("stage:b", "t.d = 10\nprint(t.v, t.d)"),
    ],
    "gen_in_sum_rebound": [("stage:a", "k = 1\ns = sum(x * k for x in range(3))"), ("stage:b", "k = 5\nprint(k, s)")],
    "sorted_key_rebound": [
        ("stage:a", "w = {'a': 2, 'b': 1}\nxs = sorted(w, key=lambda n: w[n])"),
        ("stage:b", "w = {}\nprint(xs, w)"),
    ],
    "print_expr_setup": [("setup", "x = 1\nx"), ("stage:a", "print(x)")],
    "prop_display": [
        ("setup", "class P:\n    n = 0\n    @property\n    def v(self):\n        P.n += 1\n        return P.n"),
        ("stage:a", "p = P()\np.v"),
        ("stage:b", "print(P.n)"),
    ],
    "lambda_display": [("stage:a", "x = [3, 1]\nsorted(x, key=lambda v: x.append(9) or v)"), ("stage:b", "print(x)")],
    "await_display": [
        ("setup", "import asyncio\nasync def f():\n    print('ran')\n    return 1"),
        ("stage:a", "await f()"),
        ("stage:b", "print('end')"),
    ],
    "star_expr_display": [("stage:a", "x = [1, 2]\n*x, 3"), ("stage:b", "print(x)")],
    "sys_path_import": [
        (
            "stage:a",
            "import sys\nfrom pathlib import Path\nPath('m_own.py').write_text('V = 3')\nsys.path.insert(0, '.')",
        ),
        ("stage:b", "import m_own\nprint(m_own.V)"),
    ],
    "del_then_rebind_same": [
        ("stage:a", "x = [1]"),
        ("stage:b", "y = x\ndel x\nx = y + [2]"),
        ("stage:c", "print(x, y)"),
    ],
    "match_star": [
        (
            "stage:a",
            "data = {'k': [1, 2, 3], 'z': 0}\nout = None\nmatch data:\n    case {'k': [first, *others], **rest}:\n        out = (first, others, rest)",
        ),
        ("stage:b", "print(out)"),
    ],
    "underscore_loop": [
        ("stage:a", "n = 0\nfor _ in range(3):\n    n += 1\na, _ = (1, 2)"),
        ("stage:b", "print(n, a)"),
    ],
    "wide_print": [
        ("setup", "import pandas as pd"),
        ("stage:a", "wide = pd.DataFrame([range(30)])"),
        ("stage:b", "print(wide)"),
    ],
    "import_of_its_own": [
        ("stage:a", "import wave as w\n\nk = 2"),
        ("stage:b", "print(w.__name__, k)"),
    ],
    "setup_param_const": [
        ("parameters", "seed = 3\nn: int = 5  # rows"),
        ("setup", "import random\nrandom.seed(seed)"),
        ("stage:a", "x = [random.random() for _ in range(n)]"),
        ("stage:b", "print(x, n)"),
    ],
    "closure_param": [("parameters", "k = 2"), ("stage:a", "f = lambda x: x * k\nk2 = k"), ("stage:b", "print(f(3))")],
    "rebind_param": [
        ("parameters", "k = 2"),
        ("stage:a", "k = k + 1"),
        ("stage:b", "print(k)"),
        ("stage:c", "k += 1\nprint(k)"),
    ],
    "comp_in_class": [
        ("setup", "class A:\n    xs = [1, 2]\n    ys = [x * 2 for x in xs]\n    def m(self): return self.ys"),
        ("stage:a", "a = A()"),
        ("stage:b", "print(a.m())"),
    ],
    "helper_in_stage": [
        ("stage:a", "import math\ndef area(r):\n    return math.pi * r ** 2\nx = area(2)"),
        ("stage:b", "print(round(area(3), 3), x)"),
    ],
    "helper_closure": [
        ("stage:a", "rows = [1, 2, 3]\ndef total():\n    return sum(rows)\nt = total()\nrows.append(4)"),
        ("stage:b", "rows.append(5)\nprint(total(), t)"),
    ],
    "loop_var": [
        ("stage:a", "for i in range(3):\n    pass"),
        ("stage:b", "for i in range(i, 5):\n    last = i"),
        ("stage:c", "print(i, last)"),
    ],
    "shadow_builtin_ok": [("stage:a", "list = [1]"), ("stage:b", "print(list)")],
    "setup_shadow_ok": [("setup", "x = 1"), ("stage:z", "print(x)"), ("stage:a", "x = 2"), ("stage:b", "print(x)")],
    "reimport": [("setup", "import math"), ("stage:a", "import math\nx = math.sqrt(4)"), ("stage:b", "print(x)")],
    "env_then_import": [
        ("setup", "import os\nos.environ['TZ'] = 'UTC'\nimport time"),
        ("stage:a", "print(time.tzname)"),
    ],
    "strings": [
        ("stage:a", 'text = """\n  a\n    b\n"""\nx = f"""{text}\n  c"""\ny = \'\'\'\nz\'\'\'\n'),
        ("stage:b", "print(repr(text), repr(x), repr(y))"),
    ],
    "decorated": [
        (
            "setup",
            "import functools\ndef twice(f):\n    @functools.wraps(f)\n    def g(*a):\n        return f(*a) * 2\n    return g",
        ),
        ("stage:a", "@twice\ndef one(x):\n    return x\nv = one(3)"),
        ("stage:b", "print(v, one(4))"),
    ],
    "aug_tuple": [("stage:a", "t = (1,)\nu = t"), ("stage:b", "t += (2,)"), ("stage:c", "print(t, u)")],
    "walrus": [("stage:a", "xs = [y := 1, y ** 2]\nz = [w := n for n in range(3)]"), ("stage:b", "print(xs, y, w)")],
    "walrus_genexp": [("stage:a", "ok = any((hit := n) > 1 for n in range(5))"), ("stage:b", "print(ok, hit)")],
    "except_name": [
        ("stage:a", "e = 1\ntry:\n    1 / 0\nexcept ZeroDivisionError as err:\n    msg = str(err)\nprint(msg)"),
        ("stage:b", "print(e)"),
    ],
    "match": [
        ("stage:a", "p = (1, 2)\nmatch p:\n    case (a, b):\n        s = a + b\n    case _:\n        s = a = b = 0"),
        ("stage:b", "print(s, a, b)"),
    ],
    "from_import_patched": [
        ("stage:a", "import math\nmath.floor = lambda x: 'p'"),
        ("stage:b", "from math import floor\nprint(floor(2.5))"),
    ],
    "mutable_default": [
        ("stage:a", "def f(x, acc=[]):\n    acc.append(x)\n    return list(acc)\na = f(1)"),
        ("stage:b", "print(f(2), a)"),
    ],
    "dc_repr": [
        ("stage:a", "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int = 1\np = P()"),
        ("stage:b", "print(p, P(2))"),
    ],
    "param_expr": [("parameters", "base = 2\nsquare = base ** 2"), ("stage:a", "print(base, square)")],
    "bool_param": [
        ("parameters", "fast: bool = False\nnames: list = ['a']\nlimit = None\nname: str = \"it's\""),
        ("stage:a", "names.append('b')\nprint(fast, names, limit, name)"),
    ],
    "del_arg": [
        ("stage:a", "x = 1\ny = 2"),
        ("stage:b", "del x\nz = y"),
        ("stage:c", "x = 3"),
        ("stage:d", "print(x, z)"),
    ],
    "cond_rebind": [
        ("parameters", "n = 1"),
        ("stage:a", "x = 1"),
        ("stage:b", "if n > 5:\n    x = 2"),
        ("stage:c", "print(x)"),
    ],
    "late_global_fn": [
        ("setup", "def show(t):\n    print('<', t, '>')"),
        ("stage:a", "x = 1\nshow(x)"),
        ("stage:b", "show(2)\nx"),
    ],
    "display_end": [
        ("setup", "import pandas as pd"),
        ("stage:a", "df = pd.DataFrame({'a': [1, 2]})\ndf.head()"),
        ("stage:b", "df['b'] = 1\ndf.describe()\ndisplay(df)"),
        ("stage:c", "print(df)"),
    ],
    "defaultdict_look": [
        ("stage:a", "from collections import defaultdict\nd = defaultdict(list)\nd['x']"),
        ("stage:b", "print(dict(d))"),
    ],
    "iter_look": [("stage:a", "it = iter([1, 2, 3])\nsum(it)"), ("stage:b", "print(list(it))")],
    "query": [
        ("setup", "import pandas as pd"),
        ("stage:a", "df = pd.DataFrame({'a': [1, 5]})\nlimit = 3"),
        ("stage:b", "big = df.query('a > @limit')"),
        ("stage:c", "print(len(big))"),
    ],
    "stage_name_clash": [("stage:load", "load = 1"), ("stage:print", "x = load"), ("stage:main", "print(x)")],
    "class_global": [
        ("setup", "class Counter:\n    n = 0\n    def hit(self):\n        Counter.n += 1"),
        ("stage:a", "Counter().hit()"),
        ("stage:b", "Counter().hit()\nprint(Counter.n)"),
    ],
    "nested_scope": [
        (
            "stage:a",
            "k = 1\ndef outer():\n    k = 2\n    def inner():\n        return k\n    return inner\nf = outer()",
        ),
        ("stage:b", "k = 9\nprint(f(), k)"),
    ],
    "lambda_default": [
        ("stage:a", "fs = [lambda x, i=i: x + i for i in range(3)]"),
        ("stage:b", "print([f(1) for f in fs])"),
    ],
    "lambda_late_loop": [
        ("stage:a", "fs = []\nfor i in range(3):\n    fs.append(lambda: i)"),
        ("stage:b", "print([f() for f in fs])"),
    ],
    "apply_lambda": [
        ("setup", "import pandas as pd"),
        ("stage:a", "df = pd.DataFrame({'a': [1, 2]})\nk = 2\ndf['b'] = df['a'].apply(lambda v: v * k)"),
        ("stage:b", "k = 3\ndf = df.assign(c=lambda d: d.a * k)\nprint(df)"),
    ],
    "recursion": [
        ("stage:a", "def fact(n):\n    return 1 if n < 2 else n * fact(n - 1)\nx = fact(5)"),
        ("stage:b", "print(x, fact(3))"),
    ],
    "mutual": [
        ("stage:a", "def even(n):\n    return n == 0 or odd(n - 1)"),
        ("stage:b", "def odd(n):\n    return n != 0 and even(n - 1)\nx = even(4)"),
        ("stage:c", "print(x)"),
    ],
    "swap_fn": [
        ("setup", "def helper():\n    return 1"),
        ("stage:a", "x = helper()"),
        ("stage:b", "def helper():\n    return 2\ny = helper()"),
        ("stage:c", "print(x, y, helper())"),
    ],
    "order_imports": [
        ("stage:a", "x = 1"),
        ("stage:b", "from collections import Counter\nc = Counter('aab')"),
        ("stage:c", "print(c, x)"),
    ],
    "try_import": [
        ("stage:a", "try:\n    import nonexistent_thing as nt\nexcept ImportError:\n    nt = None"),
        ("stage:b", "print(nt)"),
    ],
    "semicolons": [("stage:a", "a = 1; b = 2; a"), ("stage:b", "print(a, b);")],
    "unicode": [("stage:a", "größe = 'ä'\ntext = f'{größe}é'  # ü\ntext"), ("stage:b", "print(größe, text)")],
    "unpack": [("stage:a", "a, *rest = range(4)\n(x, y), z = (1, 2), 3"), ("stage:b", "print(a, rest, x, y, z)")],
    "annot": [("stage:a", "x: int = 1\ny: 'Unknown' = 2\nz: int\n"), ("stage:b", "print(x, y)")],
    "nonlocal_": [
        (
            "stage:a",
            "def make():\n    n = 0\n    def up():\n        nonlocal n\n        n += 1\n        return n\n    return up\nup = make()\nup()",
        ),
        ("stage:b", "print(up())"),
    ],
    "type_alias": [
        ("setup", "from typing import NamedTuple\nclass P(NamedTuple):\n    x: int\n    y: int = 2"),
        ("stage:a", "p = P(1)"),
        ("stage:b", "print(p)"),
    ],
    "async_fn": [
        ("setup", "import asyncio\nasync def go(x):\n    await asyncio.sleep(0)\n    return x"),
        ("stage:a", "v = await go(3)"),
        ("stage:b", "print(v)"),
    ],
    "path_rename": [
        ("stage:a", "from pathlib import Path\np = Path('a.txt')\np.write_text('x')\np.rename('b.txt')"),
        ("stage:b", "print(Path('b.txt').read_text())"),
    ],
    "dict_look_pop": [
        ("stage:a", "d = {'a': 1}\nd.setdefault('b', 2)"),
        ("stage:b", "d.pop('a')"),
        ("stage:c", "print(d)"),
    ],
    "sample_display": [
        ("setup", "import random\nrandom.seed(1)"),
        ("stage:a", "random.random()"),
        ("stage:b", "print(random.random())"),
    ],
    "conditional_fn": [
        ("parameters", "n = 1"),
        ("stage:a", "if n:\n    def f():\n        return n\nelse:\n    def f():\n        return -1\nr = f()"),
        ("stage:b", "print(r, f())"),
    ],
    "attr_fn": [("stage:a", "def f():\n    return 1\nf.n = 3"), ("stage:b", "f.n += 1\nprint(f.n, f())")],
    "yield_fn": [
        ("stage:a", "def gen(n):\n    for i in range(n):\n        yield i\ng = gen(5)\nnext(g)"),
        ("stage:b", "print(list(g))"),
    ],
    "pipe_default": [
        ("setup", "LIMIT = 3"),
        ("stage:a", "def f(x, limit=LIMIT):\n    return min(x, limit)\ny = f(10)"),
        ("stage:b", "print(f(1), y)"),
    ],
    "setup_const_rebound": [
        ("setup", "LIMIT = 3\ndef g(x, limit=LIMIT):\n    return min(x, limit)"),
        ("stage:a", "LIMIT = 7\ny = g(10)"),
        ("stage:b", "print(y, LIMIT)"),
    ],
    "strings_in_blocks": [
        ("parameters", "n = 1"),
        ("stage:a", "if n:\n    text = '''\na\n\n\n  b'''\nelse:\n    text = ''\nz = [text]"),
        ("stage:b", "print(z)"),
    ],
}
"""By name, the cells of a pipeline whose module prints what its cells print."""
