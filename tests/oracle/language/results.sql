SELECT 'clinic' AS site, r.obs_id, r.uuid AS obs_uuid, r.obs_datetime, c.name AS question_label, q.uuid AS question_uuid,
  r.obs_group_id, e.encounter_id, e.uuid AS encounter_uuid, e.encounter_datetime, t.name AS encounter_type,
  f.name AS form_name, l.name AS location, l.uuid AS location_uuid, v.visit_id, v.uuid AS visit_uuid,
  y.name AS visit_type, r.person_id AS patient_id, n.uuid AS patient_uuid,
  CASE WHEN r.concept_id = {CIEL:21} THEN r.value_numeric END AS hemoglobin,
  CASE WHEN r.concept_id IN ({CIEL:21}, {CIEL:678}) AND g.concept_id = {CIEL:1019} AND g.voided = 0
    THEN r.value_numeric END AS in_panel,
  CASE WHEN r.concept_id = {CIEL:32} THEN a.name END AS smear
FROM obs r
JOIN concept q ON q.concept_id = r.concept_id
LEFT JOIN concept_label c ON c.concept_id = r.concept_id
LEFT JOIN concept_label a ON a.concept_id = r.value_coded
LEFT JOIN obs g ON g.obs_id = r.obs_group_id
JOIN person n ON n.person_id = r.person_id
LEFT JOIN patient p ON p.patient_id = r.person_id
LEFT JOIN encounter e ON e.encounter_id = r.encounter_id
LEFT JOIN encounter_type t ON t.encounter_type_id = e.encounter_type
LEFT JOIN form f ON f.form_id = e.form_id
LEFT JOIN location l ON l.location_id = e.location_id
LEFT JOIN visit v ON v.visit_id = e.visit_id AND v.voided = 0
LEFT JOIN visit_type y ON y.visit_type_id = v.visit_type_id
WHERE r.concept_id IN ({CIEL:21}, {CIEL:678}, {CIEL:729}, {CIEL:32})
  AND l.name IN ('Laboratory', 'Outpatient Clinic') AND r.voided = 0 AND (r.encounter_id IS NULL OR e.voided = 0) AND (p.patient_id IS NULL OR p.voided = 0)
