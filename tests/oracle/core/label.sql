CREATE TEMPORARY TABLE concept_label (PRIMARY KEY (concept_id)) AS
SELECT c.concept_id, n.name, n.locale, COALESCE(n.locale_preferred, 0) AS locale_preferred
FROM concept c
JOIN concept_name n ON n.concept_name_id = (
  SELECT x.concept_name_id FROM concept_name x WHERE x.concept_id = c.concept_id AND x.voided = 0
  ORDER BY
    CASE WHEN x.locale = 'en' THEN 0 WHEN x.locale LIKE 'en\_%' THEN 1
         WHEN x.locale = 'fr' THEN 2 WHEN x.locale LIKE 'fr\_%' THEN 3 ELSE 4 END,
    COALESCE(x.locale_preferred, 0) = 0,
    COALESCE(x.concept_name_type, '') <> 'FULLY_SPECIFIED',
    BINARY x.locale, x.concept_name_id LIMIT 1)
