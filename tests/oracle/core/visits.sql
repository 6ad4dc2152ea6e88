SELECT v.visit_id, v.voided <> 0 AS visit_voided, l.name AS location, v.date_started, v.date_stopped, y.name AS type,
  (SELECT GROUP_CONCAT(CONCAT(t.name, ': ',
       IF(t.datatype = 'org.openmrs.customdatatype.datatype.ConceptDatatype',
          COALESCE((SELECT l.name FROM concept c JOIN concept_label l ON l.concept_id = c.concept_id
                    WHERE CAST(c.concept_id AS CHAR) = x.value_reference OR c.uuid = x.value_reference), x.value_reference),
          x.value_reference)) ORDER BY x.visit_attribute_id SEPARATOR ' / ')
   FROM visit_attribute x
   JOIN visit_attribute_type t ON t.visit_attribute_type_id = x.attribute_type_id
   WHERE x.visit_id = v.visit_id AND x.voided = 0) AS visit_attributes,
  p.gender AS patient_gender, p.birthdate AS patient_birthdate,
  p.birthdate_estimated <> 0 AS patient_birthdate_estimated,
  TIMESTAMPDIFF(YEAR, p.birthdate, DATE(v.date_started)) AS patient_age_at_visit,
  p.dead <> 0 AS patient_dead, p.death_date AS patient_death_date, p.cause_of_death AS patient_cause_of_death,
  v.uuid AS visit_uuid, y.uuid AS visit_type_uuid, l.uuid AS location_uuid, p.uuid AS patient_uuid,
  (SELECT q.uuid FROM users u JOIN person q ON q.person_id = u.person_id WHERE u.user_id = v.creator) AS creator_uuid
FROM visit v
LEFT JOIN person p ON p.person_id = v.patient_id
LEFT JOIN visit_type y ON y.visit_type_id = v.visit_type_id
LEFT JOIN location l ON l.location_id = v.location_id
