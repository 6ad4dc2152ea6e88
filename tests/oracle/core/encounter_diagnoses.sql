SELECT diagnosis_id, diagnosis_coded, diagnosis_non_coded, diagnosis_coded_name, encounter_id, patient_id, certainty,
  dx_rank AS `rank`, uuid, creator, date_created, voided <> 0 AS voided, voided_by, date_voided, void_reason
FROM encounter_diagnosis
