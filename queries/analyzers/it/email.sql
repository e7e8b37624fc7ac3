-- @analyzer email
-- @group    it
-- @title    MAIL MESSAGES
-- @help     Mail messages: senders, recipients, subjects, attachments

-- @section summary shape=facts
SELECT count(*) AS messages, count(*) FILTER (WHERE complete) AS "Whole messages", count(DISTINCT lower(regexp_replace("from", '^.*<([^<>]*)>[^<>]*$', '$1'))) AS senders, CAST(coalesce(sum(attachment_count), 0) AS BIGINT) AS attachments, count(*) FILTER (WHERE urls IS NOT NULL) AS "With links", CAST(coalesce(sum(size_bytes) FILTER (WHERE complete), 0) AS BIGINT) AS mail_bytes,
  array_to_string(array_sort(array_agg(DISTINCT CAST(source AS VARCHAR))), ', ') AS carriers, (SELECT count(*) FROM credentials WHERE protocol IN ('smtp', 'pop3', 'imap') AND outcome = 'success') AS "Logins ok", (SELECT count(*) FROM credentials WHERE protocol IN ('smtp', 'pop3', 'imap') AND outcome = 'failure') AS "Logins failed", min(ts) AS first, max(ts) AS last FROM email;

-- @section "Messages" shape=table limit=25
SELECT ts, source AS via, regexp_replace("from", '^.*<([^<>]*)>[^<>]*$', '$1') AS sender, array_element(coalesce(envelope_to, "to"), 1) || CASE WHEN array_length(coalesce(envelope_to, "to")) > 1 THEN ' +' || CAST(array_length(coalesce(envelope_to, "to")) - 1 AS VARCHAR) ELSE '' END AS recipients,
  subject, size_bytes AS bytes, CASE WHEN attachment_count > 0 THEN CAST(attachment_count AS VARCHAR) || CASE WHEN attachment_count > 1 THEN ' files' ELSE ' file' END WHEN attachment_count IS NULL THEN 'header' ELSE '' END || CASE WHEN attachment_count IS NOT NULL AND NOT complete THEN ' cut' ELSE '' END AS seen FROM email ORDER BY capture, frame, subject;

-- @section "Domains" shape=table limit=15
SELECT domain, count(*) AS messages, count(DISTINCT sender) AS senders, count(*) FILTER (WHERE attachment_count > 0) AS "With files", count(*) FILTER (WHERE dkim_domain IS NOT NULL) AS signed, count(*) FILTER (WHERE bulk) AS bulk, min(example) AS example
FROM (SELECT lower(regexp_replace("from", '^(?s).*@([A-Za-z0-9._-]+).*$', '$1')) AS domain, lower(regexp_replace("from", '^.*<([^<>]*)>[^<>]*$', '$1')) AS sender, "from" AS example, attachment_count, dkim_domain, bulk FROM email WHERE "from" LIKE '%@%') GROUP BY domain ORDER BY messages DESC, domain;

-- @section "Attachments" shape=table limit=20
SELECT filename AS name, max(declared_mime) AS declared, max(mime) AS "Found to be", max(size_bytes) AS bytes, sha256, count(*) AS times, CASE WHEN bool_and(complete) THEN 'whole' ELSE 'cut' END AS seen FROM files WHERE source IN ('smtp', 'lmtp', 'pop3', 'imap') GROUP BY filename, sha256 ORDER BY times DESC, name, bytes DESC, sha256;

-- @section "Logins" shape=table limit=15
SELECT protocol AS via, dst_ip AS server, src_ip AS client, username AS "user", field AS mechanism, count(*) FILTER (WHERE outcome = 'success') AS ok, count(*) FILTER (WHERE outcome = 'failure') AS failed FROM credentials WHERE protocol IN ('smtp', 'pop3', 'imap') GROUP BY protocol, dst_ip, src_ip, username, field ORDER BY failed DESC, ok DESC, via, server, client, "user", mechanism;

-- @section "Mailboxes" shape=table limit=15
SELECT e.source AS via, f.dst_ip AS server, e.username AS account, e.mailbox, count(*) FILTER (WHERE e.complete AND e.src_ip = f.dst_ip) AS fetched, count(*) FILTER (WHERE NOT e.complete) AS "Headers or cut", count(*) FILTER (WHERE e.complete AND e.src_ip = f.src_ip) AS stored, CAST(coalesce(sum(e.size_bytes) FILTER (WHERE e.complete), 0) AS BIGINT) AS bytes
FROM email e JOIN flows f ON f.capture_id = e.capture_id AND f.flow_id = e.flow_id WHERE e.source IN ('pop3', 'imap') GROUP BY e.source, f.dst_ip, e.username, e.mailbox ORDER BY fetched DESC, server, account, mailbox;

-- @section "Judged by the receiver" shape=table limit=15
SELECT split_part(auth_results, chr(10), 1) AS results, regexp_replace("from", '^.*<([^<>]*)>[^<>]*$', '$1') AS sender, originating_ip AS origin, count(*) AS messages FROM email WHERE auth_results IS NOT NULL GROUP BY 1, 2, 3 ORDER BY messages DESC, 1, 2, 3;

-- @section "Links" shape=table verbose
SELECT url, count(*) AS messages, min(frame) AS frame FROM (SELECT frame, unnest(urls) AS url FROM email WHERE urls IS NOT NULL) GROUP BY url ORDER BY messages DESC, url;

-- @section "Texts" shape=table verbose
SELECT frame, subject, substr(replace(replace(body_text, chr(13), ''), chr(10), ' '), 1, 200) AS text FROM email WHERE body_text IS NOT NULL ORDER BY capture, frame;

-- @finding email_clear_login severity=high confidence=high technique=T1040
SELECT CASE WHEN bool_and(outcome = 'failure') THEN 'medium' ELSE 'high' END AS severity, 'A mailbox login in clear' AS title, upper(protocol) || ' user ' || coalesce(username, 'unknown') || ', ' || array_to_string(array_sort(array_agg(DISTINCT field)), ', ') || CASE WHEN bool_or(outcome = 'success') THEN ', accepted' WHEN bool_or(outcome = 'failure') THEN ', refused' ELSE '' END AS details, src_ip, dst_ip, max(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM credentials WHERE protocol IN ('pop3', 'imap') AND kind IN ('password', 'bearer') AND NOT encrypted GROUP BY protocol, username, src_ip, dst_ip, capture ORDER BY src_ip, dst_ip, protocol, username;

-- @finding email_brute severity=medium confidence=high technique=T1110.001
WITH failures AS (SELECT capture, capture_id, protocol, src_ip, dst_ip, dst_port, frame, ts, username, secret_id, CAST(ts AS BIGINT) - lag(CAST(ts AS BIGINT), 9) OVER (PARTITION BY capture_id, protocol, src_ip, dst_ip ORDER BY ts, frame) AS span FROM credentials WHERE protocol IN ('pop3', 'imap') AND outcome = 'failure'),
guesses AS (SELECT min(capture) AS capture, capture_id, protocol, src_ip, dst_ip, max(dst_port) AS dst_port, count(*) AS count, count(DISTINCT username) AS users, min(username) AS username, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS since, max(ts) AS until FROM failures GROUP BY capture_id, protocol, src_ip, dst_ip
  HAVING min(span) <= 300000000000 AND (count(DISTINCT secret_id) <> 1 OR count(DISTINCT username) > 1)),
hits AS (SELECT g.capture_id, g.protocol, g.src_ip, g.dst_ip, min(c.username) AS username FROM guesses g JOIN (SELECT DISTINCT capture_id, protocol, src_ip, dst_ip, username FROM failures) f ON f.capture_id = g.capture_id AND f.protocol = g.protocol AND f.src_ip = g.src_ip AND f.dst_ip = g.dst_ip
  JOIN credentials c ON c.capture_id = g.capture_id AND c.src_ip = g.src_ip AND c.dst_ip = g.dst_ip AND c.username = f.username
  WHERE c.protocol IN ('smtp', 'pop3', 'imap') AND c.outcome = 'success' AND c.frame > g.frame AND CAST(c.ts AS BIGINT) - CAST(g.until AS BIGINT) <= 600000000000 GROUP BY g.capture_id, g.protocol, g.src_ip, g.dst_ip)
SELECT CASE WHEN h.username IS NOT NULL THEN 'high' ELSE 'medium' END AS severity, 'Mailbox passwords are being guessed' AS title, CAST(g.count AS VARCHAR) || ' refused ' || upper(g.protocol) || ' logins as ' || CASE WHEN g.users > 1 THEN CAST(g.users AS VARCHAR) || ' users' ELSE coalesce(g.username, 'one user') END || coalesce(', then ' || h.username || ' was let in', '') AS details, g.src_ip, g.dst_ip, g.dst_port, g.count, g.frame, g.frames, g.since AS ts, g.until AS end_ts, g.capture
FROM guesses g LEFT JOIN hits h ON h.capture_id = g.capture_id AND h.protocol = g.protocol AND h.src_ip = g.src_ip AND h.dst_ip = g.dst_ip ORDER BY g.src_ip, g.dst_ip, g.protocol, g.frame;

-- @finding email_attachment_exec severity=high confidence=high technique=T1566.001
SELECT 'An attachment that can run' AS title, coalesce(filename, 'no name') || CASE WHEN filename IS NULL OR NOT regexp_like(lower(filename), '[.](exe|scr|pif|bat|cmd|vbs|vbe|js|jse|wsf|wsh|hta|ps1|msi|msp|cpl|jar|lnk|iso|img|vhd|vhdx|dll|chm|xll|docm|dotm|xlsm|xltm|xlam|pptm|potm|ppam|ppsm)$') THEN ' is ' || mime
    WHEN regexp_like(lower(filename), '[.](pdf|doc|docx|xls|xlsx|ppt|pptx|rtf|txt|jpg|jpeg|png|gif|zip)[ _.]*[.][a-z0-9]+$') THEN ', two endings' WHEN regexp_like(lower(filename), 'm$') AND lower(filename) NOT LIKE '%.chm' THEN ', a document with macros' WHEN regexp_like(lower(filename), '[.](iso|img|vhd|vhdx)$') THEN ', a disk image' ELSE '' END || coalesce(', sha256 ' || substr(sha256, 1, 16), '') AS details,
  src_ip, dst_ip, max(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM files WHERE source IN ('smtp', 'lmtp', 'pop3', 'imap') AND (regexp_like(lower(filename), '[.](exe|scr|pif|bat|cmd|vbs|vbe|js|jse|wsf|wsh|hta|ps1|msi|msp|cpl|jar|lnk|iso|img|vhd|vhdx|dll|chm|xll|docm|dotm|xlsm|xltm|xlam|pptm|potm|ppam|ppsm)$')
  OR mime IN ('application/x-dosexec', 'application/vnd.microsoft.portable-executable', 'application/x-executable', 'application/x-mach-binary', 'application/java-vm', 'application/x-ms-shortcut', 'application/vnd.ms-htmlhelp', 'application/vnd.android.dex', 'text/x-shellscript', 'text/x-script'))
GROUP BY filename, mime, sha256, src_ip, dst_ip, capture ORDER BY src_ip, dst_ip, filename, sha256;

-- @finding email_phish severity=medium confidence=medium technique=T1566.002
WITH own AS (SELECT DISTINCT capture_id, registered_domain(split_part(lower(username), '@', 2)) AS domain FROM credentials WHERE protocol IN ('smtp', 'pop3', 'imap') AND outcome = 'success' AND username LIKE '%@%.%'),
sent AS (SELECT capture, capture_id, src_ip, dst_ip, frame, ts, subject, "from", message_id, registered_domain(lower(regexp_replace("from", '^(?s).*@([A-Za-z0-9._-]+).*$', '$1'))) AS domain, deceptive_urls, coalesce(bulk, false) AS bulk FROM email WHERE "from" LIKE '%@%'),
shown AS (SELECT capture, capture_id, src_ip, dst_ip, frame, ts, subject, message_id, domain, url, CASE WHEN regexp_like(host, '^[0-9.]+$') THEN host ELSE registered_domain(host) END AS target FROM (SELECT *, lower(regexp_replace(url, '^[A-Za-z]+://(?:[^/@?#]*@)?([^/:?#]+).*$', '$1')) AS host FROM (SELECT capture, capture_id, src_ip, dst_ip, frame, ts, subject, message_id, domain, unnest(deceptive_urls) AS url FROM sent WHERE NOT bulk AND deceptive_urls IS NOT NULL))),
signs AS (SELECT capture, capture_id, src_ip, dst_ip, frame, ts, subject, message_id, 'a link that shows another address leads to ' || coalesce(target, substr(url, 1, 60)) AS why FROM shown
  WHERE coalesce(target, '') NOT IN ('outlook.com', 'urldefense.com', 'proofpoint.com', 'mimecast.com', 'mimecastprotect.com', 'barracudanetworks.com', 'cudasvc.com', 'google.com', 'trendmicro.com', 'fireeye.com', 'sophos.com') AND coalesce(target, '-') <> coalesce(domain, '')
  UNION ALL
  SELECT s.capture, s.capture_id, s.src_ip, s.dst_ip, s.frame, s.ts, s.subject, s.message_id, 'sender''s domain ' || s.domain || ' looks like ' || o.domain AS why FROM sent s JOIN own o ON o.capture_id = s.capture_id AND s.domain <> o.domain
    AND replace(replace(replace(replace(translate(s.domain, '0135', 'oles'), 'rn', 'm'), 'vv', 'w'), 'i', 'l'), '-', '') = replace(replace(replace(replace(translate(o.domain, '0135', 'oles'), 'rn', 'm'), 'vv', 'w'), 'i', 'l'), '-', '')
  UNION ALL
  SELECT s.capture, s.capture_id, s.src_ip, s.dst_ip, s.frame, s.ts, s.subject, s.message_id, 'calls itself ' || s.called || ' and is of ' || coalesce(s.domain, 'another domain') AS why FROM (SELECT *, lower(array_element(regexp_match("from", '^["'' ]*([^"<>@ ]+@[A-Za-z0-9._-]+)["'' ]*<[^<>]*>'), 1)) AS called FROM sent) s
    JOIN own o ON o.capture_id = s.capture_id AND registered_domain(split_part(s.called, '@', 2)) = o.domain AND s.domain <> o.domain AND o.domain NOT IN ('gmail.com', 'googlemail.com', 'outlook.com', 'hotmail.com', 'live.com', 'yahoo.com', 'icloud.com', 'gmx.de', 'gmx.net', 'web.de', 'mail.ru', 'qq.com'))
SELECT 'A message that deceives about where it leads or comes from' AS title, min(why) || coalesce(', subject ' || substr(max(subject), 1, 50), '') AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_agg(DISTINCT frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM signs GROUP BY capture_id, src_ip, dst_ip, coalesce(message_id, CAST(frame AS VARCHAR)) ORDER BY src_ip, dst_ip, frame;

-- @finding email_auth_fail severity=medium confidence=medium technique=T1566
SELECT 'A message whose sender the receiving server could not confirm' AS title, 'from ' || max(sender) || ': ' || max(array_to_string(make_array(array_element(regexp_match(results, '\b(spf=[a-z]+)'), 1), array_element(regexp_match(results, '\b(dkim=[a-z]+)'), 1), array_element(regexp_match(results, '\b(dmarc=[a-z]+)'), 1)), ', ')) AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM (SELECT capture, capture_id, src_ip, dst_ip, frame, ts, coalesce("from", 'unknown') AS sender, lower(regexp_replace("from", '^(?s).*@([A-Za-z0-9._-]+).*$', '$1')) AS domain, lower(split_part(auth_results, chr(10), 1)) AS results FROM email
  WHERE auth_results IS NOT NULL AND NOT bulk AND (source IN ('pop3', 'imap') OR is_private(src_ip) AND is_private(dst_ip)))
WHERE regexp_like(results, '\bdmarc=fail\b') OR NOT regexp_like(results, '\b(dmarc|dkim)=pass\b') AND regexp_like(results, '\b(spf|dkim)=fail\b')
GROUP BY capture_id, src_ip, dst_ip, domain ORDER BY src_ip, dst_ip, frame;

-- @finding email_mass_download severity=medium confidence=medium technique=T1114.002
WITH fetched AS (SELECT e.capture, e.capture_id, e.src_ip, e.dst_ip, e.username, e.frame, e.ts, e.size_bytes, CAST(e.ts AS BIGINT) - lag(CAST(e.ts AS BIGINT), 199) OVER (PARTITION BY e.capture_id, e.src_ip, e.dst_ip, e.username ORDER BY e.ts, e.frame) AS span, CAST(e.ts AS BIGINT) - min(CAST(e.ts AS BIGINT)) OVER (PARTITION BY e.capture_id, e.src_ip, e.dst_ip, e.username) AS since
  FROM email e JOIN flows f ON f.capture_id = e.capture_id AND f.flow_id = e.flow_id WHERE e.source IN ('pop3', 'imap') AND e.complete AND e.src_ip = f.dst_ip)
SELECT 'A mailbox is being emptied' AS title, CAST(count(*) AS VARCHAR) || ' messages of ' || coalesce(username, 'an account') || ', ' || CAST(sum(size_bytes) AS VARCHAR) || ' bytes, by a client not seen before' AS details, dst_ip AS src_ip, src_ip AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_agg(DISTINCT frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM fetched GROUP BY capture_id, src_ip, dst_ip, username HAVING min(since) FILTER (WHERE span <= 600000000000) <= 1200000000000 ORDER BY dst_ip, src_ip, username;
