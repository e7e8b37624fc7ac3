-- @analyzer beacon
-- @group    it
-- @title    BEACON ANALYSIS
-- @help     Connections that repeat at a steady interval

-- @section summary shape=facts
SELECT count(*) AS "series examined", count(*) FILTER (WHERE class = 'candidate') AS candidates, count(*) FILTER (WHERE class NOT IN ('candidate', 'irregular', 'short')) AS "set aside", count(*) FILTER (WHERE class = 'short') AS "too short to judge", count(*) FILTER (WHERE class = 'irregular') AS irregular,
  max(score) FILTER (WHERE class = 'candidate') AS "highest score" FROM beacon_series;

-- @section "Candidates" shape=table limit=20
SELECT score, client, server, transport || coalesce('/' || CAST(port AS VARCHAR), '') AS port_used, service, events, first, last, round(period_s, 1) AS period_s, jitter_share, round(regularity, 2) AS regularity, round(size_regularity, 2) AS size_regularity, round(persistence, 2) AS persistence, missed AS "missed beats",
  sent_bytes, received_bytes, clients AS "clients of it"
FROM beacon_series WHERE class = 'candidate' ORDER BY score DESC, events DESC, client, server, port;

-- @section "Fan-out and fan-in" shape=table limit=15
SELECT kind, host, others, round(period_s, 1) AS period_s, events FROM (
  SELECT 'one client, many servers' AS kind, client AS host, count(DISTINCT server) AS others, median(period_s) AS period_s, sum(events) AS events FROM beacon_series WHERE class = 'candidate' GROUP BY capture_id, client HAVING count(DISTINCT server) >= 2
  UNION ALL
  SELECT 'one server, many clients' AS kind, dst_ip AS host, count(DISTINCT src_ip) AS others, max(rhythm['period_s']) AS period_s, sum(n) AS events FROM (
    SELECT capture_id, dst_ip, dst_port, src_ip, n, rhythm FROM (SELECT capture_id, dst_ip, dst_port, periodicity(array_agg(ts)) AS rhythm FROM flows WHERE dst_ip IS NOT NULL AND ip_scope(dst_ip) NOT IN ('multicast', 'broadcast') GROUP BY capture_id, dst_ip, dst_port HAVING count(*) >= 10 AND count(DISTINCT src_ip) >= 5) AS fan
    JOIN (SELECT capture_id AS c, dst_ip AS d, dst_port AS p, src_ip, count(*) AS n FROM flows GROUP BY capture_id, dst_ip, dst_port, src_ip) AS ends ON ends.c = fan.capture_id AND ends.d = fan.dst_ip AND ends.p IS NOT DISTINCT FROM fan.dst_port)
  WHERE rhythm['regularity'] >= 0.9 GROUP BY capture_id, dst_ip, dst_port)
ORDER BY others DESC, kind, host;

-- @section "Set aside" shape=table limit=15
SELECT class AS reason, client, server, transport || coalesce('/' || CAST(port AS VARCHAR), '') AS port_used, service, events, round(period_s, 1) AS period_s, score FROM beacon_series WHERE class <> 'candidate' ORDER BY score DESC NULLS LAST, events DESC, client, server, port;

-- @finding beacon_c2 severity=high confidence=medium technique=T1071.001,T1573
SELECT CASE WHEN score >= 0.88 AND events >= 30 AND span_s >= 3600 AND clients = 1 THEN 'critical' ELSE 'high' END AS severity, CASE WHEN regularity >= 0.9 AND clients = 1 THEN 'high' ELSE 'medium' END AS confidence, 'A host calls out on a rhythm' AS title,
  CAST(events AS VARCHAR) || ' calls to ' || server || ' every ' || CAST(round(period_s, 1) AS VARCHAR) || ' s (jitter ' || CAST(round(100 * jitter_share, 1) AS VARCHAR) || ' %), score ' || CAST(score AS VARCHAR) || ', ' || CASE WHEN clients = 1 THEN 'no other client' ELSE CAST(clients AS VARCHAR) || ' clients' END AS details,
  client AS src_ip, server_ip AS dst_ip, port AS dst_port, events AS count, frame, frames, first AS ts, last AS end_ts, capture
FROM beacon_series WHERE class = 'candidate' AND service <> 'dns' AND is_external(server_ip) AND score >= 0.8 AND events >= 20 AND NOT (period_s >= 300 AND regularity >= 0.8 AND span_s >= 3600) ORDER BY frame, client, server;

-- @finding beacon_possible severity=medium confidence=low technique=T1071
SELECT 'A host may call out on a rhythm' AS title, CAST(events AS VARCHAR) || ' calls to ' || server || ' about every ' || CAST(round(period_s, 1) AS VARCHAR) || ' s, score ' || CAST(score AS VARCHAR) AS details, client AS src_ip, server_ip AS dst_ip, port AS dst_port, events AS count, frame, frames, first AS ts, last AS end_ts, capture
FROM beacon_series WHERE class = 'candidate' AND service <> 'dns' AND is_external(server_ip) AND (score < 0.8 OR events < 20) AND NOT (period_s >= 300 AND regularity >= 0.8 AND span_s >= 3600) ORDER BY frame, client, server;

-- @finding beacon_low_slow severity=high confidence=medium technique=T1029,T1071
SELECT 'A host calls out slowly and steadily' AS title, CAST(events AS VARCHAR) || ' calls to ' || server || ' every ' || CAST(round(period_s / 60, 1) AS VARCHAR) || ' minutes, score ' || CAST(score AS VARCHAR) AS details, client AS src_ip, server_ip AS dst_ip, port AS dst_port, events AS count, frame, frames, first AS ts, last AS end_ts, capture
FROM beacon_series WHERE class = 'candidate' AND service <> 'dns' AND is_external(server_ip) AND period_s >= 300 AND regularity >= 0.8 AND span_s >= 3600 ORDER BY frame, client, server;

-- @finding beacon_fanout severity=high confidence=medium technique=T1008,T1568
WITH few AS (SELECT capture_id, client, median(period_s) AS period_s FROM beacon_series WHERE class = 'candidate' AND service <> 'dns' GROUP BY capture_id, client HAVING count(DISTINCT server) >= 3)
SELECT 'A host calls several servers on one rhythm' AS title, CAST(count(DISTINCT s.server) AS VARCHAR) || ' servers about every ' || CAST(round(max(f.period_s), 1) AS VARCHAR) || ' s: ' || array_to_string(array_slice(array_sort(array_agg(DISTINCT s.server)), 1, 5), ', ') AS details, s.client AS src_ip, sum(s.events) AS count, min(s.frame) AS frame, first_value(s.frames ORDER BY s.frame) AS frames, min(s.first) AS ts, max(s.last) AS end_ts, min(s.capture) AS capture
FROM beacon_series s JOIN few f ON f.capture_id = s.capture_id AND f.client = s.client WHERE s.class = 'candidate' AND s.service <> 'dns' AND abs(s.period_s - f.period_s) <= 0.05 * f.period_s
GROUP BY s.capture_id, s.client HAVING count(DISTINCT s.server) >= 3 AND count(DISTINCT s.server_ip) >= 3 ORDER BY src_ip;

-- @finding beacon_dns severity=high confidence=medium technique=T1071.004
SELECT 'A host asks for ever new names on a rhythm' AS title, CAST(names AS VARCHAR) || ' names of ' || server || ' in ' || CAST(events AS VARCHAR) || ' questions, every ' || CAST(round(period_s, 1) AS VARCHAR) || ' s, score ' || CAST(score AS VARCHAR) AS details, client AS src_ip, server_ip AS dst_ip, events AS count, frame, frames, first AS ts, last AS end_ts, capture
FROM beacon_series WHERE service = 'dns' AND class = 'candidate' AND events >= 20 AND regularity >= 0.8 AND clients = 1 ORDER BY frame, client;

-- @finding beacon_internal severity=medium confidence=low technique=T1021,T1570
WITH managers AS (SELECT capture_id, src_ip, count(DISTINCT dst_ip) AS managed FROM flows WHERE dst_port IN (22, 23, 135, 445, 3389, 5985, 5986, 5900) GROUP BY capture_id, src_ip),
served AS (SELECT capture_id, dst_ip, count(DISTINCT src_ip) AS clients FROM flows WHERE dst_port IS NOT NULL AND resp_bytes > 0 GROUP BY capture_id, dst_ip)
SELECT 'Management connections on a rhythm' AS title, CAST(s.events AS VARCHAR) || ' to port ' || CAST(s.port AS VARCHAR) || ' every ' || CAST(round(s.period_s, 1) AS VARCHAR) || ' s, score ' || CAST(s.score AS VARCHAR) AS details, s.client AS src_ip, s.server_ip AS dst_ip, s.port AS dst_port, s.events AS count, s.frame, s.frames, s.first AS ts, s.last AS end_ts, s.capture
FROM beacon_series s LEFT JOIN managers m ON m.capture_id = s.capture_id AND m.src_ip = s.client LEFT JOIN served v ON v.capture_id = s.capture_id AND v.dst_ip = s.server_ip
WHERE s.class = 'internal' AND s.port IN (22, 23, 135, 445, 3389, 5985, 5986, 5900) AND s.events >= 20 AND s.span_s >= 600 AND s.score >= 0.8 AND coalesce(m.managed, 0) < 5 AND coalesce(v.clients, 0) < 5 ORDER BY s.frame;

-- @finding beacon_uncommon_port severity=medium confidence=medium technique=T1571
SELECT 'A rhythm on a port of no service' AS title, CAST(events AS VARCHAR) || ' calls to ' || server || ' port ' || CAST(port AS VARCHAR) || ', ' || CASE WHEN service = 'unknown' THEN 'content unknown' ELSE service END AS details, client AS src_ip, server_ip AS dst_ip, port AS dst_port, events AS count, frame, frames, first AS ts, last AS end_ts, capture
FROM beacon_series WHERE class = 'candidate' AND service <> 'dns' AND is_external(server_ip) AND port NOT IN (21, 22, 25, 53, 80, 110, 123, 143, 443, 465, 587, 853, 993, 995, 1194, 3478, 4500, 5222, 5223, 5228, 8080, 8443) ORDER BY frame, client, server;

-- @finding beacon_ot_external severity=critical confidence=high technique=T0869,T0885
WITH plant AS (SELECT DISTINCT capture_id, target AS ip FROM ot_commands WHERE target IS NOT NULL UNION SELECT DISTINCT capture_id, device AS ip FROM process_values WHERE device IS NOT NULL)
SELECT 'An industrial device calls out on a rhythm' AS title, CAST(s.events AS VARCHAR) || ' calls to ' || s.server || ' every ' || CAST(round(s.period_s, 1) AS VARCHAR) || ' s, score ' || CAST(s.score AS VARCHAR) AS details, s.client AS src_ip, s.server_ip AS dst_ip, s.port AS dst_port, s.events AS count, s.frame, s.frames, s.first AS ts, s.last AS end_ts, s.capture
FROM beacon_series s JOIN plant p ON p.capture_id = s.capture_id AND p.ip = s.client WHERE s.class = 'candidate' AND s.events >= 20 AND is_external(s.server_ip) ORDER BY s.frame;

-- @finding beacon_icmp severity=medium confidence=medium technique=T1095
-- Monitors send the same octets for ever, or those of the ping of their system.
WITH echoes AS (SELECT *, coalesce(payload_class, 'other') IN ('windows_ping', 'unix_ping', 'zero', 'constant', 'counting') AS is_ping FROM icmp WHERE type_name = 'echo_request' AND payload_len > 0 AND is_external(dst_ip)),
series AS (SELECT min(capture) AS capture, capture_id, src_ip, dst_ip, count(*) AS events, periodicity(array_agg(ts)) AS rhythm, count(DISTINCT payload_sha1) AS payloads, count(*) FILTER (WHERE is_ping) AS pings, bool_or(payload_class IN ('random', 'ip_packet')) AS odd, sum(payload_len) AS bytes, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts FROM echoes GROUP BY capture_id, src_ip, dst_ip HAVING count(*) >= 10)
SELECT 'Echo requests on a rhythm that are no ping' AS title, CAST(events AS VARCHAR) || ' every ' || CAST(round(rhythm['period_s'], 1) AS VARCHAR) || ' s, ' || CAST(payloads AS VARCHAR) || ' payloads, ' || CAST(bytes AS VARCHAR) || ' bytes' AS details, src_ip, dst_ip, events AS count, frame, frames, ts, end_ts, capture
FROM series WHERE rhythm['span_s'] >= 600 AND rhythm['regularity'] >= 0.7 AND 2 * pings < events AND (payloads > 1 OR odd) ORDER BY src_ip, dst_ip;
