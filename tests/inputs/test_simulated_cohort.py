"""What the bundled cohort promises."""

import filecmp
import importlib.util
from pathlib import Path

import numpy as np
import pytest
from cyvcf2 import VCF

from deepcohort.genome.maps import read_genetic_map
from deepcohort.genome.samples import read_labels

ASSETS = Path(__file__).resolve().parents[2] / "assets"
DEMO = ASSETS / "demo"


def genotypes(name):
    """Copies of ALT at sites of two single bases, by (position, REF, ALT), with the names."""
    vcf = VCF(str(DEMO / name))
    found = {}
    for record in vcf:
        if len(record.ALT) == 1:
            alleles = record.genotype.array()[:, :2]
            found[record.POS, record.REF, record.ALT[0]] = np.where((alleles < 0).any(1), -1, alleles.sum(1))
    return vcf.samples, found


def test_it_fits_into_a_repository():
    assert sum(path.stat().st_size for path in DEMO.rglob("*") if path.is_file()) <= 2 * 2**20


def test_targets_say_what_the_truth_says():
    people, truth = genotypes("truth.22.vcf.gz")
    same_people, typed = genotypes("target.22.vcf.gz")
    assert people == same_people
    agreeing = 0
    for site, copies in typed.items():
        if site in truth:
            called = copies >= 0
            assert (copies[called] == truth[site][called]).all()
            agreeing += 1
    assert 0.9 * len(typed) < agreeing < len(typed)
    missing = np.mean([copies < 0 for copies in typed.values()])
    assert 0.002 < missing < 0.01


def test_populations_differ_as_africa_europe_and_asia_do():
    people, panel = genotypes("panel.20.vcf.gz")
    groups = {name: np.array([p.startswith(name) for p in people]) for name in ("AFR", "EUR", "EAS")}
    counts = np.array(list(panel.values()))
    heterozygosity = {name: (counts[:, mine] == 1).mean() for name, mine in groups.items()}
    assert heterozygosity["AFR"] > 1.15 * heterozygosity["EUR"] > 1.15 * heterozygosity["EAS"]
    frequency = {name: counts[:, mine].mean(axis=1) / 2 for name, mine in groups.items()}
    distance = {
        (a, b): np.mean((frequency[a] - frequency[b]) ** 2)
        for a, b in (("AFR", "EUR"), ("AFR", "EAS"), ("EUR", "EAS"))
    }
    assert distance["EUR", "EAS"] < distance["AFR", "EUR"] < distance["AFR", "EAS"]


def test_there_are_multi_allelic_sites_and_indels():
    alleles = [(record.REF, *record.ALT) for record in VCF(str(DEMO / "panel.20.vcf.gz"))]
    assert sum(len(site) > 2 for site in alleles) > 10
    assert sum(max(map(len, site)) > 1 for site in alleles) > 300
    assert all(set(base) <= set("ACGT") for site in alleles for base in site)


def test_all_but_a_few_targets_have_labels():
    labels = read_labels(DEMO / "labels.tsv")
    targets = VCF(str(DEMO / "target.20.vcf.gz")).samples
    assert len([person for person in targets if person not in labels]) == 3
    assert not set(targets) & set(VCF(str(DEMO / "panel.20.vcf.gz")).samples)
    assert {label.superpopulation for label in labels.values()} == {"AFR", "EUR", "EAS"}


@pytest.mark.parametrize("chrom", ["20", "22"])
def test_the_map_spans_the_panel(chrom):
    genetic_map = read_genetic_map(DEMO / "genetic_map", chrom)
    positions = [record.POS for record in VCF(str(DEMO / f"panel.{chrom}.vcf.gz"))]
    assert genetic_map.pos[0] <= positions[0]
    assert positions[-1] <= genetic_map.pos[-1]
    assert 0.5 < genetic_map.mean_rate * 1e6 < 3


def test_the_script_writes_the_same_bytes_again(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("simulate", ASSETS / "simulate.py")
    simulate = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(__import__("sys").modules, "simulate", simulate)
    spec.loader.exec_module(simulate)
    monkeypatch.setattr(simulate, "LENGTHS", {"22": 50_000})
    first, second, other = tmp_path / "first", tmp_path / "second", tmp_path / "other"
    for folder, seed in ((first, 1), (second, 1), (other, 2)):
        simulate.main(folder, seed)
    names = sorted(str(p.relative_to(first)) for p in first.rglob("*") if p.is_file())
    assert filecmp.cmpfiles(first, second, names, shallow=False) == (names, [], [])
    assert not filecmp.cmp(first / "panel.22.vcf.gz", other / "panel.22.vcf.gz", shallow=False)
