-- TLS and DTLS connections: the first client hello with the server's first answer, certificates and alerts of the same flow.
WITH asked AS (SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY capture_id, flow_id ORDER BY frame, handshake_index, random) AS place, count(*) OVER (PARTITION BY capture_id, flow_id) AS hellos FROM tls WHERE message IN ('client_hello', 'ssl2_client_hello')) WHERE place = 1),
  answered AS (SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY capture_id, flow_id ORDER BY frame, handshake_index, random) AS place FROM tls WHERE message = 'server_hello') WHERE place = 1),
  alerts AS (SELECT capture_id, flow_id, array_sort(array_agg(DISTINCT alert) FILTER (WHERE alert IS NOT NULL)) AS alerts, bool_or(coalesce(alert_level = 2, false)) AS failed FROM tls WHERE message = 'alert' GROUP BY capture_id, flow_id),
  presented AS (SELECT capture_id, flow_id, count(*) AS certificates, first_value(subject_cn ORDER BY chain_index, frame) AS subject, first_value(sha256 ORDER BY chain_index, frame) AS sha256 FROM x509 WHERE role = 'server' AND carrier IN ('tls', 'dtls') GROUP BY capture_id, flow_id)
SELECT coalesce(c.capture, s.capture) AS capture, coalesce(c.capture_id, s.capture_id) AS capture_id, coalesce(c.frame, s.frame) AS frame, coalesce(c.ts, s.ts) AS ts, coalesce(c.flow_id, s.flow_id) AS flow_id,
  coalesce(c.src_ip, s.dst_ip) AS src_ip, coalesce(c.dst_ip, s.src_ip) AS dst_ip, coalesce(c.src_port, s.dst_port) AS src_port, coalesce(c.dst_port, s.src_port) AS dst_port,
  coalesce(s.transport, c.transport) AS transport, coalesce(c.starttls, s.starttls) AS starttls, c.server_name AS server_name, s.version_code AS version_code, s.version AS version, s.cipher_code AS cipher_code, s.cipher AS cipher, s.curve AS curve,
  c.alpn_offered AS alpn_offered, s.alpn AS alpn, c.ja3 AS ja3, s.ja3s AS ja3s, c.ja4 AS ja4, s.ja4s AS ja4s, c.ech AS ech, s.resumed AS resumed, CAST(c.hellos AS INT UNSIGNED) AS client_hellos, s.frame AS answer_frame,
  (CAST(s.ts AS BIGINT) - CAST(c.ts AS BIGINT)) / 1e6 AS answer_ms, CAST(p.certificates AS INT UNSIGNED) AS certificates, p.subject AS server_subject, p.sha256 AS server_sha256, a.alerts AS alerts, coalesce(a.failed, false) AS failed
FROM asked c FULL OUTER JOIN answered s ON s.capture_id = c.capture_id AND s.flow_id = c.flow_id
LEFT JOIN alerts a ON a.capture_id = coalesce(c.capture_id, s.capture_id) AND a.flow_id = coalesce(c.flow_id, s.flow_id)
LEFT JOIN presented p ON p.capture_id = coalesce(c.capture_id, s.capture_id) AND p.flow_id = coalesce(c.flow_id, s.flow_id)
