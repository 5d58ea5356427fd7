"""Decompositions: effects sum exactly, mirror when the periods swap, and are nothing where nothing changed."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as some

from analytics.metrics.decomposition import (
    Days,
    Growth,
    Stored,
    days_and_rate,
    growth,
    in_steps,
    nested,
    shapley,
    whole_parts,
)

fractions = some.fractions(min_value=0, max_value=10**6, max_denominator=1000)
factors = some.lists(some.tuples(fractions, fractions), min_size=1, max_size=4)
stored = some.builds(Stored, studies=some.integers(1, 10**6), images=some.integers(1, 10**9),
                     size_bytes=some.integers(0, 10**16))
period = some.dictionaries(some.sampled_from(["CT", "MR", "DX", "US", None]), stored, max_size=5)
whole_days = some.builds(Days, days=some.integers(0, 400), studies=some.integers(0, 10**6))


@given(factors)
def test_shapley_effects_sum_to_the_change_of_the_product(pairs):
    before, after = zip(*pairs, strict=True)
    product_before = product_after = Fraction(1)
    for old, new in pairs:
        product_before, product_after = product_before * old, product_after * new

    assert sum(shapley(before, after)) == product_after - product_before


@given(factors)
def test_shapley_effects_change_sign_when_the_periods_swap(pairs):
    before, after = zip(*pairs, strict=True)

    assert shapley(after, before) == [-effect for effect in shapley(before, after)]


@given(factors, some.data())
def test_a_factor_that_does_not_change_has_no_effect(pairs, data):
    same = data.draw(some.integers(0, len(pairs) - 1))
    pairs[same] = (pairs[same][0], pairs[same][0])
    before, after = zip(*pairs, strict=True)

    assert shapley(before, after)[same] == 0


def test_shapley_of_two_factors_is_the_change_at_the_mean_of_the_other():
    # 10 x 4 -> 15 x 6: (15 - 10) x (4 + 6) / 2 = 25 and (6 - 4) x (10 + 15) / 2 = 25; 25 + 25 = 90 - 40
    assert shapley((10, 4), (15, 6)) == [25, 25]


@given(period, period)
def test_growth_sums_to_the_byte(before, after):
    effects = growth(before, after)

    for key, effect in effects.items():
        assert sum(effect) == after.get(key, Stored()).size_bytes - before.get(key, Stored()).size_bytes


@given(period, period)
def test_growth_changes_sign_when_the_periods_swap(before, after):
    there, back = growth(before, after), growth(after, before)

    assert {key: tuple(-part for part in effect) for key, effect in there.items()} == back


@given(period, some.integers(1, 50))
def test_studies_that_all_grow_alike_are_no_mix_and_no_other_effect(before, times):
    after = {key: Stored(*(times * part for part in value)) for key, value in before.items()}

    assert all(effect[1:] == (0, 0, 0) for effect in growth(before, after).values())


@given(period, some.integers(1, 50))
def test_bigger_images_alone_are_image_size_alone(before, times):
    after = {key: value._replace(size_bytes=times * value.size_bytes) for key, value in before.items()}

    assert all(effect[:3] == (0, 0, 0) for effect in growth(before, after).values())


def test_mix_moves_bytes_where_studies_move_between_modalities():
    # As many studies in all, 10 of them no longer DX of 2 bytes but CT of 100: mix is +1,000 and -20
    before = {"CT": Stored(10, 10, 1000), "DX": Stored(90, 90, 180)}
    after = {"CT": Stored(20, 20, 2000), "DX": Stored(80, 80, 160)}

    assert growth(before, after) == {"CT": Growth(0, 1000, 0, 0), "DX": Growth(0, -20, 0, 0)}


def test_a_modality_whose_studies_stand_still_while_the_whole_grows_loses_its_share():
    # 10 CT of 100 bytes in 20 and in 40 studies. All studies: (40 - 20) x mean share (1/2 + 1/4) / 2 = 7.5 studies;
    # the share: (1/4 - 1/2) x mean of all (20 + 40) / 2 = -7.5 studies. At 100 bytes a study: +750 and -750.
    before = {"CT": Stored(10, 10, 1000), "DX": Stored(10, 10, 0)}
    after = {"CT": Stored(10, 10, 1000), "DX": Stored(30, 30, 0)}

    assert growth(before, after)["CT"] == Growth(750, -750, 0, 0)


def test_a_new_and_a_gone_modality_are_all_studies_and_leave_the_others_shares_alone():
    before = {"CT": Stored(10, 10, 1000), "XA": Stored(5, 5, 700)}
    after = {"CT": Stored(10, 10, 1000), "PT": Stored(7, 70, 900)}

    assert growth(before, after) == {"CT": Growth(0, 0, 0, 0), "XA": Growth(-700, 0, 0, 0), "PT": Growth(900, 0, 0, 0)}


def test_studies_without_images_cannot_be_split():
    with pytest.raises(ValueError, match="without images"):
        growth({"CT": Stored(1, 0, 5)}, {"CT": Stored(1, 1, 5)})


@given(whole_days, whole_days)
def test_days_and_rate_sum_to_the_change(before, after):
    assert sum(days_and_rate(before, after)) == after.studies - before.studies
    assert days_and_rate(after, before) == tuple(-effect for effect in days_and_rate(before, after))


@given(whole_days, some.integers(0, 10**6))
def test_as_many_days_are_no_effect_of_days(before, studies):
    days, _ = days_and_rate(before, Days(before.days, studies))

    assert days == 0 or before.days == 0


@given(some.lists(some.fractions(min_value=-10**6, max_value=10**6), min_size=1, max_size=6))
def test_whole_parts_sum_to_the_whole(parts):
    total = round(sum(parts))

    rounded = whole_parts(parts, total)
    assert sum(rounded) == total
    largest = max(parts, key=abs)
    assert all(abs(got - part) <= Fraction(1, 2) for got, part in zip(rounded, parts, strict=True) if part != largest)


def test_the_rounding_remainder_goes_into_the_largest_part():
    # 10 / 3 three times and 20 is 30: 3 + 3 + 3 + 20 = 29, so the largest is 21
    third = Fraction(10, 3)
    assert whole_parts([third, 20, third, third], 30) == [3, 21, 3, 3]


@given(some.lists(some.integers(-10**15, 10**15), min_size=1, max_size=6), some.sampled_from([1, 10**8, 10**11]))
def test_printed_figures_sum_to_the_printed_total(values, step):
    *parts, total = in_steps(values, sum(values), step)

    assert sum(parts) == total == round(Fraction(sum(values), step))


names = some.sampled_from(["A", "B", None])


@given(some.dictionaries(some.tuples(names, names, names), some.tuples(some.integers(-99, 99), some.just(""))))
def test_each_level_of_a_tree_sums_to_the_one_above(leaves):
    def check(branch):
        assert branch.change == sum(change for path, (change, _) in leaves.items()
                                    if path[:len(branch.path)] == branch.path)
        if branch.parts:
            assert branch.change == sum(part.change for part in branch.parts)
        for part in branch.parts:
            check(part)

    check(nested(leaves))
