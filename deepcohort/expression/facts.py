"""What is known of weights that were taught here, beside them as JSON: without PyTorch, too."""

import json
from pathlib import Path
from typing import Any

from deepcohort.genome.files import written_whole


def write_facts(path: Path, said: dict[str, Any]) -> None:
    """Write what is known of weights beside them."""
    with written_whole(path) as unfinished:
        unfinished.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")


def read_facts(path: Path) -> dict[str, Any]:
    """Read what ``write_facts`` wrote."""
    said: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return said
