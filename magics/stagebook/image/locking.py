"""A lock: every distribution at one version, with the hashes of its files, by `uv pip compile`."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from stagebook.errors import StagebookError, UsageError
from stagebook.image.requirements import Needed

_HEAD = "# Every distribution in the image, with hashes: made by `stagebook export image`.\n"


def uv_program() -> str:
    """Where uv is.

    Raises:
        UsageError: it is not installed.
    """
    try:
        from uv import find_uv_bin

        return str(find_uv_bin())
    except (ImportError, FileNotFoundError):
        found = shutil.which("uv")
    if found is None:
        raise UsageError("An image is locked by uv, which is not installed. Install it: pip install 'stagebook[image]'")
    return found


def uv_version(program: str) -> str:
    """The version of it."""
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout.split()
    return told[1] if len(told) > 1 else ""


def locked(
    needed: Iterable[Needed],
    pins: Mapping[str, str],
    *,
    python: str,
    program: str,
    strict: bool,
    wheels: Mapping[str, bytes],
    local: Iterable[str],
) -> str:
    """The lock's text, without what the wheels hold, but with what these require.

    Args:
        needed: what is to be in it.
        pins: versions of what is installed here, by name: what is needed has these, and what that requires.
        python: the target's Python, as `3.11`.
        program: uv's.
        strict: whether other versions than those are refused; else they are taken where these do not fit, as with a
            model that was made elsewhere.
        wheels: of distributions that no index has, by file name.
        local: their names.

    Raises:
        StagebookError: there is no lock; the message says what is in the way.
    """
    wanted = list(needed)
    lines = sorted({f"{one.name}{one.version or _pin(one.name, pins)}" for one in wanted})
    with tempfile.TemporaryDirectory(prefix="stagebook-") as made:
        folder = Path(made)
        (folder / "requirements.in").write_text("\n".join(lines) + "\n", encoding="utf-8")
        known = "".join(f"{name}=={version}\n" for name, version in sorted(pins.items()))
        # versions in a lock that is there already are kept where they fit; constraints always are
        (folder / ("constraints.txt" if strict else "requirements.lock")).write_text(known, encoding="utf-8")
        (folder / "wheels").mkdir()
        for file, content in wheels.items():
            (folder / "wheels" / file).write_bytes(content)
        command = [
            *(program, "pip", "compile", "requirements.in", "--output-file", "requirements.lock"),
            *(
                "--quiet",
                "--python",
                sys.executable,
                "--universal",
                "--python-version",
                python,
                "--only-binary",
                ":all:",
                "--generate-hashes",
            ),
            *("--no-emit-index-url", "--no-emit-find-links", "--no-header", "--no-annotate"),
            *(("--constraint", "constraints.txt") if strict else ()),
            *(("--find-links", "wheels") if wheels else ()),
        ]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise StagebookError(_failure(done.stderr, wanted, python))
        return _HEAD + _without((folder / "requirements.lock").read_text(encoding="utf-8"), local)


def _without(lock: str, names: Iterable[str]) -> str:
    """The lock without the entries of some distributions."""
    for name in names:
        lock = re.sub(rf"^{re.escape(name)}==.*\n(?: {{4}}.*\n)*", "", lock, flags=re.MULTILINE)
    return lock


def _pin(name: str, pins: Mapping[str, str]) -> str:
    return f"=={pins[name]}" if name in pins else ""


def _failure(told: str, wanted: Iterable[Needed], python: str) -> str:
    """Uv's reason in one line, and what to do."""
    words = re.sub(r"\s+", " ", re.sub(r"[^\x20-\x7e\n]", " ", told)).strip()
    reason = re.sub(r"^.*?cause: ", "", words) or "uv says nothing"
    blamed = [one for one in wanted if re.search(rf"(?<![\w-]){re.escape(one.name)}(?![\w-])", reason)]
    who = f" `{blamed[0].name}` is needed by {blamed[0].why}." if blamed else ""
    if re.search(r"not found in the package registry|no version of|unpublished", reason):
        remedy = (
            "If it is a package of your own, install it here from its folder (`pip install FOLDER`), and it goes into "
            "the context as a wheel; else name its index in uv's configuration."
        )
    elif "no wheels" in reason or "no usable wheels" in reason or "building is disabled" in reason:
        remedy = "It has no wheel for the target: build one, and install that here (`pip install FILE.whl`)."
    else:
        remedy = "Change the versions that do not go together, or name another --python."
    return f"The image's packages cannot be locked for Python {python}: {reason}{who} {remedy}"
