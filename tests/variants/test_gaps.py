"""How likely reads have gaps: by repeats, learnt from reads, and what that does for calls of long reads."""

from functools import partial
from itertools import groupby

import numpy as np
import pytest

from deepcohort.genome.errors import InputError
from deepcohort.genome.regions import Region
from deepcohort.variants.calls import call_stretch
from deepcohort.variants.gaps import (
    BY_TIMES,
    LONGER_UNIT,
    SHORT_READS,
    gap_chances,
    read_gaps,
    repeats,
    write_gaps,
)
from deepcohort.variants.learn_gaps import gaps_of
from deepcohort.variants.names import Gaps
from deepcohort.variants.reads import CODES, ReadsFile
from deepcohort.variants.reference import Reference
from tests.scripts import run_script
from tests.variants.people import Person, cigar_of, sequence_with_repeats
from tests.variants.test_calls import called, truth_of

run = partial(run_script, "variants")
LENGTH, DEPTH = 60_000, 30


def codes(text):
    return CODES[np.frombuffer(text.encode(), np.uint8)]


def test_gaps_open_more_often_in_repeats():
    chances = gap_chances(codes("GCTGAAAAAAAAAACGTACACACACACAGT"), SHORT_READS)
    assert (chances[0] == chances[1]).all()
    assert chances[0, :4] == pytest.approx(BY_TIMES[0])
    assert chances[0, 4:14] == pytest.approx(BY_TIMES[10] / 10)
    assert chances[0, 17:29] == pytest.approx(BY_TIMES[6] * LONGER_UNIT / 13, rel=0.2)
    assert gap_chances(codes("AC" * 9), SHORT_READS)[0, 3] == pytest.approx(BY_TIMES[9] * LONGER_UNIT / 18)
    assert gap_chances(codes("A" * 40), SHORT_READS)[0, 0] > BY_TIMES[-1] / 40
    assert (gap_chances(codes("N" * 12), SHORT_READS) == BY_TIMES[0]).all()
    deletions = np.stack([SHORT_READS[0], SHORT_READS[1] * 2])
    assert gap_chances(codes("GAAAAAAT"), deletions)[1] == pytest.approx(2 * chances_of("GAAAAAAT"))


def chances_of(text):
    return gap_chances(codes(text), SHORT_READS)[0]


def test_a_repeat_has_the_shortest_unit_that_it_has():
    for text, expected in (("AAAACACACACNNNN", {(0, 4, 1), (3, 11, 2)}), ("TACGACGACG", {(1, 10, 3)})):
        found = {(first, end, unit) for first, end, unit in repeats(codes(text)) if end - first >= 2 * unit}
        assert found == expected


def error_of(times):
    """Chance that a read loses a base of a run; half of it that it has one more."""
    return min(0.25, 0.003 * times**2)


def long_reads(person, rng, length=4_000):
    """Reads with gaps in runs, where those of a run are by chance, add to the person's."""
    for h in range(len(person.edits)):
        bases, places = person.haplotype(h)
        runs = [(base, len(list(group))) for base, group in groupby(bases)]
        first = np.cumsum([0, *(size for _, size in runs)])
        for _ in range(DEPTH * len(bases) // len(person.edits) // length):
            at = int(rng.integers(0, len(bases) - length))
            own, where = [], []
            a, b = np.searchsorted(first, [at, at + length])
            for (base, size), start in zip(runs[a:b], first[a:b].tolist(), strict=False):
                drawn = rng.random()
                here = places[start : start + size].tolist()
                if drawn < error_of(size):
                    here = here[1:]
                elif drawn < 1.5 * error_of(size):
                    here = [here[0], -1, *here[1:]] if size == 1 else [-1, *here]
                own += base * len(here)
                where += here
            where = np.array(where)
            start = int(where[where >= 0][0])
            person.reads.append((f"r{len(person.reads)}", False, start, cigar_of(where), "".join(own), 35))


@pytest.fixture(scope="module")
def person(tmp_path_factory):
    """Someone with an indel in every tenth longer run, on one copy or both; and the files."""
    rng = np.random.default_rng(4)
    sequence = sequence_with_repeats(LENGTH, rng)
    edits = [[], []]
    at = 0
    for n, (base, group) in enumerate(groupby(sequence)):
        size = len(list(group))
        if size >= 4 and rng.random() < 0.1 and at > 200:
            pos, before = at, sequence[at - 1]
            for h in [[0], [1], [0, 1]][n % 3]:
                edits[h].append((pos, before, before + base) if n % 2 else (pos, before + base, before))
        at += size
    made = Person(sequence, edits)
    long_reads(made, rng)
    return made, made.write(tmp_path_factory.mktemp("long"))


def learnt(files, how=Gaps.auto):
    return gaps_of(ReadsFile(*files), files[1], [Region("chr20", 1, LENGTH)], how)


def test_rates_of_gaps_are_learnt_though_the_person_has_indels(person):
    table = learnt(person[1])
    for times in range(3, 8):
        assert table[1, 0, times] == pytest.approx(error_of(times), rel=0.35)
        assert table[0, 0, times] == pytest.approx(error_of(times) / 2, rel=0.35)
    assert (np.diff(table[:, 0], axis=1) >= 0).all()
    assert table[1, 0, 1] == pytest.approx(error_of(1), rel=0.3)


def test_learnt_gaps_call_the_indels_of_long_reads(person):
    made, files = person
    reference = Reference.of("chr20", 0, made.sequence)
    truth = {key for key in truth_of(made) if len(key[1]) != len(key[2])}
    figures = {}
    for name in ("short", "learnt"):
        file = ReadsFile(*files)
        file.gaps = SHORT_READS if name == "short" else learnt(files)
        found = called(call_stretch(file, reference, 500, LENGTH - 500).calls, made)
        indels = {key for key in found if len(key[1]) != len(key[2])}
        figures[name] = 2 * len(indels & truth) / (len(indels) + len(truth))
    assert len(truth) > 20
    assert figures["learnt"] > 0.9 and figures["learnt"] > figures["short"] + 0.1, figures


def test_short_reads_are_taken_as_they_are(person, tmp_path):
    made, files = person
    assert (learnt(files, Gaps.short) == SHORT_READS).all()
    short = Person(made.sequence, made.edits).sequenced(4, np.random.default_rng(1))
    pair = short.write(tmp_path)
    assert (learnt(pair) == SHORT_READS).all()
    assert not (learnt(pair, Gaps.learnt) == SHORT_READS).all()
    nobody = Person(made.sequence, made.edits).write(tmp_path, name="nobody")
    assert (learnt(nobody, Gaps.learnt) == SHORT_READS).all()


def test_tables_are_written_and_read(person, tmp_path):
    table = learnt(person[1])
    write_gaps(tmp_path / "gaps.tsv", table)
    assert (read_gaps(tmp_path / "gaps.tsv")[:, :, 1:] == table[:, :, 1:]).all()
    text = (tmp_path / "gaps.tsv").read_text()
    for broken in (text.replace("insertion", "other"), text + "x", text.replace("kind\t", "sort\t"), ""):
        (tmp_path / "broken.tsv").write_text(broken)
        with pytest.raises(InputError, match=r"broken\.tsv: not a table of gaps: make it with 'learn-gaps'"):
            read_gaps(tmp_path / "broken.tsv")


def test_a_region_is_called_with_learnt_gaps(person, tmp_path):
    bam, fasta = person[1]
    (tmp_path / "pieces.tsv").write_text(f"piece\tregion\thaploid\n000001\tchr20:1-{LENGTH}\tfalse\n")
    inputs = ["--fasta", str(fasta), str(bam)]
    gaps, calls = tmp_path / "gaps.tsv", tmp_path / "calls.vcf.gz"
    found = run("learn-gaps", *inputs, "--pieces", str(tmp_path / "pieces.tsv"), "--out", str(gaps))
    assert found.returncode == 0 and "gaps are learnt from the reads" in found.stderr, found.stderr
    region = ["--region", "chr20:1-20000", "--out", str(calls)]
    plain = run("call-region", *inputs, *region)
    few = run("call-region", *inputs, *region, "--gaps", str(gaps))
    assert plain.returncode == few.returncode == 0
    assert passed(few.stderr) < passed(plain.stderr)


def passed(log):
    return int(log.split(" PASS")[0].split()[-1])
