"""Kernels are found where Jupyter finds them."""

from __future__ import annotations

import json
import os
import sys

import pytest
from jupyter_client.kernelspec import KernelSpecManager

from stagebook.errors import UsageError
from stagebook.run import kernelspecs
from stagebook.run.kernelspecs import check_kernel, kernel_python


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install a kernel in one of two folders of Jupyter's."""
    monkeypatch.setenv("JUPYTER_PATH", os.pathsep.join([str(tmp_path / "first"), str(tmp_path / "second")]))

    def made(name, argv, *, folder="first", **more):
        place = tmp_path / folder / "kernels" / name
        place.mkdir(parents=True)
        (place / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": name, **more}))

    return made


def by_jupyter(name):
    first = KernelSpecManager().get_kernel_spec(name).argv[0]
    return first if first.startswith("/") else sys.executable


def test_the_usual_kernel_runs_on_this_python():
    check_kernel("python3")
    assert kernel_python("python3") == by_jupyter("python3")


@pytest.mark.parametrize("argv", [["/opt/python", "-m", "x"], ["python", "-m", "x"]])
def test_a_kernel_runs_on_what_its_description_says(install, argv):
    install("mine", argv)
    check_kernel("mine")
    assert kernel_python("mine") == by_jupyter("mine")


def test_of_two_that_are_called_alike_the_first_folders_counts(install):
    install("mine", ["/second"], folder="second")
    install("mine", ["/first"])
    assert kernel_python("mine") == by_jupyter("mine") == "/first"


def test_upper_case_in_the_folders_name_does_not_count(install):
    install("Mine", ["/opt/python"])
    assert kernel_python("mine") == by_jupyter("mine") == "/opt/python"


def test_one_that_something_else_starts_is_left_to_jupyter(install):
    install("remote", ["/opt/python"], metadata={"kernel_provisioner": {"provisioner_name": "local-provisioner"}})
    assert kernelspecs._spec("remote") is None
    check_kernel("remote")
    assert kernel_python("remote") == "/opt/python"


def test_one_that_is_not_there_is_told_with_those_that_are(install):
    install("mine", ["/opt/python"])
    with pytest.raises(UsageError, match=r"kernel `mime`, which is not installed. Did you mean `mine`\?"):
        check_kernel("mime")
