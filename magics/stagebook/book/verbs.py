"""What code does in the words of the field (load, split, train, ...), told by what it calls."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from stagebook.model import frozen_map

Verb = Literal["train", "load", "split", "evaluate", "predict", "save", "build", "clean", "prepare", "plot"]
Function = ast.FunctionDef | ast.AsyncFunctionDef

_CALLED: Mapping[Verb, re.Pattern[str]] = {
    "train": re.compile(
        r"backward|step|train_on_batch|fit|fit_(?!transform|resample|on_texts)\w+|partial_fit|train|train_(?!test|val)\w+|\w*_train(ing)?|fine_?tune\w*"
    ),
    "load": re.compile(
        r"read_\w+|load|load_(?!ext|state|weights)\w+|fetch\w*|(get|import|make)_(data|dataset|dataframe)\w*|\w*download\w*"
        r"|urlretrieve|urlopen|loadtxt|genfromtxt|extractall|\w+_from_directory|from_(csv|parquet|json)|scan_\w+"
        r"|untar_data|make_(blobs|moons|circles|classification|regression|swiss_roll)"
    ),
    "split": re.compile(
        r"\w*train_test_split|random_split|split_(?!text)\w*(data|dataset|train|test|sets?|frame)\w*|(train_)?test_split"
    ),
    "evaluate": re.compile(
        r"score|\w+_score|cross_val\w*|evaluate\w*|mean_\w+_error|\w+_squared_error|r?mse|rmsle|mae|roc_curve|roc_auc\w*"
        r"|classification_report|\w*confusion_matrix|precision_recall\w*|log_loss|accuracy\w*|compute_metrics"
    ),
    "predict": re.compile(r"predict\w*|forecast\w*|infer|inference"),
    "save": re.compile(
        r"to_(csv|excel|feather|hdf|parquet|pickle|sql|stata|gbq)|save|save_(?!fig)\w+|savez\w*|savetxt|dump|export\w*"
        r"|write_(?!image)\w+|writelines|write|log_(model|metrics?|params?|artifacts?)|register_model|push_to_hub|submit\w*"
    ),
    "build": re.compile(
        r"Sequential|Model|compile|make_pipeline|Pipeline|ColumnTransformer|(build|create|make)_model\w*"
    ),
    "clean": re.compile(
        r"dropna|fillna|drop_duplicates|drop|interpolate|replace|astype|to_datetime|to_numeric|\w*impute\w*|clean\w*"
    ),
    "prepare": re.compile(
        r"(fit_)?transform|fit_resample|fit_on_texts|get_dummies|apply|map|q?cut|merge|join|concat|pivot\w*|groupby|assign"
        r"|rename|scale|normalize|prep\w*|\w*encode\w*|\w*tokenize\w*|pad_sequences|resample|to_categorical|augment\w*"
        r"|featuri[sz]e\w*|reshape|melt"
    ),
    "plot": re.compile(
        r"\w*plot\w*|hist\w*|heatmap|scatter\w*|barh?|imshow|boxplot|pie|save_?fig\w*|write_image|imsave|show\w*|draw\w*"
    ),
}
"""By the last part of a call's name; the foremost verb first: it names a cell that does several of these."""

_METRICS = re.compile(r"(sklearn|torchmetrics)\.metrics\.(?!pairwise)|keras\.metrics\.")
_SCORE = re.compile(r"\b(accuracy|r?mse|mae|auc|f1|precision|recall|r2|score)\b", re.IGNORECASE)
"""What text that is printed speaks of."""
_PREPARING = re.compile(r"scal|encod|imput|vectori|tokeni|transform|pca|binari|normali|poly|prep", re.IGNORECASE)
"""What is fitted to prepare data, by the names of variables and classes."""
_WRITING_CELL = re.compile(r"%%(writefile|file)\b")
_PICTURES = re.compile(r"save_?fig\w*|write_image|imsave")


_USUAL = {"np": "numpy", "pd": "pandas", "plt": "matplotlib.pyplot", "sns": "seaborn"}
"""What `import *` may have bound under the names that everybody uses."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a notebook gives names to, wherever it does so.

    Attributes:
        modules: what names stand for by an import, as dotted paths.
        functions: the functions that it defines.
    """

    modules: Mapping[str, str] = field(default_factory=frozen_map)
    functions: Mapping[str, Sequence[Function]] = field(default_factory=frozen_map)


def known_in(trees: Iterable[ast.Module]) -> Known:
    """The imports and the functions in these cells."""
    modules: dict[str, str] = {}
    functions: dict[str, list[Function]] = {}
    for tree in trees:
        for node in _own(tree.body):
            if isinstance(node, ast.Import):
                modules |= {one.asname or one.name.partition(".")[0]: _bound(one) for one in node.names}
            elif isinstance(node, ast.ImportFrom):
                modules |= {one.asname or one.name: f"{node.module or ''}.{one.name}" for one in node.names}
                if any(one.name == "*" for one in node.names):
                    modules |= {name: path for name, path in _USUAL.items() if name not in modules}
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                functions.setdefault(node.name, []).append(node)
    return Known(frozen_map(modules), frozen_map(functions))


def _bound(alias: ast.alias) -> str:
    return alias.name if alias.asname else alias.name.partition(".")[0]


def path_of(node: ast.expr, known: Known) -> tuple[str, bool]:
    """The dotted path that an expression starts with, and whether its root is imported.

    Calls and subscripts on the way are passed over: `tf.get_logger().setLevel` is `tensorflow.get_logger.setLevel`.
    """
    parts: list[str] = []
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, ast.Subscript):
            node = node.value
        else:
            return ".".join(["", *reversed(parts)]), False
    root = known.modules.get(node.id)
    return ".".join([root or node.id, *reversed(parts)]), root is not None


def verbs_of(statements: Iterable[ast.stmt], known: Known) -> tuple[Verb, ...]:
    """What these statements do when they run, the notebook's own functions that they call included; foremost first."""
    found: set[Verb] = set()
    met: set[str] = set()
    waiting = [list(statements)]
    while waiting:
        for node in _own(waiting.pop()):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and _WRITING_CELL.match(node.value):
                found.add("save")
            elif isinstance(node, ast.Call):
                found |= _of_call(node, known)
                if isinstance(node.func, ast.Name) and node.func.id not in met:
                    met.add(node.func.id)
                    waiting += [function.body for function in known.functions.get(node.func.id, ())]
    return tuple(verb for verb in _CALLED if verb in found)


def saves_picture(statements: Iterable[ast.stmt], known: Known) -> bool:
    """Whether they call what writes a picture to a file."""
    calls = (node for node in _own(statements) if isinstance(node, ast.Call))
    return any(_PICTURES.fullmatch(path_of(call.func, known)[0].rpartition(".")[2]) for call in calls)


def _of_call(node: ast.Call, known: Known) -> set[Verb]:
    path, imported = path_of(node.func, known)
    if imported and _METRICS.search(path):
        return {"evaluate"}
    name = path.rpartition(".")[2]
    if path == "print":
        texts = [one.value for argument in node.args for one in ast.walk(argument) if isinstance(one, ast.Constant)]
        return {"evaluate"} if any(isinstance(text, str) and _SCORE.search(text) for text in texts) else set()
    if name == "open":
        modes = [
            one.value for one in [*node.args[1:2], *(k.value for k in node.keywords)] if isinstance(one, ast.Constant)
        ]
        return {"save"} if any(isinstance(mode, str) and set(mode) & set("wax") for mode in modes) else {"load"}
    if name == "fit" and _PREPARING.search(path):
        return {"prepare"}
    return {verb for verb, pattern in _CALLED.items() if pattern.fullmatch(name)}


def _own(statements: Iterable[ast.stmt]) -> Iterator[ast.AST]:
    """The nodes of code that runs where it stands: functions and classes themselves, but not their bodies."""
    waiting: list[ast.AST] = list(statements)
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            waiting += node.decorator_list
        elif not isinstance(node, ast.Lambda):
            waiting += ast.iter_child_nodes(node)
