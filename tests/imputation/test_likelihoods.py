"""Imputation from likelihoods of genotypes: read, checked, exact on small panels, better than guessing."""

from dataclasses import replace
from itertools import product

import numpy as np
import pysam
import pytest

from deepcohort.genome.command import Device
from deepcohort.genome.errors import InputError
from deepcohort.imputation.chunk import impute_chunk
from deepcohort.imputation.copying import Rates
from deepcohort.imputation.engines import write_input
from deepcohort.imputation.imputers import Engine, Imputer
from deepcohort.imputation.models import Settings
from deepcohort.imputation.phasing import sample_phases
from deepcohort.imputation.targets import learnt_from, read_target
from deepcohort.imputation.trained import Trained
from deepcohort.inputs.checks import check_genotypes
from tests.genotypes import write_vcf
from tests.imputation.cohort import RATES, UNLEARNT, cohort
from tests.imputation.haplotypes import even, switches, transition
from tests.scripts import run_script

DATA = cohort(seed=3, n_sites=120, people=30, n_panel=80)
FACTS = {**UNLEARNT.__dict__, **RATES.__dict__}


def reads_of(truth, coverage, seed=1, error=0.01):
    """PL of diploid people, [S, n, 3], of a number of reads by chance."""
    rng = np.random.default_rng(seed)
    depth = rng.poisson(coverage, truth.shape[:2])
    copies = truth.sum(axis=2)
    chance = np.array([error, 0.5, 1 - error])
    alt = rng.binomial(depth, chance[copies])
    logs = np.stack([alt * np.log10(c) + (depth - alt) * np.log10(1 - c) for c in chance], axis=2)
    return np.rint(-10 * (logs - logs.max(axis=2, keepdims=True))).astype(int)


def likelihoods_of(pl):
    return np.maximum(10.0 ** (-pl / 10), 1e-6).astype(np.float32)


def target_of(pl):
    nothing = np.zeros(len(DATA.target.samples), bool)
    every = np.arange(len(pl))
    missing = np.full((*pl.shape[:2], 2), -1, np.int8)
    return replace(
        DATA.target,
        typed=every,
        genotypes=missing,
        phased=nothing,
        haploid=nothing,
        likelihoods=likelihoods_of(pl),
    )


def impute(target, imputer=Imputer.copying, **more):
    return impute_chunk(
        DATA.panel, target, Trained(imputer, FACTS), Settings(imputer, Device.cpu, 1, 1, **more)
    )


def written(path, pl, form="PL", cells=None):
    panel = DATA.panel
    records = [
        (
            "chr20",
            int(panel.pos[site]),
            panel.ref[site],
            panel.alt[site],
            cells[site] if cells else [",".join(map(str, one)) if one.any() else "." for one in pl[site]],
        )
        for site in range(len(pl))
    ]
    write_vcf(path, records, DATA.target.samples, form=form)
    pysam.bcftools.index("-f", str(path), catch_stdout=False)
    return path


def exact_chances(typed, cm, rates, seen):
    """Posterior of 0, 1, 2 copies at each site, by forward and backward sums over all pairs of states."""
    n = typed.shape[1]
    move = np.array([np.kron(t, t) for t in (transition(s, even(n)) for s in switches(cm, rates, n))])
    e = rates.error

    def given(m, copies):
        pairs = [(a, b) for a, b in product((0, 1), repeat=2) if a + b == copies]
        one = [np.where(typed[m] == a, 1 - e, e) for a in (0, 1)]
        return sum(np.kron(one[a], one[b]) for a, b in pairs)

    emission = [[given(m, c) * seen[m, c] for c in range(3)] for m in range(len(typed))]
    forward, state = [], np.full(n * n, 1 / n**2)
    for m in range(len(typed)):
        state = state @ move[m]
        forward.append(state)
        state = state * sum(emission[m])
    chances, behind = np.zeros((len(typed), 3)), np.ones(n * n)
    for m in reversed(range(len(typed))):
        chances[m] = [(forward[m] * emission[m][c] * behind).sum() for c in range(3)]
        behind = move[m] @ (sum(emission[m]) * behind)
    return chances / chances.sum(axis=1, keepdims=True)


def test_chances_follow_the_exact_posterior():
    rng = np.random.default_rng(4)
    typed = rng.integers(0, 2, (6, 4), dtype=np.uint8)
    cm, rates = np.array([0.0, 0.3, 0.9, 1.1, 1.3, 2.0]), Rates(50.0, 0.05)
    seen = rng.exponential(size=(6, 3)).astype(np.float32)
    seen /= seen.max(axis=1, keepdims=True)
    seen[2] = 1  # no reads
    seen[4] = [0.001, 0.01, 1]
    people = 1500
    many = np.repeat(seen[:, None], people, axis=1)
    samples = sample_phases(typed, cm, rates, many, np.zeros(people, bool), 1, 1)
    found = samples.chances.mean(axis=1)
    exact = exact_chances(typed, cm, rates, seen)
    seen_sites = [0, 1, 3, 4, 5]
    np.testing.assert_allclose(found[seen_sites], exact[seen_sites, 1:], atol=0.015)


def correlation(copies, dosage):
    return np.corrcoef(copies.ravel(), dosage.ravel())[0, 1] ** 2


def test_more_reads_are_better_and_all_are_better_than_what_a_site_says_alone():
    copies = DATA.truth.sum(axis=2)
    found = {}
    for coverage in (0.5, 1, 4):
        pl = reads_of(DATA.truth, coverage)
        imputed = impute(target_of(pl))
        assert not imputed.typed.any()
        chances = imputed.chances.astype(float)
        dosage = chances[:, 0::2] + 2 * chances[:, 1::2]
        alone = likelihoods_of(pl) / likelihoods_of(pl).sum(axis=2, keepdims=True)
        found[coverage] = correlation(copies, dosage)
        assert found[coverage] > correlation(copies, alone @ [0, 1, 2]) + 0.02
    assert found[0.5] < found[1] < found[4]
    assert found[0.5] > 0.5 and found[4] > 0.95


def test_deep_reads_are_as_good_as_genotypes():
    pl = reads_of(DATA.truth, 60)
    chances = impute(target_of(pl)).chances
    np.testing.assert_allclose(chances[:, 0::2] + 2 * chances[:, 1::2], DATA.truth.sum(axis=2), atol=0.02)


def test_someone_without_reads_gets_what_the_panel_has():
    pl = reads_of(DATA.truth, 2)
    pl[:, 3] = 0
    chances = impute(target_of(pl)).chances
    frequency = DATA.panel.alt_frequency()
    dosage = chances[:, 6] + 2 * chances[:, 7]
    assert np.abs(dosage - 2 * frequency).max() < 0.5
    assert np.abs(dosage - 2 * frequency).mean() < 0.05


def test_they_are_phased_where_it_is_asked_for():
    imputed = impute(target_of(reads_of(DATA.truth, 8)), phased_output=True)
    assert imputed.phase is not None
    wrong = pairs = 0
    for person in range(30):
        het = DATA.truth[:, person, 0] != DATA.truth[:, person, 1]
        lies = (imputed.phase.first[het, person] > 0.5) == DATA.truth[het, person, 0]
        wrong, pairs = wrong + int((lies[1:] != lies[:-1]).sum()), pairs + max(len(lies) - 1, 0)
    assert wrong < 0.1 * pairs


def test_a_model_of_genotypes_refuses_them():
    message = (
        r"likelihoods of genotypes \(PL, GL\) and no GT, which --imputer knn cannot use: take copying, adap"
    )
    with pytest.raises(InputError, match=message):
        impute(target_of(reads_of(DATA.truth, 1)), Imputer.knn)


def test_outside_programs_do_not_get_them(tmp_path):
    message = "likelihoods .PL or GL. and no GT, which beagle does not impute from: call genotypes first"
    with pytest.raises(InputError, match=message):
        write_input(
            tmp_path / "o", tmp_path / "t", Engine.beagle, DATA.panel, target_of(reads_of(DATA.truth, 1)), 1
        )


def test_hiding_them_tells_nothing(tmp_path):
    path = written(tmp_path / "t.vcf.gz", reads_of(DATA.truth, 1))
    DATA.panel.save(tmp_path / "c.panel.npz")
    (tmp_path / "b.txt").write_text(DATA.target.samples[0] + "\n", encoding="utf-8")
    Trained(Imputer.copying, FACTS).save(tmp_path / "c.model")
    done = run_script(
        *(
            "imputation",
            "impute-chunk",
            "--panel",
            tmp_path / "c.panel.npz",
            "--trained",
            tmp_path / "c.model",
        ),
        *("--target", path, "--samples", tmp_path / "b.txt", "--mask-fraction", 0.1, "--imputer", "copying"),
        *("--out", tmp_path / "o.vcf.gz", "--out-counts", tmp_path / "o.tsv"),
    )
    assert done.returncode == 2
    assert "t.vcf.gz: has likelihoods and no GT, so what is hidden cannot be compared" in done.stderr


def test_they_are_read_in_the_panels_alleles(tmp_path):
    pl = reads_of(DATA.truth, 1)
    pl[[11, 40], 2:6] = 0
    path = written(tmp_path / "t.vcf.gz", pl)
    people = DATA.target.samples[5:1:-1]
    found = read_target(path, DATA.panel, people)
    expected = likelihoods_of(pl)[:, 5:1:-1]
    informative = (expected < 1).any(axis=(1, 2))
    assert 0 < informative.sum() < 120
    assert found.typed.tolist() == np.flatnonzero(informative).tolist()
    np.testing.assert_allclose(found.likelihoods, expected[informative], rtol=1e-5)
    assert not found.phased.any() and not found.haploid.any()
    assert (found.genotypes == -1).all()


def test_haploid_people_are_told_by_their_values(tmp_path):
    cells = [["0,30,60" if i else "0,20" for i in range(30)] for _ in range(120)]
    cells[7][0] = "40,0"
    path = written(tmp_path / "t.vcf.gz", np.zeros((120, 30, 3), int), cells=cells)
    found = read_target(path, DATA.panel, DATA.target.samples)
    assert found.haploid.tolist() == [True] + [False] * 29
    np.testing.assert_allclose(found.likelihoods[[0, 7], 0], [[1, 0.01, 0], [1e-4, 1, 0]], rtol=1e-5)
    chances = impute(found).chances
    assert (chances[:, 1] == 0).all()
    assert chances[7, 0] > 0.9


def check(file, panel=False):
    return check_genotypes(
        file,
        panel=panel,
        name="x",
        index=None,
        out_sites=file.parent / "x.sites.bcf",
        out_index=file.parent / "x.csi",
    )


def test_a_file_of_likelihoods_is_summed_up(tmp_path):
    pl = reads_of(DATA.truth, 1)
    found = check(written(tmp_path / "t.vcf.gz", pl))
    assert found.likelihoods
    assert (found.records, found.missing) == (120, int((~pl.any(axis=2)).sum()))
    assert "people are imputed from them, and what is counted here is of the likeliest genotypes" in str(
        found.notes
    )
    with pytest.raises(InputError, match="chr20:1000 has likelihoods and no GT: a reference panel must have"):
        check(tmp_path / "t.vcf.gz", panel=True)


def test_genotypes_beside_likelihoods_are_taken(tmp_path):
    cells = [["0/0:0,3,9"] * 30] * 120
    path = written(tmp_path / "t.vcf.gz", np.zeros((120, 30, 3), int), "GT:PL", cells)
    found = check(path)
    assert not found.likelihoods
    assert "has likelihoods beside GT, which is taken; without it (bcftools annotate -x FORMAT/GT)" in str(
        found.notes
    )
    assert read_target(path, DATA.panel, DATA.target.samples).likelihoods is None


def test_half_likelihoods_and_half_genotypes_are_refused(tmp_path):
    path = written(tmp_path / "t.vcf.gz", reads_of(DATA.truth, 1))
    mixed = tmp_path / "m.vcf.gz"
    text = pysam.bcftools.view(str(path)).splitlines()
    rows = [number for number, line in enumerate(text) if not line.startswith("#")]
    for number in rows[:10]:
        columns = text[number].split("\t")
        text[number] = "\t".join([*columns[:8], "GT", *["0/1"] * 30])
    with pysam.BGZFile(str(mixed), "wb") as out:
        out.write(("\n".join(text) + "\n").encode())
    message = (
        "m.vcf.gz: 110 of 120 records have likelihoods and no GT, the others have GT: take GT out of all"
    )
    with pytest.raises(InputError, match=message):
        check(mixed)


def test_where_everything_is_typed_a_third_teaches():
    assert learnt_from(np.arange(100), 100).tolist() == list(range(0, 100, 3))
    assert learnt_from(np.arange(90), 100).tolist() == list(range(90))
