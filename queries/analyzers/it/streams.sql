-- @analyzer streams
-- @group    it
-- @title    STREAM ANALYSIS
-- @help     TCP streams, their state and gaps

-- @section summary shape=facts
SELECT
  count(*) AS streams,
  count(*) FILTER (WHERE conn_state = 'SF') AS closed,
  count(*) FILTER (WHERE conn_state IN ('S1', 'S2', 'S3')) AS established,
  count(*) FILTER (WHERE conn_state IN ('RSTO', 'RSTR', 'RSTOS0', 'RSTRH')) AS reset,
  count(*) FILTER (WHERE conn_state = 'REJ') AS refused,
  count(*) FILTER (WHERE conn_state IN ('S0', 'SH')) AS unanswered,
  count(*) FILTER (WHERE conn_state IN ('OTH', 'SHR')) AS partial,
  count(*) FILTER (WHERE missed_bytes > 0) AS with_gaps,
  sum(missed_bytes) AS missed_bytes
FROM flows WHERE transport = 'tcp';

-- @section "Streams" shape=table limit=10
SELECT
  stream_id(CAST(src_ip AS VARCHAR), src_port, CAST(dst_ip AS VARCHAR), dst_port) AS id, flow_id AS flow,
  src_ip || ':' || CAST(src_port AS VARCHAR) AS client, dst_ip || ':' || CAST(dst_port AS VARCHAR) AS server,
  service,
  CASE WHEN conn_state = 'SF' THEN 'closed' WHEN conn_state IN ('S1', 'S2', 'S3') THEN 'established' WHEN conn_state = 'REJ' THEN 'refused'
    WHEN conn_state IN ('S0', 'SH') THEN 'unanswered' WHEN conn_state LIKE 'RST%' THEN 'reset'
    WHEN history LIKE '%h%' AND history NOT LIKE '%A%' THEN 'half_open' ELSE 'partial' END AS state,
  conn_state AS zeek, orig_packets + resp_packets AS packets, orig_bytes AS sent_bytes, resp_bytes AS received_bytes, missed_bytes AS gap_bytes,
  retransmitted_packets AS retransmits, ts AS start, duration_s
FROM flows WHERE transport = 'tcp'
ORDER BY orig_bytes + resp_bytes DESC, flow_id;

-- @finding stream_gap severity=info confidence=high
SELECT 'The capture lacks part of a stream' AS title, CAST(missed_bytes AS VARCHAR) || ' bytes are missing' AS details, src_ip, dst_ip, src_port, dst_port,
  frame, ts, end_ts, capture, capture_id, flow_id
FROM flows WHERE transport = 'tcp' AND missed_bytes > 0 AND missed_bytes > 0.01 * (orig_bytes + resp_bytes) ORDER BY missed_bytes DESC, flow_id LIMIT 50;

-- @finding stream_overlap severity=medium technique=T1027
SELECT 'Retransmitted bytes differ from the first copy' AS title, CAST(count(*) AS VARCHAR) || ' segments repeat sequence numbers with other bytes' AS details,
  src_ip, dst_ip, min(src_port) AS src_port, min(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, flow_id, capture
FROM tcp_events WHERE event = 'overlap_conflict' AND length > 1 GROUP BY src_ip, dst_ip, flow_id, capture ORDER BY flow_id, src_ip;

-- @finding stream_syn_data severity=low
SELECT 'Data in a SYN segment' AS title, CAST(max(payload_len) AS VARCHAR) || ' bytes ride on the SYN' AS details, src_ip, dst_ip, min(src_port) AS src_port, min(dst_port) AS dst_port,
  count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM packets WHERE transport = 'tcp' AND (tcp_flags & 18) = 2 AND payload_len > 0 GROUP BY src_ip, dst_ip, capture ORDER BY src_ip, dst_ip;

-- @finding stream_reset_injected severity=medium technique=T1499
WITH usual AS (
  SELECT capture_id, flow_id, src_ip, min(ip_ttl) AS low, max(ip_ttl) AS high, count(*) AS n FROM packets WHERE transport = 'tcp' AND (tcp_flags & 4) = 0 GROUP BY capture_id, flow_id, src_ip
)
SELECT 'A reset that its alleged sender did not send' AS title,
  'TTL ' || CAST(p.ip_ttl AS VARCHAR) || ' where the sender uses ' || CAST(u.low AS VARCHAR) || CASE WHEN u.high > u.low THEN ' to ' || CAST(u.high AS VARCHAR) ELSE '' END AS details,
  p.src_ip, p.dst_ip, p.src_port, p.dst_port, p.frame, p.ts, p.capture, p.flow_id
FROM packets p JOIN usual u ON u.capture_id = p.capture_id AND u.flow_id = p.flow_id AND u.src_ip = p.src_ip
WHERE p.transport = 'tcp' AND (p.tcp_flags & 4) = 4 AND u.n >= 2 AND (p.ip_ttl + 5 < u.low OR p.ip_ttl > u.high + 5)
  AND EXISTS (SELECT 1 FROM packets d WHERE d.capture_id = p.capture_id AND d.flow_id = p.flow_id AND d.src_ip = p.src_ip AND d.frame > p.frame AND d.payload_len > 0)
ORDER BY p.capture, p.frame;

-- @finding stream_reuse severity=info
SELECT 'Addresses and ports were used again' AS title, CAST(count(*) AS VARCHAR) || ' connections on the same addresses and ports' AS details, src_ip, dst_ip, count(*) AS count,
  min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM tcp_events WHERE event = 'reused_ports' GROUP BY src_ip, dst_ip, src_port, dst_port, capture ORDER BY count DESC, frame;
