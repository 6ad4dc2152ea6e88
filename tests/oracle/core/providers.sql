SELECT v.provider_id, v.person_id, p.uuid AS person_uuid,
  (SELECT u.username FROM users u WHERE u.person_id = v.person_id AND u.retired = 0
   ORDER BY u.user_id LIMIT 1) AS username,
  v.identifier, v.name, n.given_name, n.middle_name, n.family_name, p.gender, p.birthdate,
  (SELECT GROUP_CONCAT(DISTINCT r.role ORDER BY BINARY r.role SEPARATOR ', ')
   FROM user_role r WHERE r.user_id IN (SELECT u.user_id FROM users u WHERE u.person_id = v.person_id AND u.retired = 0)
  ) AS roles,
  v.retired <> 0 AS retired, v.retired_by, v.date_retired, v.retire_reason, v.uuid AS provider_uuid, v.date_created,
  v.creator, v.changed_by, v.date_changed
FROM provider v
LEFT JOIN person p ON p.person_id = v.person_id
LEFT JOIN person_name n ON n.person_name_id = (
  SELECT x.person_name_id FROM person_name x WHERE x.person_id = v.person_id AND x.voided = 0
  ORDER BY x.preferred DESC, x.date_created, x.person_name_id LIMIT 1)
