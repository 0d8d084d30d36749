"""Public files as they are: missing indexes, stale headers, haploid men, other builds."""

import os
import time
from pathlib import Path

import pytest

from deepcohort.genome.errors import InputError
from deepcohort.genome.maps import read_genetic_map
from deepcohort.inputs.checks import check_genotypes, write_check
from deepcohort.inputs.plan import plan_imputation, read_checked

DATA = Path(os.environ.get("DEEPCOHORT_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
QUILT = "imputation/quilt_chr20_100kb_lowcov/ALL.chr20_GRCh38.genotypes.20170504.chr20.2000001.2100000.vcf.gz"
SHAPEIT4 = "expression/1000g_eur_chr20_shapeit4"
PAR1 = "imputation/PAR1.1000G_phase1.1092.phased.bcf"

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"real data is not there: {DATA} (set DEEPCOHORT_DATA)"),
]


def checked(folder, kind, name):
    file = DATA / name
    sites, report = folder / f"{kind}.sites.bcf", folder / f"{kind}.check.json"
    index = next((f for s in ("csi", "tbi") if (f := file.with_name(f"{file.name}.{s}")).exists()), None)
    out_index = folder / f"{kind}{index.suffix if index else '.csi'}"
    check = check_genotypes(
        file, panel=kind == "panel", name=kind, index=index, out_sites=sites, out_index=out_index
    )
    write_check(check, report)
    return check, read_checked([sites], [report])[0]


def plan(folder, panel, target):
    planned = plan_imputation([checked(folder, "panel", panel)[1]], [checked(folder, "target", target)[1]])
    return planned, {what: count for _, what, count in planned.counts}


def test_a_panel_of_2504_people_is_checked_in_seconds(tmp_path):
    started = time.process_time()
    check, _ = checked(tmp_path, "panel", "imputation/chr15.MEGF11.2504.phased.bcf")
    assert time.process_time() - started < 10
    assert (check.records, len(check.samples), check.phased) == (11_251, 2_504, 1.0)
    assert (check.contigs, check.build) == ({"15": "15"}, "GRCh37")


def test_par1_of_a_target_of_all_of_x(tmp_path):
    planned, counts = plan(tmp_path, PAR1, "imputation/target.26.small.chrX.unphased.vcf.gz")
    assert counts["shared"] == counts["same"] == 1_460
    assert counts["dropped_outside_panel"] + counts["dropped_not_in_panel"] == 51_608 - 1_460
    assert sum(chunk.panel_sites for chunk in planned.chunks) == 39_198
    assert {chunk.flag for chunk in planned.chunks} == {"ok"}


def test_a_target_without_contig_lines_and_without_gt_line(tmp_path):
    _, counts = plan(
        tmp_path,
        "imputation/hapmap2_CEU_chr20/hapmap_r22.chr20.CEU.hg19.recode.bcf",
        "imputation/hapmap2_CEU_chr20/target.51.chr20.330k.unphased.vcf.gz",
    )
    assert counts["shared"] == 7_746


@pytest.mark.parametrize("target", ["unphased", "scaffold"])
def test_targets_of_the_same_people_partly_phased_or_with_missing_genotypes(tmp_path, target):
    check, _ = checked(tmp_path, "target", f"{SHAPEIT4}/{target}.vcf.gz")
    assert 0 < check.phased < 1
    _, counts = plan(tmp_path, f"{SHAPEIT4}/reference.vcf.gz", f"{SHAPEIT4}/{target}.vcf.gz")
    assert counts["shared"] == counts["same"] >= 2_173


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (f"{SHAPEIT4}/unphased.vcf.gz", "the genotype of NA12878 at 20:1017286 is not phased"),
        (f"{SHAPEIT4}/scaffold.vcf.gz", "the genotype of NA20544 at 20:1000838 is missing"),
        ("population/refrgim_example_10GBR.vcf.gz", "compressed by plain gzip, which cannot be indexed"),
    ],
)
def test_files_that_are_no_panel(tmp_path, name, message):
    with pytest.raises(InputError, match=message):
        checked(tmp_path, "panel", name)


def test_grch38_against_grch37_without_lengths(tmp_path):
    with pytest.raises(InputError, match=r"look like different genome builds .*: of 4,701 positions"):
        plan(
            tmp_path,
            "imputation/1KG_phase1_chr22.1092.19773.phased.bcf",
            "imputation/1000GP.chr22.noNA12878.s.bcf",
        )


def test_grch37_against_grch38_whose_header_kept_the_lengths_of_grch37(tmp_path):
    check, _ = checked(tmp_path, "panel", QUILT)
    assert check.build == "GRCh37"
    with pytest.raises(InputError, match="look like different genome builds on chromosome 20"):
        plan(tmp_path, QUILT, f"{SHAPEIT4}/unphased.vcf.gz")


@pytest.mark.parametrize(
    ("name", "chrom", "points", "rate"),
    [
        ("chr15.b37.gmap.gz", "chr15", 93_109, 1.72),
        ("chr22.b37.gmap.gz", "22", 45_329, 2.11),
        ("chrX_par1.b37.gmap.gz", "X", 1_383, 8.19),
        ("quilt_chr20_100kb_lowcov/CEU-chr20-final.b38.txt.gz", "20", 38_533, 1.53),
    ],
)
def test_genetic_maps(name, chrom, points, rate):
    genetic_map = read_genetic_map(DATA / "imputation" / name, chrom)
    assert len(genetic_map.pos) == points
    assert genetic_map.mean_rate * 1e6 == pytest.approx(rate, abs=0.01)


def test_a_folder_of_many_things_gives_the_map():
    assert len(read_genetic_map(DATA / "imputation", "X").pos) == 1_383
