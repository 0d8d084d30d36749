"""What all tests share: Nextflow, run as a user runs it."""

import csv
import os
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

# PyTorch's compiler and TensorFlow each bring an LLVM, and two in one process end it. Rooms use one or the
# other; only the tests have both in one process, and none compiles.
sys.modules["triton"] = None  # type: ignore[assignment]

ROOT = Path(__file__).resolve().parents[1]

# Command lines reach the pipeline in two ways, and two parsers read it; newer releases of Nextflow have
# the second parser and give every value as a string.
LANGUAGES = {
    "v1": {"NXF_SYNTAX_PARSER": "v1"},
    "v2": {"NXF_SYNTAX_PARSER": "v2"},
    "strings": {"NXF_SYNTAX_PARSER": "v1", "NXF_DISABLE_PARAMS_TYPE_DETECTION": "true"},
}


@dataclass(frozen=True)
class Run:
    """A run of the pipeline that has ended."""

    folder: Path
    returncode: int
    output: str

    @property
    def outdir(self) -> Path:
        return self.folder / "out"

    @property
    def trace(self) -> list[dict[str, str]]:
        """One row for each task."""
        own = self.outdir / "pipeline_info/trace.txt"
        with (own if own.exists() else self.folder / "trace.txt").open(newline="") as table:
            return list(csv.DictReader(table, delimiter="\t"))

    @property
    def tasks(self) -> dict[str, int]:
        """Number of tasks of each process."""
        return dict(Counter(row["process"].split(":")[-1] for row in self.trace))

    @property
    def published(self) -> set[str]:
        """Files under the results' folder, but those of Nextflow itself."""
        files = {str(path.relative_to(self.outdir)) for path in self.outdir.rglob("*") if path.is_file()}
        return {
            name for name in files if not name.startswith(("pipeline_info/", "report/multiqc_report_data"))
        }

    def scripts(self, process: str) -> list[str]:
        """What was handed to the executor for each task of a process."""
        rows = [row for row in self.trace if row["process"].split(":")[-1] == process]
        return [(Path(row["workdir"]) / ".command.run").read_text() for row in rows]


class Nextflow:
    """Runs ``./nextflow`` in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run any command of Nextflow; stderr goes to stdout, as on a terminal."""
        return subprocess.run(
            [ROOT / "nextflow", *arguments],
            cwd=self.folder,
            env={**os.environ, "NXF_ANSI_LOG": "false", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
        )

    def pipeline(self, *arguments: str | Path, **environment: str) -> Run:
        """Run the pipeline; results go to ``out``.

        The newer parser of Nextflow 25.04 does not see ``--outdir`` where the configuration says what to
        report, so the trace is asked for by name there; and it wants each configuration to have the profile,
        so that ``tests/nextflow.config`` is left out there. ``DEEPCOHORT_TEST_PROFILE`` names the profile of
        runs that name none, such as a container engine.
        """
        newer = environment.get("NXF_SYNTAX_PARSER") == "v2"
        outdir = () if "--outdir" in arguments else ("--outdir", "out")
        trace = ("-with-trace", "trace.txt") if newer else ()
        engine = os.environ.get("DEEPCOHORT_TEST_PROFILE")
        profile = ("-profile", engine) if engine and not {"-profile", "-stub"} & {*arguments} else ()
        own = () if newer and "-profile" in {*arguments, *profile} else ("-c", ROOT / "tests/nextflow.config")
        done = self("run", ROOT / "main.nf", *own, *trace, *profile, *outdir, *arguments, **environment)
        return Run(self.folder, done.returncode, done.stdout)


def _nextflow(folder: Path) -> Nextflow:
    if shutil.which("java") is None:
        pytest.skip("Nextflow needs Java 17 or later, which is not installed")
    return Nextflow(folder)


@pytest.fixture
def nextflow(tmp_path: Path) -> Nextflow:
    """Nextflow in a new folder."""
    return _nextflow(tmp_path)


@pytest.fixture(scope="module")
def nextflow_of_module(tmp_path_factory: pytest.TempPathFactory) -> Nextflow:
    """Nextflow in a folder that the tests of a module share."""
    return _nextflow(tmp_path_factory.mktemp("nextflow"))
