"""A simulated person: two haplotypes of a region, from real genotypes and variants added to them."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.bgzf import BgzfWriter
from deepcohort.genome.errors import InputError
from deepcohort.genome.files import written_whole
from deepcohort.genome.regions import Region
from deepcohort.genome.vcf import contig_of, make_index, open_vcf, read_header, records
from deepcohort.variants.normalise import normalised

APART = 20
"""Bases between an added variant and any other."""

LONGEST_INDEL = 50
LENGTH_EXPONENT = 1.6
"""Lengths of added indels fall as a power law, as those of people do."""

IN_REPEATS = 0.6
"""Share of the added indels that repeat or delete a unit of what stands there."""

LONGEST_UNIT = 6
HOMOZYGOUS = 1 / 3
TWO_ALTERNATIVES = 0.1
ADDED_MNPS = 0.15
"""Of the added variants: shares that are homozygous, have two alternative alleles, are substitutions of 2 to
4 bases."""


class Change(NamedTuple):
    """Bases ``start`` to ``end`` (0-based, end left out) as each of the two haplotypes has them."""

    start: int
    end: int
    texts: tuple[str, str]


@dataclass(frozen=True)
class Person:
    """Haplotypes of a stretch: ``sequence`` is the reference from ``start`` (0-based), ``changes`` sorted."""

    contig: str
    start: int
    sequence: bytes
    changes: list[Change]
    left_out: Counter[str]

    def haplotype(self, which: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Bases of one haplotype, and where each stands on the reference (0-based; -1 where inserted)."""
        reference = np.frombuffer(self.sequence, np.uint8)
        bases, places, at = [], [], 0
        for change in self.changes:
            first, end = change.start - self.start, change.end - self.start
            text = np.frombuffer(change.texts[which].encode(), np.uint8)
            own = np.full(len(text), -1, np.int64)
            shared = min(len(text), end - first)
            own[:shared] = np.arange(change.start, change.start + shared)
            bases += [reference[at:first], text]
            places += [np.arange(self.start + at, self.start + first), own]
            at = end
        bases.append(reference[at:])
        places.append(np.arange(self.start + at, self.start + len(reference)))
        return np.concatenate(bases), np.concatenate(places)


def person_from(
    genotypes: Path,
    sample: str | None,
    region: Region,
    contig: str,
    start: int,
    sequence: bytes,
    added_per_kb: float,
    rng: np.random.Generator,
) -> Person:
    """Put a person's genotypes on the reference and add variants of our own.

    genotypes: VCF or BCF. region: where variants are. contig, start, sequence: the reference (its name, first
    base from 0, bases in capitals), which may reach beyond the region. added_per_kb: of indels, substitutions
    of several bases and places with two alternatives. Unphased genotypes get a phase at random.
    """
    left_out: Counter[str] = Counter()
    changes = _known(genotypes, sample, region, start, sequence, left_out, rng)
    changes += _added(region, start, sequence, changes, added_per_kb, rng)
    return Person(contig, start, sequence, sorted(changes), left_out)


def _known(
    genotypes: Path,
    sample: str | None,
    region: Region,
    start: int,
    sequence: bytes,
    left_out: Counter[str],
    rng: np.random.Generator,
) -> list[Change]:
    header = read_header(genotypes)
    contig = contig_of(list(header.contigs), region.chrom)
    if contig is None:
        raise InputError(f"{genotypes.name}: has no chromosome {region.chrom}: give genotypes of the region")
    chosen = sample or (header.samples[0] if len(header.samples) == 1 else None)
    if chosen not in header.samples:
        raise InputError(
            f"{genotypes.name}: holds {len(header.samples)} people: say whom to simulate (--sample)"
        )
    vcf = open_vcf(genotypes, samples=[chosen])
    changes: list[Change] = []
    for record in records(genotypes, vcf):
        first, end = record.POS - 1, record.POS - 1 + len(record.REF)
        if contig != record.CHROM or first < region.start or end > region.end:
            continue
        alleles = [record.REF, *record.ALT]
        cells = [int(a) for a in record.genotype.array()[0, :-1] if a != -2]
        own = [alleles[a].upper() for a in cells if a >= 0]
        if len(own) != 2 or any(set(text) - set("ACGT") for text in own):
            left_out["not two plain alleles"] += 1
        elif sequence[first - start : end - start] != record.REF.upper().encode():
            raise InputError(
                f"{genotypes.name}: {record.CHROM}:{record.POS} has REF {record.REF[:20]}, which is not what "
                "the FASTA says: give the reference that the file was made with"
            )
        elif changes and first < changes[-1].end:
            left_out["overlaps the one before"] += 1
        elif any(text != record.REF.upper() for text in own):
            phased = bool(record.genotype.array()[0, -1])
            turn = not phased and rng.random() < 0.5
            changes.append(Change(first, end, (own[turn], own[1 - turn])))
    vcf.close()
    return changes


def _added(
    region: Region,
    start: int,
    sequence: bytes,
    known: list[Change],
    per_kb: float,
    rng: np.random.Generator,
) -> list[Change]:
    free = np.ones(region.end - region.start + 1, bool)
    for change in known:
        free[max(0, change.start - APART - region.start + 1) : change.end + APART - region.start + 1] = False
    added: list[Change] = []
    wanted = rng.poisson(per_kb * len(free) / 1000)
    margin = LONGEST_INDEL + APART
    for place in np.sort(rng.integers(margin, max(margin + 1, len(free) - margin), wanted)).tolist():
        at = region.start - 1 + place
        new = _new_change(at, sequence[at - start : at - start + 4 * LONGEST_INDEL].decode(), rng)
        if new is None:
            continue
        around = slice(place - APART, new.end - region.start + 1 + APART)
        if free[around].all():
            free[around] = False
            added.append(new)
    return added


def _new_change(at: int, there: str, rng: np.random.Generator) -> Change | None:
    """A variant at base ``at`` (0-based), where ``there`` starts; None where the reference is unknown."""
    if len(there) < 2 * LONGEST_INDEL or set(there[: 2 * LONGEST_INDEL]) - set("ACGT"):
        return None
    if rng.random() < ADDED_MNPS:
        length = int(rng.integers(2, 5))
        others = ["ACGT".replace(base, "") for base in there[:length]]
        alternatives = ["".join(str(rng.choice(list(other))) for other in others)]
        end = at + length
    else:
        indels = [_new_indel(there, rng) for _ in range(1 + (rng.random() < TWO_ALTERNATIVES))]
        deleted = max(cut for cut, _ in indels)
        end = at + 1 + deleted
        alternatives = [there[0] + text + there[1 + cut : 1 + deleted] for cut, text in indels]
    ref = there[: end - at]
    if len(set(alternatives)) == 2:
        return Change(at, end, (alternatives[0], alternatives[1]))
    if rng.random() < HOMOZYGOUS:
        return Change(at, end, (alternatives[0], alternatives[0]))
    return Change(at, end, (ref, alternatives[0]) if rng.random() < 0.5 else (alternatives[0], ref))


def _new_indel(there: str, rng: np.random.Generator) -> tuple[int, str]:
    """Bases deleted after the first, and bases inserted in their place; one of the two is nothing."""
    lengths = np.arange(1, LONGEST_INDEL + 1)
    chances = lengths**-LENGTH_EXPONENT
    length = int(rng.choice(lengths, p=chances / chances.sum()))
    insertion = rng.random() < 0.5
    if rng.random() < IN_REPEATS:
        unit = there[1 : 1 + _unit_of(there[1:])]
        length = max(1, length // len(unit)) * len(unit)
        text = unit * (length // len(unit))
    else:
        text = "".join(rng.choice(list("ACGT"), length))
    return (0, text) if insertion else (length, "")


def _unit_of(text: str) -> int:
    """Length of the unit, of up to ``LONGEST_UNIT`` bases, that is repeated over most bases from here on."""

    def repeated(length: int) -> int:
        same = length
        while same < len(text) and text[same] == text[same - length]:
            same += 1
        return same if same >= 2 * length else 1

    return max(range(1, LONGEST_UNIT + 1), key=lambda length: (repeated(length), -length))


def write_truth(out: Path, person: Person, name: str, length: int) -> int:
    """Write the person's variants, normalised and phased, with an index; returns how many records there are.

    length: of the whole chromosome.
    """
    rows = sorted(row for change in person.changes for row in _records_of(person, change))
    header = [
        "##fileformat=VCFv4.3",
        f"##contig=<ID={person.contig},length={length}>",
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype, phased">',
        f"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{name}",
    ]
    with written_whole(out) as unfinished, BgzfWriter(unfinished) as file:
        file.write(("\n".join(header) + "\n").encode())
        for pos, ref, alt, genotype in rows:
            line = [person.contig, str(pos), ".", ref, alt, ".", "PASS", ".", "GT", genotype]
            file.write(("\t".join(line) + "\n").encode())
    make_index(out, out.with_name(f"{out.name}.tbi"))
    return len(rows)


def _records_of(person: Person, change: Change) -> list[tuple[int, str, str, str]]:
    """One record for a change; two alternative alleles stay together as they come."""
    first = change.start - person.start
    ref = person.sequence[first : change.end - person.start].decode()
    alts = sorted({text for text in change.texts if text != ref})
    genotype = "|".join(str(alts.index(text) + 1 if text in alts else 0) for text in change.texts)
    if len(alts) == 2:
        return [(change.start + 1, ref, ",".join(alts), genotype)]
    pos, ref, alt = normalised(person.sequence, person.start, change.start + 1, ref, alts[0])
    return [(pos, ref, alt, genotype)]
