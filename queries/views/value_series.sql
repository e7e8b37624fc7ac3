-- @kept
-- What the values of each point show, one row a device, unit, point and protocol: steps out of all proportion, when it last changed,
-- and the first change that no write explains.
SELECT min(capture) AS capture, capture_id, device, unit_id, point, source_protocol,
  jumps(value, ts, frame, source_time) FILTER (WHERE direction <> 'write') AS jumps,
  last_change(value, ts, frame) FILTER (WHERE direction <> 'write') AS last_change,
  change_without_write(value, ts, frame, direction = 'write') AS change_without_write
FROM process_values WHERE direction IN ('read', 'report', 'write') AND value IS NOT NULL AND device IS NOT NULL
GROUP BY capture_id, device, unit_id, point, source_protocol
