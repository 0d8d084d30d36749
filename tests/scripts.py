"""Run the scripts of ``bin/`` as tasks do."""

import os
import subprocess
import sys
from pathlib import Path

import deepcohort

ROOT = Path(__file__).resolve().parents[1]


def run_script(name, *arguments, release=deepcohort.__version__):
    command, *rest = map(str, arguments)
    return subprocess.run(
        [sys.executable, ROOT / "bin" / f"{name}.py", command, "--release", release, *rest],
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "300"},
    )
