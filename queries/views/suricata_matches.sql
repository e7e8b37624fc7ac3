-- @kept
-- Alerts of Suricata with the flow that each is of, found by Community ID and time: the latest that began before the alert, which the engine may
-- raise only when it gives a silent flow up. Flow, frame and capture are null where the selection has none.
WITH found AS (
  SELECT a.file_line, coalesce(a.capture, '') AS read_from, f.capture_id, f.capture, f.flow_id, f.frame AS first_frame, f.src_ip AS orig_ip, f.dst_ip AS resp_ip, f.service, f.ts AS flow_ts,
    row_number() OVER (PARTITION BY a.file_line, coalesce(a.capture, '') ORDER BY f.ts DESC, f.frame DESC, f.capture_id) AS place
  FROM suricata_alerts a JOIN flows f ON f.community_id = a.community_id AND (a.capture IS NULL OR a.capture = f.capture)
  WHERE CAST(a.ts AS BIGINT) BETWEEN CAST(f.ts AS BIGINT) - 1000000000 AND CAST(f.end_ts AS BIGINT) + 600000000000),
-- The packet that the engine counted, where it is of that flow here too, else that of the alert's time (microseconds).
shown AS (
  SELECT f.file_line, f.read_from, coalesce(min(p.frame) FILTER (WHERE p.frame = a.packet), min(p.frame) FILTER (WHERE CAST(p.ts AS BIGINT) / 1000 = CAST(a.ts AS BIGINT) / 1000)) AS frame
  FROM found f JOIN suricata_alerts a ON a.file_line = f.file_line AND coalesce(a.capture, '') = f.read_from JOIN packets p ON p.capture_id = f.capture_id AND p.flow_id = f.flow_id
  WHERE f.place = 1 AND (p.frame = a.packet OR CAST(p.ts AS BIGINT) / 1000 = CAST(a.ts AS BIGINT) / 1000) GROUP BY f.file_line, f.read_from)
SELECT a.file_line, a.ts, a.src_ip, a.dst_ip, a.src_port, a.dst_port, a.transport, a.community_id, a.packet, a.gid, a.sid, a.rev, a.signature, a.category, a.priority, a.severity, a.action, a.app_proto, a.techniques,
  f.capture, f.capture_id, f.flow_id, coalesce(s.frame, f.first_frame) AS frame, f.orig_ip, f.resp_ip, f.service, f.flow_ts
FROM suricata_alerts a LEFT JOIN (SELECT * FROM found WHERE place = 1) f ON f.file_line = a.file_line AND f.read_from = coalesce(a.capture, '') LEFT JOIN shown s ON s.file_line = a.file_line AND s.read_from = coalesce(a.capture, '')
