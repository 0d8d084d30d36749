"""The demo in real container engines and on a real Slurm, on request.

``DEEPCOHORT_TEST_ENGINES=podman,docker,slurm`` (any of them) runs it there. The images must be built
(``make images``); Slurm needs the Debian packages slurm-wlm and munge.
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
IMAGES = {dockerfile.parent.name for dockerfile in ROOT.glob("containers/*/Dockerfile")}
WANTED = os.environ.get("DEEPCOHORT_TEST_ENGINES", "").split(",")


def needs(engine: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(
        engine not in WANTED, reason=f"set DEEPCOHORT_TEST_ENGINES={engine} to run the demo with it"
    )


def run_demo(folder: Path, profile: str, *options: str, **environment: str) -> list[dict[str, str]]:
    """Run the demo with a profile and return the rows of its trace."""
    profiles = f"test,{profile}"
    command = [ROOT / "nextflow", "run", ROOT, "-profile", profiles, "--outdir", folder / "out", *options]
    result = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, timeout=1200
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert (folder / "out/report/multiqc_report.html").exists()
    header, *rows = (folder / "out/pipeline_info/trace.txt").read_text().splitlines()
    return [dict(zip(header.split("\t"), row.split("\t"), strict=True)) for row in rows]


@pytest.mark.pipeline
@pytest.mark.parametrize("engine", [pytest.param(e, marks=needs(e)) for e in ("podman", "docker")])
def test_demo_runs_in_the_images(engine: str, tmp_path: Path) -> None:
    rows = run_demo(tmp_path, engine)
    assert {row["container"].split("/")[-1].split(":")[0] for row in rows} == IMAGES
    assert {row["status"] for row in rows} == {"COMPLETED"}
    owners = {file.stat().st_uid for file in (tmp_path / "out").rglob("*")}
    assert owners == {os.getuid()}, "results belong to whoever ran the pipeline"


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A real Slurm of two nodes on this machine, with partitions main and gpu; yields its environment."""
    scripts = Path(__file__).parent
    state = tmp_path_factory.mktemp("slurm")
    environment = {"SLURM_LAB_DIR": str(state)}
    subprocess.run([scripts / "slurm_up.sh"], env={**os.environ, **environment}, check=True)
    try:
        yield {"SLURM_CONF": str(state / "slurm.conf")}
    finally:
        subprocess.run([scripts / "slurm_down.sh"], env={**os.environ, **environment}, check=True)


def partitions(slurm: dict[str, str]) -> dict[str, str]:
    """The partition of every job the cluster remembers, by job id."""
    listed = subprocess.run(
        ["squeue", "--noheader", "--states=all", "--format=%i %P"],
        env={**os.environ, **slurm},
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(line.split() for line in listed.stdout.splitlines())


QUICK_POLLS = "executor { queueStatInterval = '2s'; pollInterval = '1s'; exitReadTimeout = '20s' }\n"


@pytest.mark.pipeline
@needs("slurm")
def test_demo_runs_on_slurm(slurm: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "quick.config").write_text(QUICK_POLLS)
    rows = run_demo(tmp_path, "slurm", "-c", str(tmp_path / "quick.config"), **slurm)
    where = partitions(slurm)
    assert {row["status"] for row in rows} == {"COMPLETED"}
    assert {where[row["native_id"]] for row in rows} == {"main"}


@pytest.mark.pipeline
@needs("slurm")
def test_slurm_sends_tasks_with_a_gpu_to_their_queue(slurm: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "quick.config").write_text(QUICK_POLLS)
    options = ["--use_gpu", "--slurm_queue", "main", "--slurm_gpu_queue", "gpu", "-stub-run"]
    rows = run_demo(tmp_path, "slurm", "-c", str(tmp_path / "quick.config"), *options, **slurm)
    where = partitions(slurm)
    on_gpu = {row["process"].split(":")[-1] for row in rows if where[row["native_id"]] == "gpu"}
    assert on_gpu == {"LEARN_RATES", "IMPUTE_CHUNK", "IMPUTE_MASKED"} & {
        row["process"].split(":")[-1] for row in rows
    }
    assert on_gpu
