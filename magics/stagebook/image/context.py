"""A build context: materials in, files out. Nothing is looked up, asked or read here."""

from __future__ import annotations

from collections.abc import Mapping

from stagebook.image.compose import compose
from stagebook.image.dockerfile import dockerfile
from stagebook.image.guide import guide
from stagebook.image.materials import Materials

_IGNORED = "# All but what the Dockerfile copies: what else lies here is not sent to the builder.\n"


def context(materials: Materials) -> Mapping[str, bytes]:
    """The files of a context, by their paths.

    Args:
        materials: what it is made of.
    """
    files: dict[str, bytes] = {
        "Dockerfile": dockerfile(materials).encode("utf-8"),
        ".dockerignore": _dockerignore(materials).encode("utf-8"),
        "README.md": guide(materials).encode("utf-8"),
        "compose.yaml": compose(materials).encode("utf-8"),
        "requirements.lock": materials.lock.encode("utf-8"),
    }
    files |= {f"wheels/{name}": content for name, content in materials.wheels.items()}
    if materials.target == "train":
        files[f"app/{materials.notebook}"] = materials.document
        files |= {f"app/{path}": content for path, content in materials.modules.items()}
    elif materials.target != "monitor" and materials.model is not None:
        files |= {f"model/{path}": content for path, content in materials.model.files.items()}
    return dict(sorted(files.items()))


def _dockerignore(materials: Materials) -> str:
    folder = {"train": ["!app"], "monitor": []}.get(materials.target, ["!model"])
    return "\n".join([_IGNORED + "*", "!requirements.lock", "!wheels", *folder, "**/__pycache__", ""])
