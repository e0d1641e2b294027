"""Pipelines made to go wrong as a module, each in one way: those that give the same, and those that are refused."""

from __future__ import annotations

SAME = {
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

REFUSED = {
    "setup_draws": (
        [("setup", "import matplotlib.pyplot as plt\nplt.style.use('ggplot')\nplt.plot([1])"), ("stage:a", "x = 1")],
        "Cell 1, line 3 cannot be exported: setup draws a picture",
    ),
    "mapped_setup": (
        [
            ("parameters", "ns = [1, 2]"),
            ("setup", "import helper_x\nthing = helper_x.make()"),
            ("stage:a", "y = thing.more(n)", {"foreach": "n in ns"}),
            ("stage:b", "print(y)"),
        ],
        "is mapped and may change `thing`, which setup makes",
    ),
    "setup_fn_reads_stage": (
        [("setup", "def f(x):\n    return x * scale"), ("stage:a", "scale = 3\ny = f(2)"), ("stage:b", "print(y)")],
        "a function of setup reads `scale`, which stage `a` binds",
    ),
    "closure_rebound": (
        [("stage:a", "k = 2\nf = lambda x: x * k"), ("stage:b", "k = 5"), ("stage:c", "print(f(3))")],
        "reads `k`, which stage `b` binds anew",
    ),
    "genexp_lazy": (
        [("stage:a", "k = 2\ng = (x * k for x in range(3))"), ("stage:b", "k = 10"), ("stage:c", "print(list(g))")],
        "reads `k`, which stage `b` binds anew",
    ),
    "shadow_builtin": (
        [("stage:a", "n = len([1])\nlen = 5"), ("stage:b", "print(len, n)")],
        "stage `a` reads `len` and then binds it",
    ),
    "setup_shadow": (
        [("setup", "x = 1\ndef f():\n    return x"), ("stage:a", "x = 2"), ("stage:b", "print(f(), x)")],
        "a function of setup reads `x`, which stage `a` binds",
    ),
    "setup_mutated": (
        [("setup", "cache = {}"), ("stage:a", "cache['a'] = 1"), ("stage:b", "print(cache)")],
        "changes `cache` in place, which setup makes",
    ),
    "interleave": (
        [("stage:a", "x = 1"), ("stage:b", "y = x"), ("stage:a", "z = 2"), ("stage:c", "print(x, y, z)")],
        "cells of `a` stand around cells of `b`",
    ),
    "needs_up": (
        [("stage:a", "x = 1", {"needs": ["b"]}), ("stage:b", "y = 2"), ("stage:c", "print(x, y)")],
        "`a` runs after `b`, which stands below it",
    ),
    "name_main": (
        [("stage:a", "if __name__ == '__main__':\n    x = 1"), ("stage:b", "print(x)")],
        "`__name__` is another value",
    ),
    "star_in_fn": ([("setup", "from math import *"), ("stage:a", "print(floor(2.5))")], "`from math import *`"),
    "lambda_late_loop2": (
        [
            ("stage:a", "fs = []\nfor i in range(3):\n    fs.append(lambda: i)"),
            ("stage:b", "for i in range(10, 12):\n    pass\nprint([f() for f in fs])"),
        ],
        "reads `i`, which stage `b` binds anew",
    ),
    "global_stmt_setup": (
        [
            ("setup", "n = 0\ndef bump():\n    global n\n    n += 1"),
            ("stage:a", "bump()"),
            ("stage:b", "bump()\nprint(n)"),
        ],
        "`global n`",
    ),
    "setup_reads_builtin_later_bound": (
        [
            ("setup", "def f(x):\n    return sum(x)"),
            ("stage:a", "y = f([1, 2])\nsum = 5"),
            ("stage:b", "print(y, sum)"),
        ],
        "a function of setup reads `sum`",
    ),
    "sys_argv": ([("stage:a", "import sys\nx = sys.argv[0]")], "`sys.argv`"),
    "exec_": ([("stage:a", "x = 1\nexec('y = 2')")], "Cell 1, line 2 cannot be exported: `exec`"),
    "locals_": ([("stage:a", "x = 1"), ("stage:b", "print('{x}'.format(**locals(), y=x))")], "`locals`"),
    "shell": ([("stage:a", "x = 1\n!ls")], "Cell 1, line 2 cannot be exported: `!ls`"),
    "shell_used": ([("stage:a", "x = !ls\ny = x")], "`!ls`"),
    "magic_env": ([("setup", "%env A=1"), ("stage:a", "x = 1")], "`%env`"),
    "cell_magic": ([("stage:a", "%%bash\nls"), ("stage:b", "x = 1")], "`%%bash`"),
    "maybe": (
        [
            ("parameters", "n = 1"),
            ("stage:a", "if n > 2:\n    y = 1"),
            ("stage:b", "try:\n    print(y)\nexcept NameError:\n    print('none')"),
        ],
        "binds `y` only under a condition",
    ),
    "setup_binds_param": (
        [("parameters", "n = 1"), ("setup", "n = 2"), ("stage:a", "print(n)")],
        "setup binds parameter `n`",
    ),
    "class_in_stage": (
        [("stage:a", "n = 1"), ("stage:b", "class A:\n    x = n\na = A()"), ("stage:c", "print(a.x)")],
        "class `A` is made of what only stage `b` knows",
    ),
    "display_kept": (
        [("stage:a", "x = [1]\nfor one in x:\n    display(one)")],
        "`display` is Jupyter's. Export with displays=print",
    ),
    "future": ([("stage:a", "from __future__ import annotations\nx = 1")], "`__future__`"),
    "mapped_random": (
        [
            ("parameters", "ns = [1, 2]"),
            ("setup", "import random"),
            ("stage:a", "y = random.random() + n", {"foreach": "n in ns"}),
            ("stage:b", "print(y)"),
        ],
        "is mapped and draws random numbers",
    ),
    "last_result": ([("stage:a", "1 + 1"), ("stage:b", "x = Out[1]")], "`Out`"),
}
"""By name, the cells of a pipeline that is not exported, and a part of what is said."""
