"""./nextflow and make on machines that lack something."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT, Nextflow

TOOLS = ("bash", "env", "dirname", "head", "sed", "sort", "cat", "mkdir", "rm", "mv", "printf")


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder of programs with hardly anything in it, for PATH."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for tool in TOOLS:
        where = shutil.which(tool)
        assert where is not None
        (programs / tool).symlink_to(where)
    return programs


def install(machine: Path, name: str, text: str) -> None:
    (machine / name).write_text(f"#!/bin/bash\n{text}\n")
    (machine / name).chmod(0o755)


def launch(machine: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "nextflow", *arguments],
        env={
            "PATH": str(machine),
            "HOME": str(machine.parent),
            "LC_ALL": os.environ.get("LC_ALL", "C.UTF-8"),
        },
        capture_output=True,
        text=True,
    )


def test_an_installed_nextflow_is_used(machine: Path) -> None:
    install(
        machine,
        "nextflow",
        'case "$1" in -v) echo "nextflow version 25.10.4.11173";; *) echo "used: $*";; esac',
    )
    assert launch(machine, "run", "main.nf").stdout == "used: run main.nf\n"


def test_an_older_nextflow_is_not(machine: Path) -> None:
    install(machine, "nextflow", 'echo "nextflow version 24.10.0.5928"')
    done = launch(machine, "-v")
    assert done.returncode == 1 and "needs Java 17" in done.stderr


@pytest.mark.parametrize("java", [None, "exit 1", "echo 'openjdk version \"11.0.2\"' >&2"])
def test_java_that_is_missing_broken_or_old(machine: Path, java: str | None) -> None:
    if java:
        install(machine, "java", java)
    done = launch(machine, "-v")
    assert done.returncode == 1
    assert done.stderr.startswith("ERROR: Nextflow needs Java 17 or later") and done.stderr.count("\n") == 1


def test_maven_that_is_missing_or_offline(machine: Path) -> None:
    install(machine, "java", "echo 'openjdk version \"17.0.15\"' >&2")
    done = launch(machine, "-v")
    assert done.returncode == 1 and "Maven (mvn)" in done.stderr
    install(machine, "mvn", "echo 'Unknown host'; exit 1")
    done = launch(machine, "-v")
    assert done.returncode == 1 and "without a network, copy the folder" in done.stderr
    assert not list(machine.parent.glob(".cache/deepcohort/nextflow-*[!g]")), "nothing half fetched is left"


def test_jars_are_fetched_once_and_lint_has_its_own(machine: Path) -> None:
    java = '[ "$1" = -version ] && echo \'openjdk version "21.0.1"\' >&2 || echo "$@"'
    install(machine, "java", java)
    install(
        machine, "mvn", f'echo once >> {machine.parent}/fetched; mkdir "${{@: -1:1}}" || mkdir "${{@: -1}}"'
    )
    fetch = 'for word; do case "$word" in -DoutputDirectory=*) mkdir "${word#*=}"; esac; done'
    install(machine, "mvn", f"echo once >> {machine.parent}/fetched; {fetch}")
    first, second, lint = launch(machine, "info"), launch(machine, "info"), launch(machine, "lint", ".")
    assert "nextflow-25.04.4/* nextflow.cli.Launcher info" in first.stdout == second.stdout
    assert "nextflow-25.04.0/* nextflow.cli.Launcher lint ." in lint.stdout
    assert (machine.parent / "fetched").read_text() == "once\nonce\n"


@pytest.mark.parametrize(
    ("python", "sentence"),
    [
        (None, "ERROR: Python 3.11 or later is needed, and 'python-here' is not there"),
        ("exit 1", "ERROR: Python 3.11 or later is needed, and 'python-here' is older"),
        ("[[ $2 != *ensurepip* ]]", "ERROR: this Python cannot make environments: install its venv package"),
    ],
)
def test_setup_says_which_python_it_needs(machine: Path, python: str | None, sentence: str) -> None:
    if python:
        install(machine, "python-here", python)
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, machine.parent)
    make = shutil.which("make")
    if make is None:
        pytest.skip("make is not installed")
    done = subprocess.run(
        [make, "setup", "PYTHON=python-here", "SHELL=/bin/bash"],
        cwd=machine.parent,
        env={"PATH": str(machine)},
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert sentence in done.stderr


def test_scripts_of_nextflow_are_plain_ascii() -> None:
    """Java reads them in the encoding of the user's locale, and batch jobs often have the plainest one."""
    for script in [
        *ROOT.glob("*.nf"),
        *ROOT.glob("modules/**/*.nf"),
        ROOT / "nextflow.config",
        *ROOT.glob("conf/*.config"),
    ]:
        assert script.read_bytes().isascii(), script.relative_to(ROOT)


@pytest.mark.pipeline
def test_the_plainest_locale_is_enough(nextflow: Nextflow) -> None:
    done = nextflow("run", ROOT, "--help", LC_ALL="C", LANG="C")
    assert done.returncode == 0, done.stdout
    assert "--outdir" in done.stdout
