"""What a case says of itself is checked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoenc_bench.exceptions import InvalidInputError
from autoenc_bench.records import case as cases

CASE = {"experiment": "digits", "phase": "epoch", "backend": "tensorflow", "seed": 0, "rows": 10, "trainer": "fit"}


@given(st.dictionaries(st.sampled_from(["experiment", "rows", "seed"]), st.none() | st.text() | st.lists(st.none())))
def test_case_is_checked(changes):
    """A case with a field of another type is refused, and any other is read."""
    case = {**CASE, **changes}
    fits = isinstance(case["experiment"], str) and {type(case[name]) for name in ("rows", "seed")} == {int}
    if fits:
        assert cases.case({"autoenc": case}).experiment == case["experiment"]
    else:
        with pytest.raises(InvalidInputError, match="Expected"):
            cases.case({"autoenc": case})


@pytest.mark.parametrize(
    "changes",
    [
        {"rows": 0},
        {"image": [0, 4]},
        {"reference": [0.1, 0]},
        {"memory": {"peak": -1}},
        {"work": {"flops": -1, "bytes": 0, "exponentials": 0, "calls": 0}},
    ],
)
def test_absurd_cases(changes):
    """A case with a value that nothing can have is refused by its field."""
    with pytest.raises(InvalidInputError, match=rf"Expected .* - at `\$.{next(iter(changes))}"):
        cases.case({"autoenc": {**CASE, **changes}})
