-- Flows of hosts that name themselves Honeywell's in a field made for names, or that use the port of EpicMo diagnostics (CVE-2022-30317). Words in other payload do not count, and nothing of the closed protocols is decoded.
WITH named AS (
    SELECT capture_id, src_ip AS ip, 'lldp.system_description' AS place, system_description AS text FROM lldp WHERE regexp_like(system_description, '(?i)honeywell')
    UNION ALL SELECT capture_id, ip, 'host_names.name' AS place, name AS text FROM host_names WHERE regexp_like(name, '(?i)honeywell')
    UNION ALL SELECT capture_id, src_ip AS ip, 'http.server' AS place, server AS text FROM http WHERE NOT is_request AND regexp_like(CAST(server AS VARCHAR), '(?i)honeywell')
    UNION ALL SELECT capture_id, src_ip AS ip, 'x509.subject' AS place, subject AS text FROM x509 WHERE role = 'server' AND regexp_like(subject, '(?i)O=Honeywell')),
  names AS (SELECT capture_id, ip, min(place) AS place, min(text) AS text FROM named WHERE ip IS NOT NULL GROUP BY capture_id, ip),
  seen AS (SELECT f.*, n.place, n.text, coalesce(f.dst_port = 55565 AND f.transport = 'tcp' AND f.orig_bytes + f.resp_bytes > 0, false) AS is_epicmo FROM flows AS f LEFT JOIN names AS n ON n.capture_id = f.capture_id AND n.ip = f.dst_ip)
SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
  CASE WHEN regexp_like(text, '(?i)experion') THEN 'Experion' WHEN regexp_like(text, '(?i)controledge') THEN 'ControlEdge' WHEN regexp_like(text, '(?i)safety manager') THEN 'Safety Manager' ELSE 'unknown' END AS product,
  dst_port AS port, array_to_string(array_remove_all(make_array(CASE WHEN is_epicmo THEN 'port 55565' ELSE '' END, CASE WHEN text IS NOT NULL THEN 'name' ELSE '' END), ''), ', ') AS evidence, text AS matched_text, place AS matched_table,
  CASE WHEN is_epicmo AND text IS NOT NULL THEN 'high' WHEN text IS NOT NULL THEN 'medium' ELSE 'low' END AS confidence, orig_packets + resp_packets AS frames
FROM seen WHERE is_epicmo OR text IS NOT NULL
