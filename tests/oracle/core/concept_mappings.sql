SELECT m.concept_map_id, m.concept_id, (SELECT c.uuid FROM concept c WHERE c.concept_id = m.concept_id) AS concept_uuid,
  (SELECT l.name FROM concept_label l WHERE l.concept_id = m.concept_id) AS concept_name,
  (SELECT s.name FROM concept_reference_source s WHERE s.concept_source_id = t.concept_source_id) AS source, t.code,
  t.name AS term_name,
  (SELECT y.name FROM concept_map_type y WHERE y.concept_map_type_id = m.concept_map_type_id) AS map_type,
  t.retired <> 0 AS term_retired
FROM concept_reference_map m
LEFT JOIN concept_reference_term t ON t.concept_reference_term_id = m.concept_reference_term_id
