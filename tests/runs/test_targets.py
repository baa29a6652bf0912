"""What a tuning trains to the end, how it goes on, and what it hands back."""

import pytest

from power_bert_tf.runs.targets import MaxDrop
from power_bert_tf.runs.targets import Speedup


def trial(name, speed, strengthened=0.9, drop=None, foretells=True):
    score = {"bert": 0.9, "strengthened": strengthened}
    if drop is not None:
        score["drop_points"] = drop
    return {"name": name, "speed": speed, "foretells": foretells, "score": score}


class TestMaxDrop:
    limit = MaxDrop(1.0)

    def test_the_fastest_within_the_limit(self):
        tried = [trial("a", 1.5, drop=-1.0), trial("b", 2.0, drop=1.0), trial("c", 3.0, drop=1.1)]
        assert self.limit.best(tried)["name"] == "b"
        assert [self.limit.meets(each) for each in tried] == [True, True, False]
        assert self.limit.best([*tried[2:], trial("d", 4.0)]) is None

    @pytest.mark.parametrize(("strengthened", "promising"), [(0.871, True), (0.869, False)])
    def test_a_trial_that_lost_three_times_the_limit_is_given_up(self, strengthened, promising):
        assert self.limit.promising(trial("a", 2.0, strengthened=strengthened), [])[0] is promising

    def test_what_was_not_trained_yet_is_not_given_up(self):
        untrained = trial("a", 2.0, strengthened=0.5, foretells=False)
        assert self.limit.promising(untrained, [])[0]

    def test_a_limit_of_nothing_leaves_room_for_chance(self):
        assert MaxDrop(0.0).promising(trial("a", 2.0, strengthened=0.88), [])[0]

    def test_what_is_no_faster_is_not_trained_and_does_not_turn_the_search_back(self):
        before, slower = [trial("a", 2.0, drop=0.5)], trial("b", 2.0)
        assert self.limit.promising(slower, before) == (
            False,
            "no faster than one within the limit",
        )
        assert not self.limit.too_much(slower, before)
        assert self.limit.promising(trial("c", 2.1), before)[0]

    def test_too_much(self):
        assert self.limit.too_much(trial("a", 2.0, drop=1.2), [])
        assert self.limit.too_much(trial("a", 2.0, strengthened=0.5), [])
        assert not self.limit.too_much(trial("a", 2.0, drop=0.9), [])

    def test_how_near_it_came(self):
        tried = [trial("a", 2.0, drop=2.5), trial("b", 3.0, drop=4.0), trial("c", 4.0)]
        assert "a loses the least, 2.50" in self.limit.missed(tried)
        assert "none was promising" in self.limit.missed(tried[2:])


class TestSpeedup:
    limit = Speedup(2.0)

    def test_only_the_slowest_that_is_fast_enough_is_trained(self):
        tried = [trial("a", 1.9), trial("b", 3.0), trial("c", 2.0)]
        assert not any(self.limit.promising(each, [])[0] for each in tried)
        assert [self.limit.too_much(each, []) for each in tried] == [False, True, True]
        assert [each["name"] for each in self.limit.to_complete(tried)] == ["c"]
        assert self.limit.to_complete(tried[:1]) == []

    def test_what_is_as_fast_as_was_asked_for_ends_it(self):
        speeds = (1.99, 2.0, 2.05, 2.1)
        assert [self.limit.ends(trial("a", speed)) for speed in speeds] == [
            False,
            True,
            True,
            False,
        ]
        assert not MaxDrop(1.0).ends(trial("a", 2.0, drop=1.0))

    def test_the_smallest_drop_at_that_speed(self):
        tried = [trial("a", 1.9, drop=0.0), trial("b", 3.0, drop=1.0), trial("c", 2.1, drop=1.5)]
        assert self.limit.best(tried)["name"] == "b"
        assert self.limit.best([tried[0], trial("d", 4.0)]) is None
        assert "a is the fastest, 1.90 times" in self.limit.missed(tried[:1])
