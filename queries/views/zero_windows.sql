-- @kept
-- Times for which a side of a connection had no room: from a window of zero until it opened again, or the connection ended.
WITH steps AS (
  SELECT capture, capture_id, flow_id, frame, ts, src_ip, dst_ip, src_port, dst_port, zero_window, lag(coalesce(zero_window, false)) OVER (PARTITION BY capture_id, flow_id, src_ip ORDER BY frame) AS was_zero,
    lead(ts) OVER (PARTITION BY capture_id, flow_id, src_ip ORDER BY frame) AS next_ts
  FROM tcp_events WHERE zero_window OR window_update
)
SELECT s.capture, s.capture_id, s.flow_id, min(s.frame) AS frame, min(s.ts) AS ts, s.src_ip, s.dst_ip, s.src_port, s.dst_port, count(*) FILTER (WHERE NOT coalesce(s.was_zero, false)) AS times,
  sum((CAST(coalesce(s.next_ts, f.end_ts) AS BIGINT) - CAST(s.ts AS BIGINT)) / 1e9) AS total_s, max((CAST(coalesce(s.next_ts, f.end_ts) AS BIGINT) - CAST(s.ts AS BIGINT)) / 1e9) AS longest_s
FROM steps s JOIN flows f ON f.capture_id = s.capture_id AND f.flow_id = s.flow_id WHERE s.zero_window GROUP BY s.capture, s.capture_id, s.flow_id, s.src_ip, s.dst_ip, s.src_port, s.dst_port
