-- @analyzer iec101_103
-- @group    ot
-- @title    IEC 60870-5-101 AND -103
-- @help     IEC 60870-5-101/103 carried over IP

-- @section summary shape=facts
SELECT count(*) AS frames, count(DISTINCT flow_id) AS lines, count(*) FILTER (WHERE protocol = 'iec101') AS "IEC 101", count(*) FILTER (WHERE protocol = 'iec103') AS "IEC 103", count(*) FILTER (WHERE protocol = 'ft12') AS "Link only", count(*) FILTER (WHERE category IN ('control', 'setpoint')) AS commands, min(ts) AS first, max(ts) AS last FROM iec101_103;

-- @section "Lines" shape=table limit=15
SELECT min(src_ip) AS one, max(src_ip) AS other, coalesce(max(protocol) FILTER (WHERE protocol <> 'ft12'), 'ft12') AS protocol, carrier, last_value(layout ORDER BY frame) FILTER (WHERE layout IS NOT NULL) AS layout, max(CASE confidence WHEN 'high' THEN '3 high' WHEN 'medium' THEN '2 medium' ELSE '1 low' END) AS confidence, count(*) AS frames FROM iec101_103 GROUP BY capture_id, flow_id, carrier ORDER BY frames DESC, one, other;

-- @section "Stations" shape=table limit=15
SELECT CASE WHEN is_primary THEN dst_ip ELSE src_ip END AS ip, protocol, link_address AS "Link address", common_address AS "Common address", count(*) AS frames, count(*) FILTER (WHERE category IN ('control', 'setpoint')) AS commands FROM iec101_103 WHERE link_address IS NOT NULL GROUP BY 1, 2, 3, 4 ORDER BY frames DESC, ip, 3, 4;

-- @section "ASDUs" shape=table limit=30
SELECT protocol, type_id AS type, type_id_code AS code, cot AS cause, count(*) AS frames, min(frame) AS frame FROM iec101_103 WHERE type_id_code IS NOT NULL GROUP BY 1, 2, 3, 4 ORDER BY frames DESC, protocol, code, cause;

-- @section "Commands" shape=table limit=30
SELECT ts, actor AS master, target, target_unit AS station, class, command, point, value, outcome, request_frame AS frame FROM ot_commands WHERE protocol IN ('iec101', 'iec103') ORDER BY capture, request_frame;

-- @section "Protection" shape=table limit=20
SELECT function_type AS function, information_number AS information, type_id AS type, cot AS cause, value_text AS state, count(*) AS frames FROM iec101_103 WHERE protocol = 'iec103' GROUP BY 1, 2, 3, 4, 5 ORDER BY frames DESC, function, information, type, cause, state;

-- @section "Link functions" shape=table limit=20
SELECT src_ip AS sender, link_function AS function, count(*) AS frames FROM iec101_103 WHERE link_function IS NOT NULL GROUP BY 1, 2 ORDER BY frames DESC, sender, function;

-- @section "Frames" shape=table verbose
SELECT ts, src_ip AS source, dst_ip AS destination, frame_format AS format, link_function AS function, link_address AS link, type_id AS type, cot AS cause, common_address AS station, ioa, value_text AS value, frame FROM iec101_103 ORDER BY capture, frame;

-- @finding iec101_command severity=medium confidence=high technique=T0855
SELECT CASE WHEN outcome = 'refused' THEN 'low' ELSE 'medium' END AS severity, 'A station was commanded' AS title, command || ' ' || coalesce(point, '') || coalesce(' = ' || value, '') || ', station ' || coalesce(target_unit, '-') || ': ' || outcome AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'iec101' AND class IN ('operate', 'setpoint') GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, command, point, value, target_unit, outcome ORDER BY capture, frame;

-- @finding iec103_command severity=medium confidence=high technique=T0855,T0878
SELECT CASE WHEN regexp_like(point, 'information (16|17|18|19|20)$') THEN 'high' ELSE 'medium' END AS severity, 'A protection device was commanded' AS title, command || ' ' || coalesce(point, '') || coalesce(' = ' || value, '') || ', station ' || coalesce(target_unit, '-') || ': ' || outcome AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'iec103' GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, command, point, value, target_unit, outcome ORDER BY capture, frame;

-- @finding iec101_reset severity=high confidence=high technique=T0816
SELECT 'A station was reset' AS title, 'C_RP_NA_1, station ' || coalesce(target_unit, '-') || ': ' || outcome AS details, src_ip, dst_ip, dst_port, request_frame AS frame, ts, capture FROM ot_commands WHERE protocol = 'iec101' AND class = 'restart'
UNION ALL SELECT 'A station was reset' AS title, 'reset of the user process' AS details, src_ip, dst_ip, dst_port, frame, ts, capture FROM (SELECT *, row_number() OVER (PARTITION BY capture_id, flow_id ORDER BY frame) AS n FROM iec101_103 WHERE is_primary AND link_function = 'reset_user_process' AND confidence <> 'low') WHERE n > 1 ORDER BY capture, frame;

-- @finding iec10x_clock severity=low confidence=high technique=T0836
WITH firsts AS (SELECT capture_id, flow_id, min_by_frame AS src_ip FROM (SELECT capture_id, flow_id, first_value(src_ip ORDER BY frame) AS min_by_frame FROM iec101_103 WHERE is_primary GROUP BY capture_id, flow_id))
SELECT 'The clock of a station was set by a second master' AS title, 'type ' || CAST(t.type_id_code AS VARCHAR) AS details, t.src_ip, t.dst_ip, t.frame, t.ts, t.capture FROM iec101_103 AS t JOIN firsts AS f ON f.capture_id = t.capture_id AND f.flow_id = t.flow_id
WHERE t.is_primary AND f.src_ip <> t.src_ip AND (t.protocol = 'iec101' AND t.type_id_code = 103 AND t.cot_code = 6 OR t.protocol = 'iec103' AND t.type_id_code = 6) ORDER BY t.capture, t.frame;

-- @finding iec10x_second_master severity=medium confidence=medium technique=T0848
SELECT 'Two masters on one line' AS title, array_to_string(array_sort(array_agg(DISTINCT src_ip)), ', ') || ' poll ' || dst_ip AS details, min(src_ip) AS src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM iec101_103 WHERE is_primary AND link_function IN ('request_class_1', 'request_class_2', 'send_confirm') AND confidence <> 'low' GROUP BY capture, capture_id, dst_ip, link_address HAVING count(DISTINCT src_ip) > 1 ORDER BY capture, frame;

-- @finding iec10x_link_errors severity=low confidence=medium technique=T0814
SELECT 'A line is disturbed' AS title, CAST(count(*) AS VARCHAR) || ' resets of the link within a minute' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM iec101_103 WHERE is_primary AND link_function = 'reset_link' GROUP BY capture, capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 60000000000 HAVING count(*) >= 10 ORDER BY capture, frame;

-- @finding iec103_parameter severity=high confidence=medium technique=T0836
SELECT 'Parameters of a protection device were written' AS title, 'type ' || CAST(type_id_code AS VARCHAR) || ', information ' || array_to_string(array_sort(array_agg(DISTINCT information_number)), ', ') || ', station ' || coalesce(CAST(common_address AS VARCHAR), '-') AS details, src_ip, dst_ip, min(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
-- Generic services: 248 to 250 write an entry, to confirm and to carry out; those below read.
FROM iec101_103 WHERE protocol = 'iec103' AND is_primary AND type_id_code IN (10, 21) AND information_number BETWEEN 248 AND 250 GROUP BY capture_id, src_ip, dst_ip, type_id_code, common_address ORDER BY frame;

-- @finding iec10x_new_client_writes severity=medium confidence=medium technique=T0855
SELECT severity, 'A client that was not there before writes' AS title, details, src_ip, dst_ip, dst_port, count, frame, frames, ts, end_ts, capture FROM late_writers WHERE protocol IN ('iec101', 'iec103') ORDER BY frame, src_ip, dst_ip;
