"""Files of artificial people: VCF, labels, quality, what pictures are made of, and the panel with
them added.
"""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deepcohort.augmentation import figures
from deepcohort.augmentation.asked import name_of
from deepcohort.augmentation.guard import Guarded
from deepcohort.augmentation.people import Int64, Panel, People, Places
from deepcohort.augmentation.quality import linked_sites
from deepcohort.genome.bgzf import BgzfWriter
from deepcohort.genome.errors import InputError
from deepcohort.genome.files import written_whole
from deepcohort.genome.genotypes import genotypes_of
from deepcohort.genome.tables import write_table
from deepcohort.genome.vcf import index_beside, open_vcf, records

PHASED = ("0|0", "0|1", "1|0", "1|1")
UNPHASED = ("0/0", "0/1", "1/1")
DRAWN = 300
"""People of each group, and sites, that pictures show."""

MAPPED = 60
"""Sites of the map of linkage."""


def write_vcf(path: Path, people: People, names: Sequence[str], places: Places) -> None:
    """Write genotypes as bgzipped VCF with its index beside it."""
    table = np.array(
        [list(f"\t{text}".encode()) for text in (PHASED if people.phased else UNPHASED)], np.uint8
    )
    contigs = [
        f"##contig=<ID={name}{f',length={length}' if length else ''}>"
        for name, length in places.contigs.items()
    ]
    frequency = people.copies().sum(axis=0, dtype=np.int64)
    head = [
        "##fileformat=VCFv4.2", *contigs,
        '##INFO=<ID=AC,Number=A,Type=Integer,Description="Alleles">',
        '##INFO=<ID=AN,Number=1,Type=Integer,Description="Alleles called">',
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype of an artificial person">',
        "\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *names]),
    ]  # fmt: skip
    with written_whole(path) as unfinished, BgzfWriter(unfinished) as out:
        out.write("\n".join(head).encode() + b"\n")
        for site, pos in enumerate(places.pos.tolist()):
            of_site = places.chrom[site], str(pos), places.ids[site], places.ref[site], places.alt[site]
            fixed = "\t".join([*of_site, ".", ".", ""])
            out.write(f"{fixed}AC={frequency[site]};AN={2 * len(people)}\tGT".encode())
            out.write(table[people.classes[:, site]].tobytes() + b"\n")
    index_beside(path, places.longest)


def write_labels(
    path: Path, names: Sequence[str], pairs: Int64, labels: list[str], upper: dict[str, str]
) -> None:
    """Label of each person as the panel's labels are written; a mixture has both names."""
    rows = []
    for name, pair in zip(names, pairs.tolist(), strict=True):
        above = upper[labels[pair[0]]], upper[labels[pair[1]]]
        rows.append(
            {"sample": name, "population": name_of(tuple(pair), labels),
             "superpopulation": above[0] if above[0] == above[1] else "+".join(above)}
        )  # fmt: skip
    write_table(path, rows, ("sample", "population", "superpopulation"))


def write_augmented(panel: Path, people: People, names: Sequence[str], places: Places, out: Path) -> int:
    """Write the panel's biallelic records at the artificial people's sites with these people added.

    Returns how many records of the panel there are between the first and the last site that are left out.
    Raises ``InputError`` where a name of an artificial person is one of the panel's.
    """
    vcf = open_vcf(panel)
    taken = set(vcf.samples) & set(names)
    if taken:
        raise InputError(
            f"{panel.name}: it has a sample {min(taken)} already: take artificial people out of it"
        )
    cells = [f"\t{text}" for text in (PHASED if people.phased else UNPHASED)]
    header = re.sub(
        r"(#CHROM.*)\n?$", lambda match: "\t".join([match[1].rstrip("\n"), *names]) + "\n", vcf.raw_header
    )
    following, left_out = 0, 0
    with written_whole(out) as unfinished, BgzfWriter(unfinished) as file:
        file.write(header.encode())
        one = len(places.contigs) == 1
        span = f"{places.chrom[0]}:{places.pos[0]}-{places.pos[-1]}" if one else None
        for record in records(panel, vcf, span):
            if following == len(places.pos):
                left_out += 1
                continue
            wanted = (places.chrom[following], int(places.pos[following]), places.ref[following])
            if (*wanted, [places.alt[following]]) != (record.CHROM, record.POS, record.REF, record.ALT):
                left_out += 1
                continue
            two = genotypes_of(panel, record)[:, :2].astype(int)
            fixed = str(record).split("\t", 8)[:7]
            text = "".join(f"\t{a if a >= 0 else '.'}|{b if b >= 0 else '.'}" for a, b in two.tolist())
            added = "".join(cells[value] for value in people.classes[:, following].tolist())
            file.write("\t".join([*fixed, ".", "GT"]).encode() + f"{text}{added}\n".encode())
            following += 1
    vcf.close()
    index_beside(out, places.longest)
    return left_out


def write_pictures(folder: Path, artificial: People, train: People, held: People, places: Places) -> None:
    """Tables of the report's pictures: components, frequencies, linkage by pair and by distance, spectrum."""
    components = figures.Components(held.copies(), 2)
    groups = {"held_out": held, "learnt_from": train, "artificial": artificial}
    dots = []
    for group, people in groups.items():
        for row in _evenly(len(people)).tolist():
            one, other = components(people.copies()[row : row + 1])[0]
            label = people.labels[people.label[row]]
            dots.append({"group": group, "label": label, "pc1": f"{one:.4f}", "pc2": f"{other:.4f}"})
    write_table(folder / "pca.tsv", dots, ("group", "label", "pc1", "pc2"))
    real, made = figures.frequencies(held), figures.frequencies(artificial)
    rows = [
        {"label": label, "site": str(places.pos[site]), "real": f"{real[kind, site]:.4f}",
         "artificial": f"{made[kind, site]:.4f}"}
        for kind, label in enumerate(held.labels)
        if not np.isnan(made[kind]).any()
        for site in _evenly(len(places.pos)).tolist()
    ]  # fmt: skip
    write_table(folder / "frequencies.tsv", rows, ("label", "site", "real", "artificial"))
    _write_linkage(folder, artificial, held, places)
    spectra = [figures.spectrum(people.copies().mean(axis=0) / 2) for people in (held, artificial)]
    rows = [
        {
            "maf": f"{(number + 0.5) / len(spectra[0]) / 2:.4f}",
            "real": f"{one:.5f}",
            "artificial": f"{two:.5f}",
        }
        for number, (one, two) in enumerate(zip(*spectra, strict=True))
    ]
    write_table(folder / "spectrum.tsv", rows, ("maf", "real", "artificial"))


def _write_linkage(folder: Path, artificial: People, held: People, places: Places) -> None:
    sites = linked_sites(len(places.pos))
    matrices = [figures.linkage(people.rows()[0][:, sites]) for people in (held, artificial)]
    curves = [figures.decay(matrix, places.line()[sites]) for matrix in matrices]
    rows = [
        {"distance": str(end), "real": f"{one:.5f}", "artificial": f"{two:.5f}"}
        for end, one, two in zip(figures.DECAY[1:], *curves, strict=True)
        if not np.isnan(one)
    ]
    write_table(folder / "decay.tsv", rows, ("distance", "real", "artificial"))
    names = places.names()
    shown = np.unique(np.linspace(0, len(sites) - 1, min(MAPPED, len(sites))).astype(np.int64))
    rows = [
        {"row": names[sites[i]], "column": names[sites[j]],
         "r2": f"{(matrices[0] if i > j else matrices[1])[i, j]:.4f}"}
        for i in shown.tolist() for j in shown.tolist() if i != j
    ]  # fmt: skip
    write_table(folder / "linkage.tsv", rows, ("row", "column", "r2"))


def _evenly(number: int) -> NDArray[np.int64]:
    return np.unique(np.linspace(0, number - 1, min(DRAWN, number)).astype(np.int64))


def counts_rows(panel: Panel, guarded: Guarded, held: int) -> list[dict[str, str]]:
    """What was counted on the way."""
    counts = Counter(panel.counts)
    counts.update(
        learnt_from=len(panel.names) - held, held_out=held, artificial=len(guarded.people),
        rejected=guarded.rejected, given_up=guarded.given_up,
    )  # fmt: skip
    rows = [{"what": what, "count": str(number)} for what, number in counts.items()]
    return rows + [{"what": f"note: {note}", "count": "1"} for note in panel.notes]
