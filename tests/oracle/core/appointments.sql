SELECT a.patient_appointment_id, a.patient_id, a.appointment_number, a.start_date_time, a.location_id, a.end_date_time,
  a.appointment_service_id, a.appointment_service_type_id, a.status, a.appointment_kind, a.comments,
  a.related_appointment_id, a.creator, a.date_created, a.changed_by, a.date_changed,
  IFNULL(a.voided, 0) <> 0 AS voided, a.voided_by, a.date_voided, a.void_reason, a.uuid,
  s.name AS appointment_service_name, s.description AS appointment_service_description,
  IF(s.appointment_service_id IS NULL, NULL, IFNULL(s.voided, 0) <> 0) AS appointment_service_voided,
  s.uuid AS appointment_service_uuid, s.color AS appointment_service_color,
  TIMESTAMP('1970-01-01', s.start_time) AS appointment_service_start_time,
  TIMESTAMP('1970-01-01', s.end_time) AS appointment_service_end_time,
  s.speciality_id AS appointment_service_speciality_id,
  s.max_appointments_limit AS appointment_service_max_appointments_limit,
  s.duration_mins AS appointment_service_duration_mins,
  s.initial_appointment_status AS appointment_service_initial_appointment_status,
  t.name AS appointment_service_type_name, t.duration_mins AS appointment_service_type_duration_mins,
  IF(t.appointment_service_type_id IS NULL, NULL, IFNULL(t.voided, 0) <> 0) AS appointment_service_type_voided,
  t.uuid AS appointment_service_type_uuid,
  p.provider_id AS patient_appointment_provider, p.response AS patient_appointment_provider_response
FROM patient_appointment a
LEFT JOIN appointment_service s ON s.appointment_service_id = a.appointment_service_id
LEFT JOIN appointment_service_type t ON t.appointment_service_type_id = a.appointment_service_type_id
LEFT JOIN patient_appointment_provider p ON p.patient_appointment_provider_id = (
  SELECT MIN(x.patient_appointment_provider_id) FROM patient_appointment_provider x
  WHERE x.patient_appointment_id = a.patient_appointment_id AND IFNULL(x.voided, 0) = 0)
