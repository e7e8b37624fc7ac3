-- @analyzer honeywell
-- @group    ot
-- @title    HONEYWELL CONTROL SYSTEMS
-- @help     Honeywell CDA and Experion traffic

-- @section summary shape=facts
SELECT count(*) AS flows, count(DISTINCT dst_ip) AS hosts, count(DISTINCT src_ip) AS peers, max(CASE confidence WHEN 'high' THEN '3 high' WHEN 'medium' THEN '2 medium' ELSE '1 low' END) AS "Best confidence", 'commands are not decoded: CDA has no public description' AS content, min(ts) AS first, max(ts) AS last FROM honeywell;

-- @section "Hosts" shape=table limit=15
SELECT dst_ip AS ip, max(product) AS product, max(matched_text) AS text, max(matched_table) AS "Found in", array_to_string(array_sort(array_agg(DISTINCT evidence)), '; ') AS evidence, min(confidence) AS confidence, array_to_string(array_sort(array_agg(DISTINCT port)), ', ') AS ports, count(DISTINCT src_ip) AS peers, min(ts) AS first, max(ts) AS last FROM honeywell GROUP BY dst_ip ORDER BY peers DESC, ip;

-- @section "Flows" shape=table limit=15
SELECT h.src_ip AS client, h.dst_ip AS host, h.port, h.confidence, count(*) AS flows, sum(h.frames) AS frames FROM honeywell AS h GROUP BY h.src_ip, h.dst_ip, h.port, h.confidence ORDER BY frames DESC, client, host, h.port;

-- @finding honeywell_asset severity=info confidence=medium technique=T0888
SELECT 'A control system of Honeywell' AS title, max(product) || ': ' || max(matched_text) AS details, dst_ip AS src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM honeywell WHERE confidence IN ('high', 'medium') GROUP BY capture, capture_id, dst_ip ORDER BY capture, frame;

-- @finding honeywell_epicmo severity=medium confidence=medium technique=T0843,T0857
SELECT CASE WHEN min(split_part(src_ip, '.', 3)) <> min(split_part(dst_ip, '.', 3)) THEN 'high' ELSE 'medium' END AS severity, 'The diagnostics of a control system are used' AS title, 'EpicMo, port 55565' AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM honeywell WHERE port = 55565 AND confidence IN ('high', 'medium') GROUP BY capture, capture_id, src_ip, dst_ip, dst_port ORDER BY capture, frame;

-- @finding honeywell_public_peer severity=high confidence=high technique=T0883
SELECT 'A control system of Honeywell is reached across the internet' AS title, CAST(count(*) AS VARCHAR) || ' messages' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM honeywell WHERE port = 55565 AND confidence IN ('high', 'medium') AND (is_public(src_ip) OR is_public(dst_ip)) GROUP BY capture, capture_id, src_ip, dst_ip ORDER BY capture, frame;
