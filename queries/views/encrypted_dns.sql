-- Flows that resolve names where nobody can watch, with how sure that is and why. Source: the client.
WITH named AS (SELECT DISTINCT t.server_name, r.provider FROM (SELECT DISTINCT server_name FROM tls WHERE server_name IS NOT NULL UNION SELECT DISTINCT server_name FROM quic WHERE server_name IS NOT NULL) t
    JOIN encrypted_resolvers r ON r.kind = 'name' AND (t.server_name = r."value" OR ends_with(t.server_name, '.' || r."value"))),
  places AS (SELECT "value" AS address, provider FROM encrypted_resolvers WHERE kind = 'address'),
  evidence AS (
    SELECT t.capture, t.capture_id, t.frame, t.ts, t.flow_id, t.src_ip, t.dst_ip, t.src_port, t.dst_port, CASE WHEN t.transport = 'dtls' THEN 'DNS over DTLS' ELSE 'DoT' END AS kind, t.server_name AS name, t.ja4 AS ja4,
      'certain' AS certainty, CASE WHEN array_has(t.alpn_offered, 'dot') THEN 'ALPN dot' ELSE 'TLS on port 853' END AS evidence, 1 AS rank
    FROM tls t WHERE t.message = 'client_hello' AND (t.dst_port = 853 OR array_has(t.alpn_offered, 'dot'))
    UNION ALL
    SELECT q.capture, q.capture_id, q.frame, q.ts, q.flow_id, q.src_ip, q.dst_ip, q.src_port, q.dst_port, 'DoQ', q.server_name, q.ja4,
      CASE WHEN q.client_protocol IS NULL THEN 'likely' ELSE 'certain' END, CASE WHEN q.client_protocol IS NULL THEN 'QUIC on port ' || CAST(q.dst_port AS VARCHAR) ELSE 'ALPN ' || q.client_protocol END, 1
    FROM quic q WHERE starts_with(q.client_protocol, 'doq') OR (q.client_protocol IS NULL AND q.dst_port IN (853, 784, 8853))
    UNION ALL
    SELECT h.capture, h.capture_id, h.frame, h.ts, h.flow_id, CASE WHEN h.kind = 'request' THEN h.src_ip ELSE h.dst_ip END, CASE WHEN h.kind = 'request' THEN h.dst_ip ELSE h.src_ip END, CASE WHEN h.kind = 'request' THEN h.src_port ELSE h.dst_port END, CASE WHEN h.kind = 'request' THEN h.dst_port ELSE h.src_port END,
      CASE WHEN h.content_type = 'application/oblivious-dns-message' THEN 'ODoH' ELSE 'DoH2' END, h.authority, CAST(NULL AS VARCHAR), 'certain', CASE WHEN h.content_type IN ('application/dns-message', 'application/oblivious-dns-message') THEN h.content_type ELSE 'dns= in the path' END, 1
    FROM http2 h WHERE h.content_type IN ('application/dns-message', 'application/oblivious-dns-message') OR regexp_like(CAST(h.path AS VARCHAR), '[?&]dns=[A-Za-z0-9_-]{16,}')
    UNION ALL
    SELECT h.capture, h.capture_id, h.frame, h.ts, h.flow_id, CASE WHEN h.is_request THEN h.src_ip ELSE h.dst_ip END, CASE WHEN h.is_request THEN h.dst_ip ELSE h.src_ip END, CASE WHEN h.is_request THEN h.src_port ELSE h.dst_port END, CASE WHEN h.is_request THEN h.dst_port ELSE h.src_port END,
      CASE WHEN h.content_type = 'application/oblivious-dns-message' THEN 'ODoH' ELSE 'DoH' END, h.host, CAST(NULL AS VARCHAR), 'certain', CASE WHEN h.content_type IN ('application/dns-message', 'application/oblivious-dns-message') THEN h.content_type ELSE 'dns= in the path' END, 1
    FROM http h WHERE h.content_type IN ('application/dns-message', 'application/oblivious-dns-message') OR regexp_like(CAST(h.uri AS VARCHAR), '[?&]dns=[A-Za-z0-9_-]{16,}')
    UNION ALL
    SELECT d.capture, d.capture_id, d.frame, d.ts, d.flow_id, d.src_ip, d.dst_ip, d.src_port, d.dst_port, 'DNSCrypt', lower(d.query), CAST(NULL AS VARCHAR), 'certain', 'asks for the certificate', 1
    FROM dns d WHERE NOT d.is_response AND d.qtype = 16 AND starts_with(lower(d.query), '2.dnscrypt-cert.')
    UNION ALL
    SELECT f.capture, f.capture_id, f.frame, f.ts, f.flow_id, f.src_ip, f.dst_ip, f.src_port, f.dst_port, 'DNSCrypt', CAST(NULL AS VARCHAR), CAST(NULL AS VARCHAR), 'certain', 'answers begin with r6fnvWj8', 1
    FROM flows f WHERE substr(encode(f.resp_first_bytes, 'hex'), 1, 16) = '7236666e76576a38' OR substr(encode(f.resp_first_bytes, 'hex'), 5, 16) = '7236666e76576a38'
    UNION ALL
    SELECT t.capture, t.capture_id, t.frame, t.ts, t.flow_id, t.src_ip, t.dst_ip, t.src_port, t.dst_port, 'DoH2', t.server_name, t.ja4, 'likely', 'name of a public resolver', 2
    FROM tls t JOIN named n ON n.server_name = t.server_name WHERE t.message = 'client_hello' AND t.transport = 'tls' AND t.dst_port <> 853 AND NOT coalesce(array_has(t.alpn_offered, 'dot'), false)
    UNION ALL
    SELECT q.capture, q.capture_id, q.frame, q.ts, q.flow_id, q.src_ip, q.dst_ip, q.src_port, q.dst_port, 'DoH3', q.server_name, q.ja4, 'likely', 'name of a public resolver', 2
    FROM quic q JOIN named n ON n.server_name = q.server_name WHERE NOT coalesce(starts_with(q.client_protocol, 'doq'), false)
    UNION ALL
    SELECT t.capture, t.capture_id, t.frame, t.ts, t.flow_id, t.src_ip, t.dst_ip, t.src_port, t.dst_port, 'DoH2', t.server_name, t.ja4, 'likely', 'address of a public resolver', 3
    FROM tls t JOIN places p ON p.address = t.dst_ip WHERE t.message = 'client_hello' AND t.transport = 'tls' AND t.dst_port = 443 AND (t.server_name IS NULL OR t.server_name = t.dst_ip)
    UNION ALL
    SELECT q.capture, q.capture_id, q.frame, q.ts, q.flow_id, q.src_ip, q.dst_ip, q.src_port, q.dst_port, 'DoH3', q.server_name, q.ja4, 'likely', 'address of a public resolver', 3
    FROM quic q JOIN places p ON p.address = q.dst_ip WHERE q.dst_port = 443 AND (q.server_name IS NULL OR q.server_name = q.dst_ip) AND NOT coalesce(starts_with(q.client_protocol, 'doq'), false)),
  flow AS (SELECT min(capture) AS capture, capture_id, flow_id, min(frame) AS frame, min(ts) AS ts, min(src_ip) AS src_ip, min(dst_ip) AS dst_ip, min(src_port) AS src_port, min(dst_port) AS dst_port,
      first_value(kind ORDER BY rank, frame) AS kind, first_value(certainty ORDER BY rank, frame) AS certainty, first_value(evidence ORDER BY rank, frame) AS evidence, max(name) AS name, max(ja4) AS ja4
    FROM evidence GROUP BY capture_id, flow_id)
SELECT f.*, coalesce(n.provider, p.provider) AS provider
FROM flow f LEFT JOIN (SELECT x.name, max(r.provider) AS provider FROM (SELECT DISTINCT name FROM flow WHERE name IS NOT NULL) x JOIN encrypted_resolvers r ON r.kind = 'name' AND (x.name = r."value" OR ends_with(x.name, '.' || r."value")) GROUP BY x.name) n ON n.name = f.name
LEFT JOIN places p ON p.address = f.dst_ip
