"""A prepared version in a folder that goes elsewhere, as into a container's image, where this user's key is not.

A signature would say nothing there: whoever makes the image would have to put the key into it, too. So the folder is
sealed: its manifest lists every file with its digest, and whoever starts the service names the manifest's digest, as an
image does in the command that it starts with. A file that is missing, changed or not listed is refused before
anything is loaded.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from stagebook.errors import StagebookError, UsageError
from stagebook.serve.packages import ABOUT, Package, package_of, told_of
from stagebook.store.digests import digest_of, digest_of_file


def manifest_of(package: Package, files: Mapping[str, bytes]) -> bytes:
    """What stands in the folder's `about.json`.

    Args:
        package: what is in the folder.
        files: by their paths in it; the manifest is none of them.
    """
    digests = {path: digest_of(content) for path, content in files.items()}
    return (json.dumps(told_of(package, digests), indent=1, sort_keys=True) + "\n").encode("utf-8")


def sealed_in(folder: Path, digest: str) -> Package:
    """The version in a sealed folder.

    Args:
        folder: the folder.
        digest: its manifest's, which whoever asks for it knows from elsewhere.

    Raises:
        UsageError: there is no such folder.
        StagebookError: what is in it is not what was sealed.
    """
    try:
        manifest = (folder / ABOUT).read_bytes()
    except OSError as error:
        told = f"{folder} holds no model that `stagebook export image` sealed ({ABOUT}: {error.strerror or error})."
        raise UsageError(f"{told} Name the folder that does.") from error
    if digest_of(manifest) != digest:
        raise StagebookError(f"{folder / ABOUT} is not what the digest {digest} was made of. {_REMEDY}")
    record = json.loads(manifest)
    found = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    there = {path.relative_to(folder).as_posix() for path in found} - {ABOUT}
    for name in sorted(there | record["files"].keys()):
        if name not in record["files"]:
            raise StagebookError(f"{folder / name} was put there after the folder was sealed. {_REMEDY}")
        if name not in there or digest_of_file(folder / name) != record["files"][name]:
            raise StagebookError(f"{folder / name} is missing, or not what was sealed. {_REMEDY}")
    return package_of(folder, record)


_REMEDY = "Nothing of it is loaded: export the image anew."
