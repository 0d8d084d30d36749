"""Engines and Slurm with pretended programs: what Nextflow really hands to them."""

import re
from pathlib import Path

import pytest

import deepcohort
from tests.conftest import LANGUAGES, Nextflow, Run
from tests.pipeline.test_expression import stub_inputs
from tests.pipeline.test_stub import ONE_COHORT, write_inputs

pytestmark = pytest.mark.pipeline

ON_GPU = {"TRAIN_CHUNK", "IMPUTE_CHUNK"}

# Runs what should run in the image right here.
ENGINE = """#!/usr/bin/env bash
while [ $# -gt 0 ] && [[ "$1" != some.registry/* ]]; do shift; done
[ $# -gt 0 ] || exit 0
shift
exec "$@"
"""
SBATCH = """#!/usr/bin/env bash
bash "${@: -1}" > /dev/null 2>&1
echo "Submitted batch job $RANDOM$RANDOM"
"""
# An institution's parameter that we lack is no error, and its profile of our name does not replace ours.
INSTITUTION = "params.max_memory = 128.GB\nprofiles { slurm { process.queue = 'theirs' } }\n"
QUICK_POLLS = "executor { queueStatInterval = '1s'; pollInterval = '200ms' }\n"


def run_with(nextflow: Nextflow, programs: dict[str, str], *options: str | Path, **environment: str) -> Run:
    """A stub run with these programs in front of all others."""
    path = path_with(nextflow, programs)
    inputs = write_inputs(nextflow.folder, "cohort")
    return nextflow.pipeline("-stub", *inputs, *options, PATH=path, **environment)


def path_with(nextflow: Nextflow, programs: dict[str, str]) -> str:
    folder = nextflow.folder / "programs"
    folder.mkdir()
    for name, text in programs.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    return f"{folder}:{Path('/usr/local/bin')}:/usr/bin:/bin"


def images(run: Run) -> dict[str, str]:
    return {row["process"].split(":")[-1]: row["container"] for row in run.trace}


def test_engine_gets_image_and_gpu_of_each_task(nextflow: Nextflow) -> None:
    run = run_with(nextflow, {"docker": ENGINE}, "-profile", "docker,gpu", "--registry", "some.registry/x")
    assert run.returncode == 0, run.output
    assert run.tasks == ONE_COHORT
    for process, image in images(run).items():
        assert image.endswith("-torch") == (process in ON_GPU), f"{process} runs in {image}"
        for script in run.scripts(process):
            assert image in script and "docker run" in script
            assert ("--gpus all" in script) == (process in ON_GPU), process


@pytest.mark.parametrize(
    ("profile", "flags", "language"),
    [("docker,gpu", "--gpus all --volume", "v1"), ("docker", "--volume", "v2")],
)
def test_a_folder_of_checkpoints_is_there_in_the_container_too(
    nextflow: Nextflow, profile: str, flags: str, language: str
) -> None:
    docker = {"docker": ENGINE.replace("some.registry/", "localhost/")}
    kept = nextflow.folder / "kept here"
    options = ["-profile", profile, "--imputer", "lstm", "--imputer_checkpoints", "kept here"]
    run = run_with(nextflow, docker, *options, **LANGUAGES[language])
    assert run.returncode == 0, run.output
    for script in run.scripts("TRAIN_CHUNK"):
        assert f"{flags} '{kept}:{kept}'" in script and "-torch" in script
    assert kept.is_dir()  # else docker would make it, of root
    assert not any("--volume" in script for script in run.scripts("IMPUTE_CHUNK"))


def test_an_engine_that_an_institution_switches_on_gets_gpus_and_folders_too(nextflow: Nextflow) -> None:
    site, kept = nextflow.folder / "site", nextflow.folder / "kept"
    site.mkdir()
    (site / "nfcore_custom.config").write_text("profiles { theirs { podman.enabled = true } }\n")
    options = ["-profile", "theirs,gpu", "--custom_config_base", site, "--imputer_checkpoints", kept]
    run = run_with(nextflow, {"podman": ENGINE.replace("some.registry/", "localhost/")}, *options)
    assert run.returncode == 0, run.output
    for process in run.tasks:
        for script in run.scripts(process):
            assert ("--device nvidia.com/gpu=all" in script) == (process in ON_GPU), process
            assert (f"--volume '{kept}:{kept}'" in script) == (process == "TRAIN_CHUNK"), process


@pytest.mark.parametrize(("imputer", "language"), [("knn", "v1"), *(("lstm", name) for name in LANGUAGES)])
def test_networks_get_the_image_with_pytorch_without_a_gpu_too(
    nextflow: Nextflow, imputer: str, language: str
) -> None:
    docker = {"docker": ENGINE.replace("some.registry/", "localhost/")}
    options = ["-profile", "docker", "--imputer", imputer, "--imputer_epochs", "3"]
    run = run_with(nextflow, docker, *options, **LANGUAGES[language])
    assert run.returncode == 0, run.output
    for process, image in images(run).items():
        needed = imputer == "lstm" and process in {"TRAIN_CHUNK", "IMPUTE_CHUNK"}
        assert image.endswith("-torch") == needed, f"{process} runs in {image}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_borzoi_has_an_image_of_its_own(nextflow: Nextflow, language: str) -> None:
    options = [*stub_inputs(nextflow.folder), "--steps", "express", "--expression_weights", "w.h5"]
    options += ["--expression_model", "borzoi", "--expression_tracks", "0", "--expression_variants", "b.bcf"]
    path = path_with(nextflow, {"docker": ENGINE.replace("some.registry/", "localhost/")})
    run = nextflow.pipeline(*options, "-profile", "docker,gpu", PATH=path, **LANGUAGES[language])
    assert run.returncode == 0, run.output
    version = deepcohort.__version__
    asking = {"PREDICT_GENES", "LIST_EFFECTS"}
    found = {process: image.removeprefix("localhost/deepcohort/") for process, image in images(run).items()}
    assert {found[process] for process in asking} == {f"expression-borzoi:{version}"}
    assert found["PLAN_GENES"] == found["COLLECT_EXPRESSION"] == f"expression:{version}"


def test_slurm_gets_partition_and_gpu_of_each_task(nextflow: Nextflow) -> None:
    quick = nextflow.folder / "quick.config"
    quick.write_text(QUICK_POLLS)
    slurm = {"sbatch": SBATCH, "squeue": "#!/bin/sh\n", "scancel": "#!/bin/sh\n"}
    site = nextflow.folder / "site"
    site.mkdir()
    (site / "nfcore_custom.config").write_text(INSTITUTION)
    options = [
        "--custom_config_base",
        site,
        "--slurm_queue",
        "cpus",
        "--slurm_gpu_queue",
        "gpus",
        "--slurm_options=--account=lab",
        "--use_gpu",
    ]
    run = run_with(nextflow, slurm, "-c", quick, "-profile", "slurm", *options)
    assert run.returncode == 0, run.output
    assert run.tasks == ONE_COHORT
    for process in run.tasks:
        for script in run.scripts(process):
            assert re.findall(r"^#SBATCH -p (\S+)", script, re.MULTILINE) == [
                "gpus" if process in ON_GPU else "cpus"
            ]
            assert ("--gres=gpu:1" in script) == (process in ON_GPU)
            assert "--account=lab" in script
    assert "Ignored, not parameters of this pipeline: max_memory" in run.output
