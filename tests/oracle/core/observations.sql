SELECT o.obs_id, o.voided <> 0 AS obs_voided, l.name AS location, o.obs_datetime AS obs_date_time,
  ql.name AS question_label,
  (SELECT CONCAT(s.name, ':', t.code)
   FROM concept_reference_map m
   JOIN concept_reference_term t ON t.concept_reference_term_id = m.concept_reference_term_id
   JOIN concept_reference_source s ON s.concept_source_id = t.concept_source_id
   JOIN concept_map_type y ON y.concept_map_type_id = m.concept_map_type_id
   WHERE m.concept_id = o.concept_id
   ORDER BY y.name <> 'SAME-AS', BINARY CONCAT(s.name, ':', t.code) LIMIT 1) AS question_mapping,
  al.name AS answer_coded, o.value_datetime AS answer_datetime, o.value_drug AS answer_drug,
  o.value_numeric AS answer_numeric, o.value_text AS answer_text, o.value_complex AS answer_complex,
  o.value_modifier AS answer_modifier, o.comments, o.date_created, o.accession_number,
  et.name AS encounter_type, o.form_namespace_and_path, vt.name AS visit_type,
  v.date_started AS visit_date_started, v.date_stopped AS visit_date_stopped, o.void_reason AS obs_void_reason,
  o.previous_version AS previous_version_obs_id, o.obs_group_id AS parent_obs_id, a.uuid AS answer_coded_uuid,
  (SELECT p.uuid FROM users u JOIN person p ON p.person_id = u.person_id WHERE u.user_id = o.creator) AS creator_uuid,
  e.uuid AS encounter_uuid, v.uuid AS visit_uuid, l.uuid AS location_uuid, o.uuid AS obs_uuid,
  g.uuid AS obs_group_uuid, gc.uuid AS obs_group_concept_uuid, p.uuid AS patient_uuid, q.uuid AS question_uuid
FROM obs o
LEFT JOIN location l ON l.location_id = o.location_id
LEFT JOIN concept q ON q.concept_id = o.concept_id
LEFT JOIN concept_label ql ON ql.concept_id = o.concept_id
LEFT JOIN concept a ON a.concept_id = o.value_coded
LEFT JOIN concept_label al ON al.concept_id = o.value_coded
LEFT JOIN encounter e ON e.encounter_id = o.encounter_id
LEFT JOIN encounter_type et ON et.encounter_type_id = e.encounter_type
LEFT JOIN visit v ON v.visit_id = e.visit_id
LEFT JOIN visit_type vt ON vt.visit_type_id = v.visit_type_id
LEFT JOIN obs g ON g.obs_id = o.obs_group_id
LEFT JOIN concept gc ON gc.concept_id = g.concept_id
LEFT JOIN person p ON p.person_id = o.person_id
