"""Draw the people that are asked for, judge the generator, and write all of it."""

import logging
from pathlib import Path

import numpy as np

from deepcohort.augmentation import outputs, plain, quality
from deepcohort.augmentation.asked import names_of, pairs_of, read_asked
from deepcohort.augmentation.generator import Trained
from deepcohort.augmentation.guard import Limits, guarded, limits_of
from deepcohort.augmentation.people import Int64, Panel, People
from deepcohort.genome.errors import InputError
from deepcohort.genome.tables import write_table

log = logging.getLogger(__name__)

GIVEN = "generator"
REAL = "held_out_people"


def make(panel: Panel, folder: Path, asked: str, out: Path, *, with_panel: bool, seed: int) -> None:
    """Write synthetic.vcf.gz, labels.tsv, quality.tsv, counts.tsv and tables of pictures into ``out``.

    With ``with_panel`` augmented.vcf.gz is the panel's part of the region with these people. Raises
    ``InputError`` where the generator is of another panel, or nobody of those asked for passes the privacy
    guard.
    """
    present = np.bincount(panel.people.label, minlength=len(panel.people.labels))
    pairs = pairs_of(read_asked(asked, panel.people.labels, present))
    trained = Trained.load(folder, panel)
    held = np.isin(panel.names, trained.sidecar.held_out)
    train, test = panel.people.only(~held), panel.people.only(held)
    limits = limits_of(train.copies())
    found = guarded(trained.draw, pairs, train.copies(), limits, np.random.default_rng([seed, 1]))
    if not len(found.people):
        raise InputError(
            f"{folder.name}: all people drawn are nearer to somebody of the panel than its people "
            "are to each other: name a larger region, or train longer"
        )
    out.mkdir(parents=True, exist_ok=True)
    names = names_of(found.pairs, panel.people.labels)
    outputs.write_vcf(out / "synthetic.vcf.gz", found.people, names, panel.places)
    outputs.write_labels(out / "labels.tsv", names, found.pairs, panel.people.labels, panel.upper)
    table, judged = judged_beside_plain(trained, train, test, limits, seed)
    write_table(out / "quality.tsv", [figure.row() for figure in table], quality.COLUMNS)
    outputs.write_pictures(out, judged, train, test, panel.places)
    write_table(out / "counts.tsv", outputs.counts_rows(panel, found, int(held.sum())), ("what", "count"))
    if with_panel:
        left = outputs.write_augmented(
            panel.file, found.people, names, panel.places, out / "augmented.vcf.gz"
        )
        log.info("%d records of the panel are not biallelic and stand not in the augmented one", left)


def judged_beside_plain(
    trained: Trained, train: People, test: People, limits: Limits, seed: int
) -> tuple[list[quality.Figure], People]:
    """Figures of the generator, of plain ones and of the held-out people themselves; and whom it drew.

    Each generator draws as many people of each label as are learnt from; nobody is guarded but the
    generator's.
    """
    rng = np.random.default_rng([seed, 2])
    wanted: Int64 = np.stack([train.label, train.label], axis=1)
    drawn = guarded(trained.draw, wanted, train.copies(), limits, rng).people
    groups = {GIVEN: drawn, REAL: test}
    for number, (name, generate) in enumerate(plain.GENERATORS.items()):
        groups[name] = generate(train, train.label, np.random.default_rng([seed, 3, number]))
    table = []
    for name, people in groups.items():
        log.info("judging %s", name)
        table += quality.judge(name, people, train, test, limits, seed)
    return table, drawn
