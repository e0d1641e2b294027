"""The calls of a pipeline's functions, in the notebook's order: under conditions, over lists, up to a closed gate."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from stagebook.book.gates import asks_champion
from stagebook.book.syntax import syntax_tree
from stagebook.export.functions import Functions, StageFunction
from stagebook.export.imports import Import
from stagebook.export.layout import call, quoted, targets
from stagebook.model import Pipeline, Stage

_ATOMS = frozenset({"bool", "int", "float", "str"})


def has_gate(stage: Stage) -> bool:
    """Whether the module judges the stage's gate: it knows no champion."""
    return stage.options.gate is not None and not asks_champion(stage.options.gate)


class Calls:
    """The body of `main`: the calls of the stages, one after the other.

    Args:
        functions: the pipeline's.
        pipeline: the pipeline.
    """

    def __init__(self, functions: Functions, pipeline: Pipeline) -> None:
        self.functions = functions
        self.pipeline = pipeline
        self.metrics = self._fresh("metrics")
        self.deepcopy = Import("copy", "deepcopy", "" if "deepcopy" not in functions.taken else "_deepcopy")
        self.has_copied = False
        self.conditions: dict[str, str] = {}
        self.within = ""

    def _fresh(self, name: str) -> str:
        while name in self.functions.taken:
            name = f"{name}_"
        return name

    def lines(self) -> Iterator[str]:
        """Its lines; when all are taken, `has_copied` tells whether they copy something."""
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
        yield from self.call(function, indent)
        margin = " " * indent
        for name in stage.options.metrics:
            if name in function.returns:
                yield f'{margin}{self.metrics}["{name}"] = {name}'
        if has_gate(stage):
            yield from gate_lines(stage, margin)

    def call(self, function: StageFunction, indent: int) -> Iterator[str]:
        """The call by itself, over a list where the stage is mapped."""
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
        copied = self._copies(each, function, mapping.source)
        lines, start = targets(list(parts.values()), indent=indent + 4)
        yield from lines
        yield from call(f"{prefix}{function.name}", copied, start=start, indent=indent + 4)
        for name in wanted:
            yield f"{margin}    {lists[name]}.append({parts[name]})"
        for name in wanted:
            yield f"{margin}{name} = {lists[name]}"

    def _copies(self, each: str, function: StageFunction, source: str) -> list[str]:
        """The arguments for an element, which has copies of its own, as in a run; what they share stays shared."""
        parameters = {one.name: one for one in self.functions.parameters}
        mutable = [name for name in function.given if parameters[name].kind not in _ATOMS]
        found = [f"{name}={name}" for name in function.given if name not in mutable]
        found += [f"{name}={self.deepcopy.binds}({name})" for name in mutable]
        self.has_copied = self.has_copied or bool(mutable)
        if self._holds_atoms(source) and not function.takes:
            return [each, *found]
        self.has_copied = True
        together = ", ".join([each, *function.takes]) + ("" if function.takes else ",")
        return [f"*{self.deepcopy.binds}(({together}))", *found]

    def _holds_atoms(self, source: str) -> bool:
        """Whether a list is a parameter's of numbers and texts, which nobody can change in place."""
        value = next((one.value for one in self.functions.parameters if one.name == source), None)
        is_made = any(source in one.returns for one in self.functions.stages)
        return not is_made and isinstance(value, list) and all(isinstance(one, (int, float, str)) for one in value)


def gate_lines(stage: Stage, margin: str) -> Iterator[str]:
    """What ends it all where the stage's gate is closed."""
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
