"""How an answer is read: one value, canonical; anything else has its code."""

import pytest

from gateway.policy.engine import EngineError, answer_of


def test_an_answer_is_canonical_whatever_the_order_of_its_keys() -> None:
    assert answer_of(b'[{"result": {"b": 1, "a": [2, "x"]}}]') == b'{"a":[2,"x"],"b":1}'


@pytest.mark.parametrize(
    ("result_set", "code"),
    [
        (b"[]", "policy.undefined"),
        (b"", "policy.engine"),
        (b"{}", "policy.engine"),
        (b'[{"result":1},{"result":2}]', "policy.engine"),
        (b'[{"bindings":{}}]', "policy.engine"),
        (b'[{"result":', "policy.engine"),
        (b"\xff\xfe", "policy.engine"),
    ],
)
def test_what_is_no_single_answer_is_an_error_with_its_code(result_set: bytes, code: str) -> None:
    with pytest.raises(EngineError) as caught:
        answer_of(result_set)
    assert caught.value.code == code
