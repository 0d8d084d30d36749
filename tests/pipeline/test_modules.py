"""What every process must have, and that command lines and scripts fit together."""

import importlib.util
import json
import re
from pathlib import Path

import pytest
import typer

import deepcohort
from tests.conftest import ROOT, Nextflow

PROCESSES = {
    match[1]: module
    for module in sorted(ROOT.glob("modules/*/*.nf"))
    for match in re.finditer(r"^process (\w+)", module.read_text(), re.MULTILINE)
}
CALLS = {
    name: re.search(r"^ +(\w+)\.py ([\w-]+) ((?:.*\\\\\n)+.*)", module.read_text(), re.MULTILINE)
    for name, module in PROCESSES.items()
}


@pytest.mark.parametrize("process", PROCESSES)
def test_process_has_all_its_parts(process: str) -> None:
    module = PROCESSES[process]
    text = module.read_text()
    assert module.stem == process.lower(), "a process lives in a file of its name"
    assert len(re.findall(r"^process ", text, re.MULTILINE)) == 1
    assert re.search(r"^    label 'process_\w+'", text, re.MULTILINE)
    assert len(re.findall(r"^    label 'img_\w+'", text, re.MULTILINE)) == 1
    assert re.search(r"^    stub:", text, re.MULTILINE)
    assert re.search(r"topic: \w*versions$", text, re.MULTILINE)
    assert text.startswith("// ") and len(text.splitlines()) <= 75
    assert "params." not in text


@pytest.mark.parametrize("process", [name for name, call in CALLS.items() if call])
def test_options_of_a_process_are_those_of_its_script(process: str) -> None:
    call = CALLS[process]
    assert call is not None
    room, name, words = call.groups()
    command = script_commands(room)[name]
    known = {option for parameter in command.params for option in parameter.opts}
    used = set(re.findall(r"(?<![\w-])--[a-z][\w-]*", words))
    assert used <= known, f"{room}.py {name} does not know {used - known}"
    required = {
        parameter.opts[0]
        for parameter in command.params
        if parameter.required and parameter.opts[0].startswith("--")
    }
    assert required <= used, f"{room}.py {name} needs {required - used}"
    assert "--release ${workflow.manifest.version}" in words


def script_commands(room: str) -> dict[str, typer.core.TyperCommand]:
    """Sub-commands of a script in bin/ by name."""
    path = ROOT / "bin" / f"{room}.py"
    if not path.exists():
        pytest.skip(f"bin/{room}.py is not there")
    assert path.stat().st_mode & 0o111, f"{path.name} must be executable"
    spec = importlib.util.spec_from_file_location(f"bin_{room}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    group = typer.main.get_group(module.app)
    return dict(group.commands)


BY_HAND = {("variants", name) for name in ("learn-errors", "simulate", "show")}
"""Commands that people and benchmarks call, and no process."""


def test_every_script_is_used() -> None:
    written = {
        (path.stem, name)
        for path in sorted((ROOT / "bin").glob("*.py"))
        for name in script_commands(path.stem)
    }
    called = {(call[1], call[2]) for call in CALLS.values() if call}
    assert written == called | BY_HAND
    assert not called & BY_HAND


def image_of(module: Path) -> str:
    """The image of the module's room, or of the outside program that the process runs."""
    outside = re.match(r"(beagle|minimac4)_", module.name)
    return f"{module.parent.name}-{outside[1]}" if outside else module.parent.name


@pytest.mark.pipeline
def test_every_process_has_the_image_of_its_room(nextflow: Nextflow) -> None:
    done = nextflow("inspect", ROOT / "main.nf", "-format", "json")
    assert done.returncode == 0, done.stdout
    listed = json.loads(done.stdout[done.stdout.index("{") :])["processes"]
    # A network is trained in the variant of the image that has PyTorch.
    images = {one["name"].split(":")[-1]: one["container"].removesuffix("-torch") for one in listed}
    assert images == {
        name: f"localhost/deepcohort/{image_of(module)}:{deepcohort.__version__}"
        for name, module in PROCESSES.items()
    }


def test_scripts_are_the_only_files_of_bin() -> None:
    assert all(path.suffix == ".py" for path in Path(ROOT / "bin").iterdir() if path.name != "__pycache__")
