"""`python -m tests.wheel dist`: what is in a release, and what is not. Called by `make dist`."""

from __future__ import annotations

import re
import sys
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXPECTED = (
    r"stagebook/__init__\.py",
    r"stagebook/py\.typed",
    r"stagebook/lab/openapi\.yaml",
    r"stagebook/widgets/static/.+\.js",
    r".+/share/jupyter/labextensions/stagebook/package\.json",
    r".+/share/jupyter/labextensions/stagebook/install\.json",
    r".+/share/jupyter/labextensions/stagebook/static/remoteEntry\..+\.js",
    r".+/etc/jupyter/jupyter_server_config\.d/.+\.json",
    r".+\.dist-info/licenses/LICENSE",
)
UNWANTED = r"(^|/)(tests|node_modules|\.stagebook|__pycache__|mlruns)/|\.pyc$|mlflow\.db$"


def complaints(wheel: Iterable[str], sdist: Iterable[str], version: str, changelog: str) -> list[str]:
    """What is wrong with a release, a sentence each.

    Args:
        wheel: the paths in the wheel.
        sdist: the paths in the source distribution.
        version: what is released.
        changelog: the text of CHANGELOG.md.
    """
    names = list(wheel)
    said = [f"The wheel lacks `{one}`." for one in EXPECTED if not any(re.fullmatch(one, name) for name in names)]
    said += [f"The wheel has `{name}`, which is not to be in it." for name in names if re.search(UNWANTED, name)]
    if not any(name.endswith("labextension/package.json") for name in sdist):
        said.append("The source distribution lacks the front end: who installs it would need Node.js.")
    if not re.search(rf"^## {re.escape(version)}\b", changelog, re.MULTILINE):
        said.append(f"CHANGELOG.md has no section `## {version}`.")
    return said


def main(folder: Path) -> int:
    """Look at the wheel and the source distribution in a folder; 1 if something is wrong."""
    [wheel], [sdist] = list(folder.glob("*.whl")), list(folder.glob("*.tar.gz"))
    with zipfile.ZipFile(wheel) as opened, tarfile.open(sdist) as unpacked:
        version = wheel.name.split("-")[1]
        said = complaints(opened.namelist(), unpacked.getnames(), version, (ROOT / "CHANGELOG.md").read_text())
    print("\n".join(said) or f"{wheel.name}, {sdist.name}: complete.")
    return bool(said)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
