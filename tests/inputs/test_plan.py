import csv
import random

import pytest

from deepcohort.genome.errors import InputError
from deepcohort.genome.regions import parse_regions
from deepcohort.inputs.checks import check_genotypes, write_check
from deepcohort.inputs.chunks import ChunkSize
from deepcohort.inputs.plan import plan_imputation, read_checked
from deepcohort.inputs.plan_tables import PlanFiles, write_plan
from tests.genotypes import write_vcf

SITES = [(1000 + 10 * i, *("AG", "CT", "AC", "GT")[i % 4]) for i in range(1000)]
TYPED = SITES[::10]
SMALL = ChunkSize(variants=300, bases=5000, overlap_bases=500, overlap_typed=5)
GRCH37, GRCH38 = 63_025_520, 64_444_167


def records(sites, contig, people):
    return [(contig, position, ref, alt, ["0|1"] * people) for position, ref, alt in sites]


def checked(folder, name, sites, contig="20", length=None, people=("a", "b")):
    """A file of these sites that went through its check, ready to be planned with."""
    rows = sites if isinstance(sites[0][0], str) else records(sites, contig, len(people))
    contigs = {row[0]: length for row in rows}
    file = write_vcf(folder / f"{name}.vcf.gz", rows, people, contigs)
    sites_file, report = folder / f"{name}.sites.bcf", folder / f"{name}.check.json"
    check = check_genotypes(
        file,
        panel=name.startswith("panel"),
        name=name,
        index=None,
        out_sites=sites_file,
        out_index=folder / f"{name}.vcf.gz.csi",
    )
    write_check(check, report)
    return read_checked([sites_file], [report])[0]


def counts(plan, chrom="20"):
    return {what: count for where, what, count in plan.counts if where == chrom}


def refused(panels, targets, **options):
    with pytest.raises(InputError) as error:
        plan_imputation(panels, targets, size=SMALL, **options)
    return str(error.value)


def test_a_plan_covers_the_panel_once_and_the_people_in_order(tmp_path):
    panel = checked(tmp_path, "panel", SITES, "chr20")
    people = [f"Zoë{i}" for i in range(7)]
    target = checked(tmp_path, "target", TYPED, "20", people=people)
    plan = plan_imputation([panel], [target], size=SMALL, batch_size=3)
    assert [len(batch) for batch in plan.batches] in ([2, 2, 3], [2, 3, 2], [3, 2, 2])
    assert [person for batch in plan.batches for person in batch] == people
    cores = sorted((chunk.start, chunk.end) for chunk in plan.chunks)
    assert [sum(a <= p <= b for a, b in cores) for p, _, _ in SITES] == [1] * len(SITES)
    assert sum(chunk.panel_sites for chunk in plan.chunks) == len(SITES)
    assert [chunk.cost for chunk in plan.chunks] == sorted((c.cost for c in plan.chunks), reverse=True)
    for chunk in plan.chunks:
        inside = [p for p, _, _ in TYPED if chunk.padded_start <= p <= chunk.padded_end]
        assert chunk.typed_sites == len(inside)
        assert chunk.cost == sum(chunk.padded_start <= p <= chunk.padded_end for p, _, _ in SITES)
        assert (chunk.panel, chunk.panel_contig) == ("panel", "chr20")
        assert (chunk.target, chunk.target_contig, chunk.chrom) == ("target", "20", "20")
        assert chunk.flag == "ok"
    assert counts(plan)["same"] == len(TYPED)
    assert counts(plan)["contig_renamed"] == 1
    assert counts(plan)["chunks"] == len(plan.chunks) == 4


def test_the_tables_are_written_as_planned(tmp_path):
    panel, target = checked(tmp_path, "panel", SITES), checked(tmp_path, "target", TYPED, people=["B C", "ü"])
    plan = plan_imputation([panel], [target], size=SMALL, batch_size=1)
    names = ("c.tsv", "b", "h.tsv", "qc.tsv", "f.tsv", "p.tsv", "excluded.txt")
    write_plan(plan, "cohort", PlanFiles(*(tmp_path / name for name in names)))
    with (tmp_path / "c.tsv").open(encoding="utf-8") as table:
        rows = list(csv.DictReader(table, delimiter="\t"))
    where = ["chunk", "chrom", "start", "end", "padded_start", "padded_end"]
    files = ["panel", "panel_contig", "target", "target_contig"]
    assert list(rows[0]) == [*where, *files, "panel_sites", "typed_sites", "flag", "cost"]
    assert [row["chunk"] for row in rows] == [chunk.chunk for chunk in plan.chunks]
    names = sorted((tmp_path / "b").iterdir())
    assert [path.name for path in names] == ["batch_0001.txt", "batch_0002.txt"]
    assert [path.read_text("utf-8") for path in names] == ["B C\n", "ü\n"]
    assert (
        (tmp_path / "h.tsv")
        .read_text()
        .startswith("cohort\tchrom\twhat\tcount\ncohort\t20\ttarget_sites\t100\n")
    )
    sites = "chrom pos ref alt reason target_af panel_af chi_square missing".replace(" ", "\t")
    assert (tmp_path / "qc.tsv").read_text() == f"{sites}\n"
    assert (tmp_path / "f.tsv").read_text() == "chrom\ttarget_af\tpanel_af\tsites\n20\t0.51\t0.51\t100\n"
    assert (tmp_path / "p.tsv").read_text() == "person\treason\tother\tvalue\n"
    assert (tmp_path / "excluded.txt").read_text() == ""


def test_every_way_of_matching_is_counted(tmp_path):
    typed = list(TYPED)
    typed[0] = (typed[0][0], typed[0][2], typed[0][1])
    typed[2] = (typed[2][0], "T", "C")  # A>G on the other strand
    typed[4] = (typed[4][0], "A", "T")
    typed += [(500, "A", "C"), (1001, "A", "C"), (TYPED[-1][0] + 999, "A", "C")]
    target = checked(tmp_path, "target", sorted(typed))
    found = counts(plan_imputation([checked(tmp_path, "panel", SITES)], [target], size=SMALL))
    assert found["target_sites"] == 103
    assert found["panel_sites"] == 1000
    assert (found["shared"], found["same"], found["swapped"], found["flipped"]) == (99, 97, 1, 1)
    assert (found["dropped_alleles"], found["dropped_not_in_panel"], found["dropped_outside_panel"]) == (
        1,
        1,
        2,
    )


def test_multi_allelic_sites_are_matched_for_each_alt(tmp_path):
    rows = [("20", p, "A", "C,G", ["0|1", "1|2"]) for p in range(1000, 3000, 10)]
    target = [("20", p, "A", "G", ["0/1", "0/0"]) for p in range(1000, 3000, 50)]
    plan = plan_imputation(
        [checked(tmp_path, "panel", rows)], [checked(tmp_path, "target", target)], size=SMALL
    )
    assert counts(plan)["panel_sites"] == 400
    assert counts(plan)["shared"] == 40
    assert all(chunk.panel_sites <= SMALL.variants for chunk in plan.chunks)


def test_a_panel_record_without_alt_is_counted(tmp_path):
    rows = [*records(SITES, "20", 2), ("20", 90_000, "A", ".", ["0|0", "0|0"])]
    plan = plan_imputation(
        [checked(tmp_path, "panel", rows)], [checked(tmp_path, "target", TYPED)], size=SMALL
    )
    assert counts(plan)["panel_without_alt"] == 1
    assert max(chunk.end for chunk in plan.chunks) == SITES[-1][0]


def test_a_chunk_without_typed_sites_is_kept_and_flagged(tmp_path):
    panel = checked(tmp_path, "panel", [*SITES, *[(p + 50_000, r, a) for p, r, a in SITES]])
    plan = plan_imputation([panel], [checked(tmp_path, "target", TYPED)], size=SMALL)
    flags = {chunk.flag for chunk in plan.chunks if chunk.start > 50_000}
    assert flags == {"untyped"}
    assert {chunk.flag for chunk in plan.chunks if chunk.end < 11_000} == {"ok"}
    assert counts(plan)["untyped_chunks"] == sum(chunk.flag == "untyped" for chunk in plan.chunks) > 0


def test_regions_limit_the_work(tmp_path):
    panel, target = checked(tmp_path, "panel", SITES), checked(tmp_path, "target", TYPED)
    regions = parse_regions("chr20:2000-2999,20:5000-5500")
    plan = plan_imputation([panel], [target], size=SMALL, regions=regions)
    assert sorted((c.start, c.end) for c in plan.chunks) == [(2000, 2999), (5000, 5500)]
    assert min(c.padded_start for c in plan.chunks) < 2000


def test_chromosomes_come_from_their_own_files(tmp_path):
    panels = [checked(tmp_path, "panel.20", SITES, "20"), checked(tmp_path, "panel.X", SITES[:500], "chrX")]
    both = [*records(TYPED, "20", 2), *records(TYPED[:50], "X", 2)]
    plan = plan_imputation(panels, [checked(tmp_path, "target", both)], size=SMALL)
    assert {(c.chrom, c.panel) for c in plan.chunks} == {("20", "panel.20"), ("X", "panel.X")}


def test_regions_leave_out_what_the_panel_lacks(tmp_path):
    both = [*records(TYPED, "20", 2), *records(TYPED, "MT", 2)]
    panels, targets = [checked(tmp_path, "panel", SITES)], [checked(tmp_path, "target", both)]
    message = refused(panels, targets)
    assert message == (
        "target.vcf.gz: has chromosome MT, which the panel lacks (it has 20): add it to the panel or leave "
        "it out (--regions 20)"
    )
    plan = plan_imputation(panels, targets, size=SMALL, regions=parse_regions("20"))
    assert {chunk.chrom for chunk in plan.chunks} == {"20"}


def test_a_panel_of_other_chromosomes_is_refused(tmp_path):
    message = refused([checked(tmp_path, "panel", SITES, "21")], [checked(tmp_path, "target", TYPED, "20")])
    assert (
        message == "target.vcf.gz: has chromosome 20, which the panel lacks (it has 21): add it to the panel"
    )


def test_a_region_elsewhere_is_refused(tmp_path):
    panels, targets = [checked(tmp_path, "panel", SITES)], [checked(tmp_path, "target", TYPED)]
    message = refused(panels, targets, regions=parse_regions("20:500000-600000"))
    assert message.startswith(
        "--regions 20:500000-600000: panel.vcf.gz has no site there (it spans 1,000-10,990)"
    )
    message = refused(panels, targets, regions=parse_regions("7"))
    assert message.startswith("--regions names 7, but target.vcf.gz has records of 20 only")


def test_files_of_other_people_are_refused(tmp_path):
    panels = [checked(tmp_path, "panel.20", SITES), checked(tmp_path, "panel.21", SITES, "21")]
    targets = [
        checked(tmp_path, "target1", TYPED, "20", people=["a", "b"]),
        checked(tmp_path, "target2", TYPED, "21", people=["a", "c"]),
    ]
    assert refused(panels, targets).startswith(
        "target2.vcf.gz: not the same people as in target1.vcf.gz of the same cohort (2 differ, as b)"
    )


def test_the_order_of_people_may_differ_between_files(tmp_path):
    panels = [checked(tmp_path, "panel.20", SITES), checked(tmp_path, "panel.21", SITES, "21")]
    targets = [
        checked(tmp_path, "target1", TYPED, "20", people=["b", "a"]),
        checked(tmp_path, "target2", TYPED, "21", people=["a", "b"]),
    ]
    assert plan_imputation(panels, targets, size=SMALL).batches == [["b", "a"]]


def test_one_chromosome_in_two_files_is_refused(tmp_path):
    panel = checked(tmp_path, "panel", SITES)
    targets = [checked(tmp_path, "t1", TYPED, "20"), checked(tmp_path, "t2", TYPED, "chr20")]
    assert refused([panel], targets).startswith("t2.vcf.gz: has chromosome 20, which t1.vcf.gz has too")
    panels = [panel, checked(tmp_path, "panel2", SITES)]
    assert "has chromosome 20, which panel.vcf.gz has too" in refused(panels, targets[:1])


def test_a_panel_of_another_stretch_is_refused(tmp_path):
    far = [(position + 10**6, ref, alt) for position, ref, alt in TYPED]
    message = refused([checked(tmp_path, "panel", SITES)], [checked(tmp_path, "target", far)])
    assert "no site lies where the panel is: on chromosome 20 the target spans 1,001,000-1,010,900" in message
    assert "panel.vcf.gz 1,000-10,990" in message


def test_a_panel_without_any_alt_is_refused(tmp_path):
    rows = [("20", 1000 + i, "A", ".", ["0|0", "0|0"]) for i in range(9)]
    message = refused([checked(tmp_path, "panel", rows)], [checked(tmp_path, "target", TYPED)])
    assert "panel.vcf.gz: no record of chromosome 20 has an ALT" in message


def test_no_shared_site_is_refused(tmp_path):
    beside = [(position + 1, ref, alt) for position, ref, alt in TYPED[:30]]
    message = refused([checked(tmp_path, "panel", SITES)], [checked(tmp_path, "target", beside)])
    assert message.startswith("target.vcf.gz: no site in common with panel.vcf.gz on chromosome 20")
    assert "of 30 positions within the panel's span the panel has 0 (3 would be there by chance)" in message


def lifted(n, seed=1):
    """Sites of some other build: positions and alleles have nothing to do with the panel's."""
    draw = random.Random(seed)
    return [
        (p, *draw.choice(["AG", "CT", "GA", "TC", "AC", "GT"]))
        for p in sorted(draw.sample(range(1000, 10_990), n))
    ]


def test_another_build_is_seen_without_lengths_by_strange_positions(tmp_path):
    message = refused([checked(tmp_path, "panel", SITES)], [checked(tmp_path, "target", lifted(150))])
    assert "target.vcf.gz and panel.vcf.gz look like different genome builds on chromosome 20" in message
    assert "lift the target over to the panel's build" in message


def test_another_build_is_seen_without_lengths_by_alleles(tmp_path):
    dense = [(position, *alleles[1:]) for (position, _, _), alleles in zip(SITES, lifted(1000), strict=True)]
    message = refused([checked(tmp_path, "panel", SITES)], [checked(tmp_path, "target", dense)])
    assert "look like different genome builds" in message
    assert "of 1,000 positions within the panel's span the panel has 1,000" in message


def test_another_build_is_seen_by_the_headers_where_sites_are_few(tmp_path):
    panel = checked(tmp_path, "panel", SITES, length=GRCH38)
    message = refused([panel], [checked(tmp_path, "target", TYPED[:5], length=GRCH37)])
    assert "by their headers chromosome 20 has 63,025,520 bases (GRCh37) in the target" in message
    assert "64,444,167 bases (GRCh38) in the panel" in message


def test_sites_that_agree_outweigh_a_stale_header(tmp_path):
    panel = checked(tmp_path, "panel", SITES, length=GRCH38)
    plan = plan_imputation([panel], [checked(tmp_path, "target", TYPED, length=GRCH37)], size=SMALL)
    assert counts(plan)["header_lengths_differ"] == 1


def test_an_array_on_the_other_strand_is_no_other_build(tmp_path):
    strand = str.maketrans("ACGT", "TGCA")
    flipped = [(p, a.translate(strand), r.translate(strand)) for p, r, a in TYPED]
    plan = plan_imputation(
        [checked(tmp_path, "panel", SITES)], [checked(tmp_path, "target", flipped)], size=SMALL
    )
    assert counts(plan)["flipped_swapped"] == len(TYPED)


def test_a_sparse_panel_of_the_same_build_is_no_other_build(tmp_path):
    # The panel has one in a hundred of the target's sites, yet far more than chance would have it.
    sparse = [(1000 + 1000 * i, "A", "G") for i in range(60)]
    dense = [(1000 + 10 * i, "A", "G") for i in range(6000)]
    plan = plan_imputation(
        [checked(tmp_path, "panel", sparse)], [checked(tmp_path, "target", dense)], size=SMALL
    )
    assert counts(plan)["shared"] == 60
