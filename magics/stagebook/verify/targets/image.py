"""`export image --target train`: the image is built, run without a network, and removed."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from stagebook.errors import UsageError
from stagebook.signing import made_key_file
from stagebook.verify.staged import STAGEBOOK, unless_told
from stagebook.verify.target import Outcome, lacking
from stagebook.verify.work import TargetError, Work

_APP = "/app"
_STAGES = ("PYTHONHASHSEED", "OMP_WAIT_POLICY")


class Image:
    """See the module."""

    says = "export image --target train, built and run"
    asked = True
    by_name = False

    def lacks(self) -> str:
        """An engine, and what locks packages."""
        from stagebook.image.engines import engine_named

        try:
            engine_named("auto")
        except UsageError as error:
            return str(error)
        return lacking(["uv", "packaging"], "pip install 'stagebook[image]'")

    def run(self, work: Work) -> Outcome:
        """See `Target`."""
        from stagebook.image.engines import engine_named

        engine, tag = engine_named("auto"), f"stagebook-verify-{uuid.uuid4().hex[:8]}"
        context = work.scratch / "image"
        words = ["export", "image", str(work.notebook), "--target", "train", "--out", str(context)]
        work.python("-c", STAGEBOOK, *words, "--build", "--engine", engine, "--tag", tag)
        store = work.scratch / "stores" / "image"
        store.mkdir(parents=True)
        given = [word for name, text in work.given.items() for word in ("-p", name, text)]
        secret = [word for name in work.secrets for word in ("--secret", name)]
        try:
            work.call([engine, "run", "--rm", *_options(work, context, store), tag, "--no-track", *given, *secret])
        except TargetError as error:
            unless_told(store, error)
        finally:
            work.call([engine, "image", "rm", "--force", tag])
        return Outcome(store=store)


def _options(work: Work, context: Path, store: Path) -> list[str]:
    """What lies beside the notebook, but for what the image has, the store, the key, and variables."""
    own = {path.name for path in (context / "app").iterdir()} if (context / "app").is_dir() else set()
    beside = [path for path in sorted(work.folder.iterdir()) if path.name not in {*own, work.notebook.name}]
    mounts = {str(path): f"{_APP}/{path.name}" for path in beside}
    mounts |= {str(store): f"{_APP}/.stagebook", str(made_key_file()): "/run/stagebook-key"}
    words = [word for place, there in mounts.items() for word in ("-v", f"{place}:{there}")]
    words += [
        "--network",
        "none",
        "--user",
        f"{os.getuid()}:{os.getgid()}",
        "-e",
        "STAGEBOOK_KEY_FILE=/run/stagebook-key",
    ]
    names = [*_STAGES, *(name.upper() for name in work.secrets)]
    return [*words, *(word for name in names for word in ("-e", name))]


target = Image()
