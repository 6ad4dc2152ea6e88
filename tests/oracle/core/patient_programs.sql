SELECT e.patient_program_id, e.patient_id, e.program_id, e.date_enrolled, e.date_completed, e.location_id,
  e.outcome_concept_id, e.creator, e.date_created, e.changed_by, e.date_changed, e.voided <> 0 AS voided, e.voided_by,
  e.date_voided, e.void_reason, e.uuid, p.retired <> 0 AS program_retired, p.name AS program_name,
  p.description AS program_description, p.uuid AS program_uuid, p.concept_id AS program_concept_id,
  (SELECT l.name FROM concept_label l WHERE l.concept_id = p.concept_id) AS concept_name,
  (SELECT c.uuid FROM concept c WHERE c.concept_id = p.concept_id) AS concept_uuid,
  p.outcomes_concept_id AS program_outcomes_concept_id,
  (SELECT l.name FROM concept_label l WHERE l.concept_id = p.outcomes_concept_id) AS outcomes_concept_name,
  (SELECT c.uuid FROM concept c WHERE c.concept_id = p.outcomes_concept_id) AS outcomes_concept_uuid
FROM patient_program e
LEFT JOIN program p ON p.program_id = e.program_id
