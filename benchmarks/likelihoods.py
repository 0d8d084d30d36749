"""Genotypes from reads of low coverage (``python -m benchmarks.likelihoods``): real 1x reads of NA12878.

Panel: 1000 Genomes without her, chr20:1.99-2.11 Mb of GRCh38; truth: her genotypes there. Beside the imputed
dosages stands what her reads say alone, each site by itself with the panel's frequency as prior.
"""

import gzip
from pathlib import Path
from typing import Annotated

import numpy as np
import pysam
import typer
from cyvcf2 import VCF
from numpy.typing import NDArray

from benchmarks.datasets import data_folder
from benchmarks.tables import show, write_table
from deepcohort.genome.bgzf import BgzfWriter
from deepcohort.genome.command import Device
from deepcohort.imputation.chunk import impute_chunk
from deepcohort.imputation.imputers import Imputer
from deepcohort.imputation.models import Settings, model
from deepcohort.imputation.panel import PanelChunk, pack_panel
from deepcohort.imputation.targets import TargetChunk, learnt_from, read_target
from deepcohort.inputs.reads_likelihoods import merge_likelihoods, write_likelihoods

app = typer.Typer(help=__doc__, add_completion=False)

READS = {"Illumina": "NA12878.illumina.1.0.bam", "ONT": "NA12878.ont.1.0.bam"}
REGION = "ALL.chr20_GRCh38.genotypes.20170504.chr20.2000001.2100000"
EDGES = {"all": 0.0, "MAF > 1 %": 0.01, "MAF > 5 %": 0.05}


def write_panel(source: Path, out: Path) -> None:
    """Write the panel, of two text files, as a VCF with its index."""
    with gzip.open(source / f"{REGION}.noNA12878.legend.gz", "rt") as legend:
        sites = [line.split() for line in legend][1:]
    with (
        gzip.open(source / f"{REGION}.noNA12878.hap.gz", "rt") as haplotypes,
        BgzfWriter(out) as to,
    ):
        for number, (row, (name, pos, ref, alt)) in enumerate(zip(haplotypes, sites, strict=True)):
            alleles = row.split()
            pairs = [f"{a}|{b}" for a, b in zip(alleles[0::2], alleles[1::2], strict=True)]
            if number == 0:
                names = "\t".join(f"p{i}" for i in range(len(pairs)))
                to.write(
                    b"##fileformat=VCFv4.3\n##contig=<ID=chr20,length=64444167>\n"
                    b'##FORMAT=<ID=GT,Number=1,Type=String,Description="">\n'
                )
                to.write(f"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{names}\n".encode())
            fields = ["chr20", pos, name, ref, alt, ".", ".", ".", "GT", *pairs]
            to.write(("\t".join(fields) + "\n").encode())
    pysam.tabix_index(str(out), preset="vcf", force=True)


def truth_of(source: Path, panel: PanelChunk) -> NDArray[np.int64]:
    """Her copies of ALT at the panel's sites, int64[S]; -1 where the file does not say."""
    known = {}
    for record in VCF(str(source / f"{REGION}.onlyNA12878.vcf.gz")):
        alleles = record.genotype.array()[0, :2]
        for number, alt in enumerate(record.ALT, 1):
            known[record.POS, record.REF, alt] = int((alleles == number).sum())
    sites = zip(panel.pos.tolist(), panel.ref, panel.alt, strict=True)
    return np.array([known.get(site, -1) for site in sites])


def alone(panel: PanelChunk, target: TargetChunk) -> NDArray[np.float64]:
    """Dosages by reads and frequency of each site alone, float64[S]."""
    p = panel.alt_frequency()[:, None]
    posterior = np.concatenate([(1 - p) ** 2, 2 * p * (1 - p), p**2], axis=1)
    assert target.likelihoods is not None
    posterior[target.typed] *= target.likelihoods[:, 0]
    return np.asarray((posterior @ [0, 1, 2]) / posterior.sum(axis=1))


@app.command()
def run(out: Annotated[Path, typer.Option(help="Folder for what is made.")]) -> None:
    """Squared correlation of dosage and truth over the sites of one person."""
    source = data_folder() / "imputation/quilt_chr20_100kb_lowcov"
    out.mkdir(parents=True, exist_ok=True)
    written = out / "panel.vcf.gz"
    write_panel(source, written)
    sites = out / "panel.sites.bcf"
    pysam.bcftools.view("-G", "-Ob", "-o", str(sites), str(written), catch_stdout=False)
    pysam.bcftools.index("-f", str(sites), catch_stdout=False)
    everywhere = (1, 2**31 - 1)
    panel = pack_panel(written, "chr20", everywhere, everywhere, None)
    copies, rows = truth_of(source, panel), []
    maf = np.minimum(panel.alt_frequency(), 1 - panel.alt_frequency())
    for kind, name in READS.items():
        likelihoods = out / f"{kind}.bcf"
        write_likelihoods(source / name, source / f"{name}.bai", "NA12878", [sites], None, likelihoods)
        merge_likelihoods([likelihoods], out / f"{kind}.cohort.bcf")
        target = read_target(out / f"{kind}.cohort.bcf", panel, ["NA12878"])
        settings = Settings(Imputer.copying, Device.cpu, 2, 1)
        typed = learnt_from(np.arange(panel.n_sites), panel.n_sites)
        trained = model(settings.imputer).train(panel, typed, settings)
        chances = impute_chunk(panel, target, trained, settings).chances.astype(float)
        for method, dosage in {
            "imputed": chances[:, 0] + 2 * chances[:, 1],
            "reads alone": alone(panel, target),
            "frequency alone": 2 * panel.alt_frequency(),
        }.items():
            row = {"reads": kind, "method": method, "sites with reads": str(len(target.typed))}
            for label, least in EDGES.items():
                asked = (copies >= 0) & (maf > least)
                r = np.corrcoef(dosage[asked], copies[asked])[0, 1]
                row |= {f"R2 {label}": f"{r**2:.3f}", f"sites {label}": str(int(asked.sum()))}
            het = (copies == 1) & (maf > 0.01)
            row["het right"] = f"{np.mean(np.abs(dosage[het] - 1) < 0.5):.3f}"
            rows.append(row)
    write_table(out / "likelihoods.tsv", rows)
    show(rows)


if __name__ == "__main__":
    app()
