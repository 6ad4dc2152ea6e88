"""When swap exchanges tables, what it waits for and refuses, and what it removes from Kafka afterwards."""

import json
import logging
import uuid
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from templates.setup.connect_worker import ConnectWorker
from templates.setup.flink_generation import Volume
from templates.setup.sink_tables import Plan
from templates.setup.waiting import NotReadyError, Problem, RefusedError

with warnings.catch_warnings():
    # kafka-python reads its message schemas by a function that Python 3.11 and 3.12 call deprecated.
    warnings.simplefilter("ignore", DeprecationWarning)
    from kafka import TopicPartition
    from kafka.admin import OffsetSpec
    from kafka.errors import KafkaError

    from templates.setup import swap as program
    from templates.setup.fill_progress import extents, progress, snapshot_is_complete
    from templates.setup.former_topics import prefix_of, remove_former
    from templates.setup.kafka_session import incarnation
    from templates.setup.sink_records import Generation
    from templates.setup.swap import LOCK_TIMEOUTS_MS, Swapper, attempt

NOW, BEFORE = "openmrs-00000002", "openmrs-00000001"
OBS, PERSON = f"{NOW}.openmrs.obs", f"{NOW}.openmrs.person"
CONNECTORS = {"openmrs": {"name": "openmrs", "topic.prefix": NOW}}


class FakeBroker:
    """Topics as partitions of (first, end), offsets that groups have committed."""

    def __init__(self) -> None:
        self.held: dict[str, list[tuple[int, int]]] = {OBS: [(0, 100), (40, 50)], PERSON: [(0, 0)]}
        self.ids: dict[str, uuid.UUID] = {}
        self.committed: dict[str, dict[TopicPartition, int]] = {}
        self.deleted: list[str] = []

    def describe_topics(self, topics: list[str] | None = None) -> list[dict[str, Any]]:
        return [
            {
                "name": name,
                "topic_id": self.ids.setdefault(name, uuid.uuid4()),
                "partitions": [{"partition_index": number} for number in range(len(partitions))],
            }
            for name, partitions in self.held.items()
        ]

    def list_partition_offsets(self, topic_partition_specs: dict[Any, Any]) -> dict[Any, Any]:
        return {
            part: SimpleNamespace(offset=self.held[part.topic][part.partition][wanted is OffsetSpec.LATEST])
            for part, wanted in topic_partition_specs.items()
        }

    def list_group_offsets(self, group_specs: dict[str, None]) -> dict[str, dict[Any, Any]]:
        return {
            group: {part: SimpleNamespace(offset=offset) for part, offset in self.committed.get(group, {}).items()}
            for group in group_specs
        }

    def commit(self, token: str, *offsets: tuple[str, int, int]) -> None:
        group = self.committed.setdefault(f"ozone-{token}", {})
        group.update({TopicPartition(topic, partition): offset for topic, partition, offset in offsets})

    def delete_topics(self, topics: list[str]) -> dict[str, Any]:
        self.deleted += topics
        for topic in topics:
            del self.held[topic]
        return {}

    def close(self) -> None:
        pass

    create_topics = wait_for_topics = describe_configs = alter_configs = None  # nobody asks for them here


class FakeOffsets:
    """What Connect remembers, by prefix."""

    def __init__(self, *remembered: str) -> None:
        self.remembered = list(remembered)

    def prefixes(self) -> set[str]:
        return set(self.remembered)

    def forget(self, prefix: str) -> None:
        self.remembered.remove(prefix)


class FakeWorker(ConnectWorker):
    """Connect's stored offsets of the one connector."""

    def __init__(self) -> None:
        self.stored: list[dict[str, Any]] = [{"partition": {"server": NOW}, "offset": {"file": "binlog.1", "pos": 4}}]

    def offsets(self, name: str) -> list[dict[str, Any]]:
        assert name == "openmrs"
        return self.stored


@pytest.fixture
def broker() -> FakeBroker:
    return FakeBroker()


class Stage:
    """A swapper whose sink is made up, and what it did."""

    def __init__(self, folder: Path, broker: FakeBroker, monkeypatch: pytest.MonkeyPatch) -> None:
        self.broker, self.offsets, self.worker = broker, FakeOffsets(NOW, BEFORE), FakeWorker()
        self.swapped: list[int] = []
        self.hurried = 0
        self.failure: Exception | None = None
        self.place = "here"
        self.volume = Volume(folder)
        self.generation: Generation | None = None
        self.begin("abc")
        monkeypatch.setattr(program, "read_generation", lambda connection, site: self.generation)
        monkeypatch.setattr(program, "identity", lambda connection: self.place)
        monkeypatch.setattr(program, "hold_lock", lambda connection: None)
        monkeypatch.setattr(program, "swap", self.swap)
        self.swapper = Swapper(
            plan=Plan("clinic", "f1", "public", ()),
            volume=self.volume,
            topics=(OBS, PERSON),
            connectors=CONNECTORS,
            worker=self.worker,
            open_sink=lambda: SimpleNamespace(close=lambda: None),  # type: ignore[arg-type,return-value]
            open_kafka=lambda: broker,  # type: ignore[arg-type,return-value]
            offsets=self.offsets,
            checkpoints=SimpleNamespace(hurry=self.hurry),  # type: ignore[arg-type]
        )

    def begin(self, token: str, *, beside: bool = True) -> None:
        self.volume.begin(token, "f1")
        topics = incarnation(self.broker, [OBS, PERSON])  # type: ignore[arg-type]
        self.generation = Generation("f1", topics, token, "here", f"ozone_next_{token}" if beside else "")

    def swap(self, connection: object, plan: Plan, generation: Generation, lock_timeout_ms: int) -> None:
        assert generation == self.generation
        self.swapped.append(lock_timeout_ms)
        if self.failure:
            raise self.failure

    def hurry(self) -> None:
        self.hurried += 1

    def refused(self) -> str:
        in_place, problems = attempt(self.swapper)
        assert not in_place
        (problem,) = problems
        return str(problem)


@pytest.fixture
def stage(tmp_path: Path, broker: FakeBroker, monkeypatch: pytest.MonkeyPatch) -> Stage:
    return Stage(tmp_path, broker, monkeypatch)


def test_progress_is_what_checkpoints_have_committed(broker: FakeBroker) -> None:
    wanted = extents(broker, [OBS, PERSON])  # type: ignore[arg-type]
    nothing = progress(broker, "abc", wanted)  # type: ignore[arg-type]
    assert str(nothing) == "Flink's job has made no checkpoint yet"
    broker.commit("abc", (OBS, 0, 90), (OBS, 1, 50))
    assert str(progress(broker, "abc", wanted)) == "90 % read, 1 of 2 topics to their ends"  # type: ignore[arg-type]
    broker.commit("abc", (OBS, 0, 101))
    assert progress(broker, "abc", wanted).unread_topics == 0  # type: ignore[arg-type]
    broker.commit("other", (OBS, 0, 101))
    assert progress(broker, "other", wanted).unread_topics == 1  # type: ignore[arg-type]


def test_topics_without_events_are_read() -> None:
    broker = FakeBroker()
    broker.held = {OBS: [(5, 5)], PERSON: [(0, 0)]}
    found = progress(broker, "abc", extents(broker, [OBS, PERSON]))  # type: ignore[arg-type]
    assert found.unread_topics == 0
    assert str(found) == "100 % read, 2 of 2 topics to their ends"


@pytest.mark.parametrize(
    ("stored", "complete"),
    [
        ([], False),
        ([{"partition": {"server": BEFORE}, "offset": {"pos": 4}}], False),
        ([{"partition": {"server": NOW}, "offset": {"pos": 4, "snapshot": "INITIAL"}}], False),
        ([{"partition": {"server": NOW}, "offset": None}], False),
        ([{"partition": {"server": NOW}, "offset": {"pos": 4}}, {"partition": {"server": BEFORE}, "offset": {}}], True),
    ],
)
def test_a_snapshot_is_complete_when_connect_has_stored_an_offset_behind_it(
    stored: list[dict[str, Any]], complete: bool
) -> None:
    worker = FakeWorker()
    worker.stored = stored
    assert snapshot_is_complete(worker, CONNECTORS) is complete


def test_tables_are_swapped_once_everything_is_read_and_what_is_former_goes_after_that(stage: Stage) -> None:
    stage.broker.held |= {f"{BEFORE}.openmrs.obs": [(0, 9)], f"schema-history.{BEFORE}": [(0, 1)]}
    stage.worker.stored[0]["offset"]["snapshot"] = "INITIAL"
    assert stage.swapper.step() is False
    del stage.worker.stored[0]["offset"]["snapshot"]
    assert stage.swapper.step() is False
    stage.broker.held[OBS] = [(0, 900), (40, 50)]  # what comes later need not be waited for
    stage.broker.commit("abc", (OBS, 0, 100), (OBS, 1, 49))
    assert stage.swapper.step() is False
    assert (stage.swapped, stage.broker.deleted) == ([], [])
    stage.broker.commit("abc", (OBS, 1, 50))
    assert stage.swapper.step() is True
    assert stage.swapped == [LOCK_TIMEOUTS_MS[0]]
    assert stage.broker.deleted == [f"{BEFORE}.openmrs.obs", f"schema-history.{BEFORE}"]
    assert stage.offsets.remembered == [NOW]
    assert stage.swapper.step() is True
    assert len(stage.swapped) == 1


def test_a_failed_swap_is_tried_again_with_more_patience_and_removes_nothing(stage: Stage) -> None:
    stage.broker.commit("abc", (OBS, 0, 100), (OBS, 1, 50))
    stage.broker.held[f"{BEFORE}.openmrs.obs"] = [(0, 9)]
    stage.failure = NotReadyError()
    for _ in range(8):
        attempt(stage.swapper)
    assert stage.swapped == [*LOCK_TIMEOUTS_MS, LOCK_TIMEOUTS_MS[-1], LOCK_TIMEOUTS_MS[-1]]
    assert stage.broker.deleted == []
    stage.failure = None
    assert stage.swapper.step() is True
    assert stage.broker.deleted == [f"{BEFORE}.openmrs.obs"]


def test_tables_that_are_in_place_are_left_alone_until_the_next_generation(stage: Stage) -> None:
    stage.begin("first", beside=False)
    assert stage.swapper.step() is True
    assert stage.hurried == 0
    stage.begin("second")
    assert stage.swapper.step() is False
    assert stage.hurried == 1
    stage.broker.commit("second", (OBS, 0, 100), (OBS, 1, 50))
    assert stage.swapper.step() is True
    assert len(stage.swapped) == 1


def test_what_does_not_belong_together_is_told_and_never_swapped(stage: Stage) -> None:
    stage.broker.commit("abc", (OBS, 0, 100), (OBS, 1, 50))
    whole = stage.generation
    assert whole
    stage.generation = None
    assert "was emptied" in stage.refused()
    stage.generation = Generation("f1", whole.topics, "later", "here", "ozone_next_later")
    assert "belongs to another filling" in stage.refused()
    stage.generation, stage.place = whole, "restored"
    assert "was restored or replaced" in stage.refused()
    stage.place = "here"
    stage.broker.ids[OBS] = uuid.uuid4()
    assert "Kafka's topics are new" in stage.refused()
    stage.volume.forget()
    assert "not prepared for this plan" in stage.refused()
    assert stage.swapped == []


def test_how_far_it_is_is_said_once_in_a_while(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    stage.swapper.clock = lambda: now
    with caplog.at_level(logging.INFO, "ozone"):
        stage.swapper.step()
        stage.swapper.step()
        now = 31.0
        stage.broker.commit("abc", (OBS, 0, 55))
        stage.swapper.step()
    assert caplog.messages == [
        "The new tables are being filled beside the old ones: Flink's job has made no checkpoint yet.",
        "The new tables are being filled beside the old ones: 50 % read, 1 of 2 topics to their ends.",
    ]


def test_only_what_was_rendered_is_removed(broker: FakeBroker) -> None:
    others = ["connect-offsets", "connect-configs", "mine", "openmrs-2.obs", "Openmrs-00000001.obs", f"x.{BEFORE}"]
    broker.held |= {name: [(0, 1)] for name in [*others, "schema-history.emr-0a1b2c3d"]}
    offsets = FakeOffsets(NOW, "mine", BEFORE)
    assert remove_former(broker, offsets, {NOW}) == ["emr-0a1b2c3d", BEFORE]  # type: ignore[arg-type]
    assert broker.deleted == ["schema-history.emr-0a1b2c3d"]
    assert offsets.remembered == [NOW, "mine"]
    assert remove_former(broker, offsets, {NOW}) == []  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("key", "prefix"),
    [
        (b'["openmrs",{"server":"openmrs-5274cd11"}]', "openmrs-5274cd11"),
        (b'["openmrs",{"filename":"x"}]', None),
        (b'["openmrs"]', None),
        (b"{}", None),
        (b"not json", None),
        (json.dumps(["a", {"server": 1}]).encode(), None),
    ],
)
def test_the_prefix_in_a_key_of_connects_offsets(key: bytes, prefix: str | None) -> None:
    assert prefix_of(key) == prefix


def test_a_fault_of_kafka_is_said_in_words(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise KafkaError("coordinator is loading")

    monkeypatch.setattr(stage.broker, "list_group_offsets", fail)
    assert stage.refused().startswith("Kafka does not answer as it should yet")


def test_a_refusal_of_the_sink_is_kept_as_a_problem(stage: Stage) -> None:
    stage.broker.commit("abc", (OBS, 0, 100), (OBS, 1, 50))
    stage.failure = RefusedError(Problem("A view stands in the way."))
    assert stage.refused() == "A view stands in the way."
