-- @kept
-- Questions that are asked again and again in industrial protocols, with the time between one and the next.
WITH asked AS (
  SELECT capture, capture_id, request_frame AS frame, ts, src_ip, dst_ip, dst_port, 'modbus' AS protocol, func || ' ' || coalesce(point, '') || ' unit ' || coalesce(CAST(unit_id AS VARCHAR), '-') AS what FROM modbus WHERE request_frame IS NOT NULL AND NOT coalesce(is_write, false)
  UNION ALL SELECT capture, capture_id, frame, ts, src_ip, dst_ip, dst_port, 's7comm', 'read of ' || CAST(item_count AS VARCHAR) || ' items' FROM s7comm WHERE rosctr_name = 'job' AND function_name = 'read_variable'
  UNION ALL SELECT capture, capture_id, frame, ts, src_ip, dst_ip, dst_port, 'cip', service || coalesce(' ' || coalesce(symbol, path), '') FROM cip WHERE is_request AND category = 'read' AND NOT coalesce(is_io, false)
  UNION ALL SELECT capture, capture_id, frame, ts, src_ip, dst_ip, dst_port, 'opcua', service FROM opcua WHERE is_request AND service = 'Read'
), steps AS (
  SELECT *, (CAST(ts AS BIGINT) - CAST(lag(ts) OVER (PARTITION BY capture_id, src_ip, dst_ip, dst_port, protocol, what ORDER BY frame) AS BIGINT)) / 1e6 AS step_ms FROM asked
)
SELECT capture, capture_id, protocol, src_ip, dst_ip, dst_port, what, count(*) AS times, percentile_cont(step_ms, 0.5) AS median_ms, percentile_cont(step_ms, 0.9) AS p90_ms, percentile_cont(step_ms, 0.99) AS p99_ms, max(step_ms) AS longest_ms, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts
FROM steps WHERE step_ms IS NOT NULL GROUP BY capture, capture_id, protocol, src_ip, dst_ip, dst_port, what HAVING count(*) >= 20
