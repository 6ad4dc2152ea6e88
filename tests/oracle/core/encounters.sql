SELECT e.encounter_id, e.voided <> 0 AS encounter_voided, l.name AS location, e.encounter_datetime,
  y.name AS encounter_type, vt.name AS visit_type, v.date_started AS visit_date_started,
  v.date_stopped AS visit_date_stopped, f.name AS form_name, f.uuid AS form_uuid, f.version AS form_version,
  e.uuid AS encounter_uuid, y.uuid AS encounter_type_uuid, v.uuid AS visit_uuid, p.uuid AS patient_uuid,
  l.uuid AS location_uuid,
  (SELECT q.uuid FROM users u JOIN person q ON q.person_id = u.person_id WHERE u.user_id = e.creator) AS creator_uuid
FROM encounter e
LEFT JOIN encounter_type y ON y.encounter_type_id = e.encounter_type
LEFT JOIN visit v ON v.visit_id = e.visit_id
LEFT JOIN visit_type vt ON vt.visit_type_id = v.visit_type_id
LEFT JOIN form f ON f.form_id = e.form_id
LEFT JOIN person p ON p.person_id = e.patient_id
LEFT JOIN location l ON l.location_id = e.location_id
