"""What reads say where nothing is called, and the gVCF that tells it."""

import itertools
from collections import defaultdict
from functools import partial

import numpy as np
import pysam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcohort.variants import calls_vcf
from deepcohort.variants.calls import call_stretch
from deepcohort.variants.gvcf import with_any_allele
from deepcohort.variants.reads import ReadsFile
from deepcohort.variants.reference import Reference
from deepcohort.variants.reference_blocks import (
    BAND,
    ReferenceEvidence,
    likelihoods,
    merged,
    quality_of,
    reference_blocks,
)
from tests.scripts import run_script
from tests.variants.people import Person, sequence_with_repeats

run = partial(run_script, "variants")
LENGTH = 12_000


@pytest.fixture(scope="module")
def someone(tmp_path_factory):
    """A person with SNPs and deletions, of whom the first 300 and last 300 bases are not read."""
    rng = np.random.default_rng(8)
    sequence = "".join(rng.choice(list("ACGT"), LENGTH))
    edits = [[], []]
    for pos in range(1_000, LENGTH - 1_000, 300):
        ref = sequence[pos - 1]
        snp = (pos, ref, "ACGT"["ACGT".index(ref) - 1])
        deletion = (pos, sequence[pos - 1 : pos + 5], ref)
        edits[pos // 300 % 2].append(snp if pos // 300 % 3 else deletion)
    person = Person(sequence, edits).sequenced(25, rng, error=0.01)
    person.reads = [read for read in person.reads if 300 <= read[2] < LENGTH - 420]
    return person, person.write(tmp_path_factory.mktemp("blocks"))


def called(person, files, ploidy=2):
    return call_stretch(ReadsFile(*files), Reference.of("chr20", 0, person.sequence), 0, LENGTH, ploidy)


def costs_by_hand(bam, sequence):
    """Depth and phred costs of two, one and no copies of the reference, column by column."""
    found = {}
    with pysam.AlignmentFile(str(bam)) as file:
        for column in file.pileup("chr20", stepper="all", min_base_quality=0, ignore_overlaps=False):
            by_name = defaultdict(list)
            for read in column.pileups:
                if read.query_position is not None:
                    quality = read.alignment.query_qualities[read.query_position]
                    by_name[read.alignment.query_name].append(
                        (quality, read.alignment.query_sequence[read.query_position])
                    )
            two = one = none = depth = 0
            for bases in by_name.values():
                quality, base = max(bases, key=lambda pair: pair[0])
                if len(bases) == 2 and bases[0][1] != bases[1][1]:
                    quality -= min(bases)[0]
                if quality == 0:
                    continue
                right = (1 - max(10 ** (-quality / 10), 0.001)) * (1 - 10**-4.5)
                right = max(right, 0.5)
                same = base == sequence[column.reference_pos]
                two += -10 * np.log10(right if same else 1 - right)
                none += -10 * np.log10(1 - right if same else right)
                one += -10 * np.log10(0.5)
                depth += 1
            found[column.reference_pos] = depth, [two, one, none]
    return found


def test_positions_are_weighed_base_by_base(someone):
    person, files = someone
    calls, _, evidence = called(person, files)
    by_hand = costs_by_hand(files[0], person.sequence)
    pl = likelihoods(evidence, 2)
    near = {pos + d for call in calls for pos in [call.pos - 1] for d in range(-12, 12)}
    compared = 0
    for pos in set(by_hand) - near:
        depth, costs = by_hand[pos]
        assert evidence.depth[pos] == depth
        if depth:
            expected = np.minimum(np.rint(np.array(costs) - min(costs)), 999)
            np.testing.assert_allclose(pl[pos], expected, atol=1)
            compared += 1
    assert compared > 9_000


def test_blocks_and_calls_cover_everything_once(someone):
    person, files = someone
    calls, _, evidence = called(person, files)
    blocks = list(reference_blocks(evidence, calls, 2))
    covered = [pos for block in blocks for pos in range(block.first, block.last + 1)]
    assert sorted(covered + [call.pos for call in calls]) == [*range(1, LENGTH + 1)]
    pl = likelihoods(evidence, 2)
    for block in blocks:
        inside = slice(block.first - 1, block.last)
        qualities = [quality_of(one) for one in pl[inside].tolist()]
        assert min(qualities) // BAND == max(qualities) // BAND
        assert block.depth == evidence.depth[inside].min()
        assert quality_of(block.pl) == min(qualities)
    for one, other in itertools.pairwise(blocks):
        assert merged(one, other) is None


def test_where_no_read_is_nothing_is_known(someone):
    person, files = someone
    blocks = list(reference_blocks(called(person, files).evidence, [], 2))
    assert blocks[0] == (1, blocks[0].last, 0, (0, 0, 0))
    assert 250 < blocks[0].last < 450
    assert blocks[-1].depth == 0


def test_a_person_with_one_copy_has_two_likelihoods(someone):
    person, files = someone
    evidence = called(person, files, ploidy=1).evidence
    single, pair = likelihoods(evidence, 1), likelihoods(evidence, 2)
    clear = pair[:, 1] > 0
    assert clear.sum() > 9_000
    np.testing.assert_array_equal((single[clear][:, 0] == 0), pair[clear][:, 0] <= pair[clear][:, 2])
    assert {len(block.pl) for block in reference_blocks(evidence, [], 1)} == {2}


def people_with(tmp_path, edits, depth=30, seed=4):
    sequence = sequence_with_repeats(4_000, np.random.default_rng(1))
    person = Person(
        sequence, [[(pos, sequence[pos - 1 : pos - 1 + ref], alt) for pos, ref, alt in edits], []]
    )
    return person.sequenced(depth, np.random.default_rng(seed), error=0.001)


def test_reads_of_a_called_deletion_do_not_speak_against_the_reference(tmp_path):
    sequence = sequence_with_repeats(4_000, np.random.default_rng(1))
    person = people_with(tmp_path, [(2_000, 9, sequence[1_999])])
    files = person.write(tmp_path)
    calls, _, evidence = call_stretch(ReadsFile(*files), Reference.of("chr20", 0, sequence), 0, 4_000)
    assert sum(any(call.genotype) for call in calls) == 1
    inside = slice(2_000, 2_008)
    assert (evidence.against[inside] == 0).all()
    assert (evidence.depth[inside] < 25).all()
    pl = likelihoods(evidence, 2)[inside]
    assert (pl[:, 0] == 0).all() and (pl[:, 1] > 10).all()


def test_an_allele_that_is_no_candidate_counts_against(tmp_path):
    person = people_with(tmp_path, [])
    ref = person.sequence[1_999]
    wrong = "ACGT"["ACGT".index(ref) - 1]
    over = next(i for i, read in enumerate(person.reads) if read[2] < 1_999 < read[2] + 100)
    name, reverse, start, cigar, bases, quality = person.reads[over]
    bases = bases[: 1_999 - start] + wrong + bases[2_000 - start :]
    plain = call_stretch(*stretch_of(person, tmp_path, "plain")).evidence
    person.reads[over] = (name, reverse, start, cigar, bases, quality)
    changed = call_stretch(*stretch_of(person, tmp_path, "changed")).evidence
    assert changed.against[1_999] == plain.against[1_999] + 1
    assert (
        quality_of(likelihoods(changed, 2)[1_999].tolist())
        < quality_of(likelihoods(plain, 2)[1_999].tolist())
        or plain.depth[1_999] > 25
    )


def stretch_of(person, folder, name):
    files = person.write(folder, name)
    return ReadsFile(*files), Reference.of("chr20", 0, person.sequence), 0, len(person.sequence)


def test_an_unknown_base_of_the_reference_is_not_judged(someone):
    person, files = someone
    text = person.sequence[:2_050] + "N" * 5 + person.sequence[2_055:]
    _, _, evidence = call_stretch(ReadsFile(*files), Reference.of("chr20", 0, text), 0, LENGTH)
    assert (evidence.depth[2_050:2_055] == 0).all()
    assert (likelihoods(evidence, 2)[2_050:2_055] == 0).all()


@settings(max_examples=60, deadline=None)
@given(data=st.data(), ploidy=st.sampled_from([1, 2]))
def test_blocks_of_pieces_merge_to_those_of_the_whole(data, ploidy):
    n = data.draw(st.integers(2, 60))
    depth = np.array(data.draw(st.lists(st.sampled_from([0, 0, 3, 20]), min_size=n, max_size=n)), np.int32)
    cost = st.sampled_from([0.0, 4.0, 30.0, 44.0, 60.0, 61.0, 200.0])
    both, none = (np.array(data.draw(st.lists(cost, min_size=n, max_size=n))) for _ in range(2))
    whole = ReferenceEvidence(0, depth, depth * 0, both, none)
    cut = data.draw(st.integers(1, n - 1))
    pieces = [
        ReferenceEvidence(a, depth[a:b], depth[a:b] * 0, both[a:b], none[a:b])
        for a, b in ((0, cut), (cut, n))
    ]
    found = []
    for block in itertools.chain.from_iterable(reference_blocks(piece, [], ploidy) for piece in pieces):
        together = merged(found[-1], block) if found else None
        found[-1:] = [together] if together else [*found[-1:], block]
    assert found == list(reference_blocks(whole, [], ploidy))


def test_calls_get_likelihoods_of_any_other_allele(someone):
    person, files = someone
    calls = [call for call in called(person, files).calls if call.genotype == (0, 1)]
    call = calls[0]
    more = with_any_allele(call, 0)
    assert more.alleles == [*call.alleles, "<NON_REF>"]
    assert more.pl[:3] == call.pl and len(more.pl) == 6
    # Reads of the second allele are errors if the other copy has a third, and the other way round.
    assert more.pl[3] == pytest.approx(27 * call.ad[1], abs=1)
    assert more.pl[4] == pytest.approx(27 * call.ad[0], abs=1)
    assert more.pl[5] == pytest.approx(27 * sum(call.ad), abs=1)
    assert min(with_any_allele(call, 2 * sum(call.ad)).pl[3:]) == 0


@pytest.fixture(scope="module")
def whole(someone, tmp_path_factory):
    folder = tmp_path_factory.mktemp("gvcf")
    _, (bam, fasta) = someone
    calls_vcf.call_region(bam, fasta, "chr20", folder / "w.vcf.gz", gvcf=folder / "w.g.vcf.gz")
    return folder / "w.g.vcf.gz"


def test_pieces_join_to_the_bytes_of_the_whole(someone, whole, tmp_path, monkeypatch):
    _, (bam, fasta) = someone
    monkeypatch.setattr(calls_vcf, "TILE", 1_777)
    parts = []
    for number, (first, last) in enumerate([(1, 350), (351, 4_203), (4_204, 11_203), (11_204, LENGTH)]):
        part = tmp_path / f"{number}.vcf.gz"
        parts.append(tmp_path / f"{number}.g.vcf.gz")
        calls_vcf.call_region(bam, fasta, f"chr20:{first}-{last}", part, gvcf=parts[-1])
    done = run("join-gvcfs", *reversed(parts), "--out", tmp_path / "all.g.vcf.gz")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "all.g.vcf.gz").read_bytes() == whole.read_bytes()
    index = tmp_path / "all.g.vcf.gz.tbi"
    assert index.read_bytes() == whole.with_name(whole.name + ".tbi").read_bytes()


def test_other_programs_read_it(someone, whole, tmp_path):
    _, (bam, fasta) = someone
    calls_vcf.call_region(bam, fasta, "chr20", tmp_path / "calls.vcf.gz")
    text = pysam.bcftools.convert("--gvcf2vcf", "-f", str(fasta), str(whole))
    positions = [int(line.split("\t")[1]) for line in text.splitlines() if not line.startswith("#")]
    assert sorted(set(positions)) == [*range(1, LENGTH + 1)]
    within = pysam.bcftools.view("-H", str(whole), "chr20:100-101").splitlines()
    assert len(within) == 1 and "\tEND=" in within[0] and "\t./.:0:0:0:0,0,0" in within[0]
    with pysam.VariantFile(str(tmp_path / "calls.vcf.gz")) as calls, pysam.VariantFile(str(whole)) as both:
        named = [record for record in both if record.alts != ("<NON_REF>",)]
        for call, record in zip(calls, named, strict=True):
            assert record.alts == (*call.alts, "<NON_REF>")
            assert record.samples[0]["GT"] == call.samples[0]["GT"]
            assert list(record.filter) == list(call.filter)
            assert record.samples[0]["AD"][:-1] == call.samples[0]["AD"]
