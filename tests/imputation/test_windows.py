"""Windows over a chunk's sites."""

import numpy as np
import pytest

from deepcohort.imputation.windows import NOTHING, cut


def test_windows_by_hand():
    found = cut(7, np.array([0, 1, 2, 4]), window=4, flank=2)
    assert found.sites.tolist() == [[NOTHING, NOTHING, 0, 1, 2, NOTHING], [1, 2, 3, 4, 5, 6]]
    assert found.own.tolist() == [[False] * 2 + [True] * 3 + [False], [False] * 2 + [True] * 4]


def test_backwards_by_hand():
    found = cut(7, np.array([0, 1, 2, 4]), window=4, flank=2, backwards=True)
    assert found.sites.tolist() == [[NOTHING, NOTHING, 6, 5, 4, NOTHING], [NOTHING, 4, 3, 2, 1, 0]]


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize(
    ("n_sites", "window", "flank"), [(1, 500, 100), (500, 500, 0), (501, 500, 3), (997, 10, 4)]
)
def test_every_site_is_some_windows_own_once(n_sites, window, flank, backwards):
    typed = np.arange(0, n_sites, 3)
    found = cut(n_sites, typed, window, flank, backwards)
    assert sorted(found.sites[found.own].tolist()) == list(range(n_sites))
    assert found.sites.shape[1] <= flank + window
    led_in = found.sites[:, :flank]
    assert np.isin(led_in[led_in != NOTHING], typed).all()
