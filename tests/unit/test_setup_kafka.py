"""kafka-setup against a stand-in for Kafka that answers as kafka-python 3.0.12 did against Kafka 4.1.1."""

import json
import logging
import uuid
import warnings
from pathlib import Path
from typing import Any

import pytest

from templates.setup.waiting import NotReadyError, RefusedError

with warnings.catch_warnings():
    # kafka-python reads its message schemas by a function that Python 3.11 and 3.12 call deprecated.
    warnings.simplefilter("ignore", DeprecationWarning)
    from templates.setup.kafka_session import Topic, incarnation, parse_servers, read_topics
    from templates.setup.kafka_setup import set_up_topics

OBS = Topic("clinic.openmrs.obs", 3, 1, {"cleanup.policy": "compact", "compression.type": "lz4"})
PERSON = Topic("clinic.openmrs.person", 1, 1, {"cleanup.policy": "compact"})
DEFAULTS = {"cleanup.policy": "delete", "compression.type": "producer", "retention.ms": "604800000"}


class FakeKafka:
    """Topics in memory; `orders` are the calls that changed something."""

    def __init__(self, brokers: int = 1) -> None:
        self.brokers = brokers
        self.topics: dict[str, dict[str, Any]] = {}
        self.settings: dict[str, dict[str, str]] = {}
        self.orders: list[str] = []
        self.refuses: dict[str, str] = {}

    def describe_topics(self, topics: list[str] | None = None) -> list[dict[str, Any]]:
        return list(self.topics.values())

    def create_topics(
        self, new_topics: dict[str, dict[str, Any]], *, raise_errors: bool = True
    ) -> dict[str, Any]:
        assert not raise_errors
        results = []
        for name, topic in new_topics.items():
            code, message = 0, None
            if topic["replication_factor"] > self.brokers:
                code, message = 38, "only 1 broker(s) are registered."
            elif "nope" in topic["configs"]:
                code, message = 40, "Unknown topic config name: nope"
            else:
                self.orders.append(f"create {name}")
                self._add(name, topic)
            results.append({"name": name, "error_code": code, "error_message": message})
        return {"topics": results}

    def _add(self, name: str, topic: dict[str, Any]) -> None:
        replicas = list(range(topic["replication_factor"]))
        self.topics[name] = {
            "name": name,
            "topic_id": uuid.uuid4(),
            "partitions": [{"replica_nodes": replicas} for _ in range(topic["num_partitions"])],
        }
        self.settings[name] = {**DEFAULTS, **topic["configs"]}

    def wait_for_topics(self, topic_names: list[str], timeout_ms: int = 10000) -> None:
        assert set(topic_names) <= self.topics.keys()

    def describe_configs(self, config_resources: list[Any], *, config_filter: str) -> dict[str, Any]:
        assert config_filter == "all"
        return {
            "topic": {
                resource.name: {key: {"value": value} for key, value in self.settings[resource.name].items()}
                for resource in config_resources
            }
        }

    def alter_configs(self, config_resources: list[Any], *, incremental: bool) -> dict[str, Any]:
        assert incremental
        results = {}
        for resource in config_resources:
            results[resource.name] = self.refuses.get(resource.name, "OK")
            self.settings[resource.name].update(resource.configs)
            self.orders.append(f"alter {resource.name} {resource.configs}")
        return {"topic": results}

    def close(self) -> None:
        pass


def test_missing_topics_are_created_and_a_second_run_changes_nothing() -> None:
    kafka = FakeKafka()
    set_up_topics(kafka, [OBS, PERSON])
    assert kafka.orders == ["create clinic.openmrs.obs", "create clinic.openmrs.person"]
    kafka.orders.clear()
    set_up_topics(kafka, [OBS, PERSON])
    assert kafka.orders == []


def test_only_settings_that_differ_are_set() -> None:
    kafka = FakeKafka()
    set_up_topics(kafka, [OBS])
    kafka.settings[OBS.name].update({"compression.type": "none", "retention.ms": "5"})
    kafka.orders.clear()
    set_up_topics(kafka, [OBS])
    assert kafka.orders == ["alter clinic.openmrs.obs {'compression.type': 'lz4'}"]
    assert kafka.settings[OBS.name]["retention.ms"] == "5"


def test_another_number_of_partitions_is_refused_after_the_rest_is_done() -> None:
    kafka = FakeKafka()
    set_up_topics(kafka, [OBS])
    with pytest.raises(RefusedError, match=r"obs has 3 partitions, ozone\.yaml asks for 5"):
        set_up_topics(kafka, [Topic(OBS.name, 5, 1, OBS.config), PERSON])
    assert PERSON.name in kafka.topics


def test_another_number_of_copies_is_only_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    kafka = FakeKafka()
    set_up_topics(kafka, [OBS])
    with caplog.at_level(logging.WARNING, "ozone"):
        set_up_topics(kafka, [Topic(OBS.name, 3, 2, OBS.config)])
    assert "is kept in 1 copies" in caplog.text


def test_too_few_brokers_may_pass() -> None:
    with pytest.raises(NotReadyError, match=r"only 1 broker\(s\) are registered"):
        set_up_topics(FakeKafka(), [Topic("a", 1, 3, {})])


def test_an_unknown_setting_does_not_pass() -> None:
    with pytest.raises(RefusedError, match="Unknown topic config name: nope"):
        set_up_topics(FakeKafka(), [Topic("a", 1, 1, {"nope": "1"})])


def test_a_refused_change_is_said() -> None:
    kafka = FakeKafka()
    set_up_topics(kafka, [PERSON])
    kafka.refuses[PERSON.name] = "InvalidConfigurationError"
    with pytest.raises(RefusedError, match=r"compression\.type=lz4 of the topic .*InvalidConfiguration"):
        set_up_topics(kafka, [Topic(PERSON.name, 1, 1, {"compression.type": "lz4"})])


def test_the_incarnation_changes_when_a_topic_is_made_again() -> None:
    kafka = FakeKafka()
    set_up_topics(kafka, [OBS, PERSON])
    first = incarnation(kafka, [OBS.name, PERSON.name])
    assert incarnation(kafka, [PERSON.name, OBS.name]) == first
    del kafka.topics[OBS.name]
    with pytest.raises(NotReadyError, match=r"no topic clinic\.openmrs\.obs yet"):
        incarnation(kafka, [OBS.name, PERSON.name])
    set_up_topics(kafka, [OBS])
    assert incarnation(kafka, [OBS.name, PERSON.name]) != first


def test_rendered_topics_are_read(tmp_path: Path) -> None:
    path = tmp_path / "topics.json"
    topic = {"name": "a", "partitions": 2, "replication_factor": 1, "config": {"x": 5, "y": True, "z": "t"}}
    path.write_text(json.dumps({"topics": [topic]}), encoding="utf-8")
    assert read_topics(path) == [Topic("a", 2, 1, {"x": "5", "y": "true", "z": "t"})]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"topics": [{"name": "a"}]}', '{"topics": 1}'])
def test_a_broken_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "topics.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RefusedError, match="cannot be used"):
        read_topics(path)
    with pytest.raises(RefusedError, match="cannot be used"):
        read_topics(tmp_path / "absent.json")


def test_server_lists() -> None:
    assert parse_servers("kafka:9092, [::1]:9093") == [("kafka", 9092), ("::1", 9093)]
    for text in ("", "kafka", "kafka:", ":9092", "kafka:x"):
        with pytest.raises(RefusedError, match="is no list of servers"):
            parse_servers(text)
