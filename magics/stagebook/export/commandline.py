"""The command line of an exported module: its parameters as options of `argparse`."""

from __future__ import annotations

from collections.abc import Iterator

from stagebook.export.functions import Functions
from stagebook.export.imports import Import
from stagebook.export.layout import call, quoted
from stagebook.model import Parameter

_PLAIN = {"int": "int", "float": "float", "str": "str"}


def command_line_imports(functions: Functions, *, is_async: bool) -> list[Import]:
    """What the command line needs."""
    found = [Import("argparse")] if any(not one.secret for one in functions.parameters) else []
    if any(_kind(one) in ("value", "literal") for one in functions.parameters if not one.secret):
        found.append(Import("ast"))
    if any(one.secret for one in functions.parameters):
        found.append(Import("os"))
    return [*found, Import("asyncio")] if is_async else found


def command_line(functions: Functions, *, is_async: bool) -> Iterator[str]:
    """The lines of `if __name__ == "__main__":`, and of the function above it that reads texts, if one is needed."""
    given = [one for one in functions.parameters if not one.secret]
    if any(_kind(one) == "value" for one in given):
        yield from _READING
    yield 'if __name__ == "__main__":'
    if given:
        about = "__doc__.splitlines()[0]"
        yield from call(
            "argparse.ArgumentParser",
            [f"description={about}", "argument_default=argparse.SUPPRESS"],
            start="parser = ",
        )
    for one in given:
        yield from call("parser.add_argument", list(_argument(one, functions.top.defaults.get(one.name, "None"))))
    arguments = ["**vars(parser.parse_args())"] if given else []
    arguments += [f'{one.name}=os.environ["{one.name.upper()}"]' for one in functions.parameters if one.secret]
    if is_async:
        yield f"    asyncio.run(main({', '.join(arguments)}))"
    else:
        yield from call("main", arguments)


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


def _argument(parameter: Parameter, default: str) -> Iterator[str]:
    name = parameter.name
    option = "--" + name.replace("_", "-").strip("-")
    if option in ("--help", "--"):
        option = f"--parameter{option[1:]}"
    yield f'"{option}"'
    if option[2:].replace("-", "_") != name:
        yield f'dest="{name}"'
    kind = _kind(parameter)
    if kind == "bool":
        yield "action=argparse.BooleanOptionalAction"
    elif kind != "str":
        yield f"type={ {'value': '_value', 'literal': 'ast.literal_eval'}.get(kind, kind) }"
    told = f"{parameter.help} [{default}]".strip().replace("%", "%%")
    yield f"help={quoted(told)}"
