-- What indicators are compared with: one row for each value that a capture shows in a typed column, and the host it concerns.
-- `note` says how strong the sighting is. Values are spelled as indicators are: lower-case names without trailing dot.
WITH seen AS (
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, 'ip' AS kind, CAST(dst_ip AS VARCHAR) AS value, 'flows' AS "table", 'dst_ip' AS "column", CAST(src_ip AS VARCHAR) AS host,
    CASE WHEN conn_state IN ('S0', 'REJ') THEN 'unanswered' ELSE 'contact' END AS note FROM flows WHERE dst_ip IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, 'ip', CAST(src_ip AS VARCHAR), 'flows', 'src_ip', CAST(dst_ip AS VARCHAR),
    CASE WHEN conn_state IN ('S0', 'REJ') THEN 'inbound_unanswered' ELSE 'contact' END FROM flows WHERE src_ip IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, 'ip_port', CAST(dst_ip AS VARCHAR) || ':' || CAST(dst_port AS VARCHAR), 'flows', 'dst_ip', CAST(src_ip AS VARCHAR),
    CASE WHEN conn_state IN ('S0', 'REJ') THEN 'unanswered' ELSE 'contact' END FROM flows WHERE dst_port IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, 'mac', CAST(src_mac AS VARCHAR), 'flows', 'src_mac', CAST(src_ip AS VARCHAR), 'contact' FROM flows WHERE src_mac IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, 'mac', CAST(sender_mac AS VARCHAR), 'arp', 'sender_mac', CAST(sender_ip AS VARCHAR), 'contact' FROM arp WHERE sender_mac IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, min(frame), min(ts), CAST(NULL AS BIGINT UNSIGNED), min(outer_src_ip), min(outer_dst_ip), 'ip', CAST(outer_dst_ip AS VARCHAR), 'packets', 'outer_dst_ip', CAST(min(outer_src_ip) AS VARCHAR), 'contact'
    FROM packets WHERE outer_dst_ip IS NOT NULL GROUP BY capture, capture_id, outer_dst_ip
  UNION ALL
  SELECT capture, capture_id, min(frame), min(ts), CAST(NULL AS BIGINT UNSIGNED), min(outer_src_ip), min(outer_dst_ip), 'ip', CAST(outer_src_ip AS VARCHAR), 'packets', 'outer_src_ip', CAST(min(outer_dst_ip) AS VARCHAR), 'contact'
    FROM packets WHERE outer_src_ip IS NOT NULL GROUP BY capture, capture_id, outer_src_ip
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, 'domain', query, 'dns', 'query', CAST(CASE WHEN is_response THEN dst_ip ELSE src_ip END AS VARCHAR),
    CASE WHEN rcode_name = 'NXDOMAIN' THEN 'nxdomain' ELSE 'asked' END FROM dns WHERE query IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, 'ip', CAST(address AS VARCHAR), 'dns_records', 'address', CAST(dst_ip AS VARCHAR), 'asked' FROM dns_records WHERE address IS NOT NULL AND is_response
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, 'domain', target, 'dns_records', 'target', CAST(dst_ip AS VARCHAR), 'asked' FROM dns_records WHERE target IS NOT NULL AND is_response
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, 'domain', server_name, 'tls', 'server_name', CAST(src_ip AS VARCHAR), 'contact' FROM tls WHERE server_name IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, 'domain', server_name, 'quic', 'server_name', CAST(src_ip AS VARCHAR), 'contact' FROM quic WHERE server_name IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, 'domain', split_part(host, ':', 1), 'http', 'host', CAST(src_ip AS VARCHAR), 'contact' FROM http WHERE is_request AND host IS NOT NULL AND host NOT LIKE '[%'
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, 'url', regexp_replace(lower(host), ':(80|443)$', '') || CASE WHEN uri LIKE '/%' THEN uri ELSE '/' END, 'http', 'uri', CAST(src_ip AS VARCHAR), 'contact'
    FROM http WHERE is_request AND host IS NOT NULL AND uri IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, 'user_agent', CAST(user_agent AS VARCHAR), 'http', 'user_agent', CAST(src_ip AS VARCHAR), 'contact' FROM http WHERE is_request AND user_agent IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, 'domain', unnest(san_dns), 'x509', 'san_dns', CAST(dst_ip AS VARCHAR), 'contact' FROM x509 WHERE san_dns IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, 'domain', subject_cn, 'x509', 'subject_cn', CAST(dst_ip AS VARCHAR), 'contact' FROM x509 WHERE subject_cn LIKE '%.%' AND subject_cn NOT LIKE '% %'
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, 'cert_sha1', CAST(sha1 AS VARCHAR), 'x509', 'sha1', CAST(dst_ip AS VARCHAR), 'contact' FROM x509 WHERE sha1 IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, 'cert_sha256', CAST(sha256 AS VARCHAR), 'x509', 'sha256', CAST(dst_ip AS VARCHAR), 'contact' FROM x509 WHERE sha256 IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, 'ja3', CAST(ja3 AS VARCHAR), 'tls', 'ja3', CAST(src_ip AS VARCHAR), 'contact' FROM tls WHERE ja3 IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, 'ja3s', CAST(ja3s AS VARCHAR), 'tls', 'ja3s', CAST(dst_ip AS VARCHAR), 'contact' FROM tls WHERE ja3s IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, 'ja4', CAST(ja4 AS VARCHAR), 'tls', 'ja4', CAST(src_ip AS VARCHAR), 'contact' FROM tls WHERE ja4 IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, 'ja4s', CAST(ja4s AS VARCHAR), 'tls', 'ja4s', CAST(dst_ip AS VARCHAR), 'contact' FROM tls WHERE ja4s IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, 'ja4', CAST(ja4 AS VARCHAR), 'quic', 'ja4', CAST(src_ip AS VARCHAR), 'contact' FROM quic WHERE ja4 IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, 'hassh', CAST(hassh AS VARCHAR), 'ssh', 'hassh', CAST(src_ip AS VARCHAR), 'contact' FROM ssh WHERE hassh IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, 'hassh', CAST(hassh_server AS VARCHAR), 'ssh', 'hassh_server', CAST(dst_ip AS VARCHAR), 'contact' FROM ssh WHERE hassh_server IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, 'md5', md5, 'files', 'md5', CAST(CASE direction WHEN 'upload' THEN src_ip ELSE dst_ip END AS VARCHAR), 'contact' FROM files WHERE md5 IS NOT NULL AND complete
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, 'sha1', sha1, 'files', 'sha1', CAST(CASE direction WHEN 'upload' THEN src_ip ELSE dst_ip END AS VARCHAR), 'contact' FROM files WHERE sha1 IS NOT NULL AND complete
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, 'sha256', sha256, 'files', 'sha256', CAST(CASE direction WHEN 'upload' THEN src_ip ELSE dst_ip END AS VARCHAR), 'contact' FROM files WHERE sha256 IS NOT NULL AND complete
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, 'filename', regexp_replace(filename, '^.*[/\\]', ''), 'files', 'filename', CAST(CASE direction WHEN 'upload' THEN src_ip ELSE dst_ip END AS VARCHAR), 'contact' FROM files WHERE filename IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, 'email', regexp_replace(coalesce("from", envelope_from), '^.*<([^<>]*)>.*$', '\1'), 'email', 'from', CAST(dst_ip AS VARCHAR), 'contact' FROM email WHERE coalesce("from", envelope_from) IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, 'email', mail_from, 'smtp', 'mail_from', CAST(dst_ip AS VARCHAR), 'contact' FROM smtp WHERE mail_from LIKE '%@%'
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, 'email', unnest(rcpt_to), 'smtp', 'rcpt_to', CAST(src_ip AS VARCHAR), 'contact' FROM smtp WHERE rcpt_to IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, 'domain', split_part(mail_from, '@', 2), 'smtp', 'mail_from', CAST(dst_ip AS VARCHAR), 'contact' FROM smtp WHERE mail_from LIKE '%@%'
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, 'domain', CAST(realm AS VARCHAR), 'kerberos', 'realm', CAST(src_ip AS VARCHAR), 'contact' FROM kerberos WHERE realm IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, 'domain', split_part(split_part(split_part(service, '/', 2), ':', 1), '@', 1), 'kerberos', 'service', CAST(src_ip AS VARCHAR), 'contact' FROM kerberos WHERE service LIKE '%/%'
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, 'domain', name, 'nbns', 'name', CAST(src_ip AS VARCHAR), 'asked' FROM nbns WHERE name IS NOT NULL
)
SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, kind, CASE WHEN kind IN ('url', 'user_agent') THEN value ELSE rtrim(lower(value), '.') END AS value, "table", "column", host, note
FROM seen WHERE value IS NOT NULL AND value <> ''
