"""The demo in real container engines and on a real Slurm, on request.

``DEEPCOHORT_TEST_ENGINES=podman,docker,slurm`` (any of them) runs it there. The images must be built
(``make images``); Slurm needs the Debian packages slurm-wlm and munge.
"""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Nextflow, Run
from tests.pipeline.test_executors import ON_GPU
from tests.pipeline.test_stub import ONE_COHORT, write_inputs

WANTED = os.environ.get("DEEPCOHORT_TEST_ENGINES", "").split(",")
QUICK_POLLS = "executor { queueStatInterval = '2s'; pollInterval = '1s'; exitReadTimeout = '20s' }\n"

pytestmark = pytest.mark.pipeline


def needs(engine: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(
        engine not in WANTED, reason=f"set DEEPCOHORT_TEST_ENGINES={engine} to run the demo with it"
    )


def check_demo(run: Run) -> None:
    assert run.returncode == 0, run.output
    assert {row["status"] for row in run.trace} == {"COMPLETED"}
    assert {"report/multiqc_report.html", "imputation/accuracy.tsv"} <= run.published
    owners = {path.stat().st_uid for path in run.outdir.rglob("*")}
    assert owners == {os.getuid()}, "results belong to whoever ran the pipeline"


@pytest.mark.parametrize("engine", [pytest.param(name, marks=needs(name)) for name in ("podman", "docker")])
def test_demo_runs_in_the_images(engine: str, nextflow: Nextflow) -> None:
    run = nextflow.pipeline("-profile", f"test,{engine}", "--compare_imputers", "beagle")
    check_demo(run)
    images = {row["container"].split("/")[-1].split(":")[0] for row in run.trace}
    assert images == {"inputs", "imputation", "imputation-beagle", "report"}


@pytest.fixture(scope="module")
def slurm() -> Iterator[dict[str, str]]:
    """A real Slurm of two nodes on this machine, with partitions main and gpu; yields its environment."""
    scripts = Path(__file__).parent
    # munge wants every folder above its socket to be open to all, which pytest's own are not.
    with tempfile.TemporaryDirectory(dir="/tmp") as state:
        Path(state).chmod(0o755)
        lab = {**os.environ, "SLURM_LAB_DIR": state}
        subprocess.run([scripts / "slurm_up.sh"], env=lab, check=True)
        try:
            yield {"SLURM_CONF": f"{state}/slurm.conf"}
        finally:
            subprocess.run([scripts / "slurm_down.sh"], env=lab, check=True)


def jobs(slurm: dict[str, str], run: Run) -> dict[str, set[tuple[str, str]]]:
    """Partition and GPUs that Slurm gave to the tasks of each process."""
    listed = subprocess.run(
        ["squeue", "--noheader", "--states=all", "--format=%i %P %b"],
        env={**os.environ, **slurm},
        capture_output=True,
        text=True,
        check=True,
    )
    given = {job: (partition, gpus) for job, partition, gpus in map(str.split, listed.stdout.splitlines())}
    found: dict[str, set[tuple[str, str]]] = {}
    for row in run.trace:
        found.setdefault(row["process"].split(":")[-1], set()).add(given[row["native_id"]])
    return found


@needs("slurm")
def test_demo_runs_on_slurm(slurm: dict[str, str], nextflow: Nextflow) -> None:
    quick = nextflow.folder / "quick.config"
    quick.write_text(QUICK_POLLS)
    run = nextflow.pipeline("-c", quick, "-profile", "test,slurm", **slurm)
    check_demo(run)
    given = jobs(slurm, run)
    assert {partition for places in given.values() for partition, _ in places} == {"main"}


@needs("slurm")
def test_slurm_gives_a_gpu_to_the_tasks_that_can_use_one(slurm: dict[str, str], nextflow: Nextflow) -> None:
    quick = nextflow.folder / "quick.config"
    quick.write_text(QUICK_POLLS + "process.resourceLimits = [cpus: 2, memory: 4.GB]\n")
    options = [*write_inputs(nextflow.folder, "cohort"), "--use_gpu", "--slurm_gpu_queue", "gpu"]
    run = nextflow.pipeline("-c", quick, "-profile", "slurm", "-stub", *options, **slurm)
    assert run.returncode == 0, run.output
    assert run.tasks == ONE_COHORT
    for process, places in jobs(slurm, run).items():
        assert places == ({("gpu", "gres:gpu:1")} if process in ON_GPU else {("main", "N/A")}), process
