"""Run a command as ``/usr/bin/time`` does: wall time, processor time, peak memory."""

import json
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cost:
    """What one command took."""

    wall_s: float
    cpu_s: float
    peak_gb: float
    """Largest resident set of the process."""


def timed(command: Sequence[str | Path], log: Path, environment: Mapping[str, str] | None = None) -> Cost:
    """Run ``command`` with its output in ``log``; raise ``RuntimeError`` when it fails."""
    start = time.monotonic()
    with log.open("w") as out:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
        )
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise RuntimeError(f"{command[0]} ended with {process.returncode}; the end of {log}:\n{tail}")
    return Cost(
        round(time.monotonic() - start, 2),
        round(usage.ru_utime + usage.ru_stime, 2),
        round(usage.ru_maxrss / 2**20, 3),
    )


def save(path: Path, stages: Mapping[str, Cost]) -> None:
    """Write the cost of every stage as JSON; its presence says that the run has ended well."""
    path.write_text(json.dumps({name: asdict(cost) for name, cost in stages.items()}, indent=2) + "\n")


def load(path: Path) -> dict[str, Cost]:
    """Read what ``save`` wrote."""
    return {name: Cost(**cost) for name, cost in json.loads(path.read_text()).items()}
