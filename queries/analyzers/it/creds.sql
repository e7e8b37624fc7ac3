-- @analyzer creds
-- @group    it
-- @title    CREDENTIALS
-- @help     Passwords, tokens and crackable responses on the wire, whose, for what, and whether they worked

-- @section summary shape=facts
SELECT count(*) AS credentials, count(DISTINCT username) AS accounts, count(DISTINCT dst_ip || ':' || coalesce(CAST(dst_port AS VARCHAR), '')) AS services, count(*) FILTER (WHERE outcome = 'success') AS successes, count(*) FILTER (WHERE outcome = 'failure') AS failures,
  count(*) FILTER (WHERE secret IS NOT NULL AND NOT coalesce(encrypted, false)) AS in_clear, count(*) FILTER (WHERE secret IS NULL AND kind <> 'anonymous') AS crackable, count(*) FILTER (WHERE encrypted) AS "Over TLS" FROM credentials;

-- @section "By protocol" shape=table
SELECT protocol, kind, count(*) AS credentials, count(DISTINCT username) AS accounts, count(*) FILTER (WHERE outcome = 'success') AS ok, count(*) FILTER (WHERE outcome = 'failure') AS failed FROM credentials GROUP BY protocol, kind ORDER BY credentials DESC, protocol, kind;

-- @section "In clear" shape=table limit=50
SELECT ts AS time, frame, src_ip AS client, dst_ip || coalesce(':' || CAST(dst_port AS VARCHAR), '') AS server, protocol, kind, username AS user, secret, service, outcome FROM credentials
WHERE secret IS NOT NULL AND coalesce(kind, '') NOT IN ('cookie', 'bearer', 'api_key') ORDER BY capture, frame, username;

-- @section "Crackable" shape=table limit=25
SELECT protocol, username || coalesce('@' || domain, '') AS account, dst_ip AS server, service, hashcat_mode AS "hashcat mode", count(*) AS times, max(hash_line) AS line FROM credentials
WHERE secret IS NULL AND coalesce(kind, '') <> 'anonymous' GROUP BY protocol, username, domain, dst_ip, service, hashcat_mode ORDER BY times DESC, protocol, account, server, service;

-- @section "Accounts" shape=table limit=25
SELECT username AS user, array_to_string(array_sort(array_agg(DISTINCT protocol)), ', ') AS protocols, array_to_string(array_slice(array_sort(array_agg(DISTINCT src_ip)), 1, 3), ', ') AS clients, array_to_string(array_slice(array_sort(array_agg(DISTINCT coalesce(service, dst_ip))), 1, 3), ', ') AS services,
  count(*) FILTER (WHERE outcome = 'success') AS ok, count(*) FILTER (WHERE outcome = 'failure') AS failed, count(DISTINCT secret_id) AS "Secrets" FROM credentials WHERE username IS NOT NULL GROUP BY username ORDER BY count(*) DESC, user;

-- @section "Used again" shape=table limit=25
SELECT max(secret) AS secret, count(DISTINCT coalesce(username, '')) AS accounts, count(DISTINCT dst_ip || ':' || coalesce(CAST(dst_port AS VARCHAR), '')) AS services, array_to_string(array_slice(array_sort(array_agg(DISTINCT coalesce(username, protocol))), 1, 4), ', ') AS "Whose", array_to_string(array_slice(array_sort(array_agg(DISTINCT protocol || ' ' || dst_ip)), 1, 4), ', ') AS "Where", count(*) AS times
FROM credentials WHERE secret_id IS NOT NULL AND coalesce(kind, '') <> 'anonymous' GROUP BY secret_id HAVING count(DISTINCT dst_ip || ':' || coalesce(CAST(dst_port AS VARCHAR), '')) >= 2 OR count(DISTINCT username) >= 2 ORDER BY services DESC, accounts DESC, "Whose", "Where";

-- @section "Tokens" shape=table limit=25
SELECT kind, server, service, issuer, subject, algorithm, expires, times FROM (
  SELECT coalesce(secret_kind, 'token') AS kind, dst_ip AS server, key_name AS service, jwt_issuer AS issuer, jwt_subject AS subject, jwt_alg AS algorithm, max(jwt_expires) AS expires, count(*) AS times FROM encoded_strings WHERE secret_kind IN ('jwt', 'bearer_token', 'session_cookie', 'api_key') GROUP BY 1, 2, 3, 4, 5, 6
  UNION ALL SELECT kind, dst_ip, service, NULL, NULL, NULL, NULL, count(*) FROM credentials WHERE kind IN ('bearer', 'api_key', 'cookie') AND protocol <> 'http' GROUP BY kind, dst_ip, service) ORDER BY times DESC, kind, server, service, issuer, subject;

-- @finding creds_cleartext severity=medium confidence=high technique=T1040,T1552
SELECT 'A password in clear' AS title, protocol || ' ' || kind || ' of ' || coalesce(username, '(no name)') || coalesce(' for ' || service, '') || ', ' || array_to_string(array_sort(array_agg(DISTINCT coalesce(outcome, 'unknown'))), ' and ') AS details,
  CASE WHEN bool_or(outcome = 'success') OR is_public(dst_ip) THEN 'high' ELSE 'medium' END AS severity, min(src_ip) AS src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM credentials WHERE kind IN ('password', 'basic', 'form', 'community') AND secret IS NOT NULL AND NOT coalesce(encrypted, false) AND coalesce(lower(username), '') NOT IN ('anonymous', 'ftp') GROUP BY capture, capture_id, protocol, kind, username, service, dst_ip, dst_port
UNION ALL
SELECT 'An anonymous login' AS title, protocol || ' of ' || coalesce(username, 'anonymous') AS details, 'info' AS severity, min(src_ip) AS src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM credentials WHERE kind = 'anonymous' OR (kind = 'password' AND lower(username) IN ('anonymous', 'ftp')) GROUP BY capture, capture_id, protocol, username, dst_ip, dst_port ORDER BY capture, frame, details;

-- @finding creds_default severity=high confidence=high technique=T1078.001,T0812
WITH known AS (SELECT DISTINCT username, secret FROM default_logins), used AS (
  SELECT c.* FROM credentials c JOIN known k ON k.secret = c.secret AND lower(k.username) = lower(c.username) WHERE c.secret IS NOT NULL
  UNION ALL SELECT c.* FROM credentials c JOIN known k ON k.secret = c.secret AND k.username IS NULL WHERE c.secret IS NOT NULL AND c.kind = 'community')
SELECT 'A login as the maker ships it' AS title, u.protocol || ' ' || coalesce(u.username, u.kind) || coalesce(' for ' || u.service, '') AS details,
  CASE WHEN bool_or(u.outcome = 'success') AND max(h.device_type) IN ('plc', 'rtu', 'ied', 'io_device', 'drive', 'hmi', 'router', 'switch') THEN 'critical' ELSE 'high' END AS severity, min(u.src_ip) AS src_ip, u.dst_ip, u.dst_port, count(*) AS count, min(u.frame) AS frame, min(u.ts) AS ts, max(u.ts) AS end_ts, u.capture
FROM used u LEFT JOIN hosts h ON h.capture_id = u.capture_id AND h.ip = u.dst_ip GROUP BY u.capture, u.capture_id, u.protocol, u.username, u.kind, u.service, u.dst_ip, u.dst_port ORDER BY u.capture, frame, details;

-- @finding creds_brute_force severity=high confidence=high technique=T1110.001
WITH failed AS (SELECT capture, capture_id, src_ip, dst_ip, dst_port, protocol, username, CAST(ts AS BIGINT) / 600000000000 AS slot, count(*) AS n, count(DISTINCT coalesce(secret_id, CAST(frame AS VARCHAR))) AS secrets, min(frame) AS frame, max(frame) AS last_frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
  FROM credentials WHERE outcome = 'failure' GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, protocol, username, slot HAVING count(*) >= 10),
good AS (SELECT capture_id, src_ip, dst_ip, dst_port, username, max(frame) AS frame FROM credentials WHERE outcome = 'success' GROUP BY capture_id, src_ip, dst_ip, dst_port, username)
SELECT 'One account, many wrong passwords' AS title, f.protocol || ' ' || coalesce(f.username, '(no name)') || ': ' || CAST(f.n AS VARCHAR) || ' failures in ten minutes' || CASE WHEN g.frame > f.last_frame THEN ', then a success' ELSE '' END AS details, CASE WHEN g.frame > f.last_frame THEN 'critical' ELSE 'high' END AS severity,
  f.src_ip, f.dst_ip, f.dst_port, f.n AS count, f.frame, f.frames, f.ts, f.end_ts, f.capture
FROM failed f LEFT JOIN good g ON g.capture_id = f.capture_id AND g.src_ip = f.src_ip AND g.dst_ip = f.dst_ip AND g.dst_port = f.dst_port AND coalesce(g.username, '') = coalesce(f.username, '') WHERE f.secrets > 1 ORDER BY f.capture, f.frame;

-- @finding creds_stale severity=low confidence=high technique=T1110.001
SELECT 'A client repeats one wrong password' AS title, protocol || ' ' || coalesce(username, '(no name)') || ': ' || CAST(count(*) AS VARCHAR) || ' failures' AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM credentials WHERE outcome = 'failure' AND secret_id IS NOT NULL GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, protocol, username HAVING count(*) >= 10 AND count(DISTINCT secret_id) = 1 ORDER BY capture, frame;

-- @finding creds_spray severity=high confidence=high technique=T1110.003
WITH tried AS (SELECT capture, capture_id, src_ip, username, CAST(ts AS BIGINT) / 600000000000 AS slot, count(*) FILTER (WHERE outcome = 'failure') AS failures, count(*) FILTER (WHERE outcome = 'success') AS successes, count(DISTINCT secret_id) FILTER (WHERE outcome = 'failure') AS secrets, min(frame) FILTER (WHERE outcome = 'failure') AS frame, min(ts) AS ts, max(ts) AS end_ts, min(dst_ip) AS dst_ip
  FROM credentials WHERE username IS NOT NULL GROUP BY capture, capture_id, src_ip, username, slot)
SELECT 'One source tries many accounts' AS title, CAST(count(*) AS VARCHAR) || ' accounts in ten minutes: ' || array_to_string(array_slice(array_sort(array_agg(username)), 1, 6), ', ') AS details, src_ip, min(dst_ip) AS dst_ip, sum(failures) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, capture
FROM tried WHERE failures > 0 AND secrets <= 3 GROUP BY capture, capture_id, src_ip, slot HAVING count(*) >= 5 AND sum(successes) < 5 ORDER BY capture, frame;

-- @finding creds_stuffing severity=high confidence=medium technique=T1110.004
WITH pairs AS (SELECT capture, capture_id, src_ip, username, secret_id, count(*) AS tries, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, min(dst_ip) AS dst_ip FROM credentials WHERE username IS NOT NULL AND secret_id IS NOT NULL AND outcome IN ('failure', 'success') AND kind <> 'anonymous' GROUP BY capture, capture_id, src_ip, username, secret_id)
SELECT 'One source tries many pairs of name and password' AS title, CAST(count(*) AS VARCHAR) || ' pairs of ' || CAST(count(DISTINCT username) AS VARCHAR) || ' accounts' AS details, src_ip, min(dst_ip) AS dst_ip, sum(tries) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, capture
FROM pairs WHERE tries <= 2 GROUP BY capture, capture_id, src_ip HAVING count(*) >= 10 AND count(DISTINCT username) >= 10 AND count(DISTINCT secret_id) >= 10 ORDER BY capture, frame;

-- @finding creds_reuse severity=medium confidence=high technique=T1078
SELECT 'One secret opens several doors' AS title, array_to_string(array_slice(array_sort(array_agg(DISTINCT c.protocol || ' ' || coalesce(c.username, c.kind) || ' at ' || c.dst_ip)), 1, 5), ', ') AS details, min(c.src_ip) AS src_ip, min(c.dst_ip) AS dst_ip, count(*) AS count, min(c.frame) AS frame, array_slice(array_sort(array_agg(DISTINCT c.frame)), 1, 20) AS frames, min(c.ts) AS ts, max(c.ts) AS end_ts, min(c.capture) AS capture
FROM credentials c LEFT JOIN (SELECT DISTINCT secret FROM default_logins) d ON d.secret = c.secret WHERE c.secret_id IS NOT NULL AND d.secret IS NULL AND coalesce(c.kind, '') NOT IN ('anonymous', 'cookie') AND coalesce(c.outcome, '') <> 'failure' GROUP BY c.capture_id, c.secret_id
HAVING count(DISTINCT coalesce(c.username, '')) >= 2 OR count(DISTINCT c.protocol || c.dst_ip || ':' || coalesce(CAST(c.dst_port AS VARCHAR), '')) >= 2 ORDER BY details;

-- @finding creds_crackable severity=low confidence=high technique=T1110.002,T1558.003,T1558.004,T1557
SELECT 'A login that can be cracked at leisure' AS title, protocol || ' ' || coalesce(username, '(no name)') || coalesce('@' || domain, '') || coalesce(' for ' || service, '') || coalesce(', hashcat mode ' || CAST(hashcat_mode AS VARCHAR), '') AS details,
  CASE WHEN hashcat_mode IN (5500, 13100, 18200, 7500, 16400, 10200) OR kind IN ('cram', 'apop') THEN 'medium' ELSE 'low' END AS severity, min(src_ip) AS src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM credentials WHERE kind IN ('hash', 'cram', 'apop', 'digest', 'ticket') AND (hash_line IS NOT NULL OR hashcat_mode IS NOT NULL OR kind IN ('cram', 'apop', 'digest')) GROUP BY capture, capture_id, protocol, kind, username, domain, service, hashcat_mode, dst_ip, dst_port ORDER BY capture, frame, details;

-- @finding creds_in_url severity=medium confidence=high technique=T1552
SELECT 'A password in a URL' AS title, coalesce('for ' || service || ', ', '') || coalesce(field, 'URL') AS details, src_ip, dst_ip, dst_port, frame, ts, capture FROM credentials WHERE field LIKE 'query parameter%' AND secret IS NOT NULL
UNION ALL
SELECT 'A password in a URL' AS title, 'parameter ' || key_name AS details, src_ip, dst_ip, dst_port, frame, ts, capture FROM encoded_strings e WHERE context = 'http_query' AND secret_kind = 'password_parameter' AND NOT EXISTS (SELECT 1 FROM credentials c WHERE c.capture_id = e.capture_id AND c.frame = e.frame AND c.field LIKE 'query parameter%')
UNION ALL
SELECT 'A password in a URL' AS title, 'name and password before ' || array_element(regexp_match(url, '@([^/]+)'), 1) AS details, src_ip, dst_ip, dst_port, frame, ts, capture FROM http WHERE is_request AND regexp_like(url, '^[a-z]+://[^/@:]+:[^/@]+@') ORDER BY capture, frame, details;

-- @finding creds_privileged severity=high confidence=high technique=T1078
SELECT 'The password of an administrator in clear' AS title, protocol || ' ' || username || coalesce(' for ' || service, '') AS details, min(src_ip) AS src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM credentials WHERE secret IS NOT NULL AND NOT coalesce(encrypted, false) AND kind IN ('password', 'basic', 'form') AND coalesce(outcome, '') <> 'failure' AND regexp_like(lower(username), '(^|\\)(administrator|admin|root|enable|krbtgt|sa|domain.?admins?)$') GROUP BY capture, capture_id, protocol, username, service, dst_ip, dst_port ORDER BY capture, frame, details;

-- @finding creds_token_cleartext severity=medium confidence=high technique=T1528,T1539
SELECT 'A token in clear to a public server' AS title, secret_kind || coalesce(' ' || key_name, '') AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM encoded_strings WHERE secret_kind IN ('bearer_token', 'api_key', 'jwt', 'session_cookie') AND is_public(dst_ip) AND (context LIKE 'http_header%' OR context IN ('cookie', 'http_query', 'http_form')) AND NOT encrypted_carrier AND NOT coalesce(regexp_like(lower(key_name), '^(_ga|_gid|__utm|nid|anid|ide|dsid|_fbp|__gads|datr|muid|uid2|tuid)'), false)
GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, secret_kind, key_name ORDER BY capture, frame, details;
