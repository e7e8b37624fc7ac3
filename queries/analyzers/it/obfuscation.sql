-- @analyzer obfuscation
-- @group    it
-- @title    HIDDEN CONTENT
-- @help     Unexplained encryption, encoded data, tunnels, services on others' ports

-- @section summary shape=facts
SELECT count(*) AS "Flows judged", count(*) FILTER (WHERE service IS NULL) AS unidentified, sum(orig_bytes + resp_bytes) FILTER (WHERE service IS NULL) AS "Bytes in them_bytes", (SELECT count(*) FROM random_flows) AS "Of random bytes", (SELECT count(*) FROM encoded_strings) AS encoded_tokens FROM flows WHERE transport IN ('tcp', 'udp') AND orig_bytes + resp_bytes > 0;

-- @section "Unidentified and random" shape=table limit=25
SELECT src_ip AS source, dst_ip || ':' || CAST(dst_port AS VARCHAR) AS target, transport, orig_entropy AS "Entropy out", resp_entropy AS "Entropy in", orig_bytes + resp_bytes AS bytes, substr(encode(orig_first_bytes, 'hex'), 1, 16) AS "First bytes", duration_s, reason FROM random_flows ORDER BY bytes DESC, source, target;

-- @section "Another service than the port's" shape=table limit=25
SELECT dst_ip AS server, dst_port AS port, expected AS "Port is for", service AS found, transport, count(*) AS flows, count(DISTINCT src_ip) AS clients, sum(orig_bytes + resp_bytes) AS bytes FROM odd_ports GROUP BY dst_ip, dst_port, expected, service, transport ORDER BY flows DESC, server, port;

-- @section "Encoded data" shape=table limit=25
SELECT src_ip AS source, dst_ip AS target, context, key_name AS name, array_to_string(chain, ' > ') AS encoding, count(*) AS times, max(token_len) AS "Longest", max(decoded_mime) AS type FROM encoded_strings WHERE encoding IS NOT NULL GROUP BY src_ip, dst_ip, context, key_name, chain ORDER BY times DESC, source, target, context, name;

-- @section "Signs of tunnels" shape=table limit=25
SELECT source AS analyzer, detection, severity, details, src_ip AS client, dst_ip AS server, frame FROM findings WHERE source IN ('dns', 'icmp', 'http', 'encrypted_dns') AND (detection LIKE '%tunnel%' OR detection LIKE '%exfil%' OR detection LIKE '%covert%') ORDER BY frame, detection, details;

-- @finding obf_unknown_encrypted severity=medium confidence=medium technique=T1573,T1095
SELECT 'A conversation of random bytes that nobody knows' AS title, CAST(sum(orig_bytes + resp_bytes) AS VARCHAR) || ' bytes over ' || transport || ', entropy ' || CAST(round(max(orig_entropy), 2) AS VARCHAR) || ' and ' || CAST(round(max(resp_entropy), 2) AS VARCHAR) || ', first bytes ' || substr(encode(first_value(orig_first_bytes ORDER BY frame), 'hex'), 1, 16) AS details,
  CASE WHEN bool_or(from_start) THEN 'medium' ELSE 'info' END AS severity, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, capture
FROM random_flows WHERE reason = 'random both ways' GROUP BY capture, capture_id, transport, src_ip, dst_ip, dst_port HAVING sum(orig_bytes + resp_bytes) >= 10000 ORDER BY capture, frame;

-- @finding obf_port_mismatch severity=low confidence=high technique=T1571
SELECT 'A port carries another service than its own' AS title, service || ' on ' || transport || '/' || CAST(dst_port AS VARCHAR) || ', the port of ' || expected AS details, CASE WHEN is_core THEN 'medium' ELSE 'low' END AS severity, min(src_ip) AS src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, capture
FROM odd_ports GROUP BY capture, capture_id, dst_ip, dst_port, transport, service, expected, is_core ORDER BY capture, frame;

-- @finding obf_fake_tls severity=high confidence=medium technique=T1001.003
SELECT 'Something looks like TLS and is not' AS title, 'the first record is ' || substr(encode(orig_first_bytes, 'hex'), 1, 12) || ', and no handshake follows; ' || CAST(orig_bytes + resp_bytes AS VARCHAR) || ' bytes' AS details, src_ip, dst_ip, dst_port, frame, ts, end_ts, capture
FROM flows WHERE transport = 'tcp' AND service IS NULL AND history LIKE 'S%' AND resp_packets > 0 AND coalesce(missed_bytes, 0) = 0 AND orig_bytes >= 100 AND resp_bytes >= 100 AND regexp_like(encode(orig_first_bytes, 'hex'), '^1[4-7]030[0-4]') ORDER BY capture, frame;

-- @finding obf_encoded_executable severity=high confidence=high technique=T1027,T1132.001
SELECT 'A program in the guise of text' AS title, array_to_string(chain, ' > ') || ' gives ' || decoded_mime || ', in ' || context || coalesce(' ' || key_name, '') AS details, src_ip, dst_ip, dst_port, frame, ts, capture
FROM encoded_strings WHERE decoded_mime IN ('application/x-dosexec', 'application/vnd.microsoft.portable-executable', 'application/x-executable', 'application/x-mach-binary') AND context NOT LIKE 'mail%' ORDER BY capture, frame;

-- @finding obf_encoded_beacon severity=medium confidence=medium technique=T1132.001,T1071.001
WITH steps AS (SELECT capture, capture_id, src_ip, dst_ip, dst_port, context, key_name, token_len, frame, ts, (CAST(ts AS BIGINT) - CAST(lag(ts) OVER (PARTITION BY capture_id, src_ip, dst_ip, dst_port, context, key_name ORDER BY frame) AS BIGINT)) / 1e9 AS step_s FROM encoded_strings WHERE encoding IS NOT NULL AND coalesce(secret_kind, '') <> 'jwt')
SELECT 'Encoded data of one size at regular times' AS title, CAST(count(*) AS VARCHAR) || ' times in ' || context || coalesce(' ' || key_name, '') || ', every ' || CAST(round(percentile_cont(step_s, 0.5), 1) AS VARCHAR) || ' s' AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM steps GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, context, key_name
HAVING count(*) >= 10 AND stddev(token_len) <= 0.2 * avg(token_len) AND percentile_cont(step_s, 0.5) >= 1 AND percentile_cont(step_s, 0.85) <= 1.3 * percentile_cont(step_s, 0.5) AND percentile_cont(step_s, 0.15) >= 0.7 * percentile_cont(step_s, 0.5) ORDER BY capture, frame;

-- @finding obf_steg_padding severity=low confidence=medium technique=T1001.002
SELECT 'Data behind the end of a picture' AS title, coalesce(filename, '(no name)') || ', ' || mime || ': ' || array_to_string(marks, ', ') AS details, src_ip, dst_ip, dst_port, frame, ts, capture FROM files WHERE array_has_any(marks, ['trailing_data', 'embedded_file'])
UNION ALL
SELECT 'Data behind the end of a DNS message' AS title, CAST(max(trailing_bytes) AS VARCHAR) || ' bytes at most' AS details, src_ip, dst_ip, dst_port, min(frame) AS frame, min(ts) AS ts, capture FROM dns WHERE trailing_bytes >= 16 GROUP BY capture, capture_id, src_ip, dst_ip, dst_port ORDER BY capture, frame, details;
