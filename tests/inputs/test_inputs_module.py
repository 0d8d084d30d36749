"""The room's workflow alone: what the steps to come will take from it."""

import pytest

from tests.conftest import ROOT
from tests.inputs.test_reads import write_bam

pytestmark = pytest.mark.pipeline

CALLER = """
include { INPUTS } from './modules/inputs'

workflow {
    sheets = [input: params.input, panel: null, labels: null, truth: null]
    INPUTS(['call'], sheets, params.fasta, null, null, null, [:])
    INPUTS.out.reads.view { meta, bam, index -> "READS ${meta.values().join(' ')} ${bam.name} ${index.name}" }
    INPUTS.out.reference.view { fasta, indexes -> "REFERENCE ${fasta.name} ${indexes.name}" }
}
"""


def test_reads_and_reference_are_checked_and_indexed(nextflow):
    folder = nextflow.folder
    project = folder / "project"
    project.mkdir()
    (project / "main.nf").write_text(CALLER)
    for name in ("bin", "modules", "assets", "conf", "nextflow.config", ".venv"):
        (project / name).symlink_to(ROOT / name)
    write_bam(folder / "a b.bam", groups=("other",))
    write_bam(folder / "c.bam", groups=("c",))
    (folder / "c.bai").write_text("no index")
    (folder / "ref.fa").write_text(">20\nGATTACA\n")
    (folder / "samples.csv").write_text(
        "sample,file,index,sex\nZoë,a b.bam,,female\nc,c.bam,c.bai,\n", "utf-8"
    )
    done = nextflow("run", project / "main.nf", "--input", "samples.csv", "--fasta", "ref.fa")
    assert done.returncode == 0, done.stdout
    lines = [line for line in done.stdout.splitlines() if line.startswith(("READS", "REFERENCE"))]
    assert sorted(lines) == [
        "READS Zoë female a b.bam a b.bam.bai",
        "READS c  c.bam c.bam.bai",
        "REFERENCE ref.fa ref.fa.fai",
    ]
    check = next(folder.glob("work/*/*/Zoë.check.json")).read_text("utf-8")
    assert "a b.bam calls the sample other; the sheet's name Zoë is used." in check
