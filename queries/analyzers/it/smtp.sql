-- @analyzer smtp
-- @group    it
-- @title    SMTP ANALYSIS
-- @help     Mail sessions, senders, recipients, attachments

-- @section summary shape=facts
SELECT count(DISTINCT flow_id) AS connections, count(*) FILTER (WHERE mail_from IS NOT NULL) AS transactions, count(*) FILTER (WHERE completed) AS delivered, count(*) FILTER (WHERE rcpt_refused IS NOT NULL) AS "With refused recipients", count(DISTINCT CASE WHEN starttls THEN flow_id END) AS "STARTTLS",
  count(DISTINCT CASE WHEN auth_success THEN flow_id END) AS "Logins ok", count(DISTINCT CASE WHEN auth_success = false THEN flow_id END) AS "Logins failed", count(DISTINCT src_ip) AS clients, count(DISTINCT dst_ip) AS servers, min(ts) AS first, max(ts) AS last FROM smtp;

-- @section "Servers" shape=table limit=15
SELECT dst_ip AS server, dst_port AS port, max(server_banner) AS banner, bool_or(starttls_offered) AS "TLS offered", count(DISTINCT flow_id) AS connections FROM smtp GROUP BY dst_ip, dst_port ORDER BY connections DESC, server, port;

-- @section "Clients" shape=table limit=15
SELECT src_ip AS client, array_to_string(array_slice(array_sort(array_agg(DISTINCT helo)), 1, 3), ', ') AS names, max(user_agent) AS program, count(*) FILTER (WHERE mail_from IS NOT NULL) AS messages FROM smtp GROUP BY src_ip ORDER BY messages DESC, client;

-- @section "Messages" shape=table limit=20
SELECT ts, src_ip AS client, mail_from AS sender, array_to_string(array_slice(rcpt_to, 1, 3), ', ') AS recipients, subject, body_bytes AS bytes, last_reply_code AS reply, frame FROM smtp WHERE mail_from IS NOT NULL ORDER BY capture, frame;

-- @section "Attachments" shape=table limit=15
SELECT filename AS name, max(declared_mime) AS declared, max(mime) AS "Found to be", max(size_bytes) AS bytes, sha256, count(*) AS times FROM files WHERE source IN ('smtp', 'lmtp') GROUP BY filename, sha256 ORDER BY times DESC, name, bytes DESC, sha256;

-- @section "Senders" shape=table limit=15
SELECT mail_from AS sender, count(*) AS messages, sum(array_length(rcpt_to)) AS recipients FROM smtp WHERE mail_from IS NOT NULL GROUP BY mail_from ORDER BY messages DESC, sender;

-- @section "Logins" shape=table limit=15
SELECT dst_ip AS server, field AS mechanism, username AS "user", count(*) FILTER (WHERE outcome = 'success') AS ok, count(*) FILTER (WHERE outcome = 'failure') AS failed FROM credentials WHERE protocol = 'smtp' GROUP BY dst_ip, field, username ORDER BY failed DESC, server, "user";

-- @section "Replies" shape=table limit=15
SELECT code, count(*) AS times FROM (SELECT unnest(reply_codes) AS code FROM smtp WHERE reply_codes IS NOT NULL) GROUP BY code ORDER BY times DESC, code;

-- @section "Commands" shape=table verbose
SELECT ts, src_ip AS client, dst_ip AS server, array_to_string(commands, ' ') AS commands, array_to_string(reply_codes, ' ') AS replies FROM smtp ORDER BY capture, frame;

-- @finding smtp_clear_credentials severity=high confidence=high technique=T1040
SELECT 'A mail login in clear' AS title, 'user ' || coalesce(max(username), 'unknown') || ', ' || max(field) AS details, src_ip, dst_ip, max(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM credentials WHERE protocol = 'smtp' AND kind = 'password' GROUP BY src_ip, dst_ip, capture ORDER BY src_ip, dst_ip;

-- @finding smtp_brute severity=high confidence=high technique=T1110.001
SELECT 'Mail passwords are being guessed' AS title, CAST(count(*) AS VARCHAR) || ' refused logins within 5 minutes' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM credentials WHERE protocol = 'smtp' AND outcome = 'failure' GROUP BY capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 300000000000 HAVING count(*) >= 10 ORDER BY src_ip, dst_ip, frame;

-- @finding smtp_user_enum severity=medium confidence=medium technique=T1589.002
SELECT 'Mail accounts are being searched for' AS title, CAST(sum(tries) AS VARCHAR) || ' VRFY or EXPN, ' || CAST(sum(refused) AS VARCHAR) || ' refused recipients within 5 minutes' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM (SELECT capture, capture_id, src_ip, dst_ip, frame, ts, coalesce(array_length(array_positions(commands, 'VRFY')), 0) + coalesce(array_length(array_positions(commands, 'EXPN')), 0) AS tries, coalesce(array_length(rcpt_refused), 0) AS refused FROM smtp)
GROUP BY capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 300000000000 HAVING sum(tries) >= 10 OR sum(refused) >= 20 ORDER BY src_ip, dst_ip, frame;

-- @finding smtp_spam_burst severity=medium confidence=medium technique=T1566,T1071.003
SELECT 'One host sends mail to many servers' AS title, CAST(count(DISTINCT dst_ip) AS VARCHAR) || ' foreign servers, ' || CAST(sum(coalesce(array_length(rcpt_to), 0)) AS VARCHAR) || ' recipients within 10 minutes' AS details, src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM smtp WHERE is_private(src_ip) AND is_public(dst_ip) GROUP BY capture_id, src_ip, CAST(ts AS BIGINT) / 600000000000 HAVING count(DISTINCT dst_ip) >= 10 OR sum(coalesce(array_length(rcpt_to), 0)) >= 200 ORDER BY src_ip, frame;

-- @finding smtp_exfil severity=medium confidence=medium technique=T1048.003
SELECT 'Much left by mail' AS title, CAST(sum(body_bytes) AS VARCHAR) || ' bytes in ' || CAST(count(*) AS VARCHAR) || ' messages' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM smtp WHERE is_private(src_ip) AND is_public(dst_ip) AND completed GROUP BY capture_id, src_ip, dst_ip HAVING sum(body_bytes) >= 10000000 ORDER BY src_ip, dst_ip;

-- @finding smtp_command_abuse severity=medium confidence=high technique=T1190
SELECT 'A mail address that runs a program' AS title, coalesce(mail_from, '') || ' ' || array_to_string(rcpt_to, ', ') AS details, src_ip, dst_ip, dst_port, frame, ts, capture FROM smtp WHERE mail_from LIKE '%${run{%' OR array_to_string(rcpt_to, ' ') LIKE '%${run{%' OR mail_from LIKE '|%' ORDER BY capture, frame;

-- @finding smtp_starttls_stripped severity=medium confidence=medium technique=T1557
SELECT 'A server no longer offers encryption' AS title, 'STARTTLS was offered to this client before, or stands masked in the greeting' AS details, n.src_ip, n.dst_ip, max(n.dst_port) AS dst_port, count(*) AS count, min(n.frame) AS frame, array_slice(array_sort(array_agg(n.frame)), 1, 20) AS frames, min(n.ts) AS ts, max(n.ts) AS end_ts, min(n.capture) AS capture
FROM smtp n LEFT JOIN (SELECT capture_id, src_ip, dst_ip, dst_port, min(frame) AS frame FROM smtp WHERE starttls_offered GROUP BY capture_id, src_ip, dst_ip, dst_port) o ON o.capture_id = n.capture_id AND o.src_ip = n.src_ip AND o.dst_ip = n.dst_ip AND o.dst_port = n.dst_port
WHERE NOT n.starttls_offered AND n.capabilities IS NOT NULL AND (o.frame < n.frame OR regexp_like(array_to_string(n.capabilities, ' '), 'XXXX')) GROUP BY n.capture_id, n.src_ip, n.dst_ip ORDER BY n.src_ip, n.dst_ip;

-- @finding smtp_header_mismatch severity=info confidence=medium technique=T1566
SELECT 'Answers to this mail go elsewhere' AS title, 'from ' || domain || ', answers to ' || answers AS details, src_ip, dst_ip, max(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM (SELECT capture, capture_id, src_ip, dst_ip, dst_port, frame, ts, registered_domain(lower(regexp_replace("from", '^(?s).*@([A-Za-z0-9._-]+).*$', '$1'))) AS domain, registered_domain(lower(regexp_replace(reply_to, '^(?s).*@([A-Za-z0-9._-]+).*$', '$1'))) AS answers FROM email
  WHERE source IN ('smtp', 'lmtp') AND NOT bulk AND "from" LIKE '%@%' AND reply_to LIKE '%@%' AND is_public(src_ip) AND is_private(dst_ip))
WHERE domain <> answers GROUP BY capture_id, src_ip, dst_ip, domain, answers ORDER BY src_ip, dst_ip, domain, answers;

-- @finding smtp_open_relay severity=high confidence=medium technique=T1584
WITH taken AS (SELECT capture, capture_id, src_ip, dst_ip, dst_port, frame, ts, mail_from, message_id, registered_domain(lower(array_element(regexp_match(server_banner, '^([A-Za-z0-9._-]+)'), 1))) AS own, unnest(CASE WHEN rcpt_refused IS NULL THEN rcpt_to ELSE array_except(rcpt_to, rcpt_refused) END) AS recipient
  FROM smtp WHERE is_private(dst_ip) AND is_public(src_ip) AND completed AND NOT coalesce(auth_success, false)),
addressed AS (SELECT *, registered_domain(lower(regexp_replace(recipient, '^.*@', ''))) AS domain FROM taken WHERE recipient LIKE '%@%'),
-- Whose mail goes elsewhere: providers that run their own servers, domains whose exchangers the capture names, and what the server passed on.
public AS (SELECT "value" AS domain FROM (VALUES ('gmail.com'), ('googlemail.com'), ('outlook.com'), ('hotmail.com'), ('live.com'), ('msn.com'), ('yahoo.com'), ('ymail.com'), ('aol.com'), ('icloud.com'), ('me.com'), ('gmx.de'), ('gmx.net'), ('gmx.com'), ('web.de'), ('t-online.de'), ('mail.ru'), ('yandex.ru'), ('yandex.com'), ('qq.com'), ('163.com'), ('126.com'), ('protonmail.com'), ('proton.me'), ('zoho.com'), ('orange.fr'), ('free.fr'), ('libero.it'), ('comcast.net')) AS t("value")),
exchangers AS (SELECT capture_id, registered_domain(lower(name)) AS domain, array_agg(DISTINCT registered_domain(lower(rtrim(target, '.')))) AS hosts FROM dns_records WHERE type_name = 'MX' AND is_response AND target IS NOT NULL GROUP BY capture_id, registered_domain(lower(name))),
passed AS (SELECT DISTINCT capture_id, src_ip AS server, unnest(rcpt_to) AS recipient FROM smtp WHERE is_public(dst_ip))
SELECT 'A mail server passes on mail of strangers to strangers' AS title, 'from ' || coalesce(max(a.mail_from), '<>') || ' to ' || array_to_string(array_slice(array_sort(array_agg(DISTINCT a.recipient)), 1, 4), ', ') || coalesce('; the server is of ' || max(a.own), '') AS details, a.src_ip, a.dst_ip, max(a.dst_port) AS dst_port, count(DISTINCT a.frame) AS count, min(a.frame) AS frame, array_slice(array_sort(array_agg(DISTINCT a.frame)), 1, 20) AS frames, min(a.ts) AS ts, max(a.ts) AS end_ts, min(a.capture) AS capture
FROM addressed a LEFT JOIN public p ON p.domain = a.domain LEFT JOIN exchangers m ON m.capture_id = a.capture_id AND m.domain = a.domain LEFT JOIN passed o ON o.capture_id = a.capture_id AND o.server = a.dst_ip AND o.recipient = a.recipient
WHERE a.domain <> coalesce(a.own, '') AND (p.domain IS NOT NULL OR m.domain IS NOT NULL AND a.own IS NOT NULL AND NOT array_has(m.hosts, a.own) OR o.recipient IS NOT NULL) GROUP BY a.capture_id, a.src_ip, a.dst_ip ORDER BY a.src_ip, a.dst_ip;

-- @finding smtp_dangerous_attachment severity=high confidence=high technique=T1566.001
WITH named AS (SELECT *, CASE WHEN family = 'executable' OR name_family = 'executable' THEN 'a program' WHEN family = 'script' OR name_family = 'script' THEN 'a script'
    WHEN regexp_like(lower(filename), '[.](pdf|docx?|xlsx?|pptx?|jpe?g|png|gif|txt|csv|zip)[. ]*[.](exe|scr|com|bat|cmd|ps1|vbs|js|jse|hta|pif|lnk|msi|jar)[. ]*$') THEN 'a name with two endings'
    WHEN array_has_any(marks, ['macros', 'active_content']) THEN 'a document with a program in it' WHEN extension IN ('iso', 'img', 'vhd', 'vhdx') OR mime IN ('application/x-iso9660-image', 'application/x-vhd') THEN 'a disk image' WHEN array_has(marks, 'encrypted') THEN 'an archive that needs a password' END AS danger FROM seen_files WHERE source IN ('smtp', 'lmtp') AND filename IS NOT NULL)
SELECT 'A mail with a dangerous attachment' AS title, filename || ': ' || danger || coalesce(', ' || mime, '') || coalesce(', SHA-256 ' || sha256, '') AS details, src_ip, dst_ip, dst_port, frame, ts, capture FROM named WHERE danger IS NOT NULL ORDER BY capture, frame, filename;

-- @finding smtp_spoof severity=medium confidence=medium technique=T1656
-- From outside, as if by somebody inside: the sender's domain is the recipient's, the envelope's is not, nobody signed, and the receiver's check failed.
SELECT 'A mail from outside in the name of the receiver''s own domain' AS title, 'from ' || coalesce("from", '?') || ', envelope ' || coalesce(envelope_from, '<>') || '; ' || array_element(regexp_match(lower(auth_results), '((spf|dmarc)=(soft)?fail)'), 1) AS details, src_ip, dst_ip, max(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM (SELECT *, registered_domain(lower(regexp_replace("from", '^(?s).*@([A-Za-z0-9._-]+).*$', '$1'))) AS claimed, registered_domain(lower(regexp_replace(envelope_from, '^(?s).*@([A-Za-z0-9._-]+).*$', '$1'))) AS real, registered_domain(lower(regexp_replace(envelope_to[1], '^(?s).*@([A-Za-z0-9._-]+).*$', '$1'))) AS receiver FROM email
  WHERE source IN ('smtp', 'lmtp') AND "from" LIKE '%@%' AND dkim_domain IS NULL AND NOT coalesce(bulk, false) AND is_public(src_ip) AND regexp_like(lower(auth_results), '(spf|dmarc)=(soft)?fail'))
WHERE claimed = receiver AND coalesce(real, '') <> claimed GROUP BY capture_id, "from", envelope_from, auth_results, src_ip, dst_ip ORDER BY src_ip, dst_ip, details;
