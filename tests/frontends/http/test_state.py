"""Numbers are read when they are asked for, not before."""

from gateway.frontends.http.state import Family, State


async def ready() -> list[str]:
    return []


def test_each_question_sees_the_numbers_of_its_moment() -> None:
    numbers = {"a": 1.0}
    state = State(ready, [Family("querywarden_x", "X.", lambda: numbers, "name")])
    assert b'querywarden_x{name="a"} 1.0' in state.metrics()
    numbers["a"], numbers["b"] = 5.0, 0.0
    assert b'querywarden_x{name="a"} 5.0' in state.metrics()
    assert b'querywarden_x{name="b"} 0.0' in state.metrics()


def test_a_counter_is_called_one() -> None:
    state = State(ready, [Family("querywarden_y", "Y.", lambda: {"": 7}, counter=True)])
    assert b"# TYPE querywarden_y_total counter" in state.metrics()
    assert b"querywarden_y_total 7.0" in state.metrics()
