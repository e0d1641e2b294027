"""Pipelines that would give another answer as a module, each in one way, and so are not exported."""

from __future__ import annotations

REFUSED = {
    "lambda_in_dict": (
        [
            ("stage:a", "k = 2\nops = {'m': lambda x: x * k}"),
            ("stage:b", "print(ops['m'](3))"),
            ("stage:c", "k = 4\nprint(k)"),
        ],
        "reads `k`, which stage `c` binds anew",
    ),
    "default_dict_lambda": (
        [
            ("stage:a", "from collections import defaultdict\nbase = 1\nd = defaultdict(lambda: base)"),
            ("stage:b", "base = 7"),
            ("stage:c", "print(d['x'])"),
        ],
        "reads `base`, which stage `b` binds anew",
    ),
    "query_in_setup_fn": (
        [
            ("setup", "import pandas as pd\ndef big(df):\n    return df.query('a > @limit')"),
            ("stage:a", "df = pd.DataFrame({'a': [1, 9]})\nlimit = 3"),
            ("stage:b", "print(len(big(df)))"),
        ],
        "a function of setup reads `limit`",
    ),
    "eval_df_var": (
        [
            ("setup", "import pandas as pd"),
            ("stage:a", "df = pd.DataFrame({'a': [1, 2]})\nk = 3\ne = 'b = a * @k'"),
            ("stage:b", "df = df.eval(e)\nprint(df)"),
        ],
        "a query whose text is made elsewhere may read `k`",
    ),
    "print_shadow": (
        [
            ("setup", "def show(*a):\n    print('>', *a)"),
            ("stage:a", "print = show\nprint(1)"),
            ("stage:b", "print(2)"),
        ],
        "a function of setup reads `print`",
    ),
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
