"""Genotype files looked through once: refused in one sentence, or summed up for the tasks that follow."""

import gzip
import json
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import numpy as np
import pysam.bcftools
from numpy.typing import NDArray

from deepcohort.genome.builds import build_of
from deepcohort.genome.errors import InputError
from deepcohort.genome.files import written_whole
from deepcohort.genome.genotypes import PAD, Counts, genotypes_of
from deepcohort.genome.likelihoods import has_likelihoods_only
from deepcohort.genome.progress import progress
from deepcohort.genome.regions import chrom_key
from deepcohort.genome.samples import require_people
from deepcohort.genome.vcf import (
    Header,
    Order,
    indexed_contigs,
    indexed_records,
    make_index,
    open_vcf,
    read_header,
    records,
    require_whole_bgzf,
)
from deepcohort.inputs.men import MenOnX
from deepcohort.inputs.people import Sketch
from deepcohort.inputs.reference import RefComparison

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

INDELS_AS_LETTERS = {"I", "D", "R", "0", "-"}


@dataclass
class Check:
    """What a genotype file holds; written as check.json.

    ``contigs`` and ``lengths`` are of the contigs that have records. ``phased`` is the fraction of
    heterozygous genotypes that are phased (of all diploid ones where nobody is heterozygous).
    ``missing`` counts genotypes with a missing allele, ``missing_by_sample`` each person's.
    ``ref_compared`` records were held against the reference, and REF of ``ref_differs`` was another.
    ``likelihoods`` tells that there are likelihoods (PL or GL) and no genotypes: all counts are then of the
    likeliest genotypes. ``dropped`` counts records by the reason for which no later step can use them;
    ``notes`` are sentences for the report.
    """

    name: str
    file: str
    contigs: dict[str, str] = field(default_factory=dict)
    lengths: dict[str, int | None] = field(default_factory=dict)
    build: str | None = None
    samples: list[str] = field(default_factory=list)
    records: int = 0
    phased: float = 0.0
    haploid_genotypes: int = 0
    missing: int = 0
    missing_by_sample: list[int] = field(default_factory=list)
    ref_compared: int = 0
    ref_differs: int = 0
    likelihoods: bool = False
    dropped: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def check_genotypes(
    path: Path,
    *,
    panel: bool,
    name: str,
    index: Path | None,
    out_sites: Path,
    out_index: Path,
    out_people: Path | None = None,
    only: list[str] | None = None,
    fasta: Path | None = None,
    threads: int = 1,
) -> Check:
    """Read a VCF or BCF once, write its index and a sites-only BCF with AC and AN, return what it holds.

    ``out_people`` takes a sample of the genotypes by which people are told apart (``people.Sketch``).
    ``only`` names the people who are looked at; the others are as if they were not in the file. A
    panel must be phased and complete; a target may be unphased and have missing genotypes. Haploid
    genotypes are welcome in both. An index that is missing or of another file is made anew and noted.
    With ``fasta``, a reference with its .fai beside it, REF is compared with it. Memory does not grow with
    the number of records.

    Raises ``InputError`` for files that are not bgzipped, truncated, damaged, unsorted or empty, have no
    samples, one sample twice, one chromosome by two names, or a record without GT; for panels also for an
    unphased heterozygous or a missing genotype, or likelihoods in place of genotypes; for targets where some
    records have genotypes and others likelihoods only; and where REF is not that of the reference.
    """
    require_whole_bgzf(path)
    header = read_header(path)
    _require_samples(path, header)
    if only is not None:
        require_people(path, header.samples, only)
        header = replace(header, samples=[name for name in header.samples if name in set(only)])
    check = Check(name=name, file=path.name, samples=header.samples)
    _provide_index(path, header, index, out_index, check, threads)
    tally = _Tally(path, header.samples, panel=panel)
    men = MenOnX(len(header.samples), build_of(header.contigs))
    sketch = Sketch(len(header.samples))
    order = Order(path)
    reference = None if fasta is None else RefComparison(path, fasta, panel=panel)
    expected = indexed_records(out_index)
    with _bcf_from_text(out_sites) as sites, progress(f"Reading {path.name}", expected or 0) as bar:
        sites.write(_sites_header(_contigs(path, out_index, header)).encode())
        for record in records(path, open_vcf(path, samples=only, threads=threads)):
            order.check(record.CHROM, record.POS)
            if reference is not None:
                reference.add(order.number, record)
            genotypes = genotypes_of(path, record)
            counts = tally.add(record, genotypes)
            men.add(record, genotypes, counts)
            sketch.add(record, genotypes, counts)
            sites.write(_site_line(record, counts).encode())
            bar.update()
        if order.number == 0:
            raise InputError(f"{path.name}: empty: the VCF has a header but no record")
        if reference is not None:
            reference.finish()
    make_index(out_sites, out_sites.with_name(out_sites.name + ".csi"))
    if expected not in (None, order.number):
        make_index(path, out_index, threads=threads)
        check.notes.append(f"The index given with {path.name} is not of this file: another was made.")
    _sum_up(check, tally, order, header)
    check.notes += men.notes(path.name, header.samples)
    if out_people is not None:
        sketch.save(out_people)
    if reference is not None:
        check.ref_compared, check.ref_differs = reference.compared, reference.different
        check.notes += reference.notes(header.contigs)
    return check


def write_check(check: "DataclassInstance", path: Path) -> None:
    """Write the outcome of a check as JSON."""
    with written_whole(path) as unfinished:
        unfinished.write_text(json.dumps(asdict(check), ensure_ascii=False, indent=1), encoding="utf-8")


def _require_samples(path: Path, header: Header) -> None:
    if not header.samples:
        raise InputError(f"{path.name}: no samples: the VCF holds sites only, give one with genotypes")
    twice = [sample for sample, count in Counter(header.samples).items() if count > 1]
    if twice:
        raise InputError(
            f"{path.name}: sample '{twice[0]}' occurs twice in the header"
            f"{f' (as do {len(twice) - 1} more)' if len(twice) > 1 else ''}: rename or remove one "
            "(bcftools reheader -s)"
        )


def _provide_index(
    path: Path, header: Header, index: Path | None, out: Path, check: Check, threads: int
) -> None:
    """Put the given index, or a new one, where the tasks that follow expect it.

    A VCF whose header names no contig gets a new one in any case: its contigs are read from there.
    """
    usable = index is not None and index.suffix == out.suffix and indexed_records(index) is not None
    if index is not None and usable and header.contigs:
        if index.resolve() != out.resolve():
            with written_whole(out) as unfinished:
                shutil.copyfile(index, unfinished)
        return
    make_index(path, out, threads=threads)
    if index is None:
        check.notes.append(f"{path.name} had no index: one was made.")
    elif not usable:
        check.notes.append(f"The index {index.name} could not be used: another was made.")


def _contigs(path: Path, index: Path, header: Header) -> dict[str, int | None]:
    """Contigs of the header, and after them those that have records but no line in the header."""
    if path.suffix == ".bcf":
        return header.contigs
    return header.contigs | {
        contig: None for contig in indexed_contigs(path, index) if contig not in header.contigs
    }


@contextmanager
def _bcf_from_text(out: Path) -> Iterator[BinaryIO]:
    """Take VCF text and leave it as a BCF: htslib's record builders refuse sites without ALT."""
    with written_whole(out) as unfinished:
        text = unfinished.with_name(f"{unfinished.name}.vcf")
        try:
            with gzip.open(text, "wb", compresslevel=1) as lines:
                yield cast(BinaryIO, lines)
            pysam.bcftools.view("--no-version", "-Ob", "-o", str(unfinished), str(text), catch_stdout=False)
        finally:
            text.unlink(missing_ok=True)


def _sites_header(contigs: dict[str, int | None]) -> str:
    lines = ["##fileformat=VCFv4.3"]
    for contig, length in contigs.items():
        lines.append(f"##contig=<ID={contig}{f',length={length}' if length else ''}>")
    lines += [
        '##INFO=<ID=AC,Number=A,Type=Integer,Description="Copies of each ALT in the genotypes">',
        '##INFO=<ID=AN,Number=1,Type=Integer,Description="Alleles called in the genotypes">',
        '##INFO=<ID=MISSING,Number=1,Type=Integer,Description="Genotypes with a missing allele">',
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO",
    ]
    return "\n".join(lines) + "\n"


def _site_line(record: Any, counts: Counts) -> str:
    alt = ",".join(record.ALT) or "."
    info = f"AN={counts.called};MISSING={counts.missing}"
    if record.ALT:
        info = f"AC={','.join(map(str, counts.alt))};{info}"
    return f"{record.CHROM}\t{record.POS}\t{record.ID or '.'}\t{record.REF}\t{alt}\t.\t.\t{info}\n"


class _Tally:
    """Counts genotypes record by record, and refuses those that a panel must not have."""

    def __init__(self, path: Path, samples: list[str], *, panel: bool) -> None:
        self.path, self.samples, self.panel = path, samples, panel
        self.missing_by_sample: NDArray[np.int64] = np.zeros(len(samples), dtype=np.int64)
        self.haploid = self.heterozygous = self.phased_heterozygous = 0
        self.diploid = self.phased_diploid = 0
        self.without_alt = self.letters = 0
        self.with_likelihoods_only = self.with_both = 0

    def add(self, record: Any, genotypes: NDArray[np.int16]) -> Counts:
        """Take a record with its genotypes in."""
        self._add_likelihoods(record)
        alleles = genotypes[:, :-1]
        counts = np.bincount(alleles.ravel() + 2, minlength=len(record.ALT) + 3)
        missing = self._add_missing(record, alleles) if counts[1] else 0
        if alleles.shape[1] == 1:
            self.haploid += int(counts[2:].sum())
        else:
            self._add_diploid(record, genotypes, int(counts[0]))
        self.without_alt += not record.ALT
        self.letters += record.REF in INDELS_AS_LETTERS or bool(INDELS_AS_LETTERS.intersection(record.ALT))
        return Counts(counts[3:].tolist(), int(counts[2:].sum()), missing)

    def _add_likelihoods(self, record: Any) -> None:
        only = has_likelihoods_only(record)
        if only and self.panel:
            raise InputError(
                f"{self.path.name}: record {record.CHROM}:{record.POS} has likelihoods and no GT: a "
                "reference panel must have phased genotypes, so give another panel"
            )
        self.with_likelihoods_only += only
        self.with_both += not only and ("PL" in record.FORMAT or "GL" in record.FORMAT)

    def _add_missing(self, record: Any, alleles: NDArray[np.int16]) -> int:
        missing = (alleles == -1).any(axis=1)
        if self.panel:
            who = self.samples[int(missing.argmax())]
            raise InputError(
                f"{self.path.name}: the genotype of {who} at {record.CHROM}:{record.POS} is missing: "
                "a reference panel must be complete, so impute it (phasing programs do) or drop such records"
            )
        self.missing_by_sample += missing
        return int(np.count_nonzero(missing))

    def _add_diploid(self, record: Any, genotypes: NDArray[np.int16], pads: int) -> None:
        first, second, phased = genotypes[:, 0], genotypes[:, 1], genotypes[:, 2] == 1
        self.haploid += int(np.count_nonzero((second == PAD) & (first >= 0))) if pads else 0
        # Which haplotype carries what is open only where the two alleles differ: 0/0 is as good as 0|0.
        heterozygous = (first != second) & (first >= 0) & (second >= 0)
        unphased = heterozygous & ~phased
        if self.panel and unphased.any():
            person = int(unphased.argmax())
            raise InputError(
                f"{self.path.name}: the genotype of {self.samples[person]} at {record.CHROM}:{record.POS} is "
                f"not phased ({first[person]}/{second[person]}): a reference panel must be phased, so phase "
                "it first (with SHAPEIT, Eagle or Beagle) or give another panel"
            )
        n_heterozygous = int(np.count_nonzero(heterozygous))
        self.heterozygous += n_heterozygous
        self.phased_heterozygous += n_heterozygous - int(np.count_nonzero(unphased))
        if self.heterozygous == 0:
            self.diploid += int(np.count_nonzero(second != PAD))
            self.phased_diploid += int(np.count_nonzero(phased & (second != PAD)))

    @property
    def phased(self) -> float:
        """Fraction of genotypes whose phase is known, among those where it matters."""
        if self.heterozygous:
            return self.phased_heterozygous / self.heterozygous
        return self.phased_diploid / self.diploid if self.diploid else 1.0


def _sum_up(check: Check, tally: _Tally, order: Order, header: Header) -> None:
    for contig in order.contigs:
        check.contigs[chrom_key(contig)] = contig
        check.lengths[contig] = header.contigs.get(contig)
    check.build = build_of(header.contigs)
    check.records = order.number
    check.phased = round(tally.phased, 6)
    check.haploid_genotypes = tally.haploid
    check.missing = int(tally.missing_by_sample.sum())
    check.missing_by_sample = tally.missing_by_sample.tolist()
    if tally.letters:
        check.dropped["alleles_not_written_as_bases"] = tally.letters
    if 0 < tally.with_likelihoods_only < order.number:
        raise InputError(
            f"{check.file}: {tally.with_likelihoods_only:,} of {order.number:,} records have likelihoods and "
            "no GT, the others have GT: take GT out of all of them (bcftools annotate -x FORMAT/GT)"
        )
    check.likelihoods = tally.with_likelihoods_only > 0
    check.notes += _notes(check, tally)


def _notes(check: Check, tally: _Tally) -> list[str]:
    notes = []
    if check.likelihoods:
        notes.append(
            f"{check.file} has likelihoods of genotypes (PL, GL) and no GT: people are imputed from them, "
            "and what is counted here is of the likeliest genotypes."
        )
    elif tally.with_both and not tally.panel:
        notes.append(
            f"{check.file} has likelihoods beside GT, which is taken; without it (bcftools annotate "
            "-x FORMAT/GT) people are imputed from the likelihoods."
        )
    if tally.haploid:
        notes.append(
            f"{check.file} has {tally.haploid:,} haploid genotypes (as men have on X): kept haploid."
        )
    if tally.letters:
        notes.append(
            f"{check.file} has {tally.letters:,} records whose alleles are letters such as I, D or 0, not "
            "bases: they cannot be matched with a panel."
        )
    if tally.without_alt:
        notes.append(f"{check.file} has {tally.without_alt:,} records without ALT (everybody is like REF).")
    empty = [s for s, n in zip(check.samples, tally.missing_by_sample, strict=True) if n == check.records]
    if empty:
        shown = ", ".join(empty[:5]) + (f" and {len(empty) - 5} more" if len(empty) > 5 else "")
        notes.append(f"{check.file} has no genotype at all for {shown}: only panel frequencies can be given.")
    return notes
