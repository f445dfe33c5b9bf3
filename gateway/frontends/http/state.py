"""What the http listener tells of the gateway: numbers for /metrics, and whether it is ready."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

Numbers = Callable[[], Mapping[str, float]]


@dataclass(frozen=True)
class Family:
    """One metric: its name, what it says, what its label is called, and where its numbers come from.

    `read` gives a number for each value of the label; without a label, one for the empty text.
    """

    name: str
    help: str
    read: Numbers
    label: str = ""
    counter: bool = False


@dataclass
class State:
    """What may be asked."""

    why_not_ready: Callable[[], Awaitable[list[str]]]
    """codes of what keeps the gateway from deciding; empty when nothing does"""
    families: Iterable[Family] = ()
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        """Let the registry read them when it is asked."""
        self.registry.register(_Reader(tuple(self.families)))

    def metrics(self) -> bytes:
        """Prometheus' text format."""
        return generate_latest(self.registry)


class _Reader(Collector):
    """Reads every family at the moment it is asked for."""

    def __init__(self, families: tuple[Family, ...]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        """The numbers."""
        for family in self._families:
            kind = CounterMetricFamily if family.counter else GaugeMetricFamily
            metric = kind(family.name, family.help, labels=[family.label] if family.label else [])
            for value, number in sorted(family.read().items()):
                metric.add_metric([value] if family.label else [], number)
            yield metric
