"""Events of ECS keep to its names at the top, and to one place for ours."""

from gateway.core.events import EventType
from tests.evidence.sinks.leaves import documents, every_leaf, plain

TOP = {"@timestamp", "ecs", "error", "event", "message", "observer", "querywarden", "related", "rule", "service",
       "source", "user"}  # fmt: skip


def test_every_top_level_name_is_one_of_ecs_or_our_own() -> None:
    assert {name for event in documents("ecs", every_leaf(), bodies=True) for name in event} <= TOP


def test_a_heartbeat_is_a_state_and_everything_else_an_event() -> None:
    kinds = {}
    for kind in EventType:
        said = documents("ecs", [plain(kind)])[0]["event"]
        assert isinstance(said, dict)
        kinds[kind.value] = said["kind"]
    assert {kind for kind, what in kinds.items() if what == "state"} == {"heartbeat"}
