"""The actions that workflows use, each pinned to the commit of a release: a tag may be moved, a commit cannot be."""

from __future__ import annotations

from collections.abc import Mapping

ACTIONS: Mapping[str, tuple[str, str]] = {
    "actions/checkout": ("3d3c42e5aac5ba805825da76410c181273ba90b1", "v7.0.1"),
    "actions/setup-python": ("5fda3b95a4ea91299a34e894583c3862153e4b97", "v7.0.0"),
    "actions/cache": ("55cc8345863c7cc4c66a329aec7e433d2d1c52a9", "v6.1.0"),
    "actions/upload-artifact": ("043fb46d1a93c77aae656e7c1c64a875d1fc6a0a", "v7.0.1"),
    "actions/download-artifact": ("3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c", "v8.0.1"),
    "actions/attest-build-provenance": ("a2bbfa25375fe432b6a289bc6b6cd05ecd0c4c32", "v4.1.0"),
}
"""By repository, the commit and the version that it is."""


def pinned(action: str) -> str:
    """The action as a step names it, with the version as a comment, which Dependabot and Renovate keep in step.

    Args:
        action: its repository, or one of the actions in it, as `actions/cache/restore`.
    """
    commit, version = ACTIONS["/".join(action.split("/")[:2])]
    return f"{action}@{commit} # {version}"
