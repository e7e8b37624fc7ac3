-- @analyzer dnp3
-- @group    ot
-- @title    DNP3 ANALYSIS
-- @help     DNP3 functions, points, controls, restarts, file operations

-- @section summary shape=facts
SELECT count(*) FILTER (WHERE function_code IS NOT NULL) AS fragments, count(*) FILTER (WHERE function_code IS NULL) AS "Link frames", count(DISTINCT flow_id) AS flows,
  count(DISTINCT CASE WHEN direction = 'from_master' THEN coalesce(src_ip, '') || CAST(link_source AS VARCHAR) END) AS masters,
  count(DISTINCT CASE WHEN direction = 'from_master' THEN coalesce(dst_ip, '') || CAST(link_destination AS VARCHAR) END) AS outstations, min(ts) AS first, max(ts) AS last,
  count(*) FILTER (WHERE request_frame IS NOT NULL) * 1.0 / nullif(count(*) FILTER (WHERE is_request AND function_code NOT IN (0, 6, 8, 10, 12, 33)), 0) AS answered_share,
  count(*) FILTER (WHERE function_code = 130) AS unsolicited, count(*) FILTER (WHERE NOT crc_ok) AS "CRC errors", array_to_string(array_sort(array_agg(DISTINCT CASE WHEN direction = 'from_master' THEN dst_port END)), ', ') AS ports
FROM dnp3;

-- @section "Stations" shape=table limit=15
SELECT src_ip AS ip, link_source AS address, CASE WHEN direction = 'from_master' THEN 'master' ELSE 'outstation' END AS role,
  count(*) FILTER (WHERE function_code IS NOT NULL OR malformed IS NOT NULL OR coalesce(link_function, '') NOT IN ('confirmed_user_data', 'unconfirmed_user_data')) AS messages, count(DISTINCT link_destination) AS peers,
  count(*) FILTER (WHERE (iin & 32768) <> 0) AS "Restart bit", count(*) FILTER (WHERE (iin & 16384) <> 0) AS "Trouble bit", min(ts) AS first
FROM dnp3 GROUP BY src_ip, link_source, direction ORDER BY role, messages DESC, ip, address;

-- @section "Identity" shape=table limit=15 if=dnp3_objects
SELECT src_ip AS outstation, link_source AS address, variation AS attribute, coalesce(value_text, CAST(value AS VARCHAR)) AS value, min(frame) AS frame
FROM dnp3_objects WHERE "group" = 0 AND direction = 'from_outstation' AND coalesce(value_text, CAST(value AS VARCHAR)) IS NOT NULL GROUP BY src_ip, link_source, variation, coalesce(value_text, CAST(value AS VARCHAR)) ORDER BY outstation, address, attribute DESC;

-- @section "Functions" shape=table limit=20
SELECT coalesce(q.function, 'function ' || CAST(q.function_code AS VARCHAR)) AS function, q.category AS class, count(*) AS count, count(a.frame) AS answered, count(*) FILTER (WHERE (a.iin & 7) <> 0) AS refused,
  percentile_cont(0.5) WITHIN GROUP (ORDER BY a.response_time_ms) AS p50_ms, min(q.frame) AS frame
FROM dnp3 q LEFT JOIN dnp3 a ON a.capture_id = q.capture_id AND a.request_frame = q.frame AND a.link_destination = q.link_source AND a.app_sequence = q.app_sequence AND q.is_request
WHERE q.function_code IS NOT NULL GROUP BY q.function_code, q.function, q.category
ORDER BY CASE q.category WHEN 'control' THEN 0 WHEN 'restart' THEN 0 WHEN 'application' THEN 0 WHEN 'write' THEN 1 WHEN 'file' THEN 1 WHEN 'read' THEN 2 ELSE 3 END, count DESC, function;

-- @section "Objects" shape=table limit=15
SELECT object, object_type AS description, function, count(*) AS count, min(index_number) AS "From", max(index_number) AS "To" FROM dnp3_objects GROUP BY object, "group", variation, object_type, function ORDER BY count DESC, "group", variation, function;

-- @section "Controls" shape=table limit=30
SELECT ts, src_ip AS master, dst_ip AS outstation, target_unit AS address, point, replace(command, 'direct_operate', 'direct') AS function, value, outcome, error FROM ot_commands WHERE protocol = 'dnp3' AND class IN ('select', 'operate') ORDER BY capture, request_frame, point;

-- @section "Other commands" shape=table limit=15
SELECT min(ts) AS first, src_ip AS master, dst_ip AS outstation, target_unit AS address, command AS function, class, point AS objects, count(*) AS count, array_to_string(array_sort(array_agg(DISTINCT outcome)), ', ') AS outcome
FROM ot_commands WHERE protocol = 'dnp3' AND class NOT IN ('select', 'operate') GROUP BY src_ip, dst_ip, target_unit, command, class, point ORDER BY first, function, address;

-- @section "Values" shape=table limit=15
SELECT device AS outstation, unit_id AS address, object_type AS type, CAST(split_part(split_part(point, '[', 2), ']', 1) AS INT) AS "Index", count(*) AS reads, last_value(value ORDER BY record_frame) AS last, min(value) AS min, max(value) AS max, last_value(quality ORDER BY record_frame) AS quality
FROM process_values WHERE source_protocol = 'dnp3' AND direction IN ('read', 'report') GROUP BY device, unit_id, object_type, CAST(split_part(split_part(point, '[', 2), ']', 1) AS INT) ORDER BY reads DESC, outstation, address, type, "Index";

-- @section "Files" shape=table limit=15
SELECT ts, src_ip AS src, dst_ip AS dst, function, file_name AS name, file_mode AS mode, file_handle AS handle, file_size_bytes AS "Size", file_block AS block, file_status AS status
FROM dnp3 WHERE category = 'file' OR file_handle IS NOT NULL ORDER BY capture, frame;

-- @section "Security" shape=table limit=15
SELECT src_ip AS src, dst_ip AS dst, auth_kind AS message, auth_user AS "User", count(*) AS count, min(frame) AS frame FROM dnp3 WHERE auth_kind IS NOT NULL GROUP BY src_ip, dst_ip, auth_kind, auth_user ORDER BY frame;

-- @section "Link" shape=table limit=15
SELECT src_ip AS src, link_source AS address, coalesce(link_function, 'function ' || CAST(link_function_code AS VARCHAR)) AS function, count(*) AS frames, count(*) FILTER (WHERE NOT crc_ok) AS "CRC errors", count(*) FILTER (WHERE malformed IS NOT NULL) AS malformed
FROM dnp3 GROUP BY src_ip, link_source, link_function, link_function_code ORDER BY frames DESC, src, address, function;

-- @section "Fragments" shape=table verbose
SELECT ts, src_ip AS src, link_source AS "From", link_destination AS "To", coalesce(function, link_function) AS function, app_sequence AS sequence, array_to_string(groups, ' ') AS objects, array_to_string(iin_names, ' ') AS indications, response_time_ms, malformed FROM dnp3 ORDER BY capture, frame, link_source;

-- @finding dnp3_control severity=medium confidence=high technique=T0855,T0831
SELECT CASE WHEN ok = 0 THEN 'low' WHEN station IS NOT NULL THEN 'high' ELSE 'medium' END AS severity, CASE WHEN ok = 0 THEN 'An outstation was commanded in vain' ELSE 'An outstation was commanded' END AS title,
  CAST(n AS VARCHAR) || ' x ' || command || ' to address ' || unit || ', ' || CAST(ok AS VARCHAR) || ' carried out: ' || points AS details, src_ip, dst_ip, n AS count, frame, frames, ts, end_ts, capture
FROM (SELECT min(capture) AS capture, capture_id, src_ip, dst_ip, target_unit AS unit, command, count(*) AS n, count(*) FILTER (WHERE outcome IN ('ok', 'unconfirmed')) AS ok, array_to_string(array_slice(array_sort(array_agg(DISTINCT point || ' ' || coalesce(value, '?'))), 1, 6), ', ') AS points,
    min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
  FROM ot_commands WHERE protocol = 'dnp3' AND class = 'operate' AND command <> 'direct_operate_nr' GROUP BY capture_id, src_ip, dst_ip, target_unit, command) c
-- A master that was there all along may operate when it likes; one that came when others had long been served may not.
LEFT JOIN (SELECT DISTINCT capture_id, station, device FROM ot_newcomers) n ON n.capture_id = c.capture_id AND station = src_ip AND device = dst_ip
ORDER BY frame, details;

-- @finding dnp3_direct_operate_nr severity=high confidence=high technique=T0855
SELECT 'An outstation was commanded without select and answer' AS title, 'address ' || target_unit || ': ' || array_to_string(array_slice(array_sort(array_agg(DISTINCT point || ' ' || coalesce(value, '?'))), 1, 6), ', ') AS details, src_ip, dst_ip, count(*) AS count,
  min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'dnp3' AND command = 'direct_operate_nr' GROUP BY src_ip, dst_ip, target_unit, capture ORDER BY frame;

-- @finding dnp3_operate_without_select severity=high confidence=high technique=T0855
SELECT 'Points were operated that were not selected' AS title, 'address ' || CAST(link_destination AS VARCHAR) || ': ' || array_to_string(array_slice(array_sort(array_agg(DISTINCT object || '[' || CAST(index_number AS VARCHAR) || ']')), 1, 8), ', ') AS details,
  src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
-- In the first 10 s of a capture the select may lie before it.
FROM dnp3_objects JOIN (SELECT capture_id AS id, CAST(min(ts) AS BIGINT) AS starts FROM packets GROUP BY capture_id) ON id = capture_id
WHERE function_code = 4 AND select_frame IS NULL AND "group" IN (12, 41) AND CAST(ts AS BIGINT) > starts + 10000000000 GROUP BY capture_id, src_ip, dst_ip, link_destination ORDER BY frame;

-- @finding dnp3_control_refused severity=medium confidence=high technique=T0855
SELECT 'Controls were refused' AS title, CAST(count(*) AS VARCHAR) || ' by address ' || target_unit || ': ' || array_to_string(array_sort(array_agg(DISTINCT error)), ', ') AS details, src_ip, dst_ip, count(*) AS count, min(request_frame) AS frame,
  array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM ot_commands WHERE protocol = 'dnp3' AND class IN ('select', 'operate') AND outcome = 'refused' GROUP BY capture_id, src_ip, dst_ip, target_unit HAVING count(*) >= 3 ORDER BY frame;

-- @finding dnp3_write severity=info confidence=high technique=T0836
SELECT CASE WHEN bool_or(regexp_like(point, '(^|, )(10|40|41)\.')) THEN 'medium' ELSE 'info' END AS severity, 'Objects of an outstation were written' AS title,
  'address ' || target_unit || ': ' || array_to_string(array_slice(array_sort(array_agg(DISTINCT point)), 1, 8), '; ') AS details, src_ip, dst_ip, count(*) AS count, min(request_frame) AS frame,
  array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'dnp3' AND command = 'write' AND outcome = 'ok' GROUP BY src_ip, dst_ip, target_unit, capture ORDER BY frame;

-- @finding dnp3_restart severity=high confidence=high technique=T0816
SELECT CASE WHEN bool_and(outcome = 'refused') THEN 'medium' WHEN count(DISTINCT coalesce(dst_ip, '') || target_unit) >= 3 THEN 'critical' ELSE 'high' END AS severity,
  CASE WHEN bool_and(outcome = 'refused') THEN 'Outstations refused to restart' ELSE 'Outstations were told to restart' END AS title,
  array_to_string(array_sort(array_agg(DISTINCT command)), ', ') || ' to address ' || array_to_string(array_slice(array_sort(array_agg(DISTINCT target_unit)), 1, 8), ', ') AS details, src_ip, min(dst_ip) AS dst_ip, count(*) AS count, min(request_frame) AS frame,
  array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'dnp3' AND class = 'restart' AND outcome <> 'no_response' GROUP BY src_ip, capture ORDER BY frame;

-- @finding dnp3_application_control severity=high confidence=high technique=T0816,T0843
SELECT 'Applications or the configuration of an outstation were steered' AS title, array_to_string(array_sort(array_agg(DISTINCT command)), ', ') || ' to address ' || target_unit AS details, src_ip, dst_ip, count(*) AS count, min(request_frame) AS frame,
  array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'dnp3' AND command IN ('initialize_data', 'initialize_appl', 'start_appl', 'stop_appl', 'save_config', 'activate_config') AND outcome <> 'refused' GROUP BY src_ip, dst_ip, target_unit, capture ORDER BY frame;

-- @finding dnp3_file_write severity=high confidence=high technique=T0843,T0809
SELECT CASE WHEN bool_or(class IN ('download', 'delete')) THEN 'high' ELSE 'low' END AS severity, CASE WHEN bool_or(class IN ('download', 'delete')) THEN 'Files of an outstation were written or deleted' ELSE 'Files of an outstation were read' END AS title,
  array_to_string(array_slice(array_sort(array_agg(DISTINCT command || ' ' || coalesce(point, '?'))), 1, 5), ', ') AS details, src_ip, dst_ip, count(*) AS count, min(request_frame) AS frame,
  array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'dnp3' AND class IN ('download', 'delete', 'upload') AND outcome = 'ok' GROUP BY src_ip, dst_ip, class = 'upload', capture ORDER BY frame;

-- @finding dnp3_config_transfer severity=high confidence=high technique=T0843
SELECT 'A configuration was sent to an outstation' AS title, point AS details, src_ip, dst_ip, count(*) AS count, min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'dnp3' AND class = 'download' AND outcome = 'ok' AND regexp_like(lower(point), '(\.(xml|cfg|bin)$|config)') GROUP BY src_ip, dst_ip, point, capture ORDER BY frame;

-- @finding dnp3_disable_unsolicited severity=medium confidence=high technique=T0804,T0878
WITH silenced AS (
  SELECT d.capture_id, d.src_ip, d.dst_ip, d.target_unit, d.request_frame, min(d.ts) AS ts, min(d.at) AS at, min(e.at) AS enabled
  FROM (SELECT *, CAST(ts AS BIGINT) AS at FROM ot_commands) d LEFT JOIN (SELECT *, CAST(ts AS BIGINT) AS at FROM ot_commands WHERE protocol = 'dnp3' AND command = 'enable_unsolicited') e
    ON e.capture_id = d.capture_id AND e.src_ip = d.src_ip AND e.dst_ip = d.dst_ip AND e.target_unit = d.target_unit AND e.request_frame > d.request_frame
  WHERE d.protocol = 'dnp3' AND d.command = 'disable_unsolicited' AND d.outcome <> 'refused' GROUP BY d.capture_id, d.src_ip, d.dst_ip, d.target_unit, d.request_frame)
SELECT CASE WHEN bool_or(coalesce(enabled, 9223372036854775807) > at + 300000000000 AND CAST(c.end_ts AS BIGINT) > at + 300000000000) THEN 'high' ELSE 'medium' END AS severity,
  'An outstation was told to report nothing by itself' AS title, 'address ' || target_unit AS details, src_ip, dst_ip, count(*) AS count, min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(s.ts) AS ts, max(s.ts) AS end_ts, min(c.capture) AS capture
-- Masters start with disable, then enable: within 10 s that is ordinary.
FROM silenced s JOIN captures c ON c.capture_id = s.capture_id
WHERE coalesce(enabled, 9223372036854775807) > at + 10000000000 AND CAST(c.end_ts AS BIGINT) > at + 10000000000 GROUP BY c.capture_id, src_ip, dst_ip, target_unit ORDER BY frame;

-- @finding dnp3_assign_class severity=medium confidence=high technique=T0878
SELECT 'Points of an outstation were assigned to other classes' AS title, 'address ' || target_unit || ': ' || coalesce(min(point), '') AS details, src_ip, dst_ip, count(*) AS count, min(request_frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'dnp3' AND command = 'assign_class' AND outcome <> 'refused' GROUP BY src_ip, dst_ip, target_unit, capture ORDER BY frame;

-- @finding dnp3_freeze severity=low confidence=high technique=T0836
SELECT CASE WHEN bool_or(command LIKE 'freeze_clear%') THEN 'medium' ELSE 'low' END AS severity, 'Counters were frozen' AS title, array_to_string(array_sort(array_agg(DISTINCT command)), ', ') || ' to address ' || target_unit AS details, src_ip, dst_ip, count(*) AS count,
  min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'dnp3' AND command LIKE '%freeze%' AND outcome <> 'refused' GROUP BY src_ip, dst_ip, target_unit, capture ORDER BY frame;

-- @finding dnp3_broadcast_control severity=critical confidence=high technique=T0855
SELECT CASE WHEN bool_or(class <> 'time_set' AND command NOT LIKE '%freeze%' AND command <> 'enable_unsolicited' AND command <> 'disable_unsolicited') THEN 'critical' ELSE 'medium' END AS severity, 'All outstations were commanded at once' AS title,
  array_to_string(array_sort(array_agg(DISTINCT command)), ', ') AS details, src_ip, dst_ip, count(*) AS count, min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'dnp3' AND is_broadcast GROUP BY src_ip, dst_ip, capture ORDER BY frame;

-- @finding dnp3_device_trouble severity=medium confidence=high technique=T0814
SELECT 'An outstation reports trouble' AS title, 'address ' || CAST(link_source AS VARCHAR) || ': ' || array_to_string(array_sort(array_agg(DISTINCT name)), ', ') AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM (SELECT capture, capture_id, link_source, src_ip, dst_ip, frame, ts, unnest(iin_names) AS name FROM dnp3 WHERE (iin & 16430) <> 0) WHERE name IN ('device_trouble', 'object_unknown', 'parameter_error', 'event_buffer_overflow', 'config_corrupt') GROUP BY capture_id, link_source, src_ip, dst_ip ORDER BY frame;

-- @finding dnp3_address_scan severity=medium confidence=high technique=T0846
SELECT 'Link addresses are tried one after the other' AS title, CAST(count(DISTINCT link_destination) AS VARCHAR) || ' addresses within 5 minutes' AS details, q.src_ip, min(q.dst_ip) AS dst_ip, count(*) AS count, min(q.frame) AS frame,
  array_slice(array_sort(array_agg(q.frame)), 1, 20) AS frames, min(q.ts) AS ts, max(q.ts) AS end_ts, min(q.capture) AS capture
FROM dnp3 q LEFT JOIN (SELECT DISTINCT capture_id, dst_ip AS asker, link_source AS address FROM dnp3 WHERE direction = 'from_outstation') a ON a.capture_id = q.capture_id AND a.asker = q.src_ip AND a.address = q.link_destination
WHERE q.direction = 'from_master' AND NOT q.is_broadcast GROUP BY q.capture_id, q.src_ip, CAST(q.ts AS BIGINT) / 300000000000
HAVING count(DISTINCT q.link_destination) >= 10 AND count(DISTINCT a.address) * 2 < count(DISTINCT q.link_destination) ORDER BY frame;

-- @finding dnp3_function_scan severity=medium confidence=high technique=T0888
SELECT 'Functions are tried that an outstation does not know' AS title, CAST(count(*) AS VARCHAR) || ' answers of address ' || CAST(link_source AS VARCHAR) AS details, dst_ip AS src_ip, src_ip AS dst_ip, count(*) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM dnp3 WHERE (iin & 1) <> 0 GROUP BY capture_id, src_ip, dst_ip, link_source HAVING count(*) >= 6 ORDER BY frame;

-- @finding dnp3_reserved_function severity=medium confidence=high technique=T0888
SELECT 'Functions that the standard does not know' AS title, 'function ' || array_to_string(array_slice(array_sort(array_agg(DISTINCT function_code)), 1, 10), ', ') AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM dnp3 WHERE function_code BETWEEN 34 AND 128 OR function_code >= 132 GROUP BY src_ip, dst_ip, capture ORDER BY frame;

-- @finding dnp3_crc_error severity=low confidence=high technique=T0814
SELECT CASE WHEN bad > 10 THEN 'medium' ELSE 'low' END AS severity, 'Wrong checksums' AS title, CAST(bad AS VARCHAR) || ' of ' || CAST(n AS VARCHAR) || ' frames' AS details, src_ip, dst_ip, bad AS count, frame, frames, ts, end_ts, capture
FROM (SELECT min(capture) AS capture, capture_id, src_ip, dst_ip, count(*) AS n, count(*) FILTER (WHERE malformed = 'bad_crc') AS bad, min(frame) FILTER (WHERE malformed = 'bad_crc') AS frame, array_slice(array_sort(array_agg(frame) FILTER (WHERE malformed = 'bad_crc')), 1, 20) AS frames,
    min(ts) FILTER (WHERE malformed = 'bad_crc') AS ts, max(ts) FILTER (WHERE malformed = 'bad_crc') AS end_ts FROM dnp3 GROUP BY capture_id, src_ip, dst_ip)
WHERE bad > 0 AND bad < n ORDER BY frame;

-- @finding dnp3_auth_failure severity=medium confidence=high technique=T1110
SELECT 'Authentication failed' AS title, CAST(count(*) AS VARCHAR) || ' error objects' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM dnp3 WHERE auth_kind = 'error' GROUP BY src_ip, dst_ip, capture ORDER BY frame;

-- @finding dnp3_max_objects severity=medium confidence=high technique=T0814
SELECT title, details, src_ip, dst_ip, count, frame, frames, ts, end_ts, capture FROM (
  SELECT 'Fragments larger than devices make them' AS title, 'up to ' || CAST(max(app_len) AS VARCHAR) || ' octets' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
  FROM dnp3 WHERE app_len > 2048 GROUP BY src_ip, dst_ip, capture
  UNION ALL
  SELECT 'More points than devices tell at once', 'up to ' || CAST(max(n) AS VARCHAR) || ' points', src_ip, dst_ip, count(*), min(frame), array_slice(array_sort(array_agg(frame)), 1, 20), min(ts), max(ts), capture
  FROM (SELECT capture, capture_id, src_ip, dst_ip, link_source, frame, min(ts) AS ts, count(*) AS n FROM dnp3_objects WHERE index_number IS NOT NULL GROUP BY capture, capture_id, src_ip, dst_ip, link_source, frame HAVING count(*) > 1000) GROUP BY src_ip, dst_ip, capture)
ORDER BY frame, title;

-- @finding dnp3_malformed severity=low confidence=high
SELECT CASE WHEN count(*) > 10 THEN 'medium' ELSE 'low' END AS severity, 'Messages that contradict themselves' AS title, array_to_string(array_sort(array_agg(DISTINCT malformed)), ', ') AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM dnp3 WHERE malformed IN ('bad_length', 'unknown_object', 'object_overrun') GROUP BY src_ip, dst_ip, capture ORDER BY frame;

-- @finding dnp3_public_peer severity=high confidence=high technique=T0883
SELECT CASE WHEN bool_or(category IN ('control', 'restart', 'application', 'write')) THEN 'critical' ELSE 'high' END AS severity, 'DNP3 with a public address' AS title, CAST(count(*) AS VARCHAR) || ' link frames' AS details,
  min(CASE WHEN direction = 'from_master' THEN src_ip ELSE dst_ip END) AS src_ip, min(CASE WHEN direction = 'from_master' THEN dst_ip ELSE src_ip END) AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM dnp3 WHERE is_public(src_ip) OR is_public(dst_ip) GROUP BY flow_id, capture ORDER BY frame;

-- @finding dnp3_nonstandard_port severity=low confidence=high technique=T0885
SELECT 'DNP3 on another port than its own' AS title, 'port ' || array_to_string(array_sort(array_agg(DISTINCT CASE WHEN direction = 'from_master' THEN dst_port ELSE src_port END)), ', ') AS details,
  min(CASE WHEN direction = 'from_master' THEN src_ip ELSE dst_ip END) AS src_ip, min(CASE WHEN direction = 'from_master' THEN dst_ip ELSE src_ip END) AS dst_ip, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM dnp3 WHERE src_port NOT IN (19999, 20000) AND dst_port NOT IN (19999, 20000) GROUP BY flow_id, capture ORDER BY frame;

-- @finding dnp3_control_burst severity=high confidence=medium technique=T0806
WITH spans AS (SELECT capture_id, CAST(min(ts) AS BIGINT) AS start FROM packets GROUP BY capture_id),
orders AS (
  SELECT c.capture, c.capture_id, c.src_ip, c.dst_ip, c.target_unit, c.point, c.request_frame, c.ts, CAST(c.ts AS BIGINT) - s.start AS at, (CAST(c.ts AS BIGINT) - s.start) / 60000000000 AS minute
  FROM ot_commands c JOIN spans s ON s.capture_id = c.capture_id WHERE c.protocol = 'dnp3' AND c.class = 'operate'),
minutes AS (SELECT min(capture) AS capture, capture_id, src_ip, min(dst_ip) AS dst_ip, minute, count(*) AS n, min(request_frame) AS frame, array_slice(array_sort(array_agg(DISTINCT request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts FROM orders GROUP BY capture_id, src_ip, minute),
busy AS (
  -- Minutes without a control count as none; less than five minutes tell nothing of what is usual.
  SELECT m.capture, m.capture_id, m.src_ip, m.dst_ip, m.minute, m.n, m.frame, m.frames, m.ts, m.end_ts, CASE WHEN count(b.minute) * 2 >= m.minute THEN median(b.n) ELSE 0 END AS usual
  FROM minutes m LEFT JOIN minutes b ON b.capture_id = m.capture_id AND b.src_ip = m.src_ip AND b.minute < m.minute
  WHERE m.n > 10 AND m.minute >= 5 GROUP BY m.capture, m.capture_id, m.src_ip, m.dst_ip, m.minute, m.n, m.frame, m.frames, m.ts, m.end_ts),
runs AS (SELECT *, lag(at, 3) OVER (PARTITION BY capture_id, src_ip, dst_ip, target_unit, point ORDER BY request_frame) AS since FROM orders),
repeated AS (SELECT min(capture) AS capture, capture_id, src_ip, dst_ip, target_unit, point, count(*) + 3 AS n, min(since) AS since, min(request_frame) AS frame, array_slice(array_sort(array_agg(DISTINCT request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts FROM runs WHERE at - since <= 60000000000 GROUP BY capture_id, src_ip, dst_ip, target_unit, point)
SELECT title, details, src_ip, dst_ip, count, frame, frames, ts, end_ts, capture FROM (
  SELECT 'A master commands far more often than before' AS title, CAST(max(n) AS VARCHAR) || ' controls a minute, ' || CAST(CAST(max(usual) AS BIGINT) AS VARCHAR) || ' before' AS details, src_ip, min(dst_ip) AS dst_ip, sum(n) AS count, min(frame) AS frame, first_value(frames ORDER BY frame) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture
  FROM busy WHERE n > 3 * usual GROUP BY capture_id, src_ip
  UNION ALL
  -- What is so from the first minute on is how the plant is run.
  SELECT 'Points are operated again and again', 'address ' || target_unit || ': 4 or more within a minute of ' || array_to_string(array_slice(array_sort(array_agg(point)), 1, 6), ', '), src_ip, dst_ip, sum(n), min(frame), first_value(frames ORDER BY frame), min(ts), max(end_ts), min(capture) FROM repeated WHERE since > 60000000000 GROUP BY capture_id, src_ip, dst_ip, target_unit)
ORDER BY frame, title, details;

-- @finding dnp3_mitm_sequence severity=high confidence=medium technique=T0830
WITH answers AS (
  SELECT capture, capture_id, src_ip, dst_ip, link_source, link_destination, frame, ts, CAST(ts AS BIGINT) AS at, app_sequence, request_frame, app_len, groups FROM dnp3 WHERE function_code = 129 AND first AND malformed IS NULL),
-- One answer had its request; the other, under the same number, has none that waits for it.
twice AS (
  SELECT b.capture, b.capture_id, b.src_ip, b.dst_ip, b.link_source, b.app_sequence, a.frame AS one, b.frame AS other, b.ts, a.app_len AS one_len, b.app_len AS other_len, array_to_string(a.groups, ' ') AS one_groups, array_to_string(b.groups, ' ') AS other_groups
  FROM answers a JOIN answers b ON b.capture_id = a.capture_id AND b.src_ip = a.src_ip AND b.dst_ip = a.dst_ip AND b.link_source = a.link_source AND b.link_destination = a.link_destination AND b.app_sequence = a.app_sequence
  WHERE a.request_frame IS NOT NULL AND b.request_frame IS NULL AND b.frame > a.frame AND b.at - a.at <= 1000000000),
points AS (
  SELECT o.capture_id, o.frame, o.link_source, array_to_string(array_agg(o.object || '[' || coalesce(CAST(o.index_number AS VARCHAR), '') || ']=' || coalesce(CAST(o.value AS VARCHAR), o.value_text, '') ORDER BY o.object_index, o.index_number), ' ') AS told
  FROM dnp3_objects o JOIN (SELECT capture_id, one AS frame FROM twice UNION SELECT capture_id, other FROM twice) f ON f.capture_id = o.capture_id AND f.frame = o.frame WHERE o.function_code = 129 GROUP BY o.capture_id, o.frame, o.link_source),
-- A fragment that is sent again, as it was not confirmed, is the same.
doubled AS (
  SELECT t.* FROM twice t LEFT JOIN points a ON a.capture_id = t.capture_id AND a.frame = t.one AND a.link_source = t.link_source LEFT JOIN points b ON b.capture_id = t.capture_id AND b.frame = t.other AND b.link_source = t.link_source
  WHERE t.one_len <> t.other_len OR t.one_groups <> t.other_groups OR coalesce(a.told, '') <> coalesce(b.told, '')),
macs AS (
  SELECT d.capture, d.capture_id, d.src_ip, d.dst_ip, d.link_source, d.frame, d.ts, p.src_mac, lag(p.src_mac) OVER (PARTITION BY d.capture_id, d.src_ip, d.link_source ORDER BY d.frame) AS before, min(d.ts) OVER (PARTITION BY d.capture_id, d.src_ip, d.link_source, p.src_mac) AS since, min(d.ts) OVER (PARTITION BY d.capture_id) AS start
  FROM dnp3 d JOIN packets p ON p.capture_id = d.capture_id AND p.frame = d.frame WHERE d.direction = 'from_outstation' AND d.src_ip IS NOT NULL AND p.src_mac IS NOT NULL)
SELECT title, details, src_ip, dst_ip, count, frame, frames, ts, end_ts, capture FROM (
  SELECT 'Two different answers to one request' AS title, 'address ' || CAST(link_source AS VARCHAR) || ', sequence ' || CAST(first_value(app_sequence ORDER BY other) AS VARCHAR) || ': ' || CAST(count(DISTINCT other) AS VARCHAR) || ' times within a second' AS details, src_ip, dst_ip, count(DISTINCT other) AS count, min(other) AS frame,
    array_slice(array_sort(array_concat(array_agg(DISTINCT one), array_agg(DISTINCT other))), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
  FROM doubled GROUP BY capture_id, src_ip, dst_ip, link_source
  UNION ALL
  -- There and back, and not from the start: two routers of one way are there all the time, and a spare takes over once.
  SELECT 'Two stations speak with one link address', 'address ' || CAST(link_source AS VARCHAR) || ' from ' || array_to_string(array_sort(array_agg(DISTINCT src_mac)), ', '), src_ip, min(dst_ip), count(*) FILTER (WHERE src_mac <> before), min(frame) FILTER (WHERE src_mac <> before), array_slice(array_sort(array_agg(frame) FILTER (WHERE src_mac <> before)), 1, 20), min(ts) FILTER (WHERE src_mac <> before), max(ts), min(capture)
  FROM macs GROUP BY capture_id, src_ip, link_source HAVING count(*) FILTER (WHERE src_mac <> before) >= 2 AND CAST(max(since) AS BIGINT) - CAST(min(start) AS BIGINT) > 60000000000)
ORDER BY frame, title;

-- @finding dnp3_auth_absent severity=info confidence=high technique=T0855
WITH users AS (SELECT DISTINCT capture_id, CASE WHEN direction = 'from_outstation' THEN src_ip ELSE dst_ip END AS station, CASE WHEN direction = 'from_outstation' THEN link_source ELSE link_destination END AS address FROM dnp3 WHERE auth_kind IS NOT NULL AND auth_kind <> 'error'),
orders AS (
  SELECT c.capture, c.capture_id, c.flow_id, c.src_ip, c.dst_ip, c.target_unit, c.command, c.point, c.request_frame, c.response_frame, c.ts
  FROM ot_commands c JOIN users u ON u.capture_id = c.capture_id AND u.station = c.dst_ip AND CAST(u.address AS VARCHAR) = c.target_unit WHERE c.protocol = 'dnp3' AND c.class = 'operate' AND c.outcome = 'ok'),
proven AS (
  SELECT o.capture_id, o.request_frame FROM orders o JOIN dnp3 d ON d.capture_id = o.capture_id AND d.flow_id = o.flow_id AND (d.auth_kind = 'challenge' AND d.frame BETWEEN o.request_frame AND coalesce(o.response_frame, o.request_frame) OR d.frame = o.request_frame AND array_to_string(d.groups, ' ') LIKE '%120.%')
  GROUP BY o.capture_id, o.request_frame)
SELECT 'A control was accepted without authentication' AS title, 'address ' || o.target_unit || ', which uses it: ' || array_to_string(array_slice(array_sort(array_agg(DISTINCT o.command || ' ' || coalesce(o.point, ''))), 1, 5), ', ') AS details, o.src_ip, o.dst_ip, count(*) AS count, min(o.request_frame) AS frame,
  array_slice(array_sort(array_agg(o.request_frame)), 1, 20) AS frames, min(o.ts) AS ts, max(o.ts) AS end_ts, min(o.capture) AS capture
FROM orders o LEFT JOIN proven p ON p.capture_id = o.capture_id AND p.request_frame = o.request_frame WHERE p.request_frame IS NULL GROUP BY o.capture_id, o.src_ip, o.dst_ip, o.target_unit ORDER BY frame;

-- @finding dnp3_new_client_writes severity=medium confidence=medium technique=T0855
SELECT severity, 'A client that was not there before writes' AS title, details, src_ip, dst_ip, dst_port, count, frame, frames, ts, end_ts, capture FROM late_writers WHERE protocol = 'dnp3' ORDER BY frame, src_ip, dst_ip;

-- @finding dnp3_error_burst severity=medium confidence=high technique=T0814,T0846
SELECT severity, 'A server refuses much of what a client asks' AS title, details, src_ip, dst_ip, count, frame, frames, ts, end_ts, capture FROM refusal_bursts WHERE protocol = 'dnp3' ORDER BY frame, src_ip, dst_ip;

-- @finding dnp3_cleartext_credential severity=high confidence=high technique=T0859,T1040
SELECT 'A password travels in clear' AS title, coalesce(field, 'password') || ': ' || array_to_string(array_sort(array_agg(DISTINCT outcome)), ', ') AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM credentials WHERE protocol = 'dnp3' AND NOT encrypted GROUP BY src_ip, dst_ip, dst_port, field, capture ORDER BY frame, details;
