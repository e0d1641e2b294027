"""Everything that a build context is made of, gathered beforehand: with the same materials, the same bytes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Target = Literal["train", "serve", "score", "monitor"]
TARGETS: tuple[Target, ...] = ("train", "serve", "score", "monitor")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where what is in an image comes from; empty for what is not known.

    Attributes:
        revision: git's commit, with `-changed` where the working tree differed from it.
        notebook: the notebook's digest, as runs have it.
        run: the run whose packages, or whose model, these are.
        created: when the revision was made, as RFC 3339 has it: not when the image was, so that bytes stay the same.
    """

    revision: str = ""
    notebook: str = ""
    run: str = ""
    created: str = ""


@dataclass(frozen=True, slots=True)
class SealedModel:
    """A model version, ready to be served from a folder.

    Attributes:
        name: the registered model's.
        version: its number.
        backend: what answers.
        digest: of its manifest.
        files: by their paths in the folder, the manifest among them.
    """

    name: str
    version: str
    backend: str
    digest: str
    files: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Materials:
    """What a context is made of.

    Attributes:
        target: what the image does.
        notebook: the notebook's file name.
        document: the notebook without outputs; empty where the image does without.
        modules: the user's own modules, by the paths under which they are imported.
        lock: requirements with hashes.
        wheels: of distributions that no index has, by file name; Stagebook's own is one.
        base: the image that it stands on.
        python: that image's Python, as `3.11`.
        uv: the version of uv that installs the lock.
        origin: where it comes from.
        model: the version that is served or scored with, or watched.
        log: whether the service logs requests.
        parameters: the pipeline's parameters and their defaults, as Python writes them; secrets without.
    """

    target: Target
    notebook: str
    lock: str
    wheels: Mapping[str, bytes]
    base: str
    python: str
    uv: str
    document: bytes = b""
    modules: Mapping[str, bytes] = field(default_factory=dict)
    origin: Origin = field(default_factory=Origin)
    model: SealedModel | None = None
    log: bool = True
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def stem(self) -> str:
        """What the image is called before it has a tag: the model's name, or the notebook's."""
        text = self.model.name if self.model is not None else self.notebook.rpartition(".")[0]
        name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
        return name or "pipeline"

    @property
    def tag(self) -> str:
        """The image's name where nobody gives it one."""
        return f"{self.stem}-{self.target}:{self.model.version if self.model is not None else 'latest'}"
