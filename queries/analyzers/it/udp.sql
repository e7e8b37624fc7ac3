-- @analyzer udp
-- @group    it
-- @title    UDP ANALYSIS
-- @help     UDP conversations, floods, amplification

-- @section summary shape=facts
SELECT (SELECT count(*) FROM packets WHERE transport = 'udp') AS packets, sum(orig_bytes + resp_bytes) AS payload_bytes, count(*) AS flows,
  count(*) FILTER (WHERE resp_packets > 0) AS answered,
  count(*) FILTER (WHERE resp_packets = 0 AND ip_scope(dst_ip) NOT IN ('multicast', 'broadcast')) AS unanswered,
  (SELECT count(*) FROM icmp WHERE code_name = 'port_unreachable' AND quoted_proto = 17) AS port_unreachable
FROM flows WHERE transport = 'udp';

-- @section "Conversations" shape=table limit=15
SELECT src_ip || ':' || CAST(src_port AS VARCHAR) AS client, dst_ip AS server, dst_port AS port, coalesce(service, service_port_name || '?') AS service,
  orig_packets + resp_packets AS packets, orig_bytes AS sent_bytes, resp_bytes AS received_bytes, resp_packets > 0 AS answered,
  CASE WHEN duration_s > 0 THEN (orig_packets + resp_packets) / duration_s END AS "Packets/s"
FROM flows WHERE transport = 'udp' AND ip_scope(dst_ip) NOT IN ('multicast', 'broadcast') ORDER BY orig_bytes + resp_bytes DESC, flow_id;

-- @section "Services" shape=table limit=15
SELECT coalesce(service, service_port_name || '?', CAST(dst_port AS VARCHAR)) AS service, count(*) AS flows, count(DISTINCT src_ip) AS clients, count(DISTINCT dst_ip) AS servers, sum(orig_bytes + resp_bytes) AS bytes
FROM flows WHERE transport = 'udp' GROUP BY 1 ORDER BY bytes DESC, service;

-- @section "Multicast and broadcast" shape=table limit=15
SELECT dst_ip AS "Group", dst_port AS port, coalesce(max(service), max(service_port_name) || '?') AS service, count(DISTINCT src_ip) AS senders, sum(orig_packets) AS packets, sum(orig_bytes) AS bytes
FROM flows WHERE transport = 'udp' AND ip_scope(dst_ip) IN ('multicast', 'broadcast') GROUP BY dst_ip, dst_port ORDER BY packets DESC, dst_ip, port;

-- @finding udp_scan severity=medium technique=T1046
WITH tries AS (
  SELECT min(capture) AS capture, capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 60000000000 AS minute, count(DISTINCT dst_port) AS ports, count(*) AS tried, count(*) FILTER (WHERE resp_packets = 0) AS failed,
    min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts
  FROM flows WHERE transport = 'udp' AND ip_scope(dst_ip) NOT IN ('multicast', 'broadcast') AND src_port NOT IN (53, 123, 161, 1900, 5353) AND src_port > dst_port
  GROUP BY capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 60000000000)
SELECT 'UDP port scan of one host' AS title, 'at most ' || CAST(max(ports) AS VARCHAR) || ' ports within a minute, ' || CAST(sum(failed) AS VARCHAR) || ' of ' || CAST(sum(tried) AS VARCHAR) || ' unanswered' AS details,
  src_ip, dst_ip, sum(tried) AS count, min(frame) AS frame, first_value(frames ORDER BY frame) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture
FROM tries WHERE ports >= 20 AND failed >= 0.5 * tried GROUP BY capture_id, src_ip, dst_ip ORDER BY src_ip, dst_ip;

-- @finding udp_flood severity=high technique=T1498.001
WITH seconds AS (
  SELECT min(capture) AS capture, capture_id, dst_ip, CAST(ts AS BIGINT) / 1000000000 AS second, count(*) AS n, min(frame) AS frame, min(ts) AS ts FROM packets
  WHERE transport = 'udp' AND protocol = 'udp' GROUP BY capture_id, dst_ip, CAST(ts AS BIGINT) / 1000000000 HAVING count(*) >= 5000 AND ip_scope(dst_ip) <> 'multicast'),
sources AS (
  SELECT s.capture_id, s.dst_ip, s.second, count(DISTINCT p.src_ip) AS sources FROM seconds s JOIN packets p ON p.capture_id = s.capture_id AND p.dst_ip = s.dst_ip AND CAST(p.ts AS BIGINT) / 1000000000 = s.second WHERE p.transport = 'udp' AND p.protocol = 'udp' GROUP BY s.capture_id, s.dst_ip, s.second)
SELECT 'UDP flood' AS title, 'up to ' || CAST(max(s.n) AS VARCHAR) || ' packets a second from up to ' || CAST(max(o.sources) AS VARCHAR) || ' sources' AS details, s.dst_ip, sum(s.n) AS count, min(s.frame) AS frame, min(s.ts) AS ts, max(s.ts) AS end_ts, min(s.capture) AS capture
FROM seconds s JOIN sources o ON o.capture_id = s.capture_id AND o.dst_ip = s.dst_ip AND o.second = s.second GROUP BY s.capture_id, s.dst_ip ORDER BY s.dst_ip;

-- @finding udp_amplification severity=high technique=T1498.002
SELECT 'Amplified answers' AS title, CAST(count(DISTINCT dst_ip) AS VARCHAR) || ' servers of ' || min(name) || ' sent ' || CAST(sum(resp_bytes) AS VARCHAR) || ' bytes for ' || CAST(sum(orig_bytes) AS VARCHAR) || ' asked' AS details,
  src_ip AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture
FROM (SELECT *, coalesce(service, service_port_name) AS name FROM flows WHERE transport = 'udp' AND dst_port IN (53, 123, 1900, 389, 11211, 19, 161, 3702, 5683))
GROUP BY capture_id, src_ip, dst_port HAVING sum(resp_bytes) >= 10 * sum(orig_bytes) AND sum(resp_bytes) >= 100000 AND count(DISTINCT dst_ip) >= 3 ORDER BY src_ip;

-- @finding udp_reflector_victim severity=medium technique=T1498.002
SELECT 'Answers that nobody asked for' AS title, CAST(count(DISTINCT src_ip) AS VARCHAR) || ' servers answer from port ' || CAST(src_port AS VARCHAR) || ' without a question in the capture' AS details,
  dst_ip, src_port, sum(orig_packets) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts
FROM flows WHERE transport = 'udp' AND src_port IN (53, 123, 1900, 389, 11211, 19, 161, 3702) AND dst_port NOT IN (53, 123, 1900, 389, 11211, 19, 161, 162, 3702) AND resp_packets = 0 AND ip_scope(dst_ip) <> 'multicast'
GROUP BY capture_id, dst_ip, src_port HAVING count(DISTINCT src_ip) >= 10 ORDER BY dst_ip;

-- @finding udp_zero_payload severity=info technique=T1046
SELECT 'Many empty datagrams' AS title, CAST(count(*) AS VARCHAR) || ' datagrams without payload' AS details, src_ip, count(*) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM packets WHERE transport = 'udp' AND payload_len = 0 AND NOT ip_fragment GROUP BY capture_id, src_ip HAVING count(*) >= 50 ORDER BY src_ip;

-- @finding udp_one_sided_burst severity=high confidence=medium technique=T1498.001
-- A host is hit by far more datagrams a second than the whole capture usually holds, and answers none: measured against the
-- capture, not against a line. Media go both ways, and go on.
WITH hits AS (
  SELECT capture_id, dst_ip, CAST(ts AS BIGINT) / 1000000000 AS second, count(*) AS n, count(DISTINCT src_ip) AS sources, array_sort(array_agg(DISTINCT src_ip)) AS speakers, min(src_ip) AS src_ip, min(dst_port) AS dst_port, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture FROM packets
  WHERE transport = 'udp' AND protocol = 'udp' AND dst_ip IS NOT NULL AND ip_scope(dst_ip) NOT IN ('multicast', 'broadcast') GROUP BY capture_id, dst_ip, CAST(ts AS BIGINT) / 1000000000 HAVING count(*) >= 30),
answers AS (SELECT DISTINCT capture_id, src_ip FROM packets WHERE transport = 'udp' AND protocol = 'udp' AND src_ip IN (SELECT dst_ip FROM hits)),
hit AS (SELECT h.capture_id, h.dst_ip, count(*) AS seconds, sum(h.n) AS n, max(h.n) AS peak, max(h.sources) AS sources, array_slice(array_sort(array_distinct(flatten(array_agg(h.speakers)))), 1, 8) AS speakers, first_value(h.src_ip ORDER BY h.n DESC) AS src_ip, min(h.dst_port) AS dst_port, min(h.frame) AS frame, array_slice(array_sort(array_agg(h.frame)), 1, 20) AS frames, min(h.ts) AS ts, max(h.end_ts) AS end_ts, min(h.second) AS first, max(h.second) AS last, min(h.capture) AS capture
  FROM hits h LEFT JOIN answers a ON a.capture_id = h.capture_id AND a.src_ip = h.dst_ip WHERE a.src_ip IS NULL GROUP BY h.capture_id, h.dst_ip HAVING count(*) >= 5 AND sum(h.n) >= 500),
whole AS (SELECT capture_id, count(*) AS n, (max(CAST(ts AS BIGINT)) - min(CAST(ts AS BIGINT))) / 1000000000 AS span FROM packets WHERE capture_id IN (SELECT capture_id FROM hit) GROUP BY capture_id)
SELECT 'A flood of datagrams' AS title, CAST(h.n AS VARCHAR) || ' datagrams without an answer, ' || CAST(h.peak AS VARCHAR) || ' a second at most, for ' || CAST(h.last - h.first + 1 AS VARCHAR) || ' s, from ' || CAST(h.sources AS VARCHAR) || CASE WHEN h.sources = 1 THEN ' source' ELSE ' sources' END || ' (' || array_to_string(h.speakers, ', ') || '); all else in the capture is ' || CAST(round((w.n - h.n) * 1.0 / w.span, 1) AS VARCHAR) || ' packets a second' AS details,
  h.src_ip, h.dst_ip, h.dst_port, h.n AS count, h.frame, h.frames, h.ts, h.end_ts, h.capture
FROM hit h JOIN whole w ON w.capture_id = h.capture_id WHERE w.span >= 60 AND h.last - h.first <= 0.5 * w.span AND h.n * 1.0 / (h.last - h.first + 1) >= 3.0 * (w.n - h.n) / w.span AND h.peak < 5000 ORDER BY h.frame;
