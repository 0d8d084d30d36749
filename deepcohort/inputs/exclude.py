"""Sites taken out of a genotype file, so that no later task sees them."""

from pathlib import Path

import pysam.bcftools

from deepcohort.genome.files import written_whole
from deepcohort.genome.vcf import make_index


def exclude_sites(file: Path, excluded: Path, out: Path, threads: int = 1) -> None:
    """Copy a VCF or BCF without the records at excluded positions (contig and position a line), and index it.

    The copy is of the kind that its name says. All records at such a position go, whatever their alleles.
    """
    form = "-Ob" if out.suffix == ".bcf" else "-Oz"
    chosen = ["-T", f"^{excluded}"] if excluded.stat().st_size else []
    with written_whole(out) as unfinished:
        options = ["--no-version", "--threads", str(threads), form, "-o", str(unfinished)]
        pysam.bcftools.view(*options, *chosen, str(file), catch_stdout=False)
    make_index(out, out.with_name(f"{out.name}.csi"), threads=threads)
