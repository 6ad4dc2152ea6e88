SELECT c.concept_id,
  (SELECT GROUP_CONCAT(CONCAT(s.name, ': ', t.code) ORDER BY BINARY CONCAT(s.name, ': ', t.code) SEPARATOR ', ')
   FROM concept_reference_map m
   JOIN concept_reference_term t ON t.concept_reference_term_id = m.concept_reference_term_id
   JOIN concept_reference_source s ON s.concept_source_id = t.concept_source_id
   WHERE m.concept_id = c.concept_id) AS concept_mappings_source_codes,
  l.name, l.locale, l.locale_preferred <> 0 AS locale_preferred, c.retired <> 0 AS retired, c.uuid,
  (SELECT GROUP_CONCAT(x.uuid ORDER BY a.sort_weight IS NULL, a.sort_weight, a.concept_answer_id SEPARATOR ', ')
   FROM concept_answer a JOIN concept x ON x.concept_id = a.answer_concept
   WHERE a.concept_id = c.concept_id) AS answer_concepts_uuids,
  (SELECT GROUP_CONCAT(x.uuid ORDER BY s.sort_weight IS NULL, s.sort_weight, s.concept_set_id SEPARATOR ', ')
   FROM concept_set s JOIN concept x ON x.concept_id = s.concept_id
   WHERE s.concept_set = c.concept_id) AS member_concepts_uuids
FROM concept c
LEFT JOIN concept_label l ON l.concept_id = c.concept_id
