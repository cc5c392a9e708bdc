"""Ordering and cell-wise merge against the obvious twin."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.merge import GAVE, LOST, Grouping, order_rows

ROWS = st.lists(
    st.tuples(
        st.integers(0, 3),  # device
        st.sampled_from([2051, 2061]),
        st.integers(0, 4),  # time
        st.integers(-1, 3),  # qn
        st.one_of(st.just(math.nan), st.sampled_from([1.0, 1.5, 2.0])),
        st.integers(0, 2),  # decimals
        st.sampled_from([0, 78, 68]),
    ),
    max_size=40,
)


def arrays(rows: list[tuple]) -> list[np.ndarray]:
    kinds = [np.int32, np.int16, np.int64, np.int64, np.float64, np.uint32, np.uint8]
    rows = [(*r[:5], 0 if math.isnan(r[4]) else r[5], r[6]) for r in rows]  # decimals belong to a value
    return [np.array([r[i] for r in rows], k) for i, k in enumerate(kinds)]


@settings(max_examples=200, deadline=None)
@given(ROWS)
def test_merge_equals_its_twin(rows: list[tuple]) -> None:
    device, cn, time, qn, value, dp, flag = arrays(rows)
    order, starts = order_rows(device, 4, cn, time, qn)
    expected = sorted(range(len(rows)), key=lambda i: (rows[i][:4], i))
    assert order.tolist() == expected
    groups: dict[tuple, list[int]] = {}
    for i in expected:
        groups.setdefault(rows[i][:3], []).append(i)
    assert np.diff(starts).tolist() == [len(g) for g in groups.values()]

    grouping = Grouping(order, starts)
    stretch = grouping.stretch(0, grouping.groups)
    dps = stretch.decimals(dp << np.uint32(4))
    numbers = stretch.numbers(value, dp << np.uint32(4), 1, dps)
    flags = stretch.flags(flag)
    state = [0] * len(rows)
    for g, members in enumerate(groups.values()):
        said = [i for i in members if not math.isnan(rows[i][4])]
        assert math.isnan(numbers[g]) if not said else numbers[g] == rows[said[-1]][4]
        assert dps[g] >> 4 == (rows[said[-1]][5] if said else 0)
        marked = [i for i in members if rows[i][6]]
        assert flags[g] == (rows[marked[-1]][6] if marked else 0)
        for words, word in ((said, lambda i: (rows[i][4], rows[i][5])), (marked, lambda i: rows[i][6])):
            for i in words[:-1]:
                state[i] |= LOST if word(i) != word(words[-1]) else 0
            if words and words[-1] != members[-1]:
                state[words[-1]] |= GAVE
    assert grouping.state.tolist() == state
    assert grouping.leaders().tolist() == [g[-1] for g in groups.values()]


@settings(max_examples=50, deadline=None)
@given(ROWS, st.integers(0, 20))
def test_stretches_give_what_the_whole_gives(rows: list[tuple], cut: int) -> None:
    device, cn, time, qn, value, dp, _ = arrays(rows)
    grouping = Grouping(*order_rows(device, 4, cn, time, qn))
    cut = min(cut, grouping.groups)
    made = grouping.stretch(0, grouping.groups)
    dps = made.decimals(dp)
    whole = made.numbers(value, dp, 0, dps)
    state = grouping.state.copy()
    again = Grouping(grouping.order, grouping.starts)
    stretches = [again.stretch(0, cut), again.stretch(cut, grouping.groups)]
    ends = [s.decimals(dp) for s in stretches]
    parts = [s.numbers(value, dp, 0, e) for s, e in zip(stretches, ends, strict=True)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    np.testing.assert_array_equal(np.concatenate(ends), dps)
    np.testing.assert_array_equal(again.state, state)
