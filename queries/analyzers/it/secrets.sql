-- @analyzer secrets
-- @group    it
-- @title    ENCODED SECRETS
-- @help     Encoded secrets and tokens in clear traffic, and what they decode to

-- @section summary shape=facts
SELECT (SELECT count(*) FROM text_scans) AS "Texts read", count(*) AS tokens, count(*) FILTER (WHERE secret_kind IS NOT NULL) AS secrets, count(DISTINCT coalesce(token_sha256, token_prefix)) AS "Different ones",
  count(*) FILTER (WHERE NOT encrypted_carrier) AS in_clear, count(*) FILTER (WHERE encrypted_carrier) AS decrypted, (SELECT count(*) FROM text_scans WHERE limited) AS "Texts read in part" FROM encoded_strings;

-- @section "By encoding" shape=table
SELECT coalesce(encoding, '(none)') AS encoding, coalesce(secret_kind, '-') AS secret, count(*) AS tokens, count(DISTINCT src_ip) AS senders FROM encoded_strings GROUP BY 1, 2 ORDER BY tokens DESC, encoding, secret;

-- @section "Secrets" shape=table limit=50
SELECT min(e.ts) AS time, min(e.frame) AS frame, e.src_ip AS source, e.dst_ip || coalesce(':' || CAST(e.dst_port AS VARCHAR), '') AS target, max(f.service) AS service, e.context, max(e.key_name) AS name, e.secret_kind AS secret, array_to_string(max(e.chain), ' > ') AS encoding, max(coalesce(e.decoded_text, e.token_prefix)) AS decoded, count(*) AS times
FROM encoded_strings e LEFT JOIN flows f ON f.capture_id = e.capture_id AND f.flow_id = e.flow_id WHERE e.secret_kind IS NOT NULL GROUP BY e.capture, e.src_ip, e.dst_ip, e.dst_port, e.context, e.secret_kind, coalesce(e.token_sha256, e.token_prefix)
ORDER BY CASE e.secret_kind WHEN 'private_key' THEN 1 WHEN 'aws_access_key' THEN 1 WHEN 'basic_auth' THEN 2 WHEN 'password_parameter' THEN 2 WHEN 'api_key' THEN 2 ELSE 3 END, time, frame, name;

-- @section "JWT" shape=table limit=25
SELECT min(ts) AS time, src_ip AS source, dst_ip AS target, jwt_alg AS algorithm, jwt_issuer AS issuer, jwt_subject AS subject, jwt_expires AS expires, CASE WHEN jwt_expires < min(ts) THEN 'expired' WHEN jwt_expires IS NULL THEN 'for ever' ELSE 'valid' END AS state, count(*) AS times
FROM encoded_strings WHERE jwt_alg IS NOT NULL GROUP BY capture, src_ip, dst_ip, jwt_alg, jwt_issuer, jwt_subject, jwt_expires, token_sha256 ORDER BY time, source, target, issuer;

-- @section "Used by several hosts" shape=table limit=25
SELECT secret_kind AS secret, array_to_string(array_sort(array_agg(DISTINCT src_ip)), ', ') AS sources, array_to_string(array_sort(array_agg(DISTINCT dst_ip)), ', ') AS targets, max(key_name) AS name, count(*) AS times FROM encoded_strings WHERE secret_kind IS NOT NULL GROUP BY secret_kind, coalesce(token_sha256, token_prefix)
HAVING count(DISTINCT src_ip) >= 2 OR count(DISTINCT dst_ip) >= 2 ORDER BY times DESC, secret, sources;

-- @section "Other encoded text" shape=table limit=25 verbose
SELECT ts AS time, frame, src_ip AS source, dst_ip AS target, context, key_name AS name, array_to_string(chain, ' > ') AS encoding, decoded_mime AS type, decoded_len AS decoded_bytes, decoded_text AS decoded FROM encoded_strings WHERE secret_kind IS NULL ORDER BY capture, frame, stream_offset;

-- @finding secret_basic_auth severity=high confidence=high technique=T1552,T1040
SELECT 'Name and password of HTTP in clear' AS title, coalesce(key_name, 'Authorization') || CASE WHEN secret_kind IS NULL THEN ', empty password' ELSE '' END AS details, CASE WHEN secret_kind IS NULL THEN 'low' ELSE 'high' END AS severity, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM encoded_strings WHERE (secret_kind = 'basic_auth' OR (secret_kind IS NULL AND context LIKE '%authorization')) AND NOT encrypted_carrier GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, key_name, secret_kind ORDER BY capture, frame;

-- @finding secret_private_key severity=critical confidence=high technique=T1552.004
SELECT 'A private key in clear' AS title, coalesce('in ' || context, 'in a stream') AS details, src_ip, dst_ip, dst_port, frame, ts, capture FROM encoded_strings WHERE secret_kind = 'private_key' AND NOT encrypted_carrier ORDER BY capture, frame;

-- @finding secret_cloud_key severity=critical confidence=high technique=T1552.001
SELECT 'A key of a cloud or code forge in clear' AS title, secret_kind || coalesce(' ' || key_name, '') || ' in ' || context AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM encoded_strings WHERE (secret_kind = 'aws_access_key' OR secret_kind = 'api_key' AND encoding IS NULL AND decoded_len IS NULL) AND NOT encrypted_carrier GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, secret_kind, key_name, context ORDER BY capture, frame;

-- @finding secret_password_parameter severity=high confidence=medium technique=T1552
SELECT 'A secret by name in a request in clear' AS title, key_name || ' in ' || context AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM encoded_strings WHERE (secret_kind = 'password_parameter' OR secret_kind = 'api_key' AND decoded_len IS NOT NULL) AND NOT encrypted_carrier GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, key_name, context ORDER BY capture, frame, details;

-- @finding secret_jwt_cleartext severity=medium confidence=high technique=T1550.001,T1528
SELECT 'A web token in clear' AS title, 'alg ' || jwt_alg || coalesce(', of ' || jwt_issuer, '') || coalesce(', for ' || jwt_subject, '') || CASE WHEN jwt_expires < min(ts) THEN ', expired' ELSE '' END AS details, CASE WHEN lower(jwt_alg) = 'none' THEN 'high' WHEN jwt_expires < min(ts) THEN 'low' ELSE 'medium' END AS severity,
  src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM encoded_strings WHERE jwt_alg IS NOT NULL AND NOT encrypted_carrier GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, jwt_alg, jwt_issuer, jwt_subject, jwt_expires ORDER BY capture, frame, details;

-- @finding secret_bearer_cleartext severity=medium confidence=high technique=T1528
SELECT 'A bearer token in clear' AS title, coalesce(key_name, 'Authorization') AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM encoded_strings WHERE secret_kind = 'bearer_token' AND jwt_alg IS NULL AND NOT encrypted_carrier GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, key_name ORDER BY capture, frame;

-- @finding secret_encoded_text severity=info confidence=low technique=T1132.001
SELECT 'Encoded text in clear traffic' AS title, array_to_string(chain, ' > ') || ' in ' || context || coalesce(', ' || key_name, '') AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM encoded_strings WHERE secret_kind IS NULL AND decoded_mime = 'text/plain' AND decoded_len >= 16 AND printable_ratio >= 0.9 AND context NOT IN ('mail_body', 'mail_attachment') AND context NOT LIKE '%authorization' GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, chain, context, key_name ORDER BY capture, frame, details;
