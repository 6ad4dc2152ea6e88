SELECT p.patient_id, n.given_name, n.middle_name, n.family_name,
  (SELECT GROUP_CONCAT(CONCAT(t.name, ': ', i.identifier)
     ORDER BY i.preferred DESC, i.date_created, i.patient_identifier_id SEPARATOR ', ')
   FROM patient_identifier i JOIN patient_identifier_type t ON t.patient_identifier_type_id = i.identifier_type
   WHERE i.patient_id = p.patient_id AND i.voided = 0) AS identifiers,
  o.gender, o.birthdate, o.birthdate_estimated <> 0 AS birthdate_estimated, o.uuid AS patient_uuid,
  a.city_village AS address_city, a.county_district AS address_county_district,
  a.state_province AS address_state_province, a.country AS address_country,
  a.address1 AS address_1, a.address2 AS address_2, a.address3 AS address_3, a.address4 AS address_4,
  a.address5 AS address_5, a.address6 AS address_6, a.address7 AS address_7, a.address8 AS address_8,
  a.address9 AS address_9, a.address10 AS address_10, a.address11 AS address_11, a.address12 AS address_12,
  a.address13 AS address_13, a.address14 AS address_14, a.address15 AS address_15,
  a.latitude AS address_latitude, a.longitude AS address_longitude,
  (SELECT GROUP_CONCAT(CONCAT(t.name, ': ',
       IF(t.format = 'org.openmrs.Concept',
          COALESCE((SELECT l.name FROM concept c JOIN concept_label l ON l.concept_id = c.concept_id
                    WHERE CAST(c.concept_id AS CHAR) = x.value OR c.uuid = x.value), x.value),
          x.value)) ORDER BY x.person_attribute_id SEPARATOR ' / ')
   FROM person_attribute x
   JOIN person_attribute_type t ON t.person_attribute_type_id = x.person_attribute_type_id
   WHERE x.person_id = p.patient_id AND x.voided = 0) AS attributes,
  o.dead <> 0 AS dead, o.death_date, o.cause_of_death, o.creator, o.date_created,
  o.voided <> 0 AS person_voided, o.void_reason AS person_void_reason
FROM patient p
LEFT JOIN person o ON o.person_id = p.patient_id
LEFT JOIN person_name n ON n.person_name_id = (
  SELECT x.person_name_id FROM person_name x WHERE x.person_id = p.patient_id AND x.voided = 0
  ORDER BY x.preferred DESC, x.date_created, x.person_name_id LIMIT 1)
LEFT JOIN person_address a ON a.person_address_id = (
  SELECT x.person_address_id FROM person_address x WHERE x.person_id = p.patient_id AND x.voided = 0
  ORDER BY x.preferred DESC, x.date_created, x.person_address_id LIMIT 1)
