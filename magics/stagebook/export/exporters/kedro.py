"""A Kedro project: each stage a node, what stages hand over a dataset, the parameters in conf."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from stagebook.book.hidden import is_hidden
from stagebook.book.notebook import Document
from stagebook.errors import UsageError, did_you_mean
from stagebook.export.beyond import beyond
from stagebook.export.commandline import is_required
from stagebook.export.exporter import ExportOption
from stagebook.export.functions import Functions, functions_of
from stagebook.export.kedrofiles import (
    ENVIRONMENT,
    FOLDER_HOOK,
    GITIGNORE,
    OWN,
    REGISTRY,
    SETTINGS,
    with_copies_hook,
)
from stagebook.export.layout import quoted, sentence
from stagebook.export.nodetext import NodeText
from stagebook.export.packages import packages_of, strange_modules
from stagebook.export.plain import refusal
from stagebook.export.titles import module_name, title_of
from stagebook.export.wiring import Wiring, wiring_of
from stagebook.export.yamltext import entry, yaml_of
from stagebook.model import Parameter, Pipeline

_NO_PACKAGE = frozenset({"kedro", "kedro_datasets", "pytest", "omegaconf", "conf", "src"})
"""Names that would hide what the project needs."""
_VERSION = "1.0.0"
"""Of Kedro, whose projects have this form."""


class KedroExporter:
    """See the module."""

    title = "Kedro project"
    says = "A Kedro project: a node for each stage, catalog, parameters, and tests of the notebook's test cells."
    options = (
        ExportOption("name", help="What package and pipeline are called [the notebook's name]."),
        ExportOption("folder", default="..", help="Where the files are that the code reads, as seen from the project."),
        ExportOption("tables", help="Names to keep as Parquet, with commas between [the last run's DataFrames]."),
        ExportOption(
            "displays",
            "choice",
            "drop",
            help="What becomes of what cells show at their end: left out, or printed.",
            choices=("drop", "print"),
        ),
    )

    def files(self, pipeline: Pipeline, document: Document, options: Mapping[str, Any]) -> Mapping[str, bytes]:
        """The project; see `Exporter`."""
        functions = functions_of(pipeline, document, displays=options["displays"])
        wiring = wiring_of(pipeline, functions)
        package = _package(pipeline, wiring, options["name"])
        nodes = NodeText(pipeline, functions, wiring, f"{package}.pipelines.{package}.nodes")
        tables = _tables(pipeline, options["tables"])
        folder = options["folder"] or "."
        project = _Project(pipeline, functions, wiring, nodes, package, folder, title_of(pipeline, document), tables)
        return {path: text.encode("utf-8") for path, text in project.files().items()}


def _tables(pipeline: Pipeline, given: str | None) -> frozenset[str]:
    """The names that are kept as tables, as far as they are handed over."""
    names = frozenset(filter(None, (name.strip() for name in (given or "").split(","))))
    made = {name for stage in pipeline.stages for name in stage.names.binds if not is_hidden(name)}
    for name in sorted(names - made):
        raise UsageError(f"--tables: no stage makes `{name}`.{did_you_mean(name, made)}")
    return names


def _package(pipeline: Pipeline, wiring: Wiring, given: str | None) -> str:
    """A name for the package that hides no other."""
    if given and not (given.isidentifier() and given.isascii()):
        raise UsageError(f"`{given}` cannot be imported by that name. Use letters, digits and `_`.")
    name = given or module_name(pipeline.notebook.stem).lower()
    imported = {one.module.partition(".")[0] for one in wiring.imports}
    if name in imported | _NO_PACKAGE | set(sys.stdlib_module_names):
        name += "_pipeline"
    return name


@dataclass(frozen=True, slots=True)
class _Project:
    """What is written of a pipeline."""

    pipeline: Pipeline
    functions: Functions
    wiring: Wiring
    nodes: NodeText
    package: str
    folder: str
    title: str
    tables: frozenset[str]

    def files(self) -> dict[str, str]:
        """The files' texts, by path."""
        source = f"src/{self.package}"
        own = f"{source}/pipelines/{self.package}"
        tests, left = self.nodes.tests()
        nodes = self.nodes.nodes()
        found = {
            ".gitignore": GITIGNORE,
            ".telemetry": "consent: false\n",
            "README.md": "\n".join(self._readme(left, has_tests=bool(tests))) + "\n",
            "pyproject.toml": "\n".join(self._pyproject()) + "\n",
            "conf/base/catalog.yml": "\n".join(self._catalog()) + "\n",
            "conf/base/parameters.yml": "\n".join(self._parameters()) + "\n",
            "conf/local/.gitkeep": "",
            f"{source}/__init__.py": f'"""{sentence(self._plain_title)}"""\n',
            f"{source}/hooks.py": self._hooks(),
            f"{source}/settings.py": self._settings(),
            f"{source}/pipeline_registry.py": REGISTRY,
            f"{source}/pipelines/__init__.py": "",
            f"{own}/__init__.py": OWN.replace("NOTEBOOK", self.pipeline.notebook.name),
            f"{own}/nodes.py": nodes,
            f"{own}/pipeline.py": self.nodes.pipeline_file(),
        }
        if self.wiring.secrets:
            found[f"{source}/environment.py"] = ENVIRONMENT
        if tests:
            found[f"tests/test_{self.package}.py"] = tests
        return found

    def _unseen(self) -> dict[str, tuple[str, ...]]:
        return {node.function.stage.name: node.unseen for node in self.wiring.nodes if node.unseen}

    def _hooks(self) -> str:
        text = FOLDER_HOOK.replace("{folder}", quoted(self.folder))
        if not self._unseen():
            return text
        rows = "".join(
            f"    {quoted(node)}: [{', '.join(map(quoted, names))}],\n" for node, names in self._unseen().items()
        )
        module = "cloudpickle" if self.wiring.by_value else "pickle"
        return with_copies_hook(text, rows, module)

    def _settings(self) -> str:
        hooks = ["NotebookFolder", *(["UnseenChanges"] if self._unseen() else [])]
        calls = "".join(f"{name}(), " for name in hooks)
        calls = calls.rstrip() if len(hooks) == 1 else calls.rstrip(", ")
        return SETTINGS.replace("PACKAGE", self.package).replace("NAMES", ", ".join(hooks)).replace("CALLS", calls)

    @property
    def _plain_title(self) -> str:
        return self.title.replace("\\", " ").replace('"', "'")

    def _given(self) -> Iterator[Parameter]:
        """The parameters that nodes read, without secrets."""
        read = {wire.name for node in self.wiring.nodes for wire in node.inputs if wire.dataset.startswith("params:")}
        for one in self.functions.parameters:
            if one.secret:
                continue
            if not one.literal:
                if one.name in read:
                    raise refusal(
                        one.place,
                        f"parameter `{one.name}` is worked out by the notebook, and Kedro reads it from a file.",
                        "Give it a literal default, or move it to a setup cell.",
                    )
                continue
            yield one

    def _parameters(self) -> Iterator[str]:
        yield f"# The parameters of {self.pipeline.notebook.name}; `kedro run --params NAME=VALUE` gives others."
        for one in self._given():
            try:
                lines = list(entry(one.name, one.value, one.help))
            except ValueError as error:
                raise refusal(
                    one.place, f"parameter `{one.name}` is a {error}, which YAML does not have.", "Make it a list."
                ) from None
            yield from ["", *lines]

    def _catalog(self) -> Iterator[str]:
        yield f"# What the stages of {self.pipeline.notebook.name} hand over. What a run has shown to be a table,"
        yield "# or was named as one, is Parquet; all else is pickled: use other datasets where you know better."
        for name, dataset in self.wiring.secrets.items():
            parameter = next(one for one in self.functions.parameters if one.name == name)
            yield from ["", f"{dataset}:", f"  type: {self.package}.environment.EnvironmentVariable"]
            yield f"  name: {name.upper()}"
            if not is_required(parameter):
                yield f"  default: {yaml_of(parameter.value)}"
        for node in self.wiring.nodes:
            if node.outputs or node.done:
                yield from ["", f"# {node.function.stage.name}"]
            for wire in node.outputs:
                dataset = wire.dataset
                if wire.name in self.tables:
                    yield from [f"{dataset}:", "  type: pandas.ParquetDataset"]
                    yield f"  filepath: data/02_intermediate/{dataset}.parquet"
                    continue
                layer = "06_models" if dataset in self.wiring.models else "02_intermediate"
                yield from _pickled(dataset, layer, by_value=dataset in self.wiring.by_value)
            if node.done:
                yield from _pickled(node.done, "02_intermediate", by_value=False)
        if self.wiring.metrics:
            yield from ["", "# The metrics of all stages", f"{self.nodes.metrics}:", "  type: json.JSONDataset"]
            yield "  filepath: data/08_reporting/metrics.json"

    def _packages(self) -> list[str]:
        """What the code imports and is well known, as it is installed."""
        code = "".join(cell.source for cell in self.pipeline.cells if cell.role != "exploration")
        found = packages_of(self._modules(), code)
        return sorted(
            found
            | ({"cloudpickle"} if self.wiring.by_value else set())
            | ({"pandas", "pyarrow"} if self.tables else set())
        )

    def _modules(self) -> list[str]:
        return [one.module for one in self.wiring.imports]

    def _pyproject(self) -> Iterator[str]:
        yield from ["[build-system]", 'requires = ["setuptools>=70"]', 'build-backend = "setuptools.build_meta"', ""]
        yield from ["[project]", f'name = "{self.package.replace("_", "-").strip("-")}"', 'version = "0.1.0"']
        yield from [f"description = {quoted(self._plain_title)}", 'requires-python = ">=3.10"', "dependencies = ["]
        every = ["kedro>=1,<2", "kedro-datasets>=7", *self._packages()]
        yield from [*(f'  "{one}",' for one in every), "]", ""]
        yield from ["[project.optional-dependencies]", 'test = ["pytest>=8"]', 'viz = ["kedro-viz>=11"]', ""]
        yield from ["[tool.kedro]", f'package_name = "{self.package}"', f'project_name = "{self.package}"']
        yield from [f'kedro_init_version = "{_VERSION}"', 'source_dir = "src"', ""]
        yield from ["[tool.setuptools.packages.find]", 'where = ["src"]', ""]
        yield from ["[tool.pytest.ini_options]", 'pythonpath = ["src"]', 'testpaths = ["tests"]', ""]
        yield from ["[tool.ruff]", "line-length = 120"]

    def _readme(self, left: Mapping[int, str], *, has_tests: bool) -> Iterator[str]:
        notebook = self.pipeline.notebook.name
        yield from [f"# {self.title}", ""]
        yield f"A [Kedro](https://kedro.org) project, made of {notebook} by `stagebook export kedro`: a node for each"
        yield "of its stages. Edit the notebook and export it again, or go on from here by hand."
        yield from ["", "```console", "$ pip install -e '.[test]'"]
        yield from ["$ kedro registry list", "$ kedro run", "$ kedro run --runner ParallelRunner"]
        first = next((one for one in self._given() if one.kind in ("int", "float", "str")), None)
        yield from [f"$ kedro run --params {first.name}={first.value}"] if first is not None else []
        yield from ["$ pytest"] if has_tests else []
        yield from ["```", ""]
        yield from self._paths()
        yield from self._values()
        yield from _listed(
            "What `stagebook run` does beyond this",
            [line for one in self.functions.stages for line in beyond(one.stage)],
        )
        yield from _listed("Test cells that are left out", [f"cell {one}: {why}" for one, why in sorted(left.items())])

    def _paths(self) -> Iterator[str]:
        yield f"Nodes run in the folder that `src/{self.package}/hooks.py` names, `{self.folder}` as seen from here:"
        yield "paths in the code are relative to it, as they were to the notebook's. Paths in `conf/` are relative to"
        yield "this folder."
        if strange := strange_modules(self._modules()):
            yield f"Not among the dependencies, since they may be files beside the notebook: {', '.join(strange)}."
            yield f"Run `PYTHONPATH={self.folder} kedro run` where they are."

    def _values(self) -> Iterator[str]:
        constants = [one.name for one in self.pipeline.parameters if one.name in self.functions.top.constants]
        if constants:
            yield from [
                "",
                f"Setup reads {', '.join(constants)}: constants in `nodes.py`, which `--params` does not reach.",
            ]
        if self.wiring.secrets:
            names = ", ".join(f"`{name.upper()}`" for name in self.wiring.secrets)
            yield from ["", f"Secrets are read from the environment by the node that takes them: {names}."]
        yield ""
        yield "Each node gets copies of what it takes. What a node changes in place and a later one reads is a dataset"
        yield "of its own."
        if self._unseen():
            yield "Where a package is given something that later nodes take, `UnseenChanges` in `hooks.py` fails the"
            yield "run if it is changed unseen."


def _pickled(dataset: str, layer: str, *, by_value: bool) -> Iterator[str]:
    yield from [f"{dataset}:", "  type: pickle.PickleDataset", f"  filepath: data/{layer}/{dataset}.pickle"]
    if by_value:
        yield "  backend: cloudpickle  # there are functions in it"


def _listed(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield from ["", f"## {title}", "", *(f"- {line}" for line in lines)]


exporter = KedroExporter()
