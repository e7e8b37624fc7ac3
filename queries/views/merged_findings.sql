-- @kept
-- Findings of one cause as one: where two of one source host share evidence frames and a technique, the graver, surer, more
-- specific one stands, and says in `also` what else it was.
WITH numbered AS (
  SELECT *, row_number() OVER (ORDER BY CASE severity WHEN 'critical' THEN 0 WHEN 'high' THEN 1 WHEN 'medium' THEN 2 WHEN 'low' THEN 3 ELSE 4 END, CASE confidence WHEN 'high' THEN 0 WHEN 'medium' THEN 1 ELSE 2 END,
    CASE WHEN source IN ('ot_commands', 'control_loop', 'ips', 'tcp', 'udp', 'streams', 'protocols', 'services', 'scan', 'exfil', 'beacon', 'http') THEN 1 ELSE 0 END, frame, detection, src_ip, dst_ip, details) AS place,
    coalesce(CASE WHEN array_length(techniques) > 0 THEN array_to_string(techniques, ' ') END, '') AS named FROM findings),
proofs AS (SELECT place, capture, coalesce(src_ip, dst_ip, '') AS host, named, source, unnest(frames) AS proof FROM numbered),
covered AS (
  SELECT a.place, min(b.place) AS under FROM proofs a JOIN proofs b ON a.proof = b.proof AND coalesce(a.capture, '') = coalesce(b.capture, '') AND a.host = b.host AND b.place < a.place
  WHERE a.source <> 'compromised' AND b.source <> 'compromised' AND (a.named = '' OR b.named <> '' AND (strpos(b.named, substr(a.named, 1, 5)) > 0 OR strpos(a.named, substr(b.named, 1, 5)) > 0)) GROUP BY a.place)
SELECT n.detection, n.source, n.severity, n.confidence, n.title, n.details, n.src_ip, n.dst_ip, n.dst_port, n.count, n.frame, n.frames, n.techniques, n.ts, coalesce(n.end_ts, n.ts) AS end_ts, n.capture, n.capture_id, n.flow_id, u.also,
  CASE n.severity WHEN 'critical' THEN 0 WHEN 'high' THEN 1 WHEN 'medium' THEN 2 WHEN 'low' THEN 3 ELSE 4 END AS rank,
  CASE n.severity WHEN 'critical' THEN 0.6 WHEN 'high' THEN 0.3 WHEN 'medium' THEN 0.1 WHEN 'low' THEN 0.02 ELSE 0.0 END * CASE n.confidence WHEN 'high' THEN 1.0 WHEN 'medium' THEN 0.7 ELSE 0.4 END AS weight
FROM numbered n LEFT JOIN covered c ON c.place = n.place LEFT JOIN (SELECT v.under, array_to_string(array_sort(array_agg(DISTINCT o.detection)), ', ') AS also FROM covered v JOIN numbered o ON o.place = v.place GROUP BY v.under) u ON u.under = n.place
WHERE c.place IS NULL
