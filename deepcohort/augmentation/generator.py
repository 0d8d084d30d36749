"""Trained generators: make one from a panel, keep it in a folder, and draw people from it."""

import json
import logging
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import deepcohort
from deepcohort.augmentation import figures
from deepcohort.augmentation.nearest import adversarial_accuracy
from deepcohort.augmentation.people import Float32, Int64, Panel, People, of_rows
from deepcohort.augmentation.space import Paths, Space
from deepcohort.genome.errors import InputError
from deepcohort.genome.families import groups_of, relatives
from deepcohort.genome.files import checksum, written_whole
from deepcohort.genome.samples import read_pedigree
from deepcohort.genome.tables import write_table

log = logging.getLogger(__name__)

NETWORK, SIDECAR, SPACE, HISTORY = "generator.keras", "generator.json", "space.npz", "training.tsv"
ARCHITECTURE = "augmentation-3"
"""Changes when a generator of before can no longer be used."""

VALIDATED = 0.15
"""Share of the people learnt from who only judge when to stop."""

JUDGED = 20
"""How often a training is judged."""

JUDGED_SITES = 200
MOST_SITES = 20_000
"""Sites that the convolutional network takes, at most."""

KEPT = 600_000_000
"""Bytes of chances of changes beyond which those of labels that were drawn are forgotten."""


class Method(StrEnum):
    """What is learnt: places in the space of principal components, or the genotypes themselves."""

    pca = "pca"
    cgan = "cgan"


DECODING = 1.0
"""Steps of the decoder for each one of the training that follows."""

STEPS = {Method.pca: 400, Method.cgan: 600}
"""Steps of the generator where the user does not say."""


@dataclass(frozen=True)
class Sidecar:
    """What a generator is of: method, labels, coding, sites, people who were held out, seed."""

    method: str
    labels: list[str]
    phased: bool
    sites: list[tuple[str, int, str, str]]
    held_out: list[str]
    steps: int
    seed: int
    architecture: str = ARCHITECTURE
    version: str = deepcohort.__version__
    sha256: str = ""


def held_out(label: Int64, share: float, seed: int, group: Int64 | None = None) -> NDArray[np.bool_]:
    """Whom to hold out, bool[n]: this share of each label, one person at least.

    group: int64[n], relatives have the same: they are held out together, so that there may be some more.
    """
    rng = np.random.default_rng(seed)
    group = np.arange(len(label)) if group is None else group
    found = np.zeros(len(label), bool)
    for kind in np.unique(label):
        own = rng.permutation(np.flatnonzero(label == kind))
        wanted = max(1, round(share * len(own)))
        for person in own.tolist():
            if found[own].sum() >= wanted:
                break
            found[group == group[person]] = True
    return found


def train(
    panel: Panel,
    out: Path,
    *,
    method: Method,
    steps: int | None,
    share: float,
    seed: int,
    threads: int = 1,
    checkpoints: Path | None = None,
    pedigree: Path | None = None,
) -> None:
    """Learn from the panel's people who are not held out, and write the generator into the folder ``out``.

    Besides it stand its sidecar, the course of the training (training.tsv, TensorBoard's files in logs)
    and, of the method pca, the space. With ``checkpoints`` a killed training goes on from there; relatives
    of ``pedigree`` (PED) are held out together.
    Raises ``InputError`` where nobody of a population is left.
    """
    from deepcohort.genome.backend import keras, write_events

    if method is Method.cgan and len(panel.places.pos) > MOST_SITES:
        raise InputError(
            f"--augmentation_method cgan: the region has {len(panel.places.pos):,} sites, and the "
            "network takes "
            f"{MOST_SITES:,}: name a smaller region, or take pca"
        )
    starts = panel.places.starts
    if method is Method.pca and len(starts) > 1 and not panel.people.phased:
        raise InputError(
            f"{panel.file.name}: sites of {len(starts)} chromosomes without phase, which few sites do not "
            "tell: phase the panel, or name one region to learn (--augmentation_region chr:from-to)"
        )
    out.mkdir(parents=True, exist_ok=True)
    pairs = relatives(read_pedigree(pedigree)) if pedigree else []
    group = groups_of(panel.names, pairs)
    held = held_out(panel.people.label, share, seed, group)
    people = panel.people.only(~held)
    for kind, name in enumerate(people.labels):
        if not (people.label == kind).any():
            where = pedigree.name if pedigree else "--augmentation_held_out"
            raise InputError(
                f"{where}: all people of {name} are held out, with their relatives, and none is left to "
                "learn from: hold fewer out, or take rows out of the families"
            )
    chosen = steps or STEPS[method]
    keras.utils.set_random_seed(seed)
    model, history = learn(people, out, method, chosen, seed, threads, checkpoints, group[~held], starts)
    with written_whole(out / NETWORK) as unfinished:
        model.save(unfinished)
    said = Sidecar(
        method.value, people.labels, people.phased, _sites(panel),
        [name for name, one in zip(panel.names, held, strict=True) if one], chosen, seed,
        sha256=checksum(out / NETWORK),
    )  # fmt: skip
    with written_whole(out / SIDECAR) as unfinished:
        unfinished.write_text(json.dumps(asdict(said), ensure_ascii=False) + "\n", encoding="utf-8")
    columns = ("step", "critic_loss", "generator_loss", "score")
    write_table(out / HISTORY, history, columns)
    write_events(out / "logs", history, "step", columns[1:])


def learn(
    people: People, out: Path, method: Method, steps: int, seed: int, threads: int, checkpoints: Path | None,
    group: Int64 | None = None, starts: Int64 | None = None,
) -> tuple[Any, list[dict[str, str]]]:  # fmt: skip
    """Learn from all these people; returns the network and its course. The space goes to the folder
    ``out``. group: of relatives, see ``held_out``; some people tell when the network is best. starts: first
    site of each chromosome, where there are several.
    """
    apart = held_out(people.label, VALIDATED, seed + 1, group)
    state = checkpoints / f"{method.value}.state.npz" if checkpoints else None
    if method is Method.cgan:
        return _train_convolution(people, apart, steps, seed, state)
    phased = haplotypes_of(people, seed, threads, checkpoints / "haplotypes.npy" if checkpoints else None)
    rows, label = phased.rows()
    space = Space.of(rows, label, len(people.labels), starts=starts)
    space.save(out / SPACE)
    return _train_latent(space, np.repeat(apart, 2), len(people.labels), steps, seed, state)


def _sites(panel: Panel) -> list[tuple[str, int, str, str]]:
    places = panel.places
    return list(zip(places.chrom, places.pos.tolist(), places.ref, places.alt, strict=True))


def _schedule(steps: int, seed: int, batch: int, rate: float) -> Any:
    from deepcohort.augmentation.adversarial import Schedule

    return Schedule(steps, max(1, steps // JUDGED), batch, rate, seed)


def haplotypes_of(people: People, seed: int, threads: int, kept: Path | None = None) -> People:
    """The people phased, by a copying model where they are not; ``kept`` is a file of what it found
    before.
    """
    if people.phased:
        return people
    label = np.repeat(people.label, 2)
    if kept and kept.exists():
        rows = np.load(kept, allow_pickle=False)
        if (
            rows.shape == (2 * len(people), people.classes.shape[1])
            and (rows[0::2] + rows[1::2] == people.classes).all()
        ):
            return of_rows(rows, label, people.labels, True)
    from deepcohort.augmentation.phase import phased

    log.info("the panel is unphased: haplotypes of %d people are sampled", len(people))
    rows = phased(people.copies(), seed, threads=threads)
    if kept:
        kept.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(kept) as unfinished, unfinished.open("wb") as out:
            np.save(out, rows)
    return of_rows(rows, label, people.labels, True)


def _train_latent(
    space: Space, apart: NDArray[np.bool_], labels: int, steps: int, seed: int, state: Path | None
) -> tuple[Any, list[dict[str, str]]]:
    """The GAN in the space of haplotypes; those ``apart`` judge it."""
    from deepcohort.augmentation import adversarial, latent

    label = space.label
    pair = latent.build(space.places[~apart], label[~apart], labels)
    truth, kinds = space.places[apart], label[apart]
    noise = np.random.default_rng(seed).normal(size=(4 * len(kinds), pair.noise)).astype(np.float32)

    def judge(model: Any) -> float:
        """Minus the mean distance of the labels' drawn and validating places."""
        drawn = adversarial.drawn(model, np.repeat(kinds, 4), noise)
        many = np.repeat(kinds, 4)
        return -float(
            np.mean([figures.sliced(truth[kinds == k], drawn[many == k], seed) for k in np.unique(kinds)])
        )

    history = adversarial.train(
        pair, space.places[~apart], label[~apart], _schedule(steps, seed, 128, 1e-4), judge, state
    )
    return pair.generator, history


def _train_convolution(
    people: People, apart: NDArray[np.bool_], steps: int, seed: int, state: Path | None
) -> tuple[Any, list[dict[str, str]]]:
    """The GAN of the genotypes."""
    from deepcohort.augmentation import adversarial, convolution

    known, truth = people.only(~apart), people.only(apart)
    pair, codes = convolution.build(known, seed)
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(len(truth), pair.noise)).astype(np.float32)
    sites = np.unique(np.linspace(0, people.classes.shape[1] - 1, JUDGED_SITES).astype(np.int64))
    alike = known.only(as_many(known.label, truth.label, rng))

    def judge(model: Any) -> float:
        made = truth.with_classes(_classes(model, truth.label, noise))
        return likeness(made, truth, sites) - nearer(made, truth, alike)

    def begin() -> None:
        convolution.decode(pair.generator, known, codes, round(DECODING * steps), seed)
        convolution.sharpen(pair.generator, judge)

    history = adversarial.train(
        pair, known.classes, known.label, _schedule(steps, seed, 64, 1e-4), judge, state, begin
    )
    return pair.generator, history


def as_many(label: Int64, wanted: Int64, rng: np.random.Generator) -> Int64:
    """As many rows of each label as are wanted, or all where there are fewer, int64[n]."""
    return np.concatenate(
        [rng.permutation(np.flatnonzero(label == kind))[:n] for kind, n in enumerate(np.bincount(wanted))]
    )


def nearer(made: People, truth: People, learnt_from: People) -> float:
    """Privacy loss of others whom nothing was learnt from: how much nearer those are who were, 0 at least."""
    strangers = adversarial_accuracy(truth.copies(), made.copies())
    return max(0.0, strangers.mean - adversarial_accuracy(learnt_from.copies(), made.copies()).mean)


def likeness(made: People, truth: People, sites: Int64) -> float:
    """One number of how like real people others are: frequencies, linkage, neighbours, heterozygosity."""
    frequency = figures.correlation(truth.copies().mean(axis=0), made.copies().mean(axis=0))
    linked = figures.linkage_correlation(
        figures.linkage(truth.copies()[:, sites]), figures.linkage(made.copies()[:, sites])
    )
    accuracy = adversarial_accuracy(truth.copies(), made.copies())
    variety = float(figures.heterozygosity(made).mean() / max(1e-9, figures.heterozygosity(truth).mean()))
    return frequency + linked - abs(accuracy.truth - 0.5) - abs(accuracy.artificial - 0.5) - abs(variety - 1)


def _classes(model: Any, label: Int64, noise: Float32) -> NDArray[np.int8]:
    """Classes int8[n, S] that the convolutional generator draws, some people at once."""
    from deepcohort.augmentation import adversarial

    parts = [
        adversarial.drawn(model, label[first : first + 128], noise[first : first + 128]).argmax(axis=-1)
        for first in range(0, len(label), 128)
    ]
    return np.concatenate(parts).astype(np.int8)


@dataclass(frozen=True)
class Trained:
    """A generator from its folder."""

    model: Any
    space: Space | None
    sidecar: Sidecar
    paths: dict[int, Paths] = field(default_factory=dict)
    """Of labels that were drawn (see ``KEPT``): the guard draws a few people of each again and again."""

    @classmethod
    def load(cls, folder: Path, panel: Panel) -> "Trained":
        """Read a generator; raises ``InputError`` where it is damaged, or of other sites than the panel's."""
        from deepcohort.augmentation import convolution, latent  # noqa: F401 (their layers are registered)
        from deepcohort.genome.backend import keras

        path = folder / NETWORK
        again = "train it again"
        try:
            said = json.loads((folder / SIDECAR).read_text(encoding="utf-8"))
            sidecar = Sidecar(**said)
            sites = [(str(chrom), int(pos), str(ref), str(alt)) for chrom, pos, ref, alt in sidecar.sites]
            sidecar = replace(sidecar, sites=sites)
            if sidecar.architecture != ARCHITECTURE or sidecar.sha256 != checksum(path):
                raise ValueError("another version's, or other than its description")
            model = keras.models.load_model(path, compile=False, safe_mode=True)
            space = Space.load(folder / SPACE) if sidecar.method == Method.pca else None
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise InputError(f"{folder.name}: not a generator that can be used ({error}): {again}") from None
        if sidecar.sites != _sites(panel) or sidecar.labels != panel.people.labels:
            raise InputError(f"{folder.name}: a generator of other sites or labels than the panel's: {again}")
        return cls(model, space, sidecar)

    def draw(self, pairs: Int64, rng: np.random.Generator) -> People:
        """People whose haplotypes have these labels, int64[n, 2], phased as the panel was learnt.

        Raises ``InputError`` where a mixture is asked of a network of unphased genotypes.
        """
        if self.space is not None:
            return self._follow(self.space, pairs, rng)
        mixed = pairs[:, 0] != pairs[:, 1]
        if mixed.any() and not self.sidecar.phased:
            raise InputError(
                "--augmentation_people: mixtures of two labels need haplotypes, and the panel is "
                "unphased: take "
                "--augmentation_method pca, or a phased panel"
            )
        classes = self._classes(pairs[:, 0], rng)
        if mixed.any():
            other = self._classes(pairs[mixed, 1], rng)
            classes[mixed] = (classes[mixed] & 2) | (other & 1)
        return People(classes, pairs[:, 0], self.sidecar.labels, self.sidecar.phased)

    def _follow(self, space: Space, pairs: Int64, rng: np.random.Generator) -> People:
        """Places drawn by the network, and paths that follow them."""
        from deepcohort.augmentation.adversarial import drawn

        label, size = pairs.reshape(-1), space.places.shape[1]
        places = drawn(self.model, label, rng.normal(size=(len(label), size)).astype(np.float32))
        rows = np.empty((len(label), space.rows.shape[1]), np.int8)
        for kind in np.unique(label).tolist():
            if kind not in self.paths:
                if sum(kept.bytes for kept in self.paths.values()) > KEPT:
                    self.paths.clear()
                self.paths[kind] = space.paths(kind, self.sidecar.seed)
            here = label == kind
            rows[here] = self.paths[kind].sample(places[here], rng)
        both = of_rows(rows, label, self.sidecar.labels, True)
        return both if self.sidecar.phased else People(both.copies(), both.label, both.labels, False)

    def _classes(self, label: Int64, rng: np.random.Generator) -> NDArray[np.int8]:
        size = self.model.inputs[0].shape[1]
        return _classes(self.model, label, rng.normal(size=(len(label), size)).astype(np.float32))
