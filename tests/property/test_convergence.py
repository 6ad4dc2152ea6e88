"""Once its source is quiet a table equals what its rows say, whatever happened before and however its topics came."""

from __future__ import annotations

from tests.property.cluster import Cluster
from tests.property.convergence import Case, differences, random_case
from tests.property.dictionary import dictionary_source
from tests.property.examples import EXAMPLES, cases, moved, read_example, write_example
from tests.property.seeds import for_seeds
from tests.property.shrinking import shrunk

CLINICS = 100
"""Histories of a case."""


@for_seeds(3)
def test_random_tables_follow_random_histories(cluster: Cluster, seed: int) -> None:
    case = random_case(seed, CLINICS)
    problems = differences(case, cluster)
    assert not problems, _report(seed, case, problems, cluster)


def test_every_example_still_holds(cluster: Cluster) -> None:
    found = {name: differences(case, cluster) for name, case in cases([read_example(path) for path in EXAMPLES])}
    assert {name: problems for name, problems in found.items() if problems} == {}


def test_a_row_stays_when_its_last_observation_goes(cluster: Cluster) -> None:
    """A table alone is planned otherwise than beside others; many clinics, as the order of topics decides."""
    (example,) = (read_example(path) for path in EXAMPLES if path.stem == "all_voided_after_a_change")
    clinics = [moved(example.clinic, number) for number in range(1, 31)]
    for locked in example.locked:
        assert differences(Case(example.tables, locked, dictionary_source().log, clinics), cluster) == {}


def _report(seed: int, case: Case, problems: dict[str, dict[int, str]], cluster: Cluster) -> str:
    small = shrunk(case, lambda each: differences(each, cluster))
    text = write_example(f"seed {seed}", small) if len(small.clinics) == 1 else "it takes several clinics"
    return (
        f"seed {seed}: {problems}\n\n"
        f"Again: OZONE_PROPERTY_SEED={seed}. As small as it could be made, for tests/property/examples:\n\n{text}"
    )
