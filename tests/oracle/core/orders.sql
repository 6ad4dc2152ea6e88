SELECT o.order_id,
  (SELECT p.uuid FROM person p WHERE p.person_id = o.patient_id) AS patient_uuid,
  y.name AS order_type_name, y.uuid AS order_type_uuid, y.java_class_name AS order_type_java_class_name,
  (SELECT l.name FROM concept_label l WHERE l.concept_id = o.concept_id) AS order_name,
  (SELECT c.uuid FROM concept c WHERE c.concept_id = o.concept_id) AS concept_uuid,
  o.orderer, e.uuid AS encounter_uuid, e.encounter_datetime, t.name AS encounter_type_name,
  t.uuid AS encounter_type_uuid, s.name AS care_setting_name, s.care_setting_type, s.uuid AS care_setting_uuid,
  o.instructions, o.date_activated, o.auto_expire_date, o.date_stopped,
  (SELECT l.name FROM concept_label l WHERE l.concept_id = o.order_reason) AS order_reason,
  (SELECT c.uuid FROM concept c WHERE c.concept_id = o.order_reason) AS order_reason_uuid,
  o.order_reason_non_coded, o.date_created,
  (SELECT q.uuid FROM users u JOIN person q ON q.person_id = u.person_id WHERE u.user_id = o.creator) AS creator_uuid,
  o.voided_by, o.date_voided, o.void_reason, o.accession_number, o.uuid, o.order_number, o.previous_order_id,
  o.order_action, o.comment_to_fulfiller, o.scheduled_date, o.order_group_id, o.sort_weight,
  e.voided <> 0 AS encounter_voided, o.voided <> 0 AS voided, y.retired <> 0 AS order_type_retired,
  t.retired <> 0 AS encounter_type_retired, s.retired <> 0 AS care_setting_retired,
  g.name AS drug_name, d.dose,
  (SELECT l.name FROM concept_label l WHERE l.concept_id = d.dose_units) AS dose_unit_name,
  (SELECT l.name FROM order_frequency f JOIN concept_label l ON l.concept_id = f.concept_id
   WHERE f.order_frequency_id = d.frequency) AS frequency,
  (SELECT l.name FROM concept_label l WHERE l.concept_id = d.route) AS route_name,
  d.quantity, (SELECT l.name FROM concept_label l WHERE l.concept_id = d.quantity_units) AS quantity_unit_name,
  d.duration, (SELECT l.name FROM concept_label l WHERE l.concept_id = d.duration_units) AS duration_unit_name,
  g.uuid AS drug_uuid,
  (SELECT c.uuid FROM concept c WHERE c.concept_id = d.dose_units) AS dose_unit_uuid,
  (SELECT c.uuid FROM concept c WHERE c.concept_id = d.quantity_units) AS quantity_unit_uuid,
  (SELECT c.uuid FROM concept c WHERE c.concept_id = d.route) AS route_uuid,
  (SELECT c.uuid FROM concept c WHERE c.concept_id = d.duration_units) AS duration_unit_uuid,
  (SELECT c.uuid FROM order_frequency f JOIN concept c ON c.concept_id = f.concept_id
   WHERE f.order_frequency_id = d.frequency) AS frequency_uuid
FROM orders o
LEFT JOIN order_type y ON y.order_type_id = o.order_type_id
LEFT JOIN encounter e ON e.encounter_id = o.encounter_id
LEFT JOIN encounter_type t ON t.encounter_type_id = e.encounter_type
LEFT JOIN care_setting s ON s.care_setting_id = o.care_setting
LEFT JOIN drug_order d ON d.order_id = o.order_id
LEFT JOIN drug g ON g.drug_id = d.drug_inventory_id
