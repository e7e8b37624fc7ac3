-- @kept
-- Clients that were not heard in the first half of a capture of ten minutes or more, and write to a controller: one row a client,
-- controller and protocol. `severity` is info where the client read values of the controller before, as an engineer at work does.
WITH spans AS (SELECT capture_id, min(CAST(ts AS BIGINT)) AS start, max(CAST(end_ts AS BIGINT)) AS stop FROM flows GROUP BY capture_id),
-- Whatever two hosts said to each other before, and whoever opened it, makes them acquainted.
met AS (
  SELECT capture_id, one, other, min(since) AS since FROM (
    SELECT capture_id, src_ip AS one, dst_ip AS other, CAST(ts AS BIGINT) AS since FROM flows WHERE src_ip IS NOT NULL AND dst_ip IS NOT NULL
    UNION ALL SELECT capture_id, dst_ip, src_ip, CAST(ts AS BIGINT) FROM flows WHERE src_ip IS NOT NULL AND dst_ip IS NOT NULL)
  GROUP BY capture_id, one, other),
writes AS (
  SELECT min(c.capture) AS capture, c.capture_id, CAST(c.protocol AS VARCHAR) AS protocol, c.src_ip, c.dst_ip, min(c.dst_port) AS dst_port,
    array_to_string(array_slice(array_sort(array_agg(DISTINCT coalesce(c.command, c.class) || coalesce(' ' || c.point, '') || coalesce(' = ' || c.value, ''))), 1, 5), ', ') || '; first heard ' || CAST((min(m.since) - min(s.start)) / 1000000000 AS VARCHAR) || ' s into the capture' AS details,
    count(*) AS count, min(coalesce(c.request_frame, c.frame)) AS frame, array_slice(array_sort(array_agg(DISTINCT coalesce(c.request_frame, c.frame))), 1, 20) AS frames, min(c.ts) AS ts, max(c.ts) AS end_ts
  FROM ot_commands c JOIN met m ON m.capture_id = c.capture_id AND m.one = c.src_ip AND m.other = c.dst_ip JOIN spans s ON s.capture_id = c.capture_id
  WHERE s.stop - s.start >= 600000000000 AND m.since > s.start + (s.stop - s.start) / 2
    AND c.class IN ('write', 'setpoint', 'operate', 'force', 'start', 'stop', 'restart', 'download', 'firmware', 'mode_change', 'delete', 'config') AND c.outcome NOT IN ('refused', 'error')
  GROUP BY c.capture_id, c.protocol, c.src_ip, c.dst_ip),
readers AS (SELECT w.capture_id, w.protocol, w.src_ip, w.dst_ip FROM writes w JOIN process_values v ON v.capture_id = w.capture_id AND v.actor = w.src_ip AND v.device = w.dst_ip AND v.direction IN ('read', 'report') AND v.frame < w.frame GROUP BY w.capture_id, w.protocol, w.src_ip, w.dst_ip)
SELECT w.*, CASE WHEN r.src_ip IS NULL THEN 'medium' ELSE 'info' END AS severity
FROM writes w LEFT JOIN readers r ON r.capture_id = w.capture_id AND r.protocol = w.protocol AND r.src_ip = w.src_ip AND r.dst_ip = w.dst_ip
