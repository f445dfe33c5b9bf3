"""A posture that says nothing is the careful one."""

import msgspec
import pytest

from gateway.core.site import Posture


def test_a_posture_is_guarded_and_masks_nothing_away_unless_it_says_so() -> None:
    posture = Posture()
    assert posture.guarded
    assert not posture.write_masked
    assert posture.functions == ()
    assert posture.scan_exempt == {}


def test_two_postures_share_no_mutable_default() -> None:
    assert Posture().labels is not Posture().labels


def test_a_misspelt_switch_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"gaurded": False}, Posture)
