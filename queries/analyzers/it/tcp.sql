-- @analyzer tcp
-- @group    it
-- @title    TCP ANALYSIS
-- @help     TCP conversations, flags, scans, resets

-- @section summary shape=facts
SELECT
  (SELECT count(*) FROM packets WHERE transport = 'tcp') AS packets,
  (SELECT sum(payload_len) FROM packets WHERE transport = 'tcp') AS payload_bytes,
  count(*) AS connections,
  count(*) FILTER (WHERE conn_state IN ('SF', 'S1', 'S2', 'S3', 'RSTO', 'RSTR')) AS established,
  count(*) FILTER (WHERE conn_state = 'REJ') AS refused,
  count(*) FILTER (WHERE conn_state IN ('S0', 'SH')) AS unanswered,
  count(*) FILTER (WHERE conn_state IN ('RSTO', 'RSTR', 'RSTOS0', 'RSTRH')) AS reset,
  sum(retransmitted_packets) AS retransmitted_packets,
  sum(missed_bytes) AS missed_bytes
FROM flows WHERE transport = 'tcp';

-- @section "Connections" shape=table limit=15
SELECT src_ip || ':' || CAST(src_port AS VARCHAR) AS client, dst_ip AS server, dst_port AS port, coalesce(service, service_port_name || '?') AS service,
  orig_packets + resp_packets AS packets, orig_bytes AS sent_bytes, resp_bytes AS received_bytes, conn_state AS state, handshake_rtt_ms AS rtt_ms,
  retransmitted_packets AS retransmits, duration_s
FROM flows WHERE transport = 'tcp' ORDER BY orig_bytes + resp_bytes DESC, flow_id;

-- @section "Servers" shape=table limit=15
SELECT dst_ip AS server, count(*) AS connections, count(DISTINCT src_ip) AS clients, count(DISTINCT dst_port) AS ports, sum(orig_bytes) AS received_bytes, sum(resp_bytes) AS sent_bytes
FROM flows WHERE transport = 'tcp' AND resp_packets > 0 GROUP BY dst_ip ORDER BY connections DESC, server;

-- @section "Clients" shape=table limit=15
SELECT src_ip AS client, count(*) AS connections, count(DISTINCT dst_ip) AS servers, count(DISTINCT dst_port) AS ports,
  count(*) FILTER (WHERE conn_state IN ('S0', 'REJ')) AS failed, sum(orig_bytes) AS sent_bytes, sum(resp_bytes) AS received_bytes
FROM flows WHERE transport = 'tcp' GROUP BY src_ip ORDER BY connections DESC, client;

-- @section "Ports" shape=table limit=15
SELECT dst_port AS port, max(service_port_name) AS "Port name", array_to_string(array_sort(array_agg(DISTINCT service)), ', ') AS service, count(*) AS connections,
  count(DISTINCT dst_ip) AS servers, count(*) FILTER (WHERE conn_state IN ('S0', 'REJ')) AS failed
FROM flows WHERE transport = 'tcp' GROUP BY dst_port ORDER BY connections DESC, port;

-- @section "Events" shape=table
SELECT e.event, e.n AS count, t.pair AS "Top pair", t.n AS "Of these"
FROM (SELECT event, count(*) AS n FROM tcp_events GROUP BY event) e
JOIN (SELECT event, pair, n, row_number() OVER (PARTITION BY event ORDER BY n DESC, pair) AS place
  FROM (SELECT event, src_ip || ' -> ' || dst_ip AS pair, count(*) AS n FROM tcp_events GROUP BY event, src_ip || ' -> ' || dst_ip)) t ON t.event = e.event AND t.place = 1
ORDER BY e.n DESC, e.event;

-- @section "Performance" shape=table limit=15
SELECT src_ip AS client, dst_ip AS server, count(*) AS connections, avg(handshake_rtt_ms) AS rtt_mean_ms, max(handshake_rtt_ms) AS rtt_max_ms,
  sum(retransmitted_packets) * 1.0 / nullif(sum(orig_packets + resp_packets), 0) AS retransmit_share, sum(out_of_order_packets) AS out_of_order
FROM flows WHERE transport = 'tcp' GROUP BY src_ip, dst_ip HAVING sum(retransmitted_packets + out_of_order_packets) > 0 OR avg(handshake_rtt_ms) IS NOT NULL
ORDER BY retransmit_share DESC, client, server;

-- @finding tcp_syn_scan severity=medium technique=T1046
WITH tries AS (
  SELECT min(capture) AS capture, capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 60000000000 AS minute, count(DISTINCT dst_port) AS ports,
    count(*) AS tried, count(*) FILTER (WHERE conn_state IN ('S0', 'REJ', 'SH', 'RSTOS0', 'RSTRH') OR (conn_state = 'RSTO' AND orig_bytes = 0)) AS failed,
    min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts
  FROM flows WHERE transport = 'tcp' AND history LIKE 'S%' GROUP BY capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 60000000000)
SELECT 'Port scan of one host' AS title, 'at most ' || CAST(max(ports) AS VARCHAR) || ' ports within a minute; ' || CAST(sum(failed) AS VARCHAR) || ' of ' || CAST(sum(tried) AS VARCHAR) || ' tries refused or unanswered' AS details,
  src_ip, dst_ip, sum(tried) AS count, min(frame) AS frame, first_value(frames ORDER BY frame) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture
FROM tries WHERE ports >= 20 AND failed >= 0.7 * tried GROUP BY capture_id, src_ip, dst_ip ORDER BY src_ip, dst_ip;

-- @finding tcp_sweep severity=medium technique=T1046
WITH tries AS (
  SELECT min(capture) AS capture, capture_id, src_ip, dst_port, CAST(ts AS BIGINT) / 300000000000 AS span, count(DISTINCT dst_ip) AS hosts, count(*) AS tried,
    count(*) FILTER (WHERE conn_state IN ('S0', 'REJ', 'SH', 'RSTOS0', 'RSTRH')) AS failed,
    min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts
  FROM flows WHERE transport = 'tcp' AND history LIKE 'S%' GROUP BY capture_id, src_ip, dst_port, CAST(ts AS BIGINT) / 300000000000)
SELECT 'One port tried on many hosts' AS title, 'port ' || CAST(dst_port AS VARCHAR) || ' on at most ' || CAST(max(hosts) AS VARCHAR) || ' hosts within 5 minutes; ' || CAST(sum(failed) AS VARCHAR) || ' of ' || CAST(sum(tried) AS VARCHAR) || ' tries refused or unanswered' AS details,
  src_ip, dst_port, sum(tried) AS count, min(frame) AS frame, first_value(frames ORDER BY frame) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture
FROM tries WHERE hosts >= 15 AND failed >= 0.6 * tried GROUP BY capture_id, src_ip, dst_port ORDER BY src_ip, dst_port;

-- @finding tcp_stealth_scan severity=high technique=T1046
SELECT 'Scan with segments that no connection sends' AS title,
  CASE WHEN kind = 0 THEN 'NULL' WHEN kind = 1 THEN 'FIN' WHEN kind = 41 THEN 'XMAS' ELSE 'Maimon' END || ' probes to ' || CAST(count(DISTINCT dst_ip || ':' || CAST(dst_port AS VARCHAR)) AS VARCHAR) || ' ports or hosts' AS details,
  src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM (SELECT p.*, p.tcp_flags & 63 AS kind FROM packets p JOIN flows f ON f.flow_id = p.flow_id AND f.capture_id = p.capture_id
  WHERE p.transport = 'tcp' AND (p.tcp_flags & 63) IN (0, 1, 17, 41) AND f.history NOT LIKE '%S%' AND f.orig_bytes + f.resp_bytes = 0 AND f.orig_packets <= 3)
GROUP BY capture_id, src_ip, kind HAVING count(DISTINCT dst_ip || ':' || CAST(dst_port AS VARCHAR)) >= 10 ORDER BY src_ip, kind;

-- @finding tcp_syn_flood severity=high technique=T1499.001
WITH seconds AS (
  SELECT min(capture) AS capture, capture_id, dst_ip, dst_port, CAST(ts AS BIGINT) / 1000000000 AS second, count(*) AS n, count(*) FILTER (WHERE conn_state IN ('SF', 'S1', 'S2', 'S3', 'RSTO', 'RSTR')) AS completed,
    count(DISTINCT src_ip) AS sources, min(frame) AS frame, min(ts) AS ts
  FROM flows WHERE transport = 'tcp' AND history LIKE 'S%' GROUP BY capture_id, dst_ip, dst_port, CAST(ts AS BIGINT) / 1000000000)
SELECT 'Flood of connection attempts' AS title, 'up to ' || CAST(max(n) AS VARCHAR) || ' SYN a second from up to ' || CAST(max(sources) AS VARCHAR) || ' sources, ' || CAST(sum(completed) AS VARCHAR) || ' of ' || CAST(sum(n) AS VARCHAR) || ' completed' AS details,
  dst_ip, dst_port, sum(n) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM seconds WHERE n >= 500 AND completed < 0.2 * n GROUP BY capture_id, dst_ip, dst_port ORDER BY dst_ip, dst_port;

-- @finding tcp_reset_rate severity=low
SELECT 'A server resets many connections' AS title, CAST(resets AS VARCHAR) || ' of ' || CAST(n AS VARCHAR) || ' connections with data were reset by the server' AS details, src_ip, dst_ip, resets AS count, frame, ts, end_ts, capture
FROM (SELECT min(capture) AS capture, capture_id, src_ip, dst_ip, count(*) AS n, count(*) FILTER (WHERE conn_state = 'RSTR' AND resp_bytes > 0) AS resets, min(frame) AS frame, min(ts) AS ts, max(end_ts) AS end_ts
  FROM flows WHERE transport = 'tcp' AND orig_bytes > 0 GROUP BY capture_id, src_ip, dst_ip)
WHERE n >= 20 AND resets >= 0.3 * n ORDER BY src_ip, dst_ip;

-- @finding tcp_retransmit_rate severity=low
SELECT 'Many retransmissions' AS title, CAST(retransmitted_packets AS VARCHAR) || ' of ' || CAST(segments AS VARCHAR) || ' data segments were sent again' AS details,
  src_ip, dst_ip, src_port, dst_port, retransmitted_packets AS count, frame, ts, end_ts, flow_id, capture
FROM (SELECT f.*, d.segments FROM flows f JOIN (SELECT capture_id, flow_id, count(*) AS segments FROM packets WHERE transport = 'tcp' AND payload_len > 0 GROUP BY capture_id, flow_id) d
  ON d.flow_id = f.flow_id AND d.capture_id = f.capture_id)
WHERE segments >= 200 AND retransmitted_packets > 0.03 * segments ORDER BY frame;

-- @finding tcp_conflict severity=high technique=T1027
SELECT 'A stream was sent twice with different content' AS title, CAST(count(*) AS VARCHAR) || ' segments repeat sequence numbers with other bytes' AS details, src_ip, dst_ip,
  count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM tcp_events WHERE event = 'overlap_conflict' AND length >= 8 GROUP BY capture_id, src_ip, dst_ip HAVING count(*) >= 2 ORDER BY src_ip, dst_ip;

-- @finding tcp_syn_data severity=info technique=T1027
SELECT 'Data in a SYN' AS title, CAST(count(*) AS VARCHAR) || ' SYN segments carry data' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM packets WHERE transport = 'tcp' AND (tcp_flags & 18) = 2 AND payload_len > 0 GROUP BY src_ip, dst_ip, capture ORDER BY src_ip, dst_ip;

-- @finding tcp_zero_window severity=low confidence=high
WITH stalls AS (SELECT capture, capture_id, flow_id, src_ip, dst_ip, src_port, dst_port, frame, ts, CAST(lead(ts) OVER (PARTITION BY capture_id, flow_id, src_ip ORDER BY frame) AS BIGINT) - CAST(ts AS BIGINT) AS lasted FROM tcp_events WHERE event IN ('zero_window', 'window_update'))
SELECT 'A receiver stopped taking data' AS title, CAST(count(*) AS VARCHAR) || ' stalls, the longest ' || CAST(round(max(lasted) / 1e9, 1) AS VARCHAR) || ' s' AS details, src_ip, dst_ip, max(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM stalls WHERE lasted > 1000000000 GROUP BY capture_id, flow_id, src_ip, dst_ip HAVING count(*) >= 3 ORDER BY src_ip, dst_ip, frame;

-- @finding tcp_service_search severity=high confidence=medium technique=T1046
-- Port after port on host after host, most without success: a search for services too small for the line of a port scan.
WITH tries AS (
  SELECT capture, capture_id, src_ip, dst_ip, dst_port, frame, ts, conn_state IN ('S0', 'REJ', 'SH', 'RSTOS0', 'RSTRH') OR conn_state IN ('SF', 'RSTO', 'S1', 'S2', 'S3', 'RSTR') AND orig_bytes = 0 AND resp_bytes = 0 AS empty, conn_state IN ('S0', 'REJ', 'SH', 'RSTOS0', 'RSTRH') AS failed, lag(CAST(ts AS BIGINT)) OVER (PARTITION BY capture_id, src_ip ORDER BY ts, frame) AS before
  FROM flows WHERE transport = 'tcp' AND history LIKE 'S%'),
bouts AS (SELECT *, sum(CASE WHEN before IS NULL OR CAST(ts AS BIGINT) - before > 60000000000 THEN 1 ELSE 0 END) OVER (PARTITION BY capture_id, src_ip ORDER BY ts, frame) AS bout FROM tries WHERE empty)
SELECT 'Services are searched for, port by port and host by host' AS title, CAST(count(DISTINCT dst_port) AS VARCHAR) || ' ports (' || array_to_string(array_slice(array_sort(array_agg(DISTINCT dst_port)), 1, 10), ', ') || ') on ' || CAST(count(DISTINCT dst_ip) AS VARCHAR) || ' hosts, ' || CAST(count(*) FILTER (WHERE failed) AS VARCHAR) || ' of ' || CAST(count(*) AS VARCHAR) || ' tries refused or unanswered, none used' AS details,
  src_ip, first_value(dst_ip ORDER BY frame) AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM bouts GROUP BY capture_id, src_ip, bout
HAVING count(DISTINCT dst_ip) >= 3 AND count(DISTINCT dst_port) >= 4 AND count(DISTINCT dst_ip || ':' || CAST(dst_port AS VARCHAR)) >= 12 AND count(*) FILTER (WHERE failed) >= 0.5 * count(*)
  -- A grid: each port on most of the hosts.
  AND count(DISTINCT dst_ip || ':' || CAST(dst_port AS VARCHAR)) >= 0.5 * count(DISTINCT dst_ip) * count(DISTINCT dst_port) ORDER BY frame;

-- @finding tcp_reset_forged severity=high confidence=medium technique=T1499
-- A reset in the name of a station that goes on sending, by another way or another clock of packets than its own.
WITH resets AS (SELECT p.capture, p.capture_id, p.flow_id, p.frame, p.ts, p.src_ip, p.dst_ip, p.src_port, p.dst_port, p.ip_ttl, p.ip_id FROM packets p WHERE p.transport = 'tcp' AND (p.tcp_flags & 4) = 4 AND p.tunnel IS NULL),
own AS (SELECT r.capture_id, r.flow_id, r.frame, count(*) AS packets, min(p.ip_ttl) AS low_ttl, max(p.ip_ttl) AS high_ttl, min(p.ip_id) AS low_id, max(p.ip_id) AS high_id, count(*) FILTER (WHERE p.frame > r.frame AND p.payload_len > 0) AS later, min(p.frame) FILTER (WHERE p.frame > r.frame AND p.payload_len > 0) AS later_frame
  FROM resets r JOIN packets p ON p.capture_id = r.capture_id AND p.flow_id = r.flow_id AND p.src_ip = r.src_ip AND p.src_port = r.src_port AND (p.tcp_flags & 4) = 0 GROUP BY r.capture_id, r.flow_id, r.frame)
SELECT 'A connection was reset in another''s name' AS title, CAST(count(*) AS VARCHAR) || ' resets with a time to live of ' || CAST(min(r.ip_ttl) AS VARCHAR) || ' and id ' || CAST(min(r.ip_id) AS VARCHAR) || ', where the sender has ' || CAST(min(o.low_ttl) AS VARCHAR) || ' and ids of ' || CAST(min(o.low_id) AS VARCHAR) || ' to ' || CAST(max(o.high_id) AS VARCHAR) || '; it sent data afterwards' AS details, r.src_ip, r.dst_ip, max(r.dst_port) AS dst_port, count(*) AS count, min(r.frame) AS frame, array_slice(array_sort(array_distinct(array_concat(array_agg(r.frame), array_agg(o.later_frame)))), 1, 20) AS frames, min(r.ts) AS ts, max(r.ts) AS end_ts, min(r.capture) AS capture
FROM resets r JOIN own o ON o.capture_id = r.capture_id AND o.flow_id = r.flow_id AND o.frame = r.frame
WHERE o.later > 0 AND o.packets >= 3 AND (r.ip_ttl NOT BETWEEN o.low_ttl AND o.high_ttl OR o.low_id > 0 AND CAST(o.high_id AS BIGINT) - CAST(o.low_id AS BIGINT) < 5000 AND (CAST(r.ip_id AS BIGINT) < CAST(o.low_id AS BIGINT) - 5000 OR CAST(r.ip_id AS BIGINT) > CAST(o.high_id AS BIGINT) + 5000))
GROUP BY r.capture_id, r.flow_id, r.src_ip, r.dst_ip ORDER BY r.src_ip, r.dst_ip, frame;
