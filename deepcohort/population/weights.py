"""Trained networks on disk: ``.keras`` files, each with a JSON beside it that says what it is of."""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import deepcohort
from deepcohort.genome.errors import InputError
from deepcohort.genome.files import checksum, written_whole
from deepcohort.population.gather import Known
from deepcohort.population.study import Study, Window

if TYPE_CHECKING:
    import keras

ARCHITECTURE = "blocks-convolutions-pyramid-1"
"""Changes when a network of before can no longer be used."""


@dataclass(frozen=True)
class Sidecar:
    """What a network is of.

    Its window and sites (position, REF, ALT), how copies are scaled there (mean and spread of each site), the
    order of its answers, how it was trained, and who was held out.
    """

    window: str
    chrom: str
    sites: list[tuple[int, str, str]]
    mean: list[float]
    spread: list[float]
    populations: list[str]
    superpopulations: list[str]
    continent: list[int]
    seed: int
    epochs: int
    trained_on: int
    held_out: list[str]
    held_out_accuracy: float
    architecture: str = ARCHITECTURE
    version: str = deepcohort.__version__
    sha256: str = ""


def sidecar_of(network: Path) -> Path:
    """The JSON that belongs to a ``.keras`` file."""
    return network.with_suffix(".json")


def save_network(path: Path, model: "keras.Model", sidecar: Sidecar) -> None:
    """Write a network, and after it its sidecar with the file's checksum."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as unfinished:
        model.save(unfinished)
    said = asdict(sidecar) | {"sha256": checksum(path)}
    with written_whole(sidecar_of(path)) as unfinished:
        unfinished.write_text(json.dumps(said, ensure_ascii=False) + "\n", encoding="utf-8")


def read_sidecar(network: Path) -> Sidecar:
    """Read the sidecar of a network; raises ``InputError`` where there is none of this version's networks."""
    path = sidecar_of(network)
    again = "take the network out of --population_weights, or train it again"
    try:
        said: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        missing = {field.name for field in fields(Sidecar)} ^ set(said)
        if missing:
            raise KeyError(", ".join(sorted(missing)))
        said["sites"] = [(int(pos), str(ref), str(alt)) for pos, ref, alt in said["sites"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path.name}: not the description of a network ({error}): {again}") from None
    if said["architecture"] != ARCHITECTURE:
        raise InputError(
            f"{path.name}: a network of the kind {said['architecture']}, not {ARCHITECTURE}: {again}"
        )
    return Sidecar(**said)


def read_known(folder: Path) -> Known:
    """Windows and folds of all networks of a folder, by their sidecars alone.

    Raises ``InputError`` where the folder has none, or somebody was held out of two folds.
    """
    windows: dict[str, tuple[str, list[tuple[int, str, str]]]] = {}
    fold: dict[str, int] = {}
    for network in sorted(folder.glob("*.fold*.keras")):
        sidecar = read_sidecar(network)
        windows[sidecar.window] = (sidecar.chrom, sidecar.sites)
        number = int(network.stem.rpartition(".fold")[2]) - 1
        for name in sidecar.held_out:
            if fold.setdefault(name, number) != number:
                raise InputError(
                    f"{network.name}: {name} was held out of another fold too: the networks are not of "
                    "one training, so give the folder of one"
                )
    if not windows:
        raise InputError(f"{folder}: there is no network (<window>.fold1.keras): give a folder <cohort>_net")
    return Known(windows, fold)


def load_network(path: Path, study: Study, window: Window) -> "tuple[keras.Model, Sidecar]":
    """Load a network of a window; raises ``InputError`` where it is of others, or damaged."""
    import deepcohort.population.network  # noqa: F401  (Keras must know its layers)
    from deepcohort.genome.backend import keras

    sidecar = read_sidecar(path)
    if sidecar.sha256 != checksum(path):
        raise InputError(
            f"{path.name}: not the network that its JSON describes (other checksum): copy both again"
        )
    if sidecar.sites != window.sites:
        raise InputError(f"{path.name}: a network of other sites than its window's: train it again")
    if (sidecar.populations, sidecar.continent) != (study.populations, study.continent.tolist()):
        raise InputError(
            f"{path.name}: a network for {len(sidecar.populations)} other populations than the panel's "
            f"{len(study.populations)}: give the panel it was trained on, or train it again"
        )
    try:
        return keras.models.load_model(path, compile=False, safe_mode=True), sidecar
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(
            f"{path.name}: cannot be read as a Keras network ({error}): train it again"
        ) from None
