"""The command line of an exported module: its parameters as options of `argparse`."""

from __future__ import annotations

from collections.abc import Iterator

from stagebook.export.functions import Functions
from stagebook.export.imports import Import, imports_of
from stagebook.export.layout import call, quoted
from stagebook.model import Parameter

_PLAIN = {"int": "int", "float": "float", "str": "str"}


def is_required(parameter: Parameter) -> bool:
    """Whether a parameter has to be given: its default is a secret, which is written nowhere."""
    return parameter.secret and not (parameter.literal and parameter.value in (None, ""))


def command_line_imports(functions: Functions, *, is_async: bool) -> list[Import]:
    """What the command line needs."""
    kinds = {_kind(one) for one in functions.parameters if not one.secret}
    wanted = {
        "argparse": bool(kinds),
        "ast": bool(kinds & {"value", "literal"}),
        "os": any(one.secret for one in functions.parameters),
        "asyncio": is_async,
    }
    return [_module(name, functions) for name, needed in wanted.items() if needed]


def _module(name: str, functions: Functions) -> Import:
    """One of Python's own modules, under another name where the notebook has something else by this one."""
    is_there = any(one == Import(name) for chunk in functions.top.head for one in imports_of(chunk))
    return Import(name, "", "" if is_there or not functions.top.binds(name) else f"_{name}")


def command_line(functions: Functions, *, is_async: bool) -> Iterator[str]:
    """The lines of `if __name__ == "__main__":`, and of the function above it that reads texts, if one is needed."""
    given = [one for one in functions.parameters if not one.secret]
    if any(_kind(one) == "value" for one in given):
        yield from (line.replace("ast.", f"{_module('ast', functions).binds}.") for line in _READING)
    yield 'if __name__ == "__main__":'
    parser = "parser" if "parser" not in functions.taken else "_parser"
    argparse = _module("argparse", functions).binds
    if given:
        yield from call(
            f"{argparse}.ArgumentParser",
            [f"description={quoted(functions.title)}", f"argument_default={argparse}.SUPPRESS"],
            start=f"{parser} = ",
        )
    for one in given:
        arguments = list(_argument(one, functions))
        yield from call(f"{parser}.add_argument", arguments)
    arguments = [f"**vars({parser}.parse_args())"] if given else []
    arguments += [_from_environment(one, functions) for one in functions.parameters if one.secret]
    if is_async:
        lines = call(functions.entry, arguments, start=f"{_module('asyncio', functions).binds}.run(")
        yield from (*lines[:-1], f"{lines[-1]})")
    else:
        yield from call(functions.entry, arguments)


def _from_environment(parameter: Parameter, functions: Functions) -> str:
    variables = f"{_module('os', functions).binds}.environ"
    key = f'"{parameter.name.upper()}"'
    if is_required(parameter):
        return f"{parameter.name}={variables}[{key}]"
    return f"{parameter.name}={variables}.get({key}, {functions.top.defaults[parameter.name]})"


_READING = (
    "def _value(text):",
    '    """What a text on the command line stands for: a literal of Python\'s, else the text."""',
    "    try:",
    "        return ast.literal_eval(text)",
    "    except (SyntaxError, ValueError):",
    "        return text",
    "",
    "",
)


def _kind(parameter: Parameter) -> str:
    if parameter.kind in _PLAIN:
        return _PLAIN[parameter.kind]
    if parameter.kind == "bool":
        return "bool"
    return "literal" if parameter.kind in ("list", "dict") else "value"


def _argument(parameter: Parameter, functions: Functions) -> Iterator[str]:
    name = parameter.name
    option = "--" + name.replace("_", "-").strip("-")
    if option in ("--help", "--"):
        option = f"--parameter{option[1:]}"
    yield f'"{option}"'
    if option[2:].replace("-", "_") != name:
        yield f'dest="{name}"'
    kind = _kind(parameter)
    if kind == "bool":
        yield f"action={_module('argparse', functions).binds}.BooleanOptionalAction"
    elif kind in ("value", "literal"):
        yield f"type={'_value' if kind == 'value' else _module('ast', functions).binds + '.literal_eval'}"
    elif kind != "str":
        yield f"type={kind}"
    default = functions.top.defaults.get(name, "None")
    told = f"{parameter.help} [{default}]".strip().replace("%", "%%")
    yield f"help={quoted(told)}"
