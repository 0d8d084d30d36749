"""Phase of chunks that were phased apart: what parts say at their borders, and what the join makes of it."""

from dataclasses import replace

import numpy as np
import pysam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcohort.genome.command import Device
from deepcohort.genome.errors import InputError
from deepcohort.imputation.borders import UNKNOWN, Border, joined, set_confidence, turn_entries
from deepcohort.imputation.chunk import Imputed, impute_chunk
from deepcohort.imputation.consensus import Consensus
from deepcohort.imputation.imputers import Imputer
from deepcohort.imputation.join import join_parts
from deepcohort.imputation.models import Settings
from deepcohort.imputation.parts import write_part
from deepcohort.imputation.trained import Trained
from deepcohort.imputation.unphased import Phase
from tests.imputation.cohort import RATES, UNLEARNT, cohort

CORES = [(1, 30_500), (30_501, 60_000), (60_001, 90_000)]
A, B = ("10:A:C", 1), ("20:A:C", 1)


def lying(anchor, direction):
    return anchor[0], direction


@pytest.mark.parametrize("left_before", [1, -1])
@pytest.mark.parametrize("right_before", [1, -1])
@pytest.mark.parametrize("turn", [1, -1])
@pytest.mark.parametrize(("sure", "unsure"), [(0.9, 0.7), (0.7, 0.9)])
def test_where_both_chunks_know_both_anchors_the_likelier_relation_is_written(
    left_before, right_before, turn, sure, unsure
):
    """The chance that left and right anchor are alike, averaged over the chunks, decides."""
    left = Border(lying(A, left_before), lying(B, 1), sure)
    right = Border(lying(A, right_before * turn), lying(B, turn), unsure)
    relation, confidence = joined(left, right)
    alike = [sure if left_before == 1 else 1 - sure, unsure if right_before == 1 else 1 - unsure]
    mean = sum(alike) / 2
    written = left_before * relation * turn  # the left chunk's A to the right chunk's B, in what is written
    assert written == (1 if mean >= 0.5 else -1)
    assert confidence == pytest.approx(max(mean, 1 - mean))


def test_one_shared_anchor_is_enough():
    here, there = Border(A, None, UNKNOWN), Border(lying(A, -1), B, 0.8)
    assert joined(here, there) == (-1, 0.8)
    assert joined(Border(A, B, 0.8), Border(None, lying(B, -1), UNKNOWN)) == (-1, 0.8)
    assert joined(Border(A, None, UNKNOWN), Border(None, B, UNKNOWN)) == (1, UNKNOWN)
    assert joined(Border(A, B, 0.9), Border(("11:A:C", -1), ("21:A:C", -1), 0.9)) == (1, UNKNOWN)
    assert joined(None, there) == (1, UNKNOWN)


fields = st.tuples(
    st.sampled_from(["0|1", "1|0", "1|1", "0", "0/1", "1"]),
    st.sampled_from(["0.5", "1"]),
    st.sampled_from([".", "0.1,0.95", "1,0", "0.123,1", "0.7"]),
    st.sampled_from([".", "0.75"]),
)


@settings(max_examples=200, deadline=None)
@given(people=st.lists(st.tuples(fields, st.booleans()), min_size=1, max_size=6), end=st.sampled_from("\n "))
def test_turned_entries_against_a_plain_formatter(people, end):
    def plain(cells, turned):
        genotype, dosage, hds, sure = cells
        if turned:
            genotype = genotype[::-1] if "|" in genotype else genotype
            hds = ",".join(hds.split(",")[::-1])
        return ":".join([genotype, dosage, hds, sure])

    end = end.strip(" ")
    turned = np.array([one for _, one in people])
    text = "\t".join(":".join(cells) for cells, _ in people) + end
    expected = "\t".join(plain(*one) for one in people) + end
    assert turn_entries(text.encode(), turned, 2).decode() == expected
    assert turn_entries(expected.encode(), turned, 2).decode() == text


def test_confidence_is_replaced():
    entries = b"0|1:1:0.75\t1|0:1:.\t1|1:2:.\n"
    assert set_confidence(entries, {1: 0.6254}, 2) == b"0|1:1:0.75\t1|0:1:0.625\t1|1:2:.\n"
    assert set_confidence(entries, {2: 0.5}, 2) == b"0|1:1:0.75\t1|0:1:.\t1|1:2:0.5\n"


DATA = cohort(people=14)
MORE = replace(DATA.target, phased=DATA.target.haploid | (np.arange(14) == 0))
"""Everybody but one of two alleles is unphased."""


def heterozygous(rows):
    return DATA.truth[rows, :, 0] != DATA.truth[rows, :, 1]


def told_right(rng):
    """What a chunk that knows the truth says, with people's haplotypes in an order by chance."""
    people = np.flatnonzero(~MORE.phased)
    turned = rng.choice([-1, 1], len(people))
    lie = (DATA.truth[..., 0].astype(int) - DATA.truth[..., 1])[:, people] * turned
    typed = MORE.typed
    seen = (MORE.genotypes[:, people] >= 0).all(axis=2)
    order = np.where(seen, lie[typed], 0).astype(np.int8)
    confidence = np.full(order.shape, np.nan, np.float32)
    for column in range(len(people)):
        confidence[np.flatnonzero(order[:, column])[1:], column] = 0.875
    first = (lie + 1) / 2
    sure = np.full(first.shape, 0.9, np.float32)
    sure[typed] = np.where(order != 0, confidence, sure[typed])
    return Phase(people, first.astype(np.float32), sure, typed, Consensus(order, confidence))


def chances(phased):
    copies = DATA.truth.sum(axis=2)
    told = np.stack([copies == 1, copies == 2], axis=2)
    told = np.where(phased[:, None], DATA.truth, told)
    told[:, MORE.haploid, 0] = DATA.truth[:, MORE.haploid, 0]
    return told.reshape(90, -1).astype(np.float32)


def written(folder, phases, phased=(MORE.phased,) * 3):
    """Parts of what each chunk says, joined; the records. phased: bool[n] of each chunk."""
    parts = []
    for core, phase, known in zip(CORES, phases, phased, strict=True):
        panel = DATA.core(*core)
        sites = np.flatnonzero(panel.in_core)
        for number, (first, last) in enumerate([(0, 5), (5, 14)], 1):
            people = replace(DATA.people(first, last), phased=known[first:last])
            mine = (phase.people >= first) & (phase.people < last) & ~known[phase.people]
            part = Phase(
                phase.people[mine] - first,
                phase.first[sites][:, mine],
                phase.confidence[sites][:, mine],
                phase.typed,
                Consensus(phase.consensus.order[:, mine], phase.consensus.confidence[:, mine]),
            )
            imputed = Imputed(
                sites,
                chances(known)[sites, 2 * first : 2 * last],
                np.isin(sites, MORE.typed),
                False,
                {},
                part,
            )
            parts.append(folder / f"20.{core[0]:09d}-{core[1]:09d}.batch_{number:04d}.vcf.gz")
            write_part(parts[-1], panel, people, imputed, True, 1, with_phase=True)
    out = folder / "joined.vcf.gz"
    join_parts(parts, DATA.target.samples, "20", out, folder / "sites.tsv.gz", 1)
    with pysam.VariantFile(str(out)) as vcf:
        assert "phase_at_borders" not in str(vcf.header)
        return list(vcf)


def test_chunks_that_lie_by_chance_are_joined_to_one_phase(tmp_path):
    rng = np.random.default_rng(7)
    records = written(tmp_path, [told_right(rng) for _ in CORES])
    assert len(records) == 90
    for person, name in enumerate(DATA.target.samples):
        calls = [record.samples[name] for record in records]
        if MORE.haploid[person]:
            assert {len(call["GT"]) for call in calls} == {1}
            assert {call["PC"] for call in calls} == {None}
            continue
        assert all(call.phased for call in calls)
        found = np.array([call["GT"] for call in calls])
        het = heterozygous(slice(None))[:, person]
        relations = {
            (tuple(row) == tuple(true)) for row, true in zip(found[het], DATA.truth[het, person], strict=True)
        }
        nothing_seen = (MORE.genotypes[:, person] < 0).all()
        assert nothing_seen or len(relations) == 1, f"{name} changes haplotypes"
        if MORE.phased[person]:
            assert relations == {True}
        np.testing.assert_array_equal(found.sum(axis=1), DATA.truth[:, person].sum(axis=1))
        np.testing.assert_array_equal(found, np.array([call["HDS"] for call in calls]))


def test_confidence_of_anchors_is_written_over_borders_too(tmp_path):
    records = written(tmp_path, [told_right(np.random.default_rng(seed)) for seed in range(3)])
    for person, name in enumerate(DATA.target.samples):
        sure = [record.samples[name]["PC"] for record in records]
        het = heterozygous(slice(None))[:, person]
        seen = np.isin(np.arange(90), MORE.typed[(MORE.genotypes[:, person] >= 0).all(axis=1)])
        if MORE.phased[person]:
            assert set(sure) == {None}
            continue
        anchors = np.flatnonzero(het & seen)
        assert [sure[m] for m in anchors] == [None, *[0.875] * (len(anchors) - 1)][: len(anchors)]
        assert {round(sure[m], 6) for m in np.flatnonzero(het & ~seen)} <= {0.9}
        assert {sure[m] for m in np.flatnonzero(~het)} == {None}


def test_someone_phased_in_one_chunk_alone_keeps_that_phase(tmp_path):
    """Whether a person is phased is decided chunk by chunk."""
    rng = np.random.default_rng(3)
    phased = [MORE.phased, np.ones(14, bool), MORE.phased]
    records = written(tmp_path, [told_right(rng) for _ in CORES], phased)
    inside = [i for i, pos in enumerate(DATA.panel.pos) if CORES[1][0] <= pos <= CORES[1][1]]
    for person in np.flatnonzero(~MORE.haploid):
        calls = [records[i].samples[DATA.target.samples[person]] for i in inside]
        np.testing.assert_array_equal([call["GT"] for call in calls], DATA.truth[inside, person])
        assert {call["PC"] for call in calls} == {None}


def test_phasing_in_chunks_is_as_good_as_in_one(tmp_path):
    """The copying model's phase of an unphased cohort, cut in three and whole."""
    data = cohort(seed=4, n_sites=240, people=24, n_panel=60)
    genotypes = np.sort(data.truth[data.target.typed], axis=2)
    everybody = np.zeros(24, bool)
    target = replace(data.target, genotypes=genotypes, phased=everybody, haploid=everybody)
    facts = {**UNLEARNT.__dict__, **RATES.__dict__}
    errors = {}
    for cut, cores in {
        "whole": [(1, 240_000)],
        "cut": [(1, 70_000), (70_001, 160_000), (160_001, 240_000)],
    }.items():
        parts = []
        for number, core in enumerate(cores):
            panel = data.core(*core)
            chosen = Settings(Imputer.copying, Device.cpu, 1, 1 + number, phased_output=True)
            imputed = impute_chunk(panel, target, Trained(Imputer.copying, facts), chosen)
            parts.append(tmp_path / f"{cut}.{core[0]:09d}.batch_0001.vcf.gz")
            write_part(parts[-1], panel, target, imputed, False, 1, with_phase=True)
        out = tmp_path / f"{cut}.vcf.gz"
        join_parts(parts, target.samples, "20", out, tmp_path / "sites.tsv.gz", 1)
        with pysam.VariantFile(str(out)) as vcf:
            found = np.array([[call["GT"] for call in record.samples.values()] for record in vcf])
        errors[cut] = _switches(data.truth[data.target.typed], found[data.target.typed])
    wrong, pairs = errors["whole"]
    assert pairs > 300
    assert wrong / pairs < 0.1
    assert errors["cut"][1] == pairs
    assert abs(errors["cut"][0] - wrong) <= 0.02 * pairs


def _switches(truth, found):
    wrong = pairs = 0
    for person in range(truth.shape[1]):
        het = truth[:, person, 0] != truth[:, person, 1]
        agrees = truth[het, person, 0] == found[het, person, 0]
        wrong, pairs = wrong + int((agrees[1:] != agrees[:-1]).sum()), pairs + max(int(het.sum()) - 1, 0)
    return wrong, pairs


def test_a_model_without_phase_is_refused():
    chosen = Settings(Imputer.knn, Device.cpu, 1, 1, phased_output=True)
    message = r"--phased-output: --imputer knn does not phase people: leave it out, or take copying, adaptive"
    with pytest.raises(InputError, match=message):
        impute_chunk(DATA.panel, MORE, Trained(Imputer.knn, {}), chosen)
