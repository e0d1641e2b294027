"""The text of a Kedro pipeline: `nodes.py`, `pipeline.py` and the tests of the notebook's test cells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from stagebook.errors import StagebookError
from stagebook.export.calls import Calls, gate_lines, has_gate
from stagebook.export.chunks import chunks_of, closed_up, indented
from stagebook.export.functions import Functions
from stagebook.export.imports import Import, sorted_imports
from stagebook.export.layout import docstring, quoted, returned, sentence, signature, wrapped
from stagebook.export.plain import plain_source
from stagebook.export.titles import cells_of
from stagebook.export.wiring import Wire, Wired, Wiring
from stagebook.model import Cell, Pipeline

_OURS = frozenset({"Node", "Pipeline", "create_pipeline"})


class NodeText:
    """The texts of a pipeline's files.

    Args:
        pipeline: the pipeline.
        functions: its stages as functions.
        wiring: its stages as nodes.
        module: the dotted name of nodes.py.
    """

    def __init__(self, pipeline: Pipeline, functions: Functions, wiring: Wiring, module: str) -> None:
        self.pipeline = pipeline
        self.functions = functions
        self.wiring = wiring
        self.module = module
        self.calls = Calls(functions, pipeline)
        self.helps = {one.name: one.help for one in functions.parameters}
        self.made_by = {wire.dataset: one.function.name for one in wiring.nodes for wire in one.outputs}
        self.collecting = self._fresh("collect_metrics")
        self.numbers = self._fresh("_numbers")
        self.metrics = "metrics"
        while any(self.metrics == wire.dataset for one in wiring.nodes for wire in one.outputs):
            self.metrics += "_json"

    def _fresh(self, name: str) -> str:
        while name in self.functions.taken:
            name += "_"
        return name

    def function_of(self, node: Wired) -> str:
        """The name of the function that a node calls: the stage's, or the one that calls it for each element."""
        return self._fresh(f"{node.function.name}_of_each") if node.item else node.function.name

    # nodes.py

    def nodes(self) -> str:
        """The text of nodes.py."""
        definitions = ["\n".join(lines) for node in self.wiring.nodes for lines in self._functions(node)]
        if self.wiring.metrics:
            definitions.append("\n".join(self._collect()))
        imports = [*self.functions.more, *([self.calls.deepcopy] if self.calls.has_copied else [])]
        head = ["\n".join(docstring(self._about(), indent=0)), self.functions.top.import_lines(imports)]
        body = self.functions.top.code.strip("\n")
        if body:
            is_definition = body.startswith(("def ", "async def ", "class ", "@"))
            head.append(("\n" if is_definition else "") + body)
        return "\n\n".join(part for part in head if part) + "\n" + "".join(f"\n\n{one}\n" for one in definitions)

    def _about(self) -> list[str]:
        said = [
            sentence(self.functions.title),
            f"The stages of {self.pipeline.notebook.name} as functions, written by `stagebook export kedro`. Edit the "
            "notebook and export it again, or go on from here by hand.",
        ]
        fixed = [one.name for one in self.pipeline.parameters if one.name in self.functions.top.constants]
        if fixed:
            said.append(f"Read by setup, and so constants here: {', '.join(fixed)}.")
        return said

    def _functions(self, node: Wired) -> Iterator[list[str]]:
        if node.item:
            yield list(self._element(node))
            yield list(self._of_each(node))
        else:
            yield list(self._plain(node))

    def _plain(self, node: Wired) -> Iterator[str]:
        function, stage = node.function, node.function.stage
        arguments = [*node.inputs, *node.waits]
        yield from signature(function.name, [one.name for one in arguments])
        where = f"Stage `{stage.name}`, {cells_of(stage)} of the notebook."
        if function.changes:
            where += f" Changes in place: {', '.join(f'`{name}`' for name in function.changes)}."
        yield from docstring(
            [*([sentence(function.says)] if function.says else []), where, self._arguments(arguments), *_results(node)]
        )
        if function.code:
            yield indented(function.code)
        if has_gate(stage):
            yield from gate_lines(stage, "    ")
        yield from _return(node)

    def _element(self, node: Wired) -> Iterator[str]:
        function, stage = node.function, node.function.stage
        yield from signature(function.name, [node.item, *function.takes, *function.given])
        where = f"Stage `{stage.name}`, {cells_of(stage)} of the notebook, for one element."
        yield from docstring([*([sentence(function.says)] if function.says else []), where])
        if function.code:
            yield indented(function.code)
        if function.returns:
            yield from returned(function.returns)

    def _of_each(self, node: Wired) -> Iterator[str]:
        """The function that calls a mapped stage's for each element, which has copies of its own."""
        stage = node.function.stage
        arguments = [*node.inputs, *node.waits]
        yield from signature(self.function_of(node), [one.name for one in arguments])
        mapping = stage.options.foreach
        assert mapping is not None
        about = f"Call `{node.function.name}` for each element of `{mapping.source}`, and gather lists."
        yield from docstring([about, self._arguments(arguments), *_results(node)])
        yield from self.calls.call(node.function, 4)
        if has_gate(stage):
            yield from gate_lines(stage, "    ")
        yield from _return(node)

    def _arguments(self, arguments: Sequence[Wire]) -> str:
        rows = [line for one in arguments for line in _row(one.name, self._says(one))]
        return "\n".join(["Args:", *rows]) if rows else ""

    def _says(self, wire: Wire) -> str:
        if wire.dataset.startswith("params:"):
            return sentence(self.helps.get(wire.name) or "a parameter")
        if wire.dataset in self.wiring.secrets.values():
            return "a secret, of the environment."
        if wire.dataset in self.made_by:
            return f"what `{self.made_by[wire.dataset]}` makes."
        return "only says that another node is done."

    def _collect(self) -> Iterator[str]:
        yield from signature(self.numbers, ["value"])
        yield from docstring(["A metric as JSON has it: a number, or numbers by name."])
        yield "    if isinstance(value, dict):"
        yield f"        return {{str(name): {self.numbers}(one) for name, one in value.items()}}"
        yield "    if isinstance(value, (list, tuple)):"
        yield f"        return [{self.numbers}(one) for one in value]"
        yield "    return float(value)"
        yield "\n"
        names = [one.name for one in self.wiring.metrics]
        yield from signature(self.collecting, names)
        yield from docstring(["Gather the metrics of all stages, by name."])
        yield "    return {"
        yield from (f'        "{name}": {self.numbers}({name}),' for name in names)
        yield "    }"

    # pipeline.py

    def pipeline_file(self) -> str:
        """The text of pipeline.py."""
        names = [self.function_of(node) for node in self.wiring.nodes]
        names += [self.collecting] if self.wiring.metrics else []
        called = {name: f"{name}_stage" if name in _OURS else name for name in names}
        imports = [Import(".nodes", name, alias if alias != name else "") for name, alias in called.items()]
        lines = [
            *docstring([f"The pipeline of {self.pipeline.notebook.name}: a node for each stage."], indent=0),
            "",
            "from kedro.pipeline import Node, Pipeline",
            "",
            sorted_imports([], imports),
            "",
            "",
            "def create_pipeline(**kwargs) -> Pipeline:",
            '    """The nodes, joined by the datasets that they take and make."""',
            "    return Pipeline(",
            "        [",
        ]
        for node in self.wiring.nodes:
            name = node.function.stage.name
            outputs = [*(one.dataset for one in node.outputs), *([node.done] if node.done else [])]
            lines += _node(called[self.function_of(node)], [*node.inputs, *node.waits], outputs, name)
        if self.wiring.metrics:
            name = (
                self.metrics
                if all(self.metrics != one.function.stage.name for one in self.wiring.nodes)
                else "all_metrics"
            )
            lines += _node(self.collecting, list(self.wiring.metrics), [self.metrics], name)
        return "\n".join([*lines, "        ]", "    )"]) + "\n"

    # tests

    def tests(self) -> tuple[str, Mapping[int, str]]:
        """The text of the tests, empty where there are none; and the test cells that are left out, each with why."""
        left = dict(self.wiring.untested)
        parts: list[str] = []
        used: set[str] = set()
        names: set[str] = set()
        for cell in self.pipeline.cells:
            if cell.number not in self.wiring.tests or cell.number in left:
                continue
            try:
                lines = list(self._test(cell, names))
                compile("\n".join(lines), "test", "exec", dont_inherit=True)
            except (StagebookError, SyntaxError):
                left[cell.number] = "a function cannot do what it does"
                continue
            used |= self.pipeline.tests[cell.number].reads.keys()
            parts.append("\n".join(lines))
        return (self._tests_head(used) + "".join(f"\n\n{one}\n" for one in parts)) if parts else "", left

    def _test(self, cell: Cell, names: set[str]) -> Iterator[str]:
        source = plain_source(cell)
        name = start = f"test_{str(cell.stage or f'cell_{cell.number}').replace('-', '_')}"
        count = 1
        while name in names:
            count += 1
            name = f"{start}_{count}"
        names.add(name)
        wires = self.wiring.tests[cell.number]
        yield from signature(name, ["load"] if wires else [])
        yield from docstring([f"Cell {cell.number} of the notebook."])
        for one in wires:
            yield f"    {one.name} = load({quoted(one.dataset)})"
        if wires:
            yield ""
        yield indented(closed_up("\n".join(one.text for one in chunks_of(cell, source))))

    def _tests_head(self, used: set[str]) -> str:
        at_top = {name for name in used if self.functions.top.binds(name)}
        own = {one.binds: one for one in self.wiring.imports if one.binds in at_top}
        made = sorted(at_top - own.keys())
        theirs = [
            Import("pathlib", "Path"),
            Import("pytest"),
            Import("kedro.framework.session", "KedroSession"),
            Import("kedro.framework.startup", "bootstrap_project"),
        ]
        imports = [sorted_imports([], [*theirs, *own.values()])]
        imports += [sorted_imports([], [Import(self.module, name) for name in made])] if made else []
        about = f"What the test cells of {self.pipeline.notebook.name} ask of the nodes' results."
        return "\n\n".join(['"""' + about + '"""', *imports, _FIXTURE.strip("\n")]) + "\n"


_FIXTURE = '''
PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def load():
    """Run the pipeline as `kedro run` does, and give what loads its datasets by name."""
    bootstrap_project(PROJECT)
    with KedroSession.create(project_path=PROJECT) as session:
        session.run()
        yield session.load_context().catalog.load
'''


def _row(name: str, text: str) -> list[str]:
    return [f"    {line}" for line in wrapped(f"{name}: {text}", indent=8, hanging="    ")]


def _results(node: Wired) -> list[str]:
    names = [f"`{name}`" for name in node.function.returns]
    names += ["that it is done"] if node.done else []
    if not names:
        return []
    text = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return ["\n".join(["Returns:", *(f"    {line}" for line in wrapped(sentence(text), indent=8))])]


def _return(node: Wired) -> Iterator[str]:
    names = [*node.function.returns, *(["True"] if node.done else [])]
    if names:
        yield from returned(names)


def _node(function: str, inputs: Sequence[Wire], outputs: Sequence[str], name: str) -> list[str]:
    """The lines of a node; its inputs by argument, unless each is called as its argument."""
    margin = " " * 12
    lines = [f"{margin}Node(", f"{margin}    func={function},"]
    if all(one.name == one.dataset for one in inputs):
        lines += _listed("inputs", [quoted(one.dataset) for one in inputs])
    else:
        pairs = [f"{quoted(one.name)}: {quoted(one.dataset)}" for one in inputs]
        lines += [f"{margin}    inputs={{", *(f"{margin}        {one}," for one in pairs), f"{margin}    }},"]
    lines += _listed("outputs", [quoted(one) for one in outputs])
    return [*lines, f"{margin}    name={quoted(name)},", f"{margin}),"]


def _listed(name: str, texts: Sequence[str]) -> list[str]:
    """An argument that is one text, a list of them, or nothing."""
    margin = " " * 16
    if not texts:
        return [f"{margin}{name}=None,"]
    if len(texts) == 1:
        return [f"{margin}{name}={texts[0]},"]
    line = f"{margin}{name}=[{', '.join(texts)}],"
    if len(line) <= 88:
        return [line]
    return [f"{margin}{name}=[", *(f"{margin}    {one}," for one in texts), f"{margin}],"]
