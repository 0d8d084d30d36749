"""A panel's file with the recommended people alone."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pysam.bcftools

from deepcohort.genome.files import written_whole
from deepcohort.genome.samples import read_panel_samples, require_people, write_samples
from deepcohort.genome.vcf import index_beside, read_header


def subset_panel(panel: Path, samples: Path, out: Path) -> None:
    """Write the genotypes of the people whom ``samples`` names, in its order, to ``out`` (.vcf.gz).

    Its index is made too; AC and AN are counted anew. Raises ``InputError`` where the panel lacks people.
    """
    header = read_header(panel)
    names = read_panel_samples(samples).names
    require_people(panel, header.samples, names)
    with TemporaryDirectory(dir=out.parent) as folder, written_whole(out) as unfinished:
        people = Path(folder) / "people.txt"
        write_samples(people, names)
        pysam.bcftools.view(
            "--no-version", "-S", str(people), "-Oz", "-o", str(unfinished), str(panel), catch_stdout=False
        )
    index_beside(out, max((length or 0 for length in header.contigs.values()), default=0))
