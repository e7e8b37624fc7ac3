-- @analyzer iec104
-- @group    ot
-- @title    IEC 60870-5-104 ANALYSIS
-- @help     IEC 60870-5-104 types, commands, addresses

-- @section summary shape=facts
SELECT count(*) AS apdus, count(DISTINCT flow_id) AS flows, count(DISTINCT CASE WHEN is_orig THEN src_ip ELSE dst_ip END) AS controlling, count(DISTINCT CASE WHEN is_orig THEN dst_ip ELSE src_ip END) AS controlled,
  count(*) FILTER (WHERE frame_type = 'I') AS "I", count(*) FILTER (WHERE frame_type = 'S') AS "S", count(*) FILTER (WHERE frame_type = 'U') AS "U", min(ts) AS first, max(ts) AS last,
  count(*) FILTER (WHERE negative) AS negative, count(*) FILTER (WHERE malformed IS NOT NULL) AS malformed, array_to_string(array_sort(array_agg(DISTINCT CASE WHEN is_orig THEN dst_port ELSE src_port END)), ', ') AS ports
FROM iec104;

-- @section "Stations" shape=table limit=15
SELECT CASE WHEN is_orig THEN src_ip ELSE dst_ip END AS controlling, CASE WHEN is_orig THEN dst_ip ELSE src_ip END AS controlled, array_to_string(array_slice(array_sort(array_agg(DISTINCT common_address)), 1, 6), ', ') AS "Common addresses",
  array_to_string(array_slice(array_sort(array_agg(DISTINCT originator)), 1, 6), ', ') AS originators, count(*) FILTER (WHERE frame_type = 'I') AS "I", count(*) FILTER (WHERE u_function = 'STARTDT_act') AS starts, count(*) FILTER (WHERE u_function = 'STOPDT_act') AS stops,
  min(ts) AS first
FROM iec104 GROUP BY CASE WHEN is_orig THEN src_ip ELSE dst_ip END, CASE WHEN is_orig THEN dst_ip ELSE src_ip END ORDER BY "I" DESC, controlling, controlled;

-- @section "ASDU types" shape=table limit=30
SELECT coalesce(type_id, 'type ' || CAST(type_id_code AS VARCHAR)) AS type, category AS class, coalesce(cot, CAST(cot_code AS VARCHAR)) AS cause, count(*) AS count, count(*) FILTER (WHERE negative) AS negative, sum(CAST(num_objects AS BIGINT)) AS objects, min(frame) AS frame
FROM iec104 WHERE type_id_code IS NOT NULL GROUP BY type_id_code, type_id, category, cot_code, cot ORDER BY type_id_code, cot_code;

-- @section "Commands" shape=table limit=30
SELECT ts, CASE WHEN cot_code IN (6, 8) THEN src_ip ELSE dst_ip END AS controlling, CASE WHEN cot_code IN (6, 8) THEN dst_ip ELSE src_ip END AS station, common_address AS ca, ioa, type_id AS type, coalesce(command, value_text) AS state,
  CASE WHEN select THEN 'select' WHEN NOT select THEN 'execute' END AS "S/E", coalesce(cot, CAST(cot_code AS VARCHAR)) || CASE WHEN negative THEN ' negative' ELSE '' END AS cause
FROM iec104_objects WHERE category IN ('control', 'setpoint') ORDER BY capture, frame, apdu_index, ioa;

-- @section "Process data" shape=table limit=15
SELECT common_address AS ca, ioa, type_id AS type, count(*) AS updates, last_value(value_text ORDER BY frame, apdu_index) AS last, min(value) AS min, max(value) AS max, array_to_string(last_value(quality_names ORDER BY frame, apdu_index), ', ') AS quality
FROM iec104_objects WHERE category = 'monitor' AND value IS NOT NULL GROUP BY src_ip, common_address, ioa, type_id ORDER BY updates DESC, ca, ioa, type;

-- @section "Link" shape=table limit=15
SELECT src_ip AS src, dst_ip AS dst, u_function AS function, count(*) AS count, min(ts) AS first, max(ts) AS last FROM iec104 WHERE frame_type = 'U' GROUP BY src_ip, dst_ip, u_function ORDER BY src, dst, function;

-- @section "Times" shape=table limit=15
SELECT src_ip AS station, common_address AS ca, count(*) AS tags, min(time_delta_ms) / 1000 AS least_behind_capture_s, max(time_delta_ms) / 1000 AS most_s, count(*) FILTER (WHERE time_tag_invalid) AS invalid
FROM iec104_objects WHERE time_delta_ms IS NOT NULL GROUP BY src_ip, common_address ORDER BY tags DESC, station, ca;

-- @section "APDUs" shape=table verbose
SELECT ts, src_ip AS src, dst_ip AS dst, frame_type AS "Format", coalesce(u_function, type_id) AS what, cot AS cause, negative, common_address AS ca, num_objects AS objects, first_ioa AS ioa, send_seq AS "N(S)", recv_seq AS "N(R)", malformed FROM iec104 ORDER BY capture, frame, apdu_index;

-- @finding iec104_command severity=medium confidence=high technique=T0855,T0831
SELECT CASE WHEN station IS NOT NULL THEN 'high' ELSE 'medium' END AS severity, 'A station was commanded' AS title,
  CAST(n AS VARCHAR) || ' x ' || command || ' to common address ' || unit || ': ' || points AS details, src_ip, dst_ip, n AS count, frame, frames, ts, end_ts, capture
FROM (SELECT min(capture) AS capture, capture_id, src_ip, dst_ip, target_unit AS unit, command, count(*) AS n, array_to_string(array_slice(array_sort(array_agg(DISTINCT point || ' = ' || coalesce(value, '?'))), 1, 6), ', ') AS points, min(request_frame) AS frame,
    array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
  FROM ot_commands WHERE protocol = 'iec104' AND class IN ('operate', 'setpoint') AND outcome = 'ok' GROUP BY capture_id, src_ip, dst_ip, target_unit, command) c
-- A master that was there all along may operate when it likes; one that came when others had long been served may not.
LEFT JOIN (SELECT DISTINCT capture_id, station, device FROM ot_newcomers) n ON n.capture_id = c.capture_id AND station = src_ip AND device = dst_ip
ORDER BY frame, details;

-- @finding iec104_command_no_select severity=high confidence=medium technique=T0855
WITH orders AS (SELECT capture, capture_id, src_ip, dst_ip, target_unit, point, class, request_frame, ts, CAST(ts AS BIGINT) AS at FROM ot_commands WHERE protocol = 'iec104' AND outcome = 'ok'),
alone AS (
  SELECT min(o.capture) AS capture, o.capture_id, o.src_ip, o.dst_ip, o.target_unit, o.point, o.request_frame, min(o.ts) AS ts, count(s.request_frame) AS selects, bool_or(s.src_ip = o.src_ip AND s.request_frame < o.request_frame AND s.at > o.at - 60000000000) AS selected
  FROM orders o JOIN orders s ON s.class = 'select' AND s.capture_id = o.capture_id AND s.dst_ip = o.dst_ip AND s.target_unit = o.target_unit AND s.point = o.point
  WHERE o.class IN ('operate', 'setpoint') GROUP BY o.capture_id, o.src_ip, o.dst_ip, o.target_unit, o.point, o.request_frame)
SELECT 'A point that is selected first was commanded without' AS title, 'common address ' || target_unit || ', ' || point || ': ' || CAST(count(*) AS VARCHAR) || ' executions without a select in the 60 s before' AS details,
  src_ip, dst_ip, count(*) AS count, min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM alone WHERE NOT selected GROUP BY capture_id, src_ip, dst_ip, target_unit, point ORDER BY frame, point;

-- @finding iec104_command_refused severity=medium confidence=high technique=T0855,T0888
SELECT 'Commands were refused' AS title, CAST(count(*) AS VARCHAR) || ' refused by common address ' || array_to_string(array_sort(array_agg(DISTINCT target_unit)), ', ') || ': ' || array_to_string(array_slice(array_sort(array_agg(DISTINCT point)), 1, 8), ', ') AS details,
  src_ip, dst_ip, count(*) AS count, min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM ot_commands WHERE protocol = 'iec104' AND outcome = 'refused' GROUP BY capture_id, src_ip, dst_ip HAVING count(*) >= 3 ORDER BY frame;

-- @finding iec104_parameter severity=high confidence=high technique=T0836
SELECT 'Parameters of measured values were set' AS title, CAST(count(*) AS VARCHAR) || ' x ' || command || ': ' || array_to_string(array_slice(array_sort(array_agg(DISTINCT point || ' = ' || coalesce(value, '?'))), 1, 6), ', ') AS details,
  src_ip, dst_ip, count(*) AS count, min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'iec104' AND class = 'config' AND outcome = 'ok' GROUP BY src_ip, dst_ip, command, capture ORDER BY frame;

-- @finding iec104_reset_process severity=critical confidence=high technique=T0816
SELECT 'A station was told to reset its process' AS title, 'common address ' || target_unit || ', qualifier ' || coalesce(value, '?') AS details, src_ip, dst_ip, count(*) AS count, min(request_frame) AS frame,
  array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'iec104' AND class = 'restart' AND outcome = 'ok' GROUP BY src_ip, dst_ip, target_unit, value, capture ORDER BY frame;

-- @finding iec104_clock_sync severity=low confidence=high technique=T0836
SELECT 'A clock was set to another time than the capture''s' AS title, 'common address ' || CAST(common_address AS VARCHAR) || ', off by ' || CAST(off / 1000000000 AS VARCHAR) || ' s' AS details, src_ip, dst_ip, 1 AS count, frame, ts, ts AS end_ts, capture
-- Stations may keep local time: whole quarters of an hour up to 14 hours are a zone, no fault.
FROM (SELECT *, CAST(time_tag AS BIGINT) - CAST(ts AS BIGINT) AS off FROM iec104_objects WHERE type_id_code = 103 AND cot_code = 6)
WHERE abs(off) > 50460000000000 OR (abs(off) % 900000000000 > 60000000000 AND abs(off) % 900000000000 < 840000000000) ORDER BY frame, apdu_index;

-- @finding iec104_interrogation_scan severity=medium confidence=high technique=T0846,T0861
SELECT 'Stations are interrogated one after the other' AS title, details, src_ip, dst_ip, count, frame, frames, ts, end_ts, capture FROM (
  SELECT CAST(count(DISTINCT common_address) AS VARCHAR) || ' common addresses asked within a minute' AS details, src_ip, min(dst_ip) AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
  FROM iec104 WHERE type_id_code IN (100, 101, 102) AND cot_code IN (5, 6) AND is_orig GROUP BY capture_id, src_ip, CAST(ts AS BIGINT) / 60000000000 HAVING count(DISTINCT common_address) >= 5
  UNION ALL
  SELECT 'all stations asked at once by a new host', i.src_ip, i.dst_ip, count(DISTINCT i.frame), min(i.frame), array_slice(array_sort(array_agg(DISTINCT i.frame)), 1, 20), min(i.ts), max(i.ts), min(i.capture)
  FROM iec104 i JOIN ot_newcomers n ON n.capture_id = i.capture_id AND n.station = i.src_ip AND n.device = i.dst_ip WHERE i.type_id_code IN (100, 101) AND i.cot_code = 6 AND i.is_orig AND i.common_address = 65535 GROUP BY i.capture_id, i.src_ip, i.dst_ip)
ORDER BY frame, details;

-- @finding iec104_ioa_scan severity=medium confidence=high technique=T0846
SELECT 'Object addresses are tried one after the other' AS title, CAST(tried AS VARCHAR) || ' addresses within 5 minutes, ' || CAST(unknown AS VARCHAR) || ' answers that they do not exist' AS details, src_ip, dst_ip, n AS count, frame, frames, ts, end_ts, capture
FROM (SELECT min(capture) AS capture, capture_id, CASE WHEN is_orig THEN src_ip ELSE dst_ip END AS src_ip, CASE WHEN is_orig THEN dst_ip ELSE src_ip END AS dst_ip, count(DISTINCT ioa) FILTER (WHERE is_orig) AS tried, count(*) FILTER (WHERE cot_code = 47) AS unknown, count(*) FILTER (WHERE is_orig) AS n,
    min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
  FROM iec104_objects WHERE type_id_code BETWEEN 45 AND 64 OR type_id_code = 102
  GROUP BY capture_id, CASE WHEN is_orig THEN src_ip ELSE dst_ip END, CASE WHEN is_orig THEN dst_ip ELSE src_ip END, CAST(ts AS BIGINT) / 300000000000)
WHERE tried >= 20 AND unknown * 2 >= n ORDER BY frame;

-- @finding iec104_stopdt severity=medium confidence=high technique=T0814
WITH stops AS (
  SELECT min(o.capture) AS capture, o.capture_id, o.src_ip, o.dst_ip, o.frame, min(o.ts) AS ts, count(r.frame) AS restarts
  FROM (SELECT s.*, CAST(s.ts AS BIGINT) AS at FROM iec104 s JOIN captures c ON c.capture_id = s.capture_id WHERE s.u_function = 'STOPDT_act' AND CAST(c.end_ts AS BIGINT) > CAST(s.ts AS BIGINT) + 30000000000) o
  LEFT JOIN (SELECT *, CAST(ts AS BIGINT) AS at FROM iec104 WHERE u_function = 'STARTDT_act') r
    ON r.capture_id = o.capture_id AND r.src_ip = o.src_ip AND r.dst_ip = o.dst_ip AND r.frame > o.frame AND r.at <= o.at + 30000000000
  GROUP BY o.capture_id, o.src_ip, o.dst_ip, o.frame)
SELECT title, details, src_ip, dst_ip, count, frame, frames, ts, end_ts, capture FROM (
  SELECT 'Data transfer was stopped and not started again' AS title, 'no STARTDT within 30 s' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
  FROM stops WHERE restarts = 0 GROUP BY capture_id, src_ip, dst_ip
  UNION ALL
  SELECT 'Data transfer is stopped and started again and again', CAST(count(*) AS VARCHAR) || ' times within an hour', src_ip, dst_ip, count(*), min(frame), array_slice(array_sort(array_agg(frame)), 1, 20), min(ts), max(ts), min(capture)
  FROM stops WHERE restarts > 0 GROUP BY capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 3600000000000 HAVING count(*) >= 5)
ORDER BY frame, title;

-- @finding iec104_file_transfer severity=medium confidence=high technique=T0845
SELECT CASE WHEN bool_or(is_orig AND type_id_code = 125) THEN 'high' ELSE 'medium' END AS severity, CASE WHEN bool_or(is_orig AND type_id_code = 125) THEN 'A file was written to a station' ELSE 'Files of a station were transferred' END AS title,
  array_to_string(array_sort(array_agg(DISTINCT type_id)), ', ') AS details, min(CASE WHEN is_orig THEN src_ip ELSE dst_ip END) AS src_ip, min(CASE WHEN is_orig THEN dst_ip ELSE src_ip END) AS dst_ip, count(*) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM iec104 WHERE category = 'file' AND type_id IS NOT NULL GROUP BY flow_id, capture ORDER BY frame;

-- @finding iec104_quality_invalid severity=low confidence=high technique=T0814
SELECT 'Values of a point are often invalid' AS title, 'common address ' || CAST(common_address AS VARCHAR) || ', ioa ' || CAST(ioa AS VARCHAR) || ': ' || CAST(bad AS VARCHAR) || ' of ' || CAST(n AS VARCHAR) || ' updates' AS details, src_ip, dst_ip, bad AS count, frame, frames, ts, end_ts, capture
FROM (SELECT min(capture) AS capture, capture_id, src_ip, dst_ip, common_address, ioa, count(*) AS n, count(*) FILTER (WHERE (quality & 192) <> 0) AS bad, min(frame) FILTER (WHERE (quality & 192) <> 0) AS frame,
    array_slice(array_sort(array_agg(frame) FILTER (WHERE (quality & 192) <> 0)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
  FROM iec104_objects WHERE category = 'monitor' AND type_id_code NOT IN (15, 16, 37) AND quality IS NOT NULL GROUP BY capture_id, src_ip, dst_ip, common_address, ioa)
WHERE n >= 10 AND bad * 5 > n ORDER BY frame, common_address, ioa;

-- @finding iec104_malformed severity=low confidence=high
SELECT CASE WHEN count(*) > 10 THEN 'medium' ELSE 'low' END AS severity, 'Messages that contradict themselves' AS title, array_to_string(array_sort(array_agg(DISTINCT malformed)), ', ') AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM iec104 WHERE malformed IN ('object_overrun', 'bad_length', 'unknown_type') GROUP BY src_ip, dst_ip, capture ORDER BY frame;

-- @finding iec104_public_peer severity=high confidence=high technique=T0883
SELECT CASE WHEN bool_or(category IN ('control', 'setpoint', 'parameter') AND cot_code = 7 AND NOT negative) THEN 'critical' ELSE 'high' END AS severity, 'IEC 104 with a public address' AS title, CAST(count(*) AS VARCHAR) || ' APDUs' AS details,
  min(CASE WHEN is_orig THEN src_ip ELSE dst_ip END) AS src_ip, min(CASE WHEN is_orig THEN dst_ip ELSE src_ip END) AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM iec104 WHERE is_public(src_ip) OR is_public(dst_ip) GROUP BY flow_id, capture ORDER BY frame;

-- @finding iec104_nonstandard_port severity=low confidence=high technique=T0885
SELECT 'IEC 104 on another port than its own' AS title, 'port ' || CAST(CASE WHEN is_orig THEN dst_port ELSE src_port END AS VARCHAR) AS details, min(CASE WHEN is_orig THEN src_ip ELSE dst_ip END) AS src_ip, min(CASE WHEN is_orig THEN dst_ip ELSE src_ip END) AS dst_ip,
  count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM iec104 WHERE src_port NOT IN (2404, 19998) AND dst_port NOT IN (2404, 19998) GROUP BY CASE WHEN is_orig THEN dst_port ELSE src_port END, CASE WHEN is_orig THEN dst_ip ELSE src_ip END, capture ORDER BY frame;

-- @finding iec104_setpoint_range severity=high confidence=medium technique=T0836
WITH written AS (
  SELECT capture, capture_id, actor, device, unit_id, point, value, coalesce(request_frame, frame) AS frame, ts, min(value) OVER w AS least, max(value) OVER w AS most, count(value) OVER w AS n
  FROM process_values WHERE source_protocol = 'iec104' AND direction = 'write' AND outcome = 'ok' AND value IS NOT NULL
  WINDOW w AS (PARTITION BY capture_id, device, unit_id, point ORDER BY frame ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING))
SELECT 'A setpoint outside the range of those before it' AS title, 'common address ' || unit_id || ', ' || point || ' = ' || CAST(first_value(value ORDER BY frame) AS VARCHAR) || ', before between ' || CAST(first_value(least ORDER BY frame) AS VARCHAR) || ' and ' || CAST(first_value(most ORDER BY frame) AS VARCHAR) AS details,
  actor AS src_ip, device AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
-- A range is known after ten setpoints; who goes on in small steps does not leave it.
FROM written WHERE n >= 10 AND most > least AND (value > most + 0.2 * (most - least) OR value < least - 0.2 * (most - least)) GROUP BY capture_id, actor, device, unit_id, point ORDER BY frame, point;

-- @finding iec104_second_controller severity=high confidence=medium technique=T0848,T0855
WITH served AS (
  SELECT capture_id, flow_id, CASE WHEN is_orig THEN src_ip ELSE dst_ip END AS controlling, CASE WHEN is_orig THEN dst_ip ELSE src_ip END AS station, min(frame) AS first, max(frame) AS last
  FROM iec104 WHERE frame_type = 'I' GROUP BY capture_id, flow_id, CASE WHEN is_orig THEN src_ip ELSE dst_ip END, CASE WHEN is_orig THEN dst_ip ELSE src_ip END)
SELECT 'A second station starts data transfer while the first goes on' AS title, 'beside ' || array_to_string(array_sort(array_agg(DISTINCT r.controlling)), ', ') AS details, s.src_ip, s.dst_ip, count(DISTINCT s.frame) AS count, min(s.frame) AS frame,
  array_slice(array_sort(array_agg(DISTINCT s.frame)), 1, 20) AS frames, min(s.ts) AS ts, max(s.ts) AS end_ts, min(s.capture) AS capture
-- Redundant stations are there from the beginning; this one came when others had long been served.
FROM iec104 s JOIN ot_newcomers n ON n.capture_id = s.capture_id AND n.station = s.src_ip AND n.device = s.dst_ip
JOIN served r ON r.capture_id = s.capture_id AND r.station = s.dst_ip AND r.controlling <> s.src_ip AND r.first < s.frame AND r.last > s.frame
WHERE s.u_function = 'STARTDT_act' GROUP BY s.capture_id, s.src_ip, s.dst_ip ORDER BY frame;

-- @finding iec104_sequence_break severity=high confidence=medium technique=T0830,T0856
WITH counted AS (
  SELECT capture, capture_id, flow_id, src_ip, dst_ip, is_orig, frame, apdu_index, ts, frame_type, CAST(send_seq AS BIGINT) AS sent, CAST(recv_seq AS BIGINT) AS acked,
    -- What the other side sent last: some APDUs further on, as a capture may hold both directions a little out of step.
    last_value(CASE WHEN is_orig THEN CAST(send_seq AS BIGINT) END) IGNORE NULLS OVER (PARTITION BY capture_id, flow_id ORDER BY frame, apdu_index ROWS BETWEEN UNBOUNDED PRECEDING AND 8 FOLLOWING) AS by_orig,
    last_value(CASE WHEN NOT is_orig THEN CAST(send_seq AS BIGINT) END) IGNORE NULLS OVER (PARTITION BY capture_id, flow_id ORDER BY frame, apdu_index ROWS BETWEEN UNBOUNDED PRECEDING AND 8 FOLLOWING) AS by_resp
  FROM iec104 WHERE frame_type IN ('I', 'S')),
steps AS (
  SELECT *, (sent - lag(sent) OVER (PARTITION BY capture_id, flow_id, is_orig, frame_type ORDER BY frame, apdu_index) + 32768) % 32768 AS step, (acked - lag(acked) OVER (PARTITION BY capture_id, flow_id, is_orig ORDER BY frame, apdu_index) + 32768) % 32768 AS forward,
    (acked - 1 - CASE WHEN is_orig THEN by_resp ELSE by_orig END + 32768) % 32768 AS ahead
  FROM counted),
breaks AS (SELECT *, CASE WHEN frame_type = 'I' AND step <> 1 THEN 'N(S) ' || CAST(sent AS VARCHAR) || ' is not the next' WHEN forward > 16384 THEN 'N(R) ' || CAST(acked AS VARCHAR) || ' goes back' ELSE 'N(R) ' || CAST(acked AS VARCHAR) || ' acknowledges what was not sent' END AS what
  FROM steps WHERE (frame_type = 'I' AND step <> 1) OR forward > 16384 OR ahead BETWEEN 1 AND 16383)
SELECT 'Sequence numbers of a connection break' AS title, array_to_string(array_slice(array_agg(b.what ORDER BY b.frame, b.apdu_index), 1, 3), ', ') AS details, min(CASE WHEN b.is_orig THEN b.src_ip ELSE b.dst_ip END) AS src_ip, min(CASE WHEN b.is_orig THEN b.dst_ip ELSE b.src_ip END) AS dst_ip, count(*) AS count, min(b.frame) AS frame,
  array_slice(array_sort(array_agg(b.frame)), 1, 20) AS frames, min(b.ts) AS ts, max(b.ts) AS end_ts, min(b.capture) AS capture
-- What the capture lost breaks them as well.
FROM breaks b JOIN flows f ON f.capture_id = b.capture_id AND f.flow_id = b.flow_id AND coalesce(f.missed_bytes, 0) = 0 GROUP BY b.capture_id, b.flow_id HAVING count(*) >= 2 ORDER BY frame;

-- @finding iec104_time_tag_jump severity=medium confidence=high technique=T0856
WITH tags AS (
  SELECT capture, capture_id, src_ip, dst_ip, common_address, ioa, frame, ts, abs(time_delta_ms) AS off, CAST(time_tag AS BIGINT) AS tag, lag(CAST(time_tag AS BIGINT)) OVER (PARTITION BY capture_id, src_ip, common_address, ioa ORDER BY frame, apdu_index) AS before
  FROM iec104_objects WHERE cot_code = 3 AND time_tag IS NOT NULL AND NOT coalesce(time_tag_invalid, false)),
judged AS (
  SELECT *, before - tag > 60000000000 AND NOT (before - tag BETWEEN 3540000000000 AND 3660000000000) AS back,
    -- Stations may keep local time, and not to the second: whole quarters of an hour up to 14 hours are a zone, no fault.
    off > 50520000 OR (off > 3600000 AND off % 900000 > 120000 AND off % 900000 < 780000) AS far
  FROM tags)
SELECT CASE WHEN bool_or(back) THEN 'Time tags of a station go back' ELSE 'Time tags of a station are far from the time of the capture' END AS title,
  'common address ' || CAST(common_address AS VARCHAR) || ': ' || CASE WHEN bool_or(back) THEN 'back by up to ' || CAST(max(before - tag) FILTER (WHERE back) / 1000000000 AS VARCHAR) || ' s' ELSE 'off by up to ' || CAST(CAST(max(off) / 1000 AS BIGINT) AS VARCHAR) || ' s' END AS details,
  src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM judged WHERE back OR far GROUP BY capture_id, src_ip, dst_ip, common_address ORDER BY frame, common_address;

-- @finding iec104_new_client_writes severity=medium confidence=medium technique=T0855
SELECT severity, 'A client that was not there before writes' AS title, details, src_ip, dst_ip, dst_port, count, frame, frames, ts, end_ts, capture FROM late_writers WHERE protocol = 'iec104' ORDER BY frame, src_ip, dst_ip;

-- @finding iec104_error_burst severity=medium confidence=high technique=T0814,T0846
SELECT severity, 'A server refuses much of what a client asks' AS title, details, src_ip, dst_ip, count, frame, frames, ts, end_ts, capture FROM refusal_bursts WHERE protocol = 'iec104' ORDER BY frame, src_ip, dst_ip;
