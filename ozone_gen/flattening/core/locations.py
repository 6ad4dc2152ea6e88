"""The core table of locations."""

from __future__ import annotations

from ozone_gen.flattening import expressions as sql
from ozone_gen.flattening.core.columns import big, changed, finish, made, retired, varchar
from ozone_gen.flattening.subqueries import Subqueries
from ozone_gen.flattening.table import FlattenedTable


def locations(subqueries: Subqueries) -> FlattenedTable:
    """One row for each location."""
    tags = subqueries.add(
        "tag_list",
        f"""SELECT m.location_id, {sql.joined("ARRAY_AGG(t.name)", ", ")} AS tags
FROM {subqueries.table("location_tag_map")} m
JOIN {subqueries.table("location_tag")} t ON t.location_tag_id = m.location_tag_id
GROUP BY m.location_id""",
    )

    def lines(first: int, last: int) -> list[str]:
        return [f"address{number}" for number in range(first, last + 1)]

    columns = [
        big("location_id", "l.location_id"),
        varchar("name", "l.name"),
        varchar("description", "l.description"),
        varchar("location_tags", "t.tags", "Names of its tags, sorted."),
        *(
            varchar(name, f"l.{name}")
            for name in (
                *lines(1, 2),
                *("city_village", "state_province", "postal_code", "country", "latitude", "longitude"),
            )
        ),
        *made("l"),
        *(varchar(name, f"l.{name}") for name in ("county_district", *lines(3, 6))),
        *retired("l"),
        big("parent_location", "l.parent_location", "Id of the location that it is a part of."),
        varchar("uuid", "l.uuid"),
        *changed("l"),
        *(varchar(name, f"l.{name}") for name in lines(7, 15)),
    ]
    body = f"""FROM {subqueries.table("location")} l
LEFT JOIN {tags} t ON t.location_id = l.location_id"""
    return finish(
        "locations",
        "One row for each location; those no longer used are marked by retired.",
        columns,
        "location_id",
        "",
        subqueries,
        body,
    )
