"""The text of a module that runs a pipeline: its docstring, its functions, `main`, and the command line."""

from __future__ import annotations

from collections.abc import Iterator

from stagebook.export.beyond import beyond
from stagebook.export.calls import Calls, has_gate
from stagebook.export.chunks import indented
from stagebook.export.commandline import command_line, command_line_imports, is_required
from stagebook.export.functions import Functions, StageFunction
from stagebook.export.layout import docstring, returned, sentence, signature
from stagebook.export.titles import cells_of
from stagebook.model import Parameter, Pipeline

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
    calls = Calls(functions, pipeline)
    main = "\n".join([*_main_head(functions, is_async=is_async), *calls.lines()])
    imports += [calls.deepcopy] if calls.has_copied else []
    parts = [
        "\n".join(docstring(_about(functions, pipeline, file), indent=0)),
        functions.top.import_lines(imports),
        functions.top.code.strip("\n"),
        *("\n".join(_stage(one)) for one in functions.stages),
        main,
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
    left = [line for stage in functions.stages for line in beyond(stage.stage)]
    if left:
        said.append("\n".join(["What `stagebook run` does beyond this:", "", *(f"- {line}" for line in left)]))
    return said


def _stage(function: StageFunction) -> Iterator[str]:
    stage = function.stage
    parameters = list(function.takes)
    if stage.options.foreach is not None:
        parameters.insert(0, stage.options.foreach.item)
    if function.given:
        parameters += ["*", *function.given]
    yield from signature(function.name, parameters, is_async=function.is_async)
    where = f"Stage `{stage.name}`, {cells_of(stage)} of the notebook."
    if function.changes:
        where += f" Changes in place: {', '.join(f'`{name}`' for name in function.changes)}."
    yield from docstring([sentence(function.says), where] if function.says else [where])
    if function.code:
        yield indented(function.code)
    if function.returns:
        yield from returned(function.returns)


def _main_head(functions: Functions, *, is_async: bool) -> Iterator[str]:
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
    gates = [one.stage.name for one in functions.stages if has_gate(one.stage)]
    if gates:
        said.append("\n".join(["Raises:", f"    RuntimeError: the gate of {' or '.join(gates)} is closed."]))
    return said
