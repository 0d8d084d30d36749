"""What a user may set of a sequence model."""

import logging
from dataclasses import dataclass
from pathlib import Path

from deepcohort.genome.errors import InputError
from deepcohort.genome.files import checksum

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    """Settings of a sequence model; None and empty where the user leaves it to the model.

    context: bases that it sees. tracks: outputs by index or by name. track_names: table of the names of all
    outputs. bins: outputs around the start that are averaged. device: PyTorch's name of one.
    """

    weights: Path | None = None
    context: int | None = None
    tracks: tuple[str, ...] = ()
    track_names: Path | None = None
    bins: int | None = None
    device: str = "cpu"

    def file(self, model: str, fetch: str) -> Path:
        """The file of weights; ``fetch`` says how to come by one. Nothing is ever fetched from a hub.

        Raises ``InputError`` where none is given, or what is given is no file.
        """
        if self.weights is None:
            raise InputError(f"{model} needs weights: {fetch}, and give the file as --weights")
        if not self.weights.is_file():
            raise InputError(
                f"{self.weights}: no such file, and nothing is fetched from a hub here: {fetch}, and give "
                "the file as --weights"
            )
        log.info("weights %s, sha256 %s", self.weights.name, checksum(self.weights))
        return self.weights

    def without(self, model: str, *names: str) -> None:
        """Refuse settings that a model does not have."""
        for name in names:
            if getattr(self, name) not in (None, ()):
                option = "--" + name.replace("_", "-")
                raise InputError(f"{option}: {model} has nothing to choose there: leave the option out")
