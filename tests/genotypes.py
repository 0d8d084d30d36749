"""Small VCFs for tests, written as text and packed by bcftools' own bgzip."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pgenlib
import pysam.bcftools
from cyvcf2 import VCF

Record = tuple[str, int, str, str, Sequence[str]]


def vcf_text(
    records: Sequence[Record],
    samples: Sequence[str],
    contigs: dict[str, int | None] | None = None,
    form: str = "GT",
) -> str:
    """Text of a VCF; a record is (contig, position, REF, ALT, cells of the samples)."""
    if contigs is None:
        contigs = dict.fromkeys(record[0] for record in records)
    lines = ["##fileformat=VCFv4.2"]
    for name, length in contigs.items():
        lines.append(f"##contig=<ID={name}{f',length={length}' if length else ''}>")
    lines.append('##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">')
    lines.append('##FORMAT=<ID=DS,Number=A,Type=Float,Description="Dosage">')
    lines.append('##FORMAT=<ID=PL,Number=G,Type=Integer,Description="Likelihoods of genotypes">')
    columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO"]
    lines.append("\t".join([*columns, "FORMAT", *samples] if samples else columns))
    for contig, position, ref, alt, cells in records:
        fixed = [contig, str(position), ".", ref, alt, ".", ".", "."]
        lines.append("\t".join([*fixed, form, *cells] if samples else fixed))
    return "\n".join(lines) + "\n"


def bgzip(path: Path, text: str) -> Path:
    with pysam.BGZFile(str(path), "wb") as out:
        out.write(text.encode())
    return path


def write_vcf(
    path: Path,
    records: Sequence[Record],
    samples: Sequence[str],
    contigs: dict[str, int | None] | None = None,
    form: str = "GT",
) -> Path:
    """Write a bgzipped VCF, or a BCF where the name says so."""
    text = vcf_text(records, samples, contigs, form)
    if path.suffix != ".bcf":
        return bgzip(path, text)
    plain = path.with_suffix(".vcf")
    plain.write_text(text, encoding="utf-8")
    pysam.bcftools.view("--no-version", "-Ob", "-o", str(path), str(plain), catch_stdout=False)
    plain.unlink()
    return path


def write_plink(path: Path, vcf: Path) -> tuple[Path, Path, Path]:
    """A VCF's genotypes as PLINK 2 has them, half-calls as missing; returns .pgen, .pvar and .psam."""
    opened = VCF(str(vcf))
    records = [(record, record.genotype.array()) for record in opened]
    pgen, pvar, psam = (path.with_suffix(suffix) for suffix in (".pgen", ".pvar", ".psam"))
    with pgenlib.PgenWriter(
        str(pgen).encode(), len(opened.samples), variant_ct=len(records), nonref_flags=False,
        hardcall_phase_present=True, allele_ct_limit=max(len(record.ALT) for record, _ in records) + 1,
    ) as writer:  # fmt: skip
        for record, table in records:
            codes = np.where((table[:, :2] < 0).any(axis=1, keepdims=True), -9, table[:, :2])
            phased = np.ascontiguousarray(table[:, 2]).astype(np.uint8)
            writer.append_partially_phased(
                np.ascontiguousarray(codes, np.int32).ravel(), phased, allele_ct=len(record.ALT) + 1
            )
    rows = [
        f"{one.CHROM}\t{one.POS}\t{one.ID or '.'}\t{one.REF}\t{','.join(one.ALT)}\n" for one, _ in records
    ]
    contigs = [line + "\n" for line in opened.raw_header.splitlines() if line.startswith("##contig")]
    pvar.write_text("".join([*contigs, "#CHROM\tPOS\tID\tREF\tALT\n", *rows]))
    psam.write_text("".join(["#IID\n", *(f"{name}\n" for name in opened.samples)]))
    return pgen, pvar, psam
