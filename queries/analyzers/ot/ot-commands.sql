-- @analyzer ot_commands
-- @group    ot
-- @title    OT COMMANDS
-- @help     All control and write commands, whatever the protocol

-- @section summary shape=facts
SELECT count(*) FILTER (WHERE class NOT IN ('diagnostic', 'discovery', 'subscribe')) AS "control commands", count(*) FILTER (WHERE class IN ('diagnostic', 'discovery', 'subscribe')) AS "without effect", count(DISTINCT actor) AS actors, count(DISTINCT target) AS targets,
  array_to_string(array_sort(array_agg(DISTINCT protocol)), ', ') AS protocols, array_to_string(array_sort(array_agg(DISTINCT class)), ', ') AS classes, count(*) FILTER (WHERE outcome = 'refused') AS refused, count(*) FILTER (WHERE outcome = 'no_response') AS unanswered,
  CASE WHEN count(*) > 1 AND max(ts) > min(ts) THEN round(CAST(count(*) AS DOUBLE) * 6e10 / (CAST(max(ts) AS BIGINT) - CAST(min(ts) AS BIGINT)), 1) END AS "commands a minute", min(ts) AS first, max(ts) AS last FROM ot_commands;

-- @section "Sessions" shape=table limit=10
SELECT actor, target, protocol, classes, commands, ok, refused, points, array_element(ARRAY['none', 'low', 'medium', 'high', 'critical'], 1 + weight) AS risk, first, last
FROM (SELECT actor, target, protocol, array_to_string(array_sort(array_agg(DISTINCT class)), ', ') AS classes, count(*) AS commands, count(*) FILTER (WHERE outcome = 'ok') AS ok, count(*) FILTER (WHERE outcome = 'refused') AS refused, count(DISTINCT point) AS points,
  max(CASE risk WHEN 'critical' THEN 4 WHEN 'high' THEN 3 WHEN 'medium' THEN 2 WHEN 'low' THEN 1 ELSE 0 END) AS weight, min(ts) AS first, max(ts) AS last FROM ot_commands GROUP BY actor, target, protocol)
ORDER BY weight DESC, commands DESC, actor, target, protocol;

-- @section "Targets" shape=table limit=15
SELECT target, target_unit AS unit, protocol, point, class, count(*) AS commands, count(DISTINCT value) AS values, last_value(value ORDER BY ts, frame) AS "last value", last_value(actor ORDER BY ts, frame) AS "last actor"
FROM ot_commands WHERE class NOT IN ('diagnostic', 'discovery', 'subscribe') GROUP BY target, target_unit, protocol, point, class ORDER BY commands DESC, target, unit, protocol, point, class;

-- @section "High-risk commands" shape=table limit=15
SELECT ts, actor, target, class, command, point, CASE WHEN previous_value IS NOT NULL THEN previous_value || ' -> ' || coalesce(value, '-') ELSE value END AS value, outcome, risk, array_to_string(risk_reasons, ', ') AS reasons, frame
FROM ot_commands WHERE risk IN ('critical', 'high') ORDER BY ts, capture, frame;

-- @section "Actors" shape=table limit=15
SELECT actor, max(actor_name) AS name, class, array_to_string(array_sort(array_agg(DISTINCT protocol)), ', ') AS protocols, count(DISTINCT target) AS targets, count(*) AS commands, min(ts) AS "first use" FROM ot_commands GROUP BY actor, class ORDER BY actor, "first use", class;

-- @section "Refused and unanswered" shape=table limit=15
SELECT actor, target, protocol, class, command, outcome, error, count(*) AS commands, min(ts) AS first, min(frame) AS frame FROM ot_commands WHERE outcome IN ('refused', 'error', 'no_response') GROUP BY actor, target, protocol, class, command, outcome, error ORDER BY commands DESC, actor, target, protocol, class, command, outcome;

-- @section "Commands" shape=table verbose
SELECT ts, actor, target, target_unit AS unit, protocol, class, command, point, value, quantity, outcome, error, risk, frame FROM ot_commands ORDER BY capture, ts, frame;

-- @finding ot_critical_command severity=high confidence=high
-- What every master does in a protocol that asks nobody who he is, is ordinary: setting and operating count where something else
-- speaks against them (a public peer, a broadcast), and newcomers are judged below.
SELECT CASE WHEN risk = 'high' AND class IN ('operate', 'force', 'delete', 'time_set', 'setpoint', 'config', 'write') AND array_to_string(risk_reasons, ' ') = 'unauthenticated' THEN 'info' ELSE risk END AS severity,
  'Commands of ' || risk || ' risk' AS title, protocol || ' ' || class || ' (' || array_to_string(array_sort(array_agg(DISTINCT command)), ', ') || '): ' || CAST(count(*) AS VARCHAR) || coalesce(', ' || array_to_string(risk_reasons, ', '), '') AS details, src_ip, dst_ip, dst_port, count(*) AS count,
  min(frame) AS frame, array_slice(array_sort(array_agg(DISTINCT frame)), 1, 20) AS frames, min(techniques) AS techniques, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE risk IN ('critical', 'high') GROUP BY capture, capture_id, protocol, class, risk, risk_reasons, src_ip, dst_ip, dst_port ORDER BY capture, frame, class;

-- @finding ot_command_from_public severity=high confidence=high technique=T0883
SELECT 'Commands across the internet' AS title, protocol || ': ' || array_to_string(array_sort(array_agg(DISTINCT class)), ', ') || ', ' || CAST(count(*) AS VARCHAR) AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(DISTINCT frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE class NOT IN ('diagnostic', 'discovery', 'subscribe') AND confidence <> 'low' AND (is_public(src_ip) OR is_public(dst_ip)) GROUP BY capture, capture_id, protocol, src_ip, dst_ip, dst_port ORDER BY capture, frame;

-- @finding ot_command_burst severity=high technique=T0806
WITH minutes AS (SELECT capture, capture_id, src_ip, CAST(ts AS BIGINT) / 60000000000 AS minute, count(*) AS n, min(frame) AS frame, min(ts) AS first, max(ts) AS last FROM ot_commands WHERE class NOT IN ('diagnostic', 'discovery', 'subscribe') AND src_ip IS NOT NULL GROUP BY capture, capture_id, src_ip, CAST(ts AS BIGINT) / 60000000000),
usual AS (SELECT capture_id, src_ip, median(CAST(n AS DOUBLE)) AS n, count(*) AS minutes FROM minutes GROUP BY capture_id, src_ip)
SELECT 'A burst of commands' AS title, CAST(max(m.n) AS VARCHAR) || ' within a minute, usually ' || CAST(CAST(round(max(u.n)) AS BIGINT) AS VARCHAR) AS details, m.src_ip AS src_ip, max(m.n) AS count, min(m.frame) AS frame, min(m.first) AS ts, max(m.last) AS end_ts, m.capture AS capture
FROM minutes AS m JOIN usual AS u ON u.capture_id = m.capture_id AND u.src_ip = m.src_ip WHERE m.n >= 30 AND u.minutes >= 3 AND m.n >= 3 * u.n GROUP BY m.capture, m.capture_id, m.src_ip ORDER BY capture, frame;

-- @finding ot_multi_protocol_actor severity=medium technique=T0855
SELECT 'One station controls through several protocols' AS title, array_to_string(array_sort(array_agg(DISTINCT protocol)), ', ') || ' to ' || CAST(count(DISTINCT target) AS VARCHAR) || ' targets' AS details, src_ip, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE class NOT IN ('diagnostic', 'discovery', 'subscribe') AND src_ip IS NOT NULL GROUP BY capture, capture_id, src_ip HAVING count(DISTINCT protocol) >= 3 ORDER BY capture, src_ip;

-- @finding ot_refused_then_accepted severity=medium confidence=high technique=T0859
SELECT 'Refused, then accepted' AS title, a.class || ': ' || CAST(count(DISTINCT r.frame) AS VARCHAR) || ' refusals before' AS details, a.src_ip AS src_ip, a.dst_ip AS dst_ip, a.dst_port AS dst_port, count(DISTINCT r.frame) AS count, a.frame AS frame, min(r.ts) AS ts, a.ts AS end_ts, a.capture AS capture
FROM (SELECT capture, capture_id, src_ip, dst_ip, dst_port, class, protocol, min(frame) AS frame, min(ts) AS ts FROM ot_commands WHERE outcome = 'ok' GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, class, protocol) AS a
JOIN ot_commands AS r ON r.capture_id = a.capture_id AND r.src_ip = a.src_ip AND r.dst_ip = a.dst_ip AND r.class = a.class AND r.protocol = a.protocol AND r.outcome = 'refused' AND r.frame < a.frame
GROUP BY a.capture, a.capture_id, a.src_ip, a.dst_ip, a.dst_port, a.class, a.frame, a.ts HAVING count(DISTINCT r.frame) >= 3 ORDER BY capture, frame;

-- @finding ot_program_then_restart severity=critical confidence=high technique=T0843,T0858
SELECT 'A program was loaded, then the controller started' AS title, d.target || ': ' || d.protocol || ' download, then ' || min(s.class) AS details, d.src_ip AS src_ip, d.dst_ip AS dst_ip, d.dst_port AS dst_port, min(d.frame) AS frame, array_slice(array_sort(array_agg(DISTINCT s.frame)), 1, 20) AS frames, min(d.ts) AS ts, max(s.ts) AS end_ts, d.capture AS capture
FROM ot_commands AS d JOIN ot_commands AS s ON s.capture_id = d.capture_id AND s.target = d.target AND s.class IN ('start', 'restart') AND s.frame > d.frame AND CAST(s.ts AS BIGINT) - CAST(d.ts AS BIGINT) < 600000000000
WHERE d.class = 'download' AND d.outcome IN ('ok', 'unconfirmed') GROUP BY d.capture, d.capture_id, d.src_ip, d.dst_ip, d.dst_port, d.target, d.protocol ORDER BY capture, frame;

-- @finding ot_command_then_silence severity=high technique=T0814
WITH last AS (SELECT capture_id, CAST(max(ts) AS BIGINT) AS stop FROM packets GROUP BY capture_id),
spoken AS (SELECT capture_id, src_ip, CAST(max(ts) AS BIGINT) AS ts FROM packets WHERE src_ip IN (SELECT DISTINCT dst_ip FROM ot_commands) GROUP BY capture_id, src_ip),
after AS (SELECT capture_id, dst_ip, CAST(max(ts) AS BIGINT) AS ts FROM packets WHERE dst_ip IN (SELECT DISTINCT dst_ip FROM ot_commands) GROUP BY capture_id, dst_ip),
commanded AS (SELECT capture, capture_id, src_ip, dst_ip, dst_port, max(frame) AS frame, max(ts) AS ts, last_value(class ORDER BY frame) AS class FROM ot_commands WHERE class NOT IN ('diagnostic', 'discovery', 'subscribe') AND dst_ip IS NOT NULL GROUP BY capture, capture_id, src_ip, dst_ip, dst_port)
SELECT 'A controller fell silent after a command' AS title, c.class || ', no word for ' || CAST((l.stop - s.ts) / 1000000000 AS VARCHAR) || ' s to the end of the capture' AS details, c.src_ip AS src_ip, c.dst_ip AS dst_ip, c.dst_port AS dst_port, c.frame AS frame, c.ts AS ts, c.capture AS capture
FROM commanded AS c JOIN last AS l ON l.capture_id = c.capture_id JOIN spoken AS s ON s.capture_id = c.capture_id AND s.src_ip = c.dst_ip JOIN after AS a ON a.capture_id = c.capture_id AND a.dst_ip = c.dst_ip
-- Somebody still spoke to it.
WHERE l.stop - s.ts > 60000000000 AND s.ts - CAST(c.ts AS BIGINT) BETWEEN 0 AND 60000000000 AND a.ts - s.ts > 10000000000 ORDER BY capture, c.frame;

-- @finding ot_new_commander severity=high confidence=medium technique=T0855,T0836,T0831
-- Who came late and reads, writes and reads back works as an engineer does, and is left alone. Who writes what was never read,
-- probed the device before, repeats what another wrote or comes from another network does not.
WITH orders AS (
  SELECT c.capture, c.capture_id, c.src_ip, c.dst_ip, c.protocol, c.class, c.command, c.point, c.value, coalesce(c.request_frame, c.frame) AS frame, c.ts, n.regulars, n.far, n.after_s, n.port
  FROM ot_commands c JOIN ot_newcomers n ON n.capture_id = c.capture_id AND n.station = c.src_ip AND n.device = c.dst_ip
  WHERE c.class IN ('write', 'setpoint', 'operate', 'force', 'start', 'stop', 'restart', 'download', 'firmware', 'mode_change', 'delete', 'config') AND c.outcome NOT IN ('refused', 'error')),
firsts AS (SELECT capture_id, src_ip, dst_ip, min(frame) AS frame FROM orders GROUP BY capture_id, src_ip, dst_ip),
looked AS (SELECT f.capture_id, f.src_ip, f.dst_ip, count(*) AS n FROM firsts f JOIN process_values v ON v.capture_id = f.capture_id AND v.actor = f.src_ip AND v.device = f.dst_ip AND v.direction IN ('read', 'report') AND v.frame < f.frame GROUP BY f.capture_id, f.src_ip, f.dst_ip),
probed AS (SELECT capture_id, src_ip, dst_ip, count(*) FILTER (WHERE exception_code IN (1, 2)) AS refused, count(*) FILTER (WHERE func_code IN (17, 43)) AS identity FROM modbus GROUP BY capture_id, src_ip, dst_ip),
copied AS (SELECT o.capture_id, o.src_ip, o.dst_ip, count(DISTINCT o.frame) AS n FROM orders o JOIN ot_commands e ON e.capture_id = o.capture_id AND e.dst_ip = o.dst_ip AND e.src_ip <> o.src_ip AND e.point = o.point AND e.value = o.value AND e.class = o.class AND e.frame < o.frame GROUP BY o.capture_id, o.src_ip, o.dst_ip)
SELECT CASE WHEN coalesce(l.n, 0) = 0 AND (bool_or(o.far) OR c.n > 0) OR p.refused > 0 AND p.identity > 0 THEN 'high' ELSE 'medium' END AS confidence,
  'A station that never spoke to a controller before commands it' AS title,
  array_to_string(array_slice(array_sort(array_agg(DISTINCT o.class || coalesce(' ' || o.point, '') || coalesce(' = ' || o.value, ''))), 1, 6), ', ') || '; first heard ' || CAST(round(max(o.after_s)) AS VARCHAR) || ' s into the capture' || CASE WHEN coalesce(l.n, 0) = 0 THEN ', commanded before it ever read' ELSE '' END
    || CASE WHEN p.refused > 0 AND p.identity > 0 THEN ', probed the device before' ELSE '' END || CASE WHEN c.n > 0 THEN ', repeats what another station wrote' ELSE '' END || CASE WHEN bool_or(o.far) THEN ', from another network' ELSE '' END || '; served by ' || min(o.regulars) AS details,
  o.src_ip, o.dst_ip, min(o.port) AS dst_port, count(DISTINCT o.frame) AS count, min(o.frame) AS frame, array_slice(array_sort(array_agg(DISTINCT o.frame)), 1, 20) AS frames, min(o.ts) AS ts, max(o.ts) AS end_ts, min(o.capture) AS capture
FROM orders o LEFT JOIN looked l ON l.capture_id = o.capture_id AND l.src_ip = o.src_ip AND l.dst_ip = o.dst_ip LEFT JOIN probed p ON p.capture_id = o.capture_id AND p.src_ip = o.src_ip AND p.dst_ip = o.dst_ip LEFT JOIN copied c ON c.capture_id = o.capture_id AND c.src_ip = o.src_ip AND c.dst_ip = o.dst_ip
GROUP BY o.capture_id, o.src_ip, o.dst_ip, l.n, p.refused, p.identity, c.n
HAVING coalesce(l.n, 0) = 0 OR p.refused > 0 AND p.identity > 0 OR c.n > 0 OR bool_or(o.far) ORDER BY frame;
