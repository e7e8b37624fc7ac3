-- Zeek's http.log: each request with its final response.
SELECT
  coalesce(q.capture, r.capture) AS capture, coalesce(q.capture_id, r.capture_id) AS capture_id,
  coalesce(q.frame, r.request_frame, r.frame) AS frame, coalesce(q.ts, r.ts) AS ts, coalesce(q.flow_id, r.flow_id) AS flow_id,
  coalesce(q.src_ip, r.dst_ip) AS src_ip, coalesce(q.dst_ip, r.src_ip) AS dst_ip, coalesce(q.src_port, r.dst_port) AS src_port, coalesce(q.dst_port, r.src_port) AS dst_port,
  'http' AS transport, d.frame IS NOT NULL AS tls, coalesce(q.trans_depth, r.trans_depth) AS trans_depth,
  coalesce(q.method, r.request_method) AS method, coalesce(q.host, r.request_host) AS host, coalesce(q.uri, r.request_uri) AS uri, q.url AS url,
  r.status_code AS status_code, r.status_msg AS status_msg, q.user_agent AS user_agent, q.referrer AS referrer, r.server AS server,
  q.body_mime AS request_mime, r.body_mime AS response_mime, r.content_type AS response_content_type,
  q.body_bytes AS request_body_len, r.body_bytes AS response_body_len, coalesce(r.filename, q.filename) AS filename, q.username AS username,
  r.frame AS response_frame, r.response_time_ms AS response_time_ms, i.info_codes AS info_codes
FROM (SELECT * FROM http WHERE is_request) q
FULL OUTER JOIN (SELECT * FROM http WHERE NOT is_request AND (status_code >= 200 OR status_code = 101)) r
  ON r.capture_id = q.capture_id AND r.flow_id = q.flow_id AND r.trans_depth = q.trans_depth
LEFT JOIN (SELECT capture_id, flow_id, trans_depth, array_agg(status_code ORDER BY frame) AS info_codes FROM http
  WHERE status_code BETWEEN 100 AND 199 AND status_code <> 101 GROUP BY capture_id, flow_id, trans_depth) i
  ON i.capture_id = coalesce(q.capture_id, r.capture_id) AND i.flow_id = coalesce(q.flow_id, r.flow_id) AND i.trans_depth = coalesce(q.trans_depth, r.trans_depth)
LEFT JOIN (SELECT capture_id, flow_id, min(frame) AS frame FROM decryption WHERE service IS NOT NULL GROUP BY capture_id, flow_id) d
  ON d.capture_id = coalesce(q.capture_id, r.capture_id) AND d.flow_id = coalesce(q.flow_id, r.flow_id) AND d.frame <= coalesce(q.frame, r.frame)
