"""The benchmark of callers: what it cuts, pools and prints."""

import subprocess

import numpy as np
import pytest

from benchmarks import callers
from benchmarks.callers import FOR_SHORT_READS, Caller, call
from benchmarks.timing import Cost
from benchmarks.variants import PROFILE, error_rows, table, write_overlap
from deepcohort.genome.regions import Region
from deepcohort.variants.error_profile import ErrorProfile
from deepcohort.variants.evaluation_table import COUNT_COLUMNS, VERDICTS


def test_a_bed_file_is_cut_to_the_region(tmp_path):
    (tmp_path / "a.bed").write_text("20\t0\t50\n20\t90\t150\n20\t180\t500\n21\t0\t900\n")
    cut = write_overlap(tmp_path / "a.bed", Region("20", 101, 200), tmp_path / "b.bed")
    assert cut.read_text() == "chr20\t100\t150\nchr20\t180\t200\n"


def counts(name, block, kind, right, wrong):
    key = dict(zip(COUNT_COLUMNS, (name, "chr20", str(block), "all", "all", kind), strict=False))
    found = dict.fromkeys(VERDICTS, "0") | {"truth_right": str(right), "calls_right": str(right)}
    return key | found | {"truth_wrong": str(wrong), "truth_genotype": "1"}


def test_seeds_are_pooled_and_types_told_apart():
    seeds = [[counts("a", 1, "snp", 8, 1), counts("a", 1, "insertion", 1, 0)], [counts("a", 2, "snp", 6, 3)]]
    (row,) = table("10x", seeds, {"a": (2.5, 0.125)})
    assert (row["truth"], row["genotype errors"], row["CPU s"], row["GB"]) == ("20", "2", "2.5", "0.12")
    assert row["recall"].startswith("0.7000 [")
    assert row["precision"] == "1.0000 [1.0000, 1.0000]"


def test_errors_of_two_profiles_stand_side_by_side():
    profile = ErrorProfile.load(PROFILE)
    rows = {(row["what"], row["at"]): row for row in error_rows({"real": profile, "simulated": profile})}
    assert all(row["real"] == row["simulated"] for row in rows.values())
    shares = [float(row["real"]) for (what, _), row in rows.items() if what == "share of the bases"]
    assert sum(shares) == pytest.approx(1, abs=0.01)
    seen = profile.substitutions.sum()
    right = np.trace(profile.substitutions.sum(axis=(0, 1)))
    assert float(rows["substitutions", "all"]["real"]) == pytest.approx(1 - right / seen, rel=0.01)


@pytest.mark.parametrize("caller", list(Caller))
def test_a_caller_runs_once_and_its_cost_is_that_of_all_its_programs(caller, tmp_path, monkeypatch):
    ran = []

    def timed(command, log):
        ran.append([str(part) for part in command])
        for part in ran[-1]:
            if part.startswith(str(tmp_path)) and part.endswith((".raw.vcf", ".bcf")):
                (tmp_path / part).touch()
        return Cost(2.0, 1.5, 0.25)

    def run(command, **options):
        assert options["check"]
        ran.append([str(part) for part in command])

    monkeypatch.setattr(callers, "timed", timed)
    monkeypatch.setattr(subprocess, "run", run)
    asked = (caller, tmp_path / "r.bam", tmp_path / "r.fa", "chr20:101-200", tmp_path / "o.vcf.gz", tmp_path)
    callers.start(*asked)
    regions = [part for command in ran for part in command if part.startswith("chr20:")]
    assert regions == ["chr20:100-200" if caller is Caller.freebayes else "chr20:101-200"]
    assert str(tmp_path / "o.vcf.gz") in ran[-1]
    ran.clear()
    one_program = caller in FOR_SHORT_READS and caller is not Caller.bcftools
    programs = 1 if one_program else 2
    assert call(*asked) == Cost(2.0 * programs, 1.5 * programs, 0.25)
    assert not ran


def test_memory_is_that_of_the_program_and_not_of_who_starts_it(tmp_path, monkeypatch):
    """A caller that ends at once, started by a process of half a GB."""
    held = np.ones(2**26)
    tools = tmp_path / "bin"
    tools.mkdir()
    for name, lines in {"freebayes": 'touch "$6"', "bcftools": ""}.items():
        (tools / name).write_text(f"#!/bin/sh\n{lines}\n")
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    cost = call(
        Caller.freebayes, tmp_path / "r.bam", tmp_path / "r.fa", "c:1-9", tmp_path / "o.vcf.gz", tmp_path
    )
    assert 0 < cost.peak_gb < 0.1 < held.nbytes / 2**30
