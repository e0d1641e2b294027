"""The text of a module that runs a pipeline: its docstring, its functions, `main`, and the command line."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from stagebook.book.gates import asks_champion
from stagebook.book.syntax import syntax_tree
from stagebook.export.chunks import indented
from stagebook.export.commandline import command_line, command_line_imports, is_required
from stagebook.export.functions import Functions, StageFunction
from stagebook.export.layout import call, docstring, quoted, returned, sentence, signature, targets
from stagebook.model import Parameter, Pipeline, Stage

_MUTABLE = frozenset({"list", "dict"})


def module_text(functions: Functions, pipeline: Pipeline, *, file: str) -> str:
    """The module.

    Args:
        functions: the pipeline's.
        pipeline: the pipeline.
        file: the module's file name.
    """
    is_async = any(one.is_async for one in functions.stages)
    imports = [*functions.more, *command_line_imports(functions, is_async=is_async)]
    parts = [
        "\n".join(docstring(_about(functions, pipeline, file), indent=0)),
        functions.top.import_lines(imports),
        functions.top.code.strip("\n"),
        *("\n".join(_stage(one)) for one in functions.stages),
        "\n".join(_main(functions, pipeline, is_async=is_async)),
        "\n".join(command_line(functions, is_async=is_async)),
    ]
    head, imports_text, *rest = parts
    top = f"{head}\n\n{imports_text}\n" if imports_text else f"{head}\n"
    return top + "".join(_apart(text) for text in rest if text)


def _apart(text: str) -> str:
    """A part with the blank lines above it."""
    definition = text.startswith(("def ", "async def ", "class ", "@", "if __name__"))
    return f"\n\n{text}\n" if definition else f"\n{text}\n"


def _about(functions: Functions, pipeline: Pipeline, file: str) -> list[str]:
    """The module's docstring."""
    notebook = pipeline.notebook.name
    said = [
        sentence(functions.title),
        f"Made from {notebook} by `stagebook export python`: a function for each stage, called by "
        f"`{functions.entry}` in the notebook's order. Edit the notebook and export it again, or go on from here by "
        "hand.",
        f"Paths are relative to the notebook's folder: run `python FOLDER/{file}` there.",
    ]
    fixed = [one.name for one in pipeline.parameters if one.name in functions.top.constants]
    if fixed:
        said.append(f"Read by setup, and so constants here: {', '.join(fixed)}.")
    left = [line for stage in functions.stages for line in _left_out(stage.stage)]
    if left:
        said.append("\n".join(["What `stagebook run` does beyond this:", "", *(f"- {line}" for line in left)]))
    return said


def _left_out(stage: Stage) -> Iterator[str]:
    """What the options of a stage ask for that a module does not do."""
    options = stage.options
    if options.retries:
        yield f"{stage.name}: tries {options.retries} more {'time' if options.retries == 1 else 'times'} if it fails"
    if options.timeout is not None:
        yield f"{stage.name}: ends it after {options.timeout:g} seconds"
    if not options.cache:
        yield f"{stage.name}: runs it every time (here, every stage is)"
    if options.resources:
        yield f"{stage.name}: waits for {', '.join(name for name, _ in options.resources)}"
    if options.reads or options.writes:
        yield f"{stage.name}: watches {', '.join((*options.reads, *options.writes))}"
    if options.model is not None:
        yield f"{stage.name}: registers the model `{options.model.value}`"
    if options.gate is not None and asks_champion(options.gate):
        yield f"{stage.name}: ends the run unless {options.gate}"


def _stage(function: StageFunction) -> Iterator[str]:
    stage = function.stage
    parameters = list(function.takes)
    if stage.options.foreach is not None:
        parameters.insert(0, stage.options.foreach.item)
    if function.given:
        parameters += ["*", *function.given]
    yield from signature(function.name, parameters, is_async=function.is_async)
    numbers = [str(cell.number) for cell in stage.cells]
    cells = f"cell {numbers[0]}" if len(numbers) == 1 else f"cells {', '.join(numbers[:-1])} and {numbers[-1]}"
    where = f"Stage `{stage.name}`, {cells} of the notebook."
    if function.changes:
        where += f" Changes in place: {', '.join(f'`{name}`' for name in function.changes)}."
    yield from docstring([sentence(function.says), where] if function.says else [where])
    if function.code:
        yield indented(function.code)
    if function.returns:
        yield from returned(function.returns)


def _main(functions: Functions, pipeline: Pipeline, *, is_async: bool) -> Iterator[str]:
    parameters = [_parameter(one, functions.top.defaults.get(one.name, "None")) for one in functions.parameters]
    result = "dict" if any(one.stage.options.metrics for one in functions.stages) else "None"
    yield from signature(
        functions.entry, [*(["*"] if parameters else []), *parameters], result=result, is_async=is_async
    )
    yield from docstring(_main_about(functions))
    for one in functions.parameters:
        if one.kind in _MUTABLE and not one.secret and one.literal and one.value is not None:
            yield f"    if {one.name} is None:"
            yield f"        {one.name} = {functions.top.defaults[one.name]}"
    yield from _Calls(functions, pipeline).lines()


def _parameter(parameter: Parameter, default: str) -> str:
    kind = parameter.kind or ""
    if is_required(parameter):
        return f"{parameter.name}: {kind}" if kind else parameter.name
    is_list = kind in _MUTABLE and parameter.literal and parameter.value is not None
    optional = " | None" if kind and (parameter.optional or is_list) else ""
    if not kind:
        return f"{parameter.name}={default}"
    return f"{parameter.name}: {kind}{optional} = {'None' if is_list else default}"


def _main_about(functions: Functions) -> list[str]:
    said = ["Run all stages."]
    told = [f"    {one.name}: {one.help}" for one in functions.parameters if one.help]
    if told:
        said.append("\n".join(["Args:", *told]))
    if any(one.stage.options.metrics for one in functions.stages):
        said.append("\n".join(["Returns:", "    The metrics, by name."]))
    gates = [one.stage.name for one in functions.stages if _has_gate(one.stage)]
    if gates:
        said.append("\n".join(["Raises:", f"    RuntimeError: the gate of {' or '.join(gates)} is closed."]))
    return said


def _has_gate(stage: Stage) -> bool:
    return stage.options.gate is not None and not asks_champion(stage.options.gate)


class _Calls:
    """The body of `main`."""

    def __init__(self, functions: Functions, pipeline: Pipeline) -> None:
        self.functions = functions
        self.pipeline = pipeline
        self.metrics = self._fresh("metrics")
        self.conditions: dict[str, str] = {}
        self.within = ""

    def _fresh(self, name: str) -> str:
        while name in self.functions.taken:
            name = f"{name}_"
        return name

    def lines(self) -> Iterator[str]:
        measured = any(one.stage.options.metrics for one in self.functions.stages)
        if measured:
            yield f"    {self.metrics} = {{}}"
        for function in self.functions.stages:
            yield from self._stage(function)
        if measured:
            yield f"    return {self.metrics}"

    def _stage(self, function: StageFunction) -> Iterator[str]:
        """The call of a stage, under the conditions of those that it depends on, and its own."""
        stage = function.stage
        upstream = self.pipeline.upstream(stage.name)
        before = [flag for name, flag in self.conditions.items() if name in upstream]
        if stage.options.when is not None:
            flag = self.conditions[stage.name] = self._fresh(f"runs_{function.name}")
            condition = " ".join(stage.options.when.split())
            told = " and ".join([*before, f"({condition})" if before else condition])
            yield f"    {flag} = {told}"
            before = [flag]
        test = " and ".join(before)
        if test and test != self.within:
            yield f"    if {test}:"
        self.within = test
        indent = 8 if test else 4
        yield from self._call(function, indent)
        margin = " " * indent
        for name in stage.options.metrics:
            if name in function.returns:
                yield f'{margin}{self.metrics}["{name}"] = {name}'
        if _has_gate(stage):
            yield from self._gate(stage, margin)

    def _call(self, function: StageFunction, indent: int) -> Iterator[str]:
        stage = function.stage
        given = [*function.takes, *(f"{name}={name}" for name in function.given)]
        prefix = "await " if function.is_async else ""
        wanted = function.returns if function.wanted else ()
        mapping = stage.options.foreach
        if mapping is None:
            lines, start = targets(wanted, indent=indent)
            yield from lines
            yield from call(f"{prefix}{function.name}", given, start=start, indent=indent)
            return
        margin = " " * indent
        each = self._fresh(f"each_{mapping.item}")
        lists = {name: self._fresh(f"{name}_of_each") for name in wanted}
        parts = {name: self._fresh(f"one_{name}") for name in wanted}
        for gathered in lists.values():
            yield f"{margin}{gathered} = []"
        yield f"{margin}for {each} in {mapping.source}:"
        lines, start = targets(list(parts.values()), indent=indent + 4)
        yield from lines
        yield from call(f"{prefix}{function.name}", [each, *given], start=start, indent=indent + 4)
        for name in wanted:
            yield f"{margin}    {lists[name]}.append({parts[name]})"
        for name in wanted:
            yield f"{margin}{name} = {lists[name]}"

    def _gate(self, stage: Stage, margin: str) -> Iterator[str]:
        gate = str(stage.options.gate)
        condition = ast.unparse(_as_python(syntax_tree(gate.strip(), mode="eval").body))
        message = f"The gate of stage {stage.name} is closed: {gate}"
        yield f"{margin}if not ({condition}):"
        yield from call("RuntimeError", [quoted(message)], start="raise ", indent=len(margin) + 4)


def _as_python(node: ast.expr) -> ast.expr:
    """A gate's expression with `scores.auc` as `scores["auc"]`: what the notebook has is a dict."""

    class Items(ast.NodeTransformer):
        def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
            base = self.visit(node.value)
            return ast.copy_location(ast.Subscript(base, ast.Constant(node.attr), ast.Load()), node)

    made: ast.AST = Items().visit(node)
    assert isinstance(made, ast.expr)
    return ast.fix_missing_locations(made)
