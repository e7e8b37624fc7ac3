-- @analyzer mitre
-- @group    newer
-- @title    ATT&CK
-- @help     Findings by ATT&CK technique

-- @section summary shape=facts
SELECT count(DISTINCT technique) AS techniques, count(DISTINCT tactic) FILTER (WHERE tactic <> 'unknown') AS tactics, count(DISTINCT src_ip) AS hosts, coalesce(array_to_string(array_sort(array_agg(DISTINCT matrix)), ', '), '-') AS matrices, '16' AS matrix_version FROM finding_tactics;

-- @section "Coverage" shape=table
SELECT tactic, matrix, array_to_string(array_sort(array_agg(DISTINCT parent)), ' ') AS techniques, count(DISTINCT technique) AS named, array_element(ARRAY['critical', 'high', 'medium', 'low', 'info'], 1 + min(rank)) AS worst, count(DISTINCT src_ip) AS hosts, min(ts) AS first FROM finding_tactics GROUP BY tactic, matrix ORDER BY min(rank), matrix, tactic;

-- @section "Techniques" shape=table limit=30
SELECT technique, min(technique_name) AS name, array_to_string(array_sort(array_agg(DISTINCT tactic)), ', ') AS tactics, CASE WHEN min(rank) = 4 THEN 'seen' ELSE array_element(ARRAY['critical', 'high', 'medium', 'low', 'info'], 1 + min(rank)) END AS worst, count(DISTINCT detection || coalesce(src_ip, '') || coalesce(dst_ip, '') || coalesce(CAST(frame AS VARCHAR), '')) AS findings,
  array_to_string(array_slice(array_sort(array_agg(DISTINCT src_ip)), 1, 4), ', ') AS hosts, min(ts) AS first, max(end_ts) AS last FROM finding_tactics GROUP BY technique ORDER BY min(rank), technique;

-- @section "Chains" shape=table limit=20
SELECT src_ip AS host, array_to_string(array_agg(tactic ORDER BY ts, tactic), ' > ') AS chain, min(ts) AS first, max(ts) AS last FROM (SELECT src_ip, tactic, min(ts) AS ts FROM finding_tactics WHERE src_ip IS NOT NULL AND rank < 4 GROUP BY src_ip, tactic) GROUP BY src_ip ORDER BY count(*) DESC, host;

-- @section "Detections behind each" shape=table limit=40
SELECT technique, detection, severity, src_ip AS actor, dst_ip AS target, min(title) AS title, array_to_string(array_slice(first_value(frames ORDER BY frame), 1, 5), ', ') AS "evidence frames", min(ts) AS first FROM finding_tactics WHERE rank < 4 GROUP BY technique, detection, severity, rank, src_ip, dst_ip ORDER BY rank, technique, detection, actor, target;

-- @section "Navigator layer" shape=table verbose
-- What the fields of a layer's techniques are, for ATT&CK Navigator 4.
SELECT technique AS "techniqueID", CASE min(rank) WHEN 0 THEN 100 WHEN 1 THEN 75 WHEN 2 THEN 50 WHEN 3 THEN 25 ELSE 0 END AS score, array_to_string(array_sort(array_agg(DISTINCT detection)), ', ') AS comment, CASE min(matrix) WHEN 'ics' THEN 'ics-attack' ELSE 'enterprise-attack' END AS domain, min(version) AS attack FROM finding_tactics GROUP BY technique ORDER BY technique;
