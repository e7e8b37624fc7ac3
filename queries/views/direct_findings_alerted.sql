-- @kept
-- Our findings of the flows that alerts of Suricata are of: a row a finding and signature.
WITH ours AS (
  SELECT row_number() OVER (ORDER BY capture, frame, detection, src_ip, dst_ip, dst_port, details) AS place, detection, source, severity, confidence, title, src_ip, dst_ip, dst_port, frame, coalesce(frames, make_array(frame)) AS frames, techniques, ts, capture
  FROM direct_findings WHERE source <> 'suricata' AND frame IS NOT NULL),
of_flows AS (
  SELECT DISTINCT o.place, m.capture_id, m.flow_id, m.sid, m.signature FROM (SELECT place, capture, unnest(frames) AS proof FROM ours) o
  JOIN packets p ON p.frame = o.proof AND (o.capture IS NULL OR o.capture = p.capture) JOIN suricata_matches m ON m.capture_id = p.capture_id AND m.flow_id = p.flow_id)
SELECT o.*, f.capture_id, f.flow_id, f.sid, f.signature FROM ours o JOIN of_flows f ON f.place = o.place
