"""The core table of providers."""

from __future__ import annotations

from ozone_gen.flattening import expressions as sql
from ozone_gen.flattening.core.columns import big, changed, creator, date, finish, moment, retired, varchar
from ozone_gen.flattening.core.people import best_of_person
from ozone_gen.flattening.subqueries import Subqueries
from ozone_gen.flattening.table import FlattenedTable


def providers(subqueries: Subqueries) -> FlattenedTable:
    """One row for each provider, with the person and the user that they are, if any."""
    active = sql.is_false("retired")
    user = subqueries.add(
        "first_user",
        f"""SELECT person_id, username FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY person_id ORDER BY user_id) AS place
  FROM {subqueries.table("users")}
  WHERE {active}
)
WHERE place = 1""",
    )
    roles = subqueries.add(
        "role_list",
        f"""SELECT u.person_id, {sql.joined("ARRAY_DISTINCT(ARRAY_AGG(r.role))", ", ")} AS roles
FROM {subqueries.table("users")} u
JOIN {subqueries.table("user_role")} r ON r.user_id = u.user_id
WHERE {sql.is_false("u.retired")}
GROUP BY u.person_id""",
    )
    name = best_of_person(subqueries, "person_name", "person_name_id")
    columns = [
        big("provider_id", "v.provider_id"),
        big("person_id", "v.person_id", "Empty for a provider who is no person of the database."),
        varchar("person_uuid", "p.uuid"),
        varchar("username", "u.username", "Of the person's oldest user that is not retired."),
        varchar("identifier", "v.identifier"),
        varchar("name", "v.name", "Of a provider who is no person; of persons it is most often empty."),
        varchar("given_name", "n.given_name", "Of the preferred name, else of the oldest that is not voided."),
        varchar("middle_name", "n.middle_name"),
        varchar("family_name", "n.family_name"),
        varchar("gender", "p.gender"),
        date("birthdate", "p.birthdate"),
        varchar("roles", "r.roles", "Of the person's users that are not retired, sorted."),
        *retired("v"),
        varchar("provider_uuid", "v.uuid"),
        moment("date_created", "v.date_created"),
        creator("v"),
        *changed("v"),
    ]
    body = f"""FROM {subqueries.table("provider")} v
LEFT JOIN {subqueries.table("person")} p ON p.person_id = v.person_id
LEFT JOIN {name} n ON n.person_id = v.person_id
LEFT JOIN {user} u ON u.person_id = v.person_id
LEFT JOIN {roles} r ON r.person_id = v.person_id"""
    return finish(
        "providers",
        "One row for each provider; those no longer active are marked by retired.",
        columns,
        "provider_id",
        "",
        subqueries,
        body,
    )
