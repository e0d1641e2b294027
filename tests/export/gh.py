"""`gh`, GitHub's command line, as far as workflows call it: comments are a list in a file, calls are noted in another.

Installed as `gh` on a runner's PATH. What `--jq` asks is asked of jq, as gh has it built in.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path


def main(words: list[str]) -> None:
    assert os.environ["GH_TOKEN"] == "a-token"
    folder = Path(__file__).parent
    if words[:2] == ["workflow", "run"]:
        (folder / "called.json").write_text(json.dumps(words))
        return
    assert words[0] == "api", words
    options = {
        words[at]: words[at + 1] for at in range(1, len(words) - 1) if words[at] in ("--method", "--jq", "--field")
    }
    path = next(one for one in words[1:] if one.startswith("repos/"))
    file = folder / "comments.json"
    comments = json.loads(file.read_text()) if file.exists() else []
    if "--method" not in options:
        answer = subprocess.run(
            ["jq", "-r", options["--jq"]], input=json.dumps(comments), text=True, stdout=1, check=True
        )
        sys.exit(answer.returncode)
    name, _, body = options["--field"].partition("=@")
    assert name == "body"
    comment = {"id": len(comments) + 1, "user": {"type": "Bot"}, "body": Path(body).read_text()}
    if options["--method"] == "POST":
        assert path == "repos/ada/story/issues/7/comments"
        comments.append(comment)
    else:
        number = int(path.removeprefix("repos/ada/story/issues/comments/"))
        known = next(one for one in comments if one["id"] == number)
        known["body"] = comment["body"]
    file.write_text(json.dumps(comments))


if __name__ == "__main__":
    main(sys.argv[1:])
