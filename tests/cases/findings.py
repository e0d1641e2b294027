"""Each finding of `stagebook check`, with cells that have it; the first of each code is the example in the docs."""

# Per case: the cells, then code, place, and the essential words of the one message and its remedy.
ONE_FINDING = {
    "syntax error": (
        [("stage:a", "x = 1\nprint(x))"), ("stage:b", "print(y)")],
        ("SB101", "cell 1, line 2", ["no Python", "unmatched ')'"], "Correct the line"),
    ),
    "syntax error in setup": (
        [("setup", "def f(:\n    pass"), ("stage:a", "print(f(1))")],
        ("SB101", "cell 1, line 1", ["no Python"], "Correct the line"),
    ),
    "tag against magic": (
        [("stage:a", "%%stage b\nprint(1)")],
        ("SB102", "cell 1, line 1", ["`stage:a`", "`%%stage b`"], "Keep one of them."),
    ),
    "unknown option": (
        [("", "%%stage a retry=2\nprint(1)")],
        ("SB103", "cell 1, line 1", ["no option `retry`"], "Did you mean `retries`?"),
    ),
    "option with a value it cannot have": (
        [("", "%%stage a retries=often\nprint(1)")],
        ("SB104", "cell 1, line 1", ["`retries`", "whole number", "'often'"], "Correct the value."),
    ),
    "stage without code": (
        [("stage:a", "# Later.\n"), ("stage:b", "print(1)")],
        ("SB105", "cell 1, line 1", ["`a` has no code"], "Write its code"),
    ),
    "test of no stage": (
        [("stage:load", "x = 1"), ("test:laod", "assert x")],
        ("SB105", "cell 2, line 1", ["tests stage `laod`"], "Did you mean `load`?"),
    ),
    "name that cannot be a stage's": (
        [("stage:2nd", "print(1)")],
        ("SB106", "cell 1, line 1", ["`2nd`"], "Start with a letter"),
    ),
    "second parameters cell": (
        [("parameters", "n = 1"), ("parameters", "k = 2"), ("stage:a", "print(n, k)")],
        ("SB107", "cell 2, line 1", ["second parameters cell"], "Move its lines to the first one."),
    ),
    "parameters below a stage": (
        [("stage:a", "print(1)"), ("parameters", "n = 1"), ("stage:b", "print(n)")],
        ("SB107", "cell 2, line 1", ["below", "`a`"], "Move it above all stages."),
    ),
    "tag that has no effect": (
        [("step:a limit:nvidia.com/gpu:1", "print(1)")],
        ("SB108", "cell 1, line 1", ["`limit:nvidia.com/gpu:1`", "no effect"], "Remove it."),
    ),
    "name defined nowhere": (
        [("stage:load", "trips = {}"), ("stage:b", "\nprint(trips, trip)")],
        ("SB201", "cell 2, line 2", ["`trip`", "no cell defines it"], "Did you mean `trips`?"),
    ),
    "name defined nowhere, unlike any": (
        [("stage:a", "print(frame)")],
        ("SB201", "cell 1, line 1", ["`frame`"], "Define `frame`, or correct its spelling."),
    ),
    "name that setup reads, defined nowhere": (
        [("setup", "import os\nos.chdir(folder)"), ("stage:a", "print(1)")],
        ("SB201", "cell 1, line 2", ["`folder`"], "Define `folder`"),
    ),
    "name that a test reads, defined nowhere": (
        [("stage:a", "x = 1"), ("test:a", "assert x == expected")],
        ("SB201", "cell 2, line 1", ["`expected`"], "Define `expected`"),
    ),
    "name that a test reads, from an exploration cell": (
        [("stage:a", "x = 1"), ("", "expected = 1"), ("test:a", "assert x == expected")],
        ("SB202", "cell 3, line 1", ["`expected`", "exploration cell (cell 2)"], "Tag cell 2"),
    ),
    "name that a test reads, from a later stage": (
        [("stage:a", "x = 1"), ("test:a", "\nassert x == y"), ("stage:b", "y = 1")],
        ("SB304", "cell 2, line 2", ["`y`", "a later stage, `b`"], "tag it `test:b`"),
    ),
    "name that a test reads, from another test": (
        [("stage:a", "x = 1"), ("test:a", "limit = 2"), ("test:a", "assert x < limit")],
        ("SB304", "cell 3, line 1", ["`limit`", "only cell 2", "each runs by itself"], "in a setup cell"),
    ),
    "name from an exploration cell": (
        [("", "limit = 3"), ("stage:a", "print(limit)")],
        ("SB202", "cell 2, line 1", ["`limit`", "exploration", "cell 1, line 1"], "Tag cell 1"),
    ),
    "name from a later stage": (
        [("stage:a", "print(x)"), ("stage:b", "x = 1")],
        ("SB203", "cell 1, line 1", ["`x`", "`b` (cell 2, line 1)", "later"], "Move `b` above"),
    ),
    "name from a later line of its own stage": (
        [("stage:a", "print(x)\nx = 1")],
        ("SB203", "cell 1, line 1", ["`x`", "cell 1, line 2 of the same stage"], "Move the line that makes `x`"),
    ),
    "stages that need each other": (
        [("", "%%stage a needs=b\nprint(1)"), ("", "%%stage b needs=a\nprint(2)")],
        ("SB204", "cell 1, line 1", ["`a` declares that it needs `b`", "`b` declares"], "Take the need out of"),
    ),
    "need of no stage": (
        [("stage:load", "print(1)"), ("", "%%stage b needs=laod\nprint(2)")],
        ("SB205", "cell 2, line 1", ["`b` needs `laod`"], "Did you mean `load`?"),
    ),
    "harmful interleaving": (
        [("stage:a", "x = 1"), ("stage:b", "print(x)"), ("stage:a", "x = 2")],
        ("SB206", "cell 3, line 1", ["`a`", "`b`", "`x`"], "a stage name of their own"),
    ),
    "setup reads what a stage makes": (
        [("stage:a", "x = 1"), ("setup", "y = x"), ("stage:b", "print(y)")],
        ("SB207", "cell 2, line 1", ["Setup reads `x`", "`a`"], "Move the line to a stage"),
    ),
    "setup makes again what a stage made": (
        [("stage:a", "x = 1\nprint(x)"), ("setup", "x = 2"), ("stage:b", "print(3)")],
        ("SB207", "cell 2, line 1", ["Setup binds `x`", "`a` (cell 1, line 1)"], "Rename one"),
    ),
    "name deleted before": (
        [("stage:a", "x = 1"), ("stage:b", "del x"), ("stage:c", "print(x)")],
        ("SB208", "cell 3, line 1", ["`x`", "`b` deletes it"], "Take `del x` out of `b`."),
    ),
    "metric that is not there": (
        [("", "%%stage a metrics=acuracy\naccuracy = 0.9\nprint(accuracy)")],
        ("SB209", "cell 1, line 1", ["`acuracy`", "`metrics`"], "Did you mean `accuracy`?"),
    ),
    "metric of a stage that makes nothing": (
        [("", "%%stage a metrics=accuracy\nprint(1)")],
        ("SB209", "cell 1, line 1", ["`accuracy`"], "Take it out."),
    ),
    "mapped stage that changes what its elements share": (
        [
            ("stage:a", "xs, seen = [1], []"),
            ("", "%%stage b foreach=xs\nseen.append(xs)"),
            ("stage:c", "print(seen, xs)"),
        ],
        ("SB210", "cell 2, line 2", ["mapped over `xs`", "changes `seen`"], "which is gathered"),
    ),
    "model that is not made": (
        [("", "%%stage a model=modle\nmodel = 1\nprint(model)")],
        ("SB211", "cell 1, line 1", ["`modle`", "`model`"], "Did you mean `model`?"),
    ),
    "gate on what is no metric": (
        [("", '%%stage a metrics=auc gate="acu > 1"\nauc = 1')],
        ("SB212", "cell 1, line 1", ["gate of stage `a`", "`acu`"], "Did you mean `auc`?"),
    ),
    "two models of one name": (
        [("", "%%stage a model=m\nm = 1"), ("", "%%stage b model=n\nn = m")],
        ("SB213", "cell 2, line 1", ["`a` and `b`", "`notebook`"], "Give one a name of its own"),
    ),
    "features that are no stage before": (
        [("stage:a", "x = 1"), ("", "%%stage b model=m features=aa\nm = x")],
        ("SB215", "cell 2, line 1", ["`aa`", "no stage of that name"], "Did you mean `a`?"),
    ),
    "features without a model": (
        [("stage:a", "x = 1"), ("", "%%stage b features=a\nprint(x)")],
        ("SB215", "cell 2, line 1", ["`b` has `features`"], "Name the model"),
    ),
    "rows that no feature stage takes": (
        [("stage:a", "x = 1"), ("stage:c", "y = x"), ("", "%%stage b model=m features=c rows=xx\nm = y")],
        ("SB215", "cell 3, line 1", ["`xx`", "`rows`"], "Did you mean `x`?"),
    ),
    "stage mapped over a secret": (
        [("parameters", "credentials = []"), ("", "%%stage a foreach=credentials\nprint(credentials)")],
        ("SB214", "cell 2, line 1", ["mapped over `credentials`", "secret"], "Loop over it"),
    ),
    "secret that stands in the notebook": (
        [("parameters", "token = 'abc'"), ("stage:a", "print(token)")],
        ("SB303", "cell 1, line 1", ["`token` is secret", "stands in the notebook"], "`--secret token`"),
    ),
    "parameter that nobody reads": (
        [("parameters", "n = 1\nk = 2"), ("stage:a", "print(n)")],
        ("SB301", "cell 1, line 2", ["`k` is read by nobody"], "Use it, or take it out."),
    ),
    "output that nobody reads": (
        [("stage:a", "x = 1\n\ny = 2"), ("stage:b", "print(x)")],
        ("SB302", "cell 1, line 3", ["`y` is made by `a`"], "call it `_y`"),
    ),
}
