"""Neighbours against a search through all haplotypes, and the slots that they are put in."""

import numpy as np
import pytest

from deepcohort.imputation.selection import WINDOW, Spans, fill_slots, neighbours


def related(seed, n_typed, n_panel, n_targets):
    """Panel uint8[M, K] and targets int8[M, H] of four ancestors, with a few changes."""
    rng = np.random.default_rng(seed)
    ancestors = rng.integers(0, 2, (n_typed, 4))

    def copies(number):
        return ancestors[:, rng.integers(0, 4, number)] ^ (rng.random((n_typed, number)) < 0.03)

    return copies(n_panel).astype(np.uint8), copies(n_targets).astype(np.int8)


def matches(differs):
    """Length of the match that begins at the first of the sites, bool[sites, K] in, int[K] out."""
    closed = np.vstack([differs, np.ones(differs.shape[1], bool)])
    return closed.argmax(axis=0)


def test_spans_are_whole_windows_of_some_length():
    cm = np.sort(np.random.default_rng(1).uniform(0, 3, 500))
    spans = Spans.along(cm)
    assert spans.borders[0] == 0
    assert spans.borders[-1] == 500
    assert (spans.borders[:-1] % WINDOW == 0).all()
    assert (np.diff(cm[spans.borders[:-1]]) >= 0.05).all()
    assert 10 < len(spans) < 61
    np.testing.assert_array_equal(np.unique(spans.of(500), return_index=True)[1], spans.borders[:-1])
    assert len(Spans.along(np.array([0.0]))) == 1


@pytest.mark.parametrize(("n_typed", "n_panel"), [(1, 2), (7, 40), (64, 3), (130, 45), (200, 20)])
def test_neighbours_match_longest(n_typed, n_panel):
    typed, observed = related(n_typed, n_typed, n_panel, 5)
    spans, number = Spans.along(np.arange(n_typed) * 0.01), min(n_panel, 8)
    ending, beginning = neighbours(typed, observed, spans, 8)
    assert ending.shape == beginning.shape == (len(spans) + 1, 5, number)
    assert (ending[0] == -1).all()
    assert (beginning[-1] == -1).all()
    for place, border in enumerate(spans.borders):
        for h in range(5):
            differs = typed != observed[:, [h]]
            for chosen, length in (
                (ending[place, h], matches(differs[:border][::-1])),
                (beginning[place, h], matches(differs[border:])),
            ):
                if chosen[0] >= 0:
                    assert len(set(chosen)) == number
                    np.testing.assert_array_equal(length[chosen], np.sort(length)[::-1][:number])


def test_missing_alleles_hide_no_neighbour():
    """A target that copies one haplotype finds it at the borders, though a quarter of it is missing."""
    rng = np.random.default_rng(1)
    typed = rng.integers(0, 2, (160, 300)).astype(np.uint8)
    observed = typed[:, :20].astype(np.int8)
    observed[rng.random(observed.shape) < 0.25] = -1
    observed[:WINDOW], observed[-WINDOW:] = typed[:WINDOW, :20], typed[-WINDOW:, :20]
    ending, beginning = neighbours(typed, observed, Spans.along(np.arange(160) * 0.01), 10)
    for h in range(20):
        assert (ending[2:, h] == h).any(axis=1).mean() > 0.8
        assert (beginning[:-2, h] == h).any(axis=1).mean() > 0.8
    found = np.stack([(ending[2:] == np.arange(20)[:, None]), (beginning[:-2] == np.arange(20)[:, None])])
    assert found.any(axis=3).mean() > 0.95


def test_targets_of_which_nothing_is_seen_have_neighbours():
    typed, observed = related(1, 40, 30, 3)
    ending, _ = neighbours(typed, np.full_like(observed, -1), Spans.along(np.arange(40) * 0.01), 5)
    assert (ending[1:] >= 0).all()


@pytest.mark.parametrize("n_stand_ins", [0, 7])
@pytest.mark.parametrize("n_slots", [16, 25, 60])
def test_slots(n_slots, n_stand_ins):
    typed, observed = related(3, 300, 90, 4)
    spans = Spans.along(np.arange(300) * 0.01)
    ending, beginning = neighbours(typed, observed, spans, 4)
    spare = np.random.default_rng(2).permutation(90).astype(np.int32)
    for h in range(4):
        slots = np.full((len(spans), n_slots + n_stand_ins), -2, np.int32)
        fill_slots(ending[:, h], beginning[:, h], spare, n_stand_ins, slots)
        for span, row in enumerate(slots):
            held = row[row >= 0]
            assert len(set(held)) == len(held)
            assert (row[:n_slots] >= 0).all()
            assert set(spare[:n_stand_ins]) <= set(held)
            # What is chosen at either border of a span is copied from in all of it.
            wanted = {*ending[span, h], *beginning[span, h], *ending[span + 1, h], *beginning[span + 1, h]}
            assert wanted - {-1} <= set(held)
        if n_stand_ins:
            assert set(np.unique(slots[:, n_slots:])) <= {-1, *spare[:n_stand_ins]}


def test_slots_keep_what_goes_on_being_chosen():
    ending = np.array([[-1], [1], [1], [1], [1]], np.int32)
    beginning = np.array([[0], [2], [3], [4], [-1]], np.int32)
    slots = np.empty((4, 3), np.int32)
    fill_slots(ending, beginning, np.arange(8, dtype=np.int32), 0, slots)
    assert len(set((slots == 1).argmax(axis=1))) == 1
    assert {tuple(sorted(row)) for row in slots} == {(0, 1, 2), (1, 2, 3), (1, 3, 4)}
