-- @kept
-- Findings of one cause as one: where two of one source host, or of the same two hosts, share evidence frames and a technique, the graver,
-- surer, more specific one stands, and says in `also` what else it was. So does a grave one with a note on the same frames and hosts. Ours are
-- surer where Suricata says the same (ids_confirms).
WITH told AS (
  SELECT *, bool_or(detection = 'ids_confirms') OVER (PARTITION BY capture, src_ip, dst_ip, frame, CASE WHEN detection = 'ids_confirms' THEN tags[1] ELSE detection END) AS is_confirmed FROM findings),
numbered AS (
  SELECT * EXCEPT (confidence, is_confirmed), CASE WHEN is_confirmed AND confidence = 'low' THEN 'medium' WHEN is_confirmed AND confidence = 'medium' THEN 'high' ELSE confidence END AS confidence, row_number() OVER (ORDER BY CASE severity WHEN 'critical' THEN 0 WHEN 'high' THEN 1 WHEN 'medium' THEN 2 WHEN 'low' THEN 3 ELSE 4 END, CASE confidence WHEN 'high' THEN 0 WHEN 'medium' THEN 1 ELSE 2 END,
    CASE WHEN source IN ('ot_commands', 'control_loop', 'ips', 'tcp', 'udp', 'streams', 'protocols', 'services', 'scan', 'exfil', 'beacon', 'http') THEN 1 ELSE 0 END, frame, detection, src_ip, dst_ip, details) AS place,
    coalesce(CASE WHEN array_length(techniques) > 0 THEN array_to_string(techniques, ' ') END, '') AS named FROM told WHERE detection <> 'ids_confirms'),
proofs AS (SELECT place, capture, coalesce(src_ip, dst_ip, '') AS host, coalesce(least(src_ip, dst_ip), src_ip, dst_ip, '') AS low_end, coalesce(greatest(src_ip, dst_ip), src_ip, dst_ip, '') AS high_end, severity,
  string_to_array(regexp_replace(named, '[.][0-9]+', '', 'g'), ' ') AS matters, named, source, unnest(frames) AS proof FROM numbered),
covered AS (
  SELECT a.place, min(b.place) AS under FROM proofs a JOIN proofs b ON a.proof = b.proof AND coalesce(a.capture, '') = coalesce(b.capture, '') AND b.place < a.place
  WHERE a.source <> 'compromised' AND b.source <> 'compromised' AND (
    (a.host = b.host OR a.low_end = b.low_end AND a.high_end = b.high_end) AND (a.named = '' OR b.named <> '' AND array_has_any(a.matters, b.matters))
    OR a.severity = 'info' AND b.severity IN ('critical', 'high', 'medium') AND a.low_end = b.low_end AND a.high_end = b.high_end) GROUP BY a.place)
SELECT n.detection, n.source, n.severity, n.confidence, n.title, n.summary, n.details, n.src_ip, n.dst_ip, n.src_port, n.dst_port, n.count, n.frame, n.frames, n.techniques, n.tags, n.ts, coalesce(n.end_ts, n.ts) AS end_ts, n.capture, n.capture_id, n.flow_id, u.also,
  CASE n.severity WHEN 'critical' THEN 0 WHEN 'high' THEN 1 WHEN 'medium' THEN 2 WHEN 'low' THEN 3 ELSE 4 END AS rank,
  CASE n.severity WHEN 'critical' THEN 0.6 WHEN 'high' THEN 0.3 WHEN 'medium' THEN 0.1 WHEN 'low' THEN 0.02 ELSE 0.0 END * CASE n.confidence WHEN 'high' THEN 1.0 WHEN 'medium' THEN 0.7 ELSE 0.4 END AS weight
FROM numbered n LEFT JOIN covered c ON c.place = n.place LEFT JOIN (SELECT v.under, array_to_string(array_sort(array_agg(DISTINCT o.detection)), ', ') AS also FROM covered v JOIN numbered o ON o.place = v.place GROUP BY v.under) u ON u.under = n.place
WHERE c.place IS NULL
