"""What every profile comes to."""

import re

import pytest

from tests.conftest import LANGUAGES, ROOT, Nextflow

pytestmark = pytest.mark.pipeline

ENGINES = ["docker", "podman", "singularity", "apptainer", "conda"]
CLUSTERS = {
    "slurm": "slurm",
    "awsbatch": "awsbatch",
    "googlebatch": "google-batch",
    "azurebatch": "azurebatch",
    "k8s": "k8s",
}
PROFILES = ["standard", *ENGINES, "gpu", *CLUSTERS, "test", "test_full"]


def settings(nextflow: Nextflow, profile: str, **environment: str) -> dict[str, str]:
    """The whole configuration of a profile, one entry for each setting."""
    done = nextflow("config", "-profile", profile, "-flat", ROOT, **environment)
    assert done.returncode == 0, done.stdout
    return {
        match[1].replace("'", ""): match[2].strip()
        for match in re.finditer(
            r"^([\w'.:|*]+) = (.*?)(?=^[\w'.:|*]+ = |\Z)", done.stdout, re.MULTILINE | re.DOTALL
        )
    }


def gpu_label(found: dict[str, str], setting: str) -> str:
    return found[f"process.withLabel:process_gpu.{setting}"]


@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_profile_switches_the_others_off(nextflow: Nextflow, engine: str) -> None:
    found = settings(nextflow, engine)
    assert {other: found[f"{other}.enabled"] for other in ENGINES} == {
        other: str(other == engine).lower() for other in ENGINES
    }


@pytest.mark.parametrize(
    ("engine", "flag"),
    [("podman", "--device nvidia.com/gpu=all"), ("singularity", "--nv"), ("apptainer", "--nv")],
)
def test_an_engine_gives_the_gpu_to_gpu_tasks_only(nextflow: Nextflow, engine: str, flag: str) -> None:
    found = settings(nextflow, f"{engine},gpu")
    assert found["params.use_gpu"] == "true"
    assert gpu_label(found, "maxForks") == "1"
    options = gpu_label(found, "containerOptions")
    assert "task.accelerator" in options and flag in options
    assert not any(flag in value for name, value in found.items() if name.endswith("runOptions"))


@pytest.mark.parametrize(("profile", "executor"), CLUSTERS.items())
def test_a_cluster_retries_tasks_that_end_without_exit_code(
    nextflow: Nextflow, profile: str, executor: str
) -> None:
    found = settings(nextflow, profile)
    assert found["process.executor"] == f"'{executor}'"
    strategy = found["process.errorStrategy"]
    assert "task.exitStatus == null" in strategy and "2147483647" in strategy
    assert int(found["process.maxRetries"]) >= 3
    assert "accelerator" in str([name for name in found if "process_gpu" in name])
    options = gpu_label(found, "containerOptions")
    assert executor == "slurm" or f"'{executor}'" in options  # clouds hand over GPUs themselves


@pytest.mark.parametrize(
    ("profile", "queues"),
    [
        ("slurm", ["params.slurm_gpu_queue", "params.slurm_queue"]),
        ("awsbatch", ["params.awsqueue_gpu", "params.awsqueue_ondemand", "params.awsqueue"]),
        ("azurebatch", ["params.azure_gpu_queue", "params.azure_queue"]),
    ],
)
def test_gpu_tasks_have_a_queue_of_their_own(nextflow: Nextflow, profile: str, queues: list[str]) -> None:
    queue = settings(nextflow, profile)["process.queue"]
    assert "task.accelerator ?" in queue
    assert all(name in queue for name in queues)


def test_types_of_gpu_where_executors_know_them(nextflow: Nextflow) -> None:
    assert "params.google_gpu_type" in gpu_label(settings(nextflow, "googlebatch"), "accelerator")
    assert "params.k8s_gpu_resource" in gpu_label(settings(nextflow, "k8s"), "accelerator")


def test_profiles_that_only_run_here(nextflow: Nextflow) -> None:
    for profile in ("standard", "test", "test_full"):
        found = settings(nextflow, profile)
        assert not any(found.get(f"{engine}.enabled") == "true" for engine in ENGINES)
    assert found["params.steps"] == "'impute'"
    assert "cpus:2" in found["process.resourceLimits"]


def test_every_profile_resolves_under_the_newer_parser(nextflow: Nextflow) -> None:
    for profile in ("docker,gpu", "awsbatch", "k8s,test_full"):
        assert settings(nextflow, profile, **LANGUAGES["v2"])


def test_every_profile_is_tested() -> None:
    text = (ROOT / "nextflow.config").read_text()
    block = text[text.index("profiles {") : text.index("process.shell")]
    assert set(re.findall(r"^    (\w+)\s+\{", block, re.MULTILINE)) == set(PROFILES)
    documented = (ROOT / "docs/usage.md").read_text()
    assert all(f"`{profile}`" in documented for profile in PROFILES)
