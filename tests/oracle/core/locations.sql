SELECT l.location_id, l.name, l.description,
  (SELECT GROUP_CONCAT(t.name ORDER BY BINARY t.name SEPARATOR ', ')
   FROM location_tag_map m JOIN location_tag t ON t.location_tag_id = m.location_tag_id
   WHERE m.location_id = l.location_id) AS location_tags,
  l.address1, l.address2, l.city_village, l.state_province, l.postal_code, l.country, l.latitude, l.longitude,
  l.creator, l.date_created, l.county_district, l.address3, l.address4, l.address5, l.address6,
  l.retired <> 0 AS retired, l.retired_by, l.date_retired, l.retire_reason, l.parent_location, l.uuid, l.changed_by,
  l.date_changed, l.address7, l.address8, l.address9, l.address10, l.address11, l.address12, l.address13, l.address14,
  l.address15
FROM location l
