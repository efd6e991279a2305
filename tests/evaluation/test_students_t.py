"""Student's t distribution, against SciPy's."""

import pytest
from scipy.stats import t as students_t

from fgbench.evaluation.students_t import two_sided_p, two_sided_quantile

FREEDOMS = [1, 1.3, 2, 3.7, 7, 19, 59, 400, 1e5]


@pytest.mark.parametrize("df", FREEDOMS)
@pytest.mark.parametrize("value", [0.0, 1e-3, 0.7, -1.96, 4.0, 60.0])
def test_p_values_are_scipys(df, value):
    assert two_sided_p(value, df) == pytest.approx(2 * students_t.sf(abs(value), df), rel=1e-8, abs=1e-200)


@pytest.mark.parametrize("df", FREEDOMS)
@pytest.mark.parametrize("level", [0.1, 0.5, 0.95, 0.999])
def test_quantiles_are_scipys(df, level):
    assert two_sided_quantile(level, df) == pytest.approx(students_t.ppf((1 + level) / 2, df), rel=1e-8)


def test_what_is_no_distribution_is_refused():
    assert two_sided_p(float("inf"), 3) == 0.0
    with pytest.raises(ValueError, match="0 degrees of freedom"):
        two_sided_p(1.0, 0)
    with pytest.raises(ValueError, match="level 1"):
        two_sided_quantile(1.0, 3)
