"""What clipped ends propose, from reads cut off at a known change."""

import numpy as np
import pytest

from deepcohort.variants.clips import proposals
from deepcohort.variants.normalise import normalised
from deepcohort.variants.reads import ReadsFile, read_reads
from deepcohort.variants.reference import Reference
from tests.variants.people import Person, sequence_with_repeats

PLACE = 2_000


def clipped_at(person, edit, length=80, step=7):
    """Reads over the change, aligned on one side of it and clipped on the other."""
    bases, places = person.haplotype(0)
    first = int(np.flatnonzero(places == PLACE - 1)[0]) + 1
    size = max(0, len(edit[2]) - len(edit[1]))
    gone = max(0, len(edit[1]) - len(edit[2]))
    for at in range(first - length + 15, first + size - 15, step):
        own = bases[at : at + length]
        left, right = first - at, at + length - first - size
        name, start = f"r{at}", int(places[at]) if left >= right else PLACE + gone
        cigar = f"{left}M{length - left}S" if left >= right else f"{length - right}S{right}M"
        person.reads.append((name, False, start, cigar, own, 30))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "kind", ["insertion", "short insertion", "deletion", "duplication", "insertion beside a change"]
)
def test_indels_are_put_together_from_clipped_ends(tmp_path, kind, seed):
    rng = np.random.default_rng(seed)
    sequence = "".join(rng.choice(list("ACGT"), 4_000))
    before = sequence[PLACE - 1]
    size = 6 if kind == "short insertion" else 40
    edit = (PLACE, before, before + "".join(rng.choice(list("ACGT"), size)))
    if kind == "deletion":
        edit = (PLACE, sequence[PLACE - 1 : PLACE + 30], before)
    elif kind == "duplication":
        edit = (PLACE, before, before + sequence[PLACE - 25 : PLACE])
    edits = [edit]
    if kind == "insertion beside a change":
        other = {"A": "C", "C": "G", "G": "T", "T": "A"}[sequence[PLACE + 11]]
        edits.append((PLACE + 12, sequence[PLACE + 11], other))
    person = Person(sequence, [edits])
    clipped_at(person, edit)
    bam, _ = person.write(tmp_path)
    reads, _ = read_reads(ReadsFile(bam, None), "chr20", 0, 4_000)
    found = proposals(reads, Reference.of("chr20", 0, sequence))
    assert [one[:3] for one in found] == [normalised(sequence.encode(), 0, *edit)]
    assert len(found[0].readers) >= 4


def test_clipped_ends_that_agree_on_nothing_propose_nothing(tmp_path):
    rng = np.random.default_rng(0)
    sequence = sequence_with_repeats(4_000, rng)
    person = Person(sequence, [[]])
    for number in range(20):
        tail = "".join(rng.choice(list("ACGT"), 30))
        person.reads.append((f"r{number}", False, 1_950, "50M30S", sequence[1_950:2_000] + tail, 30))
        person.reads.append((f"s{number}", False, 2_000, "30S50M", tail + sequence[2_000:2_050], 30))
    bam, _ = person.write(tmp_path)
    reads, _ = read_reads(ReadsFile(bam, None), "chr20", 0, 4_000)
    assert proposals(reads, Reference.of("chr20", 0, sequence)) == []


def test_one_fragment_proposes_nothing(tmp_path):
    rng = np.random.default_rng(0)
    sequence = "".join(rng.choice(list("ACGT"), 4_000))
    person = Person(sequence, [[(PLACE, sequence[PLACE - 1 : PLACE + 30], sequence[PLACE - 1])]])
    clipped_at(person, person.edits[0][0])
    person.reads = [("same", *read[1:]) for read in person.reads]
    bam, _ = person.write(tmp_path)
    reads, _ = read_reads(ReadsFile(bam, None), "chr20", 0, 4_000)
    assert proposals(reads, Reference.of("chr20", 0, sequence)) == []
