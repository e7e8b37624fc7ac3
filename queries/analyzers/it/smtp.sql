-- @analyzer smtp
-- @group    it
-- @title    SMTP ANALYSIS
-- @help     Mail sessions, senders, recipients, attachments

-- @section summary shape=facts
SELECT count(DISTINCT flow_id) AS connections, count(*) FILTER (WHERE mail_from IS NOT NULL) AS transactions, count(*) FILTER (WHERE completed) AS delivered, count(*) FILTER (WHERE rcpt_refused IS NOT NULL) AS "With refused recipients", count(DISTINCT CASE WHEN starttls THEN flow_id END) AS "STARTTLS",
  count(DISTINCT CASE WHEN auth_success THEN flow_id END) AS "Logins ok", count(DISTINCT CASE WHEN auth_success = false THEN flow_id END) AS "Logins failed", count(DISTINCT src_ip) AS clients, count(DISTINCT dst_ip) AS servers, min(ts) AS first, max(ts) AS last FROM smtp;

-- @section "Servers" shape=table limit=15
SELECT dst_ip AS server, dst_port AS port, substr(max(server_banner), 1, 60) AS banner, bool_or(starttls_offered) AS "TLS offered", count(DISTINCT flow_id) AS connections FROM smtp GROUP BY dst_ip, dst_port ORDER BY connections DESC, server, port;

-- @section "Clients" shape=table limit=15
SELECT src_ip AS client, array_to_string(array_slice(array_sort(array_agg(DISTINCT helo)), 1, 3), ', ') AS names, max(user_agent) AS program, count(*) FILTER (WHERE mail_from IS NOT NULL) AS messages FROM smtp GROUP BY src_ip ORDER BY messages DESC, client;

-- @section "Messages" shape=table limit=20
SELECT ts, src_ip AS client, mail_from AS sender, array_to_string(array_slice(rcpt_to, 1, 3), ', ') AS recipients, substr(subject, 1, 40) AS subject, body_bytes AS bytes, last_reply_code AS reply, frame FROM smtp WHERE mail_from IS NOT NULL ORDER BY capture, frame;

-- @section "Attachments" shape=table limit=15
SELECT filename AS name, max(declared_mime) AS declared, max(mime) AS "Found to be", max(size_bytes) AS bytes, substr(sha256, 1, 16) AS sha256, count(*) AS times FROM files WHERE source IN ('smtp', 'lmtp') GROUP BY filename, sha256 ORDER BY times DESC, name, bytes DESC, sha256;

-- @section "Senders" shape=table limit=15
SELECT mail_from AS sender, count(*) AS messages, sum(array_length(rcpt_to)) AS recipients FROM smtp WHERE mail_from IS NOT NULL GROUP BY mail_from ORDER BY messages DESC, sender;

-- @section "Logins" shape=table limit=15
SELECT dst_ip AS server, field AS mechanism, username AS "user", count(*) FILTER (WHERE outcome = 'success') AS ok, count(*) FILTER (WHERE outcome = 'failure') AS failed FROM credentials WHERE protocol = 'smtp' GROUP BY dst_ip, field, username ORDER BY failed DESC, server, "user";

-- @section "Replies" shape=table limit=15
SELECT code, count(*) AS times FROM (SELECT unnest(reply_codes) AS code FROM smtp WHERE reply_codes IS NOT NULL) GROUP BY code ORDER BY times DESC, code;

-- @section "Commands" shape=table verbose
SELECT ts, src_ip AS client, dst_ip AS server, array_to_string(commands, ' ') AS commands, array_to_string(reply_codes, ' ') AS replies FROM smtp ORDER BY capture, frame;

-- @finding smtp_clear_credentials severity=high confidence=high technique=T1040
SELECT 'A mail login in clear' AS title, 'user ' || coalesce(max(username), 'unknown') || ', ' || max(field) AS details, src_ip, dst_ip, max(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM credentials WHERE protocol = 'smtp' AND kind = 'password' GROUP BY src_ip, dst_ip, capture ORDER BY src_ip, dst_ip;

-- @finding smtp_brute severity=high confidence=high technique=T1110.001
SELECT 'Mail passwords are being guessed' AS title, CAST(count(*) AS VARCHAR) || ' refused logins within 5 minutes' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM credentials WHERE protocol = 'smtp' AND outcome = 'failure' GROUP BY capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 300000000000 HAVING count(*) >= 10 ORDER BY src_ip, dst_ip, frame;

-- @finding smtp_user_enum severity=medium confidence=medium technique=T1589.002
SELECT 'Mail accounts are being searched for' AS title, CAST(sum(tries) AS VARCHAR) || ' VRFY or EXPN, ' || CAST(sum(refused) AS VARCHAR) || ' refused recipients within 5 minutes' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM (SELECT capture, capture_id, src_ip, dst_ip, frame, ts, coalesce(array_length(array_positions(commands, 'VRFY')), 0) + coalesce(array_length(array_positions(commands, 'EXPN')), 0) AS tries, coalesce(array_length(rcpt_refused), 0) AS refused FROM smtp)
GROUP BY capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 300000000000 HAVING sum(tries) >= 10 OR sum(refused) >= 20 ORDER BY src_ip, dst_ip, frame;

-- @finding smtp_spam_burst severity=medium confidence=medium technique=T1566,T1071.003
SELECT 'One host sends mail to many servers' AS title, CAST(count(DISTINCT dst_ip) AS VARCHAR) || ' foreign servers, ' || CAST(sum(coalesce(array_length(rcpt_to), 0)) AS VARCHAR) || ' recipients within 10 minutes' AS details, src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM smtp WHERE is_private(src_ip) AND is_public(dst_ip) GROUP BY capture_id, src_ip, CAST(ts AS BIGINT) / 600000000000 HAVING count(DISTINCT dst_ip) >= 10 OR sum(coalesce(array_length(rcpt_to), 0)) >= 200 ORDER BY src_ip, frame;

-- @finding smtp_exfil severity=medium confidence=medium technique=T1048.003
SELECT 'Much left by mail' AS title, CAST(sum(body_bytes) AS VARCHAR) || ' bytes in ' || CAST(count(*) AS VARCHAR) || ' messages' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM smtp WHERE is_private(src_ip) AND is_public(dst_ip) AND completed GROUP BY capture_id, src_ip, dst_ip HAVING sum(body_bytes) >= 10000000 ORDER BY src_ip, dst_ip;

-- @finding smtp_command_abuse severity=medium confidence=high technique=T1190
SELECT 'A mail address that runs a program' AS title, coalesce(mail_from, '') || ' ' || array_to_string(rcpt_to, ', ') AS details, src_ip, dst_ip, dst_port, frame, ts, capture FROM smtp WHERE mail_from LIKE '%${run{%' OR array_to_string(rcpt_to, ' ') LIKE '%${run{%' OR mail_from LIKE '|%' ORDER BY capture, frame;

-- @finding smtp_starttls_stripped severity=medium confidence=medium technique=T1557
SELECT 'A server no longer offers encryption' AS title, 'STARTTLS was offered to this client before, or stands masked in the greeting' AS details, n.src_ip, n.dst_ip, max(n.dst_port) AS dst_port, count(*) AS count, min(n.frame) AS frame, array_slice(array_agg(n.frame ORDER BY n.frame), 1, 20) AS frames, min(n.ts) AS ts, max(n.ts) AS end_ts, min(n.capture) AS capture
FROM smtp n LEFT JOIN (SELECT capture_id, src_ip, dst_ip, dst_port, min(frame) AS frame FROM smtp WHERE starttls_offered GROUP BY capture_id, src_ip, dst_ip, dst_port) o ON o.capture_id = n.capture_id AND o.src_ip = n.src_ip AND o.dst_ip = n.dst_ip AND o.dst_port = n.dst_port
WHERE NOT n.starttls_offered AND n.capabilities IS NOT NULL AND (o.frame < n.frame OR regexp_like(array_to_string(n.capabilities, ' '), 'XXXX')) GROUP BY n.capture_id, n.src_ip, n.dst_ip ORDER BY n.src_ip, n.dst_ip;

-- @finding smtp_header_mismatch severity=info confidence=medium technique=T1566
SELECT 'Answers to this mail go elsewhere' AS title, 'from ' || domain || ', answers to ' || answers AS details, src_ip, dst_ip, max(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM (SELECT capture, capture_id, src_ip, dst_ip, dst_port, frame, ts, registered_domain(lower(regexp_replace("from", '^(?s).*@([A-Za-z0-9._-]+).*$', '$1'))) AS domain, registered_domain(lower(regexp_replace(reply_to, '^(?s).*@([A-Za-z0-9._-]+).*$', '$1'))) AS answers FROM email
  WHERE source IN ('smtp', 'lmtp') AND NOT bulk AND "from" LIKE '%@%' AND reply_to LIKE '%@%' AND is_public(src_ip) AND is_private(dst_ip))
WHERE domain <> answers GROUP BY capture_id, src_ip, dst_ip, domain, answers ORDER BY src_ip, dst_ip, domain, answers;
