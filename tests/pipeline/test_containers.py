"""The images and their locks: what can be checked without a container engine."""

import hashlib
import os
import re
import shlex
import subprocess
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

import deepcohort

ROOT = Path(__file__).resolve().parents[2]
IMAGES = sorted(dockerfile.parent.name for dockerfile in ROOT.glob("containers/*/Dockerfile"))
OUTSIDE = ["imputation-beagle", "imputation-minimac4"]  # programs of others: nothing of Python is in them
OURS = [image for image in IMAGES if image not in OUTSIDE]
LOCKS = sorted(ROOT.glob("containers/*/requirements*.lock"))
BORZOI = "expression-borzoi"  # the image that expression has for one model, whose packages exclude others'
BY_CONDA = [lock for lock in LOCKS if lock.parent.name != BORZOI]


class Instruction(NamedTuple):
    """One instruction of a Dockerfile, its continued lines joined."""

    name: str
    value: str


def instructions(image: str) -> list[Instruction]:
    text = (ROOT / "containers" / image / "Dockerfile").read_text()
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [Instruction(*line.split(maxsplit=1)) for line in joined.splitlines()]


def last_stage(image: str) -> list[Instruction]:
    found = instructions(image)
    start = max(i for i, instruction in enumerate(found) if instruction.name == "FROM")
    return found[start:]


def values(found: list[Instruction], name: str) -> list[str]:
    return [instruction.value for instruction in found if instruction.name == name]


def locked(lock: Path) -> dict[str, list[str]]:
    """Each locked requirement with the indented lines below it: its hashes and who asks for it."""
    packages: dict[str, list[str]] = {}
    requirement = ""
    for line in lock.read_text().splitlines():
        if line[:1].isspace():
            packages[requirement].append(line.strip().rstrip("\\ "))
        elif line:
            requirement = line.rstrip("\\ ")
            packages[requirement] = []
    return packages


def canonical(requirement: str) -> str:
    """The name of a requirement as package indexes compare it."""
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name is not None, requirement
    return re.sub(r"[-_.]+", "-", name.group()).lower()


def test_every_label_of_a_process_has_an_image_and_every_image_a_label() -> None:
    config = (ROOT / "conf" / "containers.config").read_text()
    mapped = dict(re.findall(r"withLabel:\s*'img_(\w+)'\s*\{\s*container\s*=[\s{]*\"([^\"]+)\"", config))
    used = {
        label
        for module in ROOT.glob("modules/*/*.nf")
        for label in re.findall(r"^\s*label\s+'img_(\w+)'", module.read_text(), flags=re.MULTILINE)
    }
    assert used == set(mapped)
    assert {label.replace("_", "-") for label in mapped} | {BORZOI} == set(IMAGES)
    for label, container in mapped.items():
        name = container.replace("${task.ext.borzoi ? '-borzoi:' : ':'}", ":").split(":")[0]
        assert name.endswith(f".registry}}/{label.replace('_', '-')}"), container


def test_every_process_has_exactly_one_image() -> None:
    for module in ROOT.glob("modules/*/*.nf"):
        for process in re.split(r"^process ", module.read_text(), flags=re.MULTILINE)[1:]:
            labels = re.findall(r"^\s*label\s+'img_\w+'", process, flags=re.MULTILINE)
            assert len(labels) == 1, f"{module.name}: {process.split()[0]} has {len(labels)} image labels"


@pytest.mark.parametrize("image", IMAGES)
def test_image_starts_from_plain_debian(image: str) -> None:
    bases = [value.split()[0] for value in values(instructions(image), "FROM")]
    assert len(bases) > 1 or image in OUTSIDE, "packages are installed in a stage of their own"
    assert set(bases) == {"debian:bookworm-slim"}


@pytest.mark.parametrize("image", IMAGES)
def test_image_runs_under_any_user_id(image: str) -> None:
    stage = last_stage(image)
    user = values(stage, "USER")[-1].split(":")[0]
    assert user.isdigit() and int(user) > 0
    environment = " ".join(values(stage, "ENV"))
    assert "HOME=/tmp" in environment
    lock = ROOT / "containers" / image / "requirements.lock"
    if image in OURS and "numba" in lock.read_text():
        assert "NUMBA_CACHE_DIR=" in environment


@pytest.mark.parametrize("image", IMAGES)
def test_image_leaves_the_command_to_the_engine(image: str) -> None:
    assert not values(instructions(image), "ENTRYPOINT")


@pytest.mark.parametrize("image", IMAGES)
def test_image_has_what_nextflow_calls(image: str) -> None:
    installed = " ".join(run for run in values(last_stage(image), "RUN") if "apt-get install" in run).split()
    program = image.split("-")[1] if image in OUTSIDE else "python3"
    assert {"procps", "gawk", program} <= set(installed)
    assert "--no-install-recommends" in installed


@pytest.mark.parametrize("image", IMAGES)
def test_image_says_what_it_is(image: str) -> None:
    labels = " ".join(values(last_stage(image), "LABEL"))
    for key in ("title", "description", "version", "licenses"):
        assert f"org.opencontainers.image.{key}=" in labels


@pytest.mark.parametrize("image", OURS)
def test_image_installs_only_what_is_locked(image: str) -> None:
    installs = [run for run in values(instructions(image), "RUN") if re.search(r"\bpip\b.* install\b", run)]
    assert len(installs) == 1
    assert "--require-hashes" in installs[0] and "--only-binary :all:" in installs[0]


@pytest.mark.parametrize("image", IMAGES)
def test_image_names_no_place_of_a_site(image: str) -> None:
    found = instructions(image)
    assert not any("://" in instruction.value for instruction in found)
    defaults = dict(argument.partition("=")[::2] for argument in values(found, "ARG"))
    assert defaults.pop("VERSION") == "dev"
    assert set(defaults.values()) <= {""}


@pytest.mark.parametrize("image", OURS)
def test_image_holds_its_own_room_and_the_shared_code(image: str) -> None:
    copied = {
        value.split()[0] for value in values(instructions(image), "COPY") if value.startswith("deepcohort")
    }
    assert copied == {"deepcohort/__init__.py", "deepcohort/genome", f"deepcohort/{image.split('-')[0]}"}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: str(lock.relative_to(ROOT / "containers")))
def test_lock_pins_hashes_and_names_no_index(lock: Path) -> None:
    assert "://" not in lock.read_text()
    for requirement, details in locked(lock).items():
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[^\s;]+( ; .+)?", requirement), requirement
        assert any(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", detail) for detail in details), requirement


def required(known: dict[str, list[str]], extra: str) -> list[str]:
    """What an extra asks for, with that of extras that it names."""
    found = []
    for requirement in known[extra]:
        named = re.fullmatch(r"deepcohort\[(.+)\]", requirement)
        found += (
            [one for name in named[1].split(",") for one in required(known, name)] if named else [requirement]
        )
    return found


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: str(lock.relative_to(ROOT / "containers")))
def test_lock_is_compiled_from_the_extra_of_its_image(lock: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    room, known = lock.parent.name, project["optional-dependencies"]
    variant = lock.stem.partition("-")[2]
    extras = [extra for extra in (room, variant, f"{room}-{variant}") if extra in known]
    wanted = project["dependencies"] + [one for extra in extras for one in required(known, extra)]
    asked = {
        canonical(requirement)
        for requirement, details in locked(lock).items()
        if any("deepcohort (pyproject.toml)" in detail for detail in details)
    }
    assert asked == {canonical(requirement) for requirement in wanted}, "run make lock"


def test_images_hold_the_versions_that_the_tests_run_with() -> None:
    tested: dict[str, set[str]] = {}
    for requirement in locked(ROOT / "requirements.lock"):
        tested.setdefault(canonical(requirement), set()).add(requirement.split(" ;")[0])
    for lock in LOCKS:
        for requirement in locked(lock):
            versions = tested.get(canonical(requirement), {requirement})
            if lock.parent.name == BORZOI and canonical(requirement) == "transformers":
                continue
            assert requirement in versions, f"{lock.relative_to(ROOT)}: run make lock"


def test_what_borzoi_has_of_its_own_is_what_is_said() -> None:
    said = (ROOT / "containers" / BORZOI / "overrides.txt").read_text().splitlines()
    own = {re.split("[<>=]", line)[0] for line in said if not line.startswith("#")}
    packages = locked(ROOT / "containers" / BORZOI / "requirements.lock")
    chosen = {
        canonical(name) for name, details in packages.items() if any("--override" in one for one in details)
    }
    assert own == chosen == {"transformers", "intervaltree"}
    (install,) = (run for run in values(instructions(BORZOI), "RUN") if " install --no-cache" in run)
    assert "--no-deps" in install, "pip would refuse them"


def test_pytorch_is_in_locks_of_networks_only() -> None:
    with_torch = [lock for lock in LOCKS if any(canonical(one) == "torch" for one in locked(lock))]
    assert with_torch == [
        lock for lock in LOCKS if lock.name == "requirements-torch.lock" or lock not in BY_CONDA
    ]


@pytest.mark.parametrize("lock", BY_CONDA, ids=lambda lock: str(lock.relative_to(ROOT / "containers")))
def test_conda_environment_knows_its_lock(lock: Path) -> None:
    environment = lock.with_name(f"environment{lock.stem.removeprefix('requirements')}.yml").read_text()
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    assert f"# sha256 of {lock.name}: {digest}\n" in environment, "run make lock"
    assert f"- --requirement {lock.name}\n" in environment


@pytest.mark.parametrize("image", OUTSIDE)
def test_image_of_an_outside_program_holds_nothing_of_ours(image: str) -> None:
    assert not values(instructions(image), "COPY")
    environment = (ROOT / "containers" / image / "environment.yml").read_text().split("dependencies:")[1]
    assert environment.split() == ["-", image.split("-")[1]]


def test_build_context_holds_the_package_and_the_locks_only() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert {rule for rule in rules if rule.startswith("!")} == {
        "!deepcohort",
        "!containers/*/requirements*.lock",
    }


@pytest.fixture
def pretended_engine(tmp_path: Path) -> Path:
    """A program that writes down, a line a call, how it was called."""
    engine = tmp_path / "engine"
    note = tmp_path / "calls"
    engine.write_text(f'#!/usr/bin/env bash\nprintf "%q " "$@" >> {note}\necho >> {note}\n')
    engine.chmod(0o755)
    return engine


def build(engine: Path, *names: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "containers" / "build.sh", *names],
        env={"PATH": os.environ["PATH"], "ENGINE": str(engine), **environment},
        capture_output=True,
        text=True,
    )


def calls(engine: Path) -> list[list[str]]:
    return [shlex.split(line) for line in (engine.parent / "calls").read_text().splitlines()]


def option(call: list[str], name: str) -> str:
    return call[call.index(name) + 1]


def test_build_makes_every_image_under_the_name_the_pipeline_asks_for(pretended_engine: Path) -> None:
    assert build(pretended_engine).returncode == 0
    made = [option(call, "--tag") for call in calls(pretended_engine)]
    assert made == [
        f"localhost/deepcohort/{image}:{deepcohort.__version__}" for image in IMAGES if image != BORZOI
    ]
    assert build(pretended_engine, BORZOI).returncode == 0
    assert option(calls(pretended_engine)[-1], "--tag").startswith(f"localhost/deepcohort/{BORZOI}:")


def test_build_takes_registry_and_flags_of_a_site(pretended_engine: Path) -> None:
    result = build(
        pretended_engine, "report", REGISTRY="quay.io/lab", IMAGE_BUILD_FLAGS="--network host --volume /a:/b"
    )
    assert result.returncode == 0, result.stderr
    (call,) = calls(pretended_engine)
    assert option(call, "--tag").startswith("quay.io/lab/report:")
    assert option(call, "--network") == "host" and option(call, "--volume") == "/a:/b"


@pytest.mark.parametrize("name", ["imputation-torch", "population-cuda"])
def test_build_makes_the_gpu_variant_on_request(pretended_engine: Path, name: str) -> None:
    room, variant = name.split("-")
    assert build(pretended_engine, name, room).returncode == 0
    gpu, cpu = calls(pretended_engine)
    assert option(gpu, "--tag").endswith(f"{room}:{deepcohort.__version__}-{variant}")
    assert f"VARIANT=-{variant}" in gpu
    assert option(cpu, "--tag").endswith(deepcohort.__version__) and f"VARIANT=-{variant}" not in cpu


def test_build_refuses_an_unknown_image(pretended_engine: Path) -> None:
    result = build(pretended_engine, "report-torch")
    assert result.returncode == 2
    assert "no image report-torch: containers/report/requirements-torch.lock does not exist" in result.stderr
