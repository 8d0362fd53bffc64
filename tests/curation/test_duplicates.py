"""Groups of images that are alike: the pairs that looking at all of them finds."""

import numpy as np

from sitegen.curation.duplicates import NEAR, copies, groups


def test_copies_name_the_first() -> None:
    assert copies(["x", "y", "x", None, None, "x"], ["a", "b", "c", "d", "e", "f"]) == [
        None,
        None,
        "a",
        None,
        None,
        "a",
    ]


def test_groups_are_what_all_pairs_give() -> None:
    random = np.random.default_rng(3)
    hashes = [int(each) for each in random.integers(0, 1 << 63, 60)]
    for at in range(0, 40, 2):  # up to five bits away: some within reach, some not
        flipped = sum(1 << int(bit) for bit in random.choice(63, at // 8 + 1, replace=False))
        hashes.append(hashes[at] ^ flipped)
    found = groups([f"{each:016x}" for each in hashes] + [None])
    linked = {at: {at} for at in range(len(hashes))}
    for first in range(len(hashes)):
        for second in range(first):
            if (hashes[first] ^ hashes[second]).bit_count() <= NEAR:
                joined = linked[first] | linked[second]
                for each in joined:
                    linked[each] = joined
    assert found[-1] is None
    for at, members in linked.items():
        assert (found[at] is None) == (len(members) == 1)
        assert all(found[at] == found[other] for other in members)
    assert len({each for each in found if each is not None}) == len(
        {min(each) for each in linked.values() if len(each) > 1}
    )


def test_a_chain_is_one_group() -> None:
    chain = [0b0, 0b111, 0b111111, (1 << 60)]
    assert groups([f"{each:016x}" for each in chain]) == [0, 0, 0, 0]
    assert groups(["0" * 16, f"{0b1111:016x}"]) == [None, None]
    assert groups([]) == []
