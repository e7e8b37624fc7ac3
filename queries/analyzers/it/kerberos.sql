-- @analyzer kerberos
-- @group    it
-- @title    KERBEROS
-- @help     Tickets, principals, errors, roasting

-- @section summary shape=facts
SELECT count(*) AS messages, count(*) FILTER (WHERE msg_type = 10) AS "AS requests", count(*) FILTER (WHERE msg_type = 12) AS "TGS requests", count(*) FILTER (WHERE msg_type = 14) AS "AP requests", count(*) FILTER (WHERE msg_type = 30) AS errors,
  count(*) FILTER (WHERE transport = 'udp') AS udp, count(*) FILTER (WHERE transport = 'tcp') AS tcp, count(DISTINCT CASE WHEN msg_type IN (10, 12) THEN dst_ip END) AS kdcs, count(DISTINCT CASE WHEN msg_type IN (10, 12) THEN src_ip END) AS clients,
  array_to_string(array_slice(array_sort(array_agg(DISTINCT upper(realm))), 1, 5), ', ') AS realms, CAST(count(*) FILTER (WHERE msg_type IN (11, 13)) AS DOUBLE) / nullif(count(*) FILTER (WHERE msg_type IN (11, 13) OR msg_type = 30 AND error_code <> 25), 0) AS success_share, min(ts) AS first, max(ts) AS last FROM kerberos;

-- @section "KDCs" shape=table limit=15
SELECT q.kdc, q.realms, q.requests, coalesce(r.errors, 0) AS errors, coalesce(r.too_big, 0) AS "Too big for UDP", r.skew AS clock_off_s
FROM (SELECT dst_ip AS kdc, array_to_string(array_slice(array_sort(array_agg(DISTINCT upper(realm))), 1, 3), ', ') AS realms, count(*) AS requests FROM kerberos WHERE msg_type IN (10, 12) AND carrier = 'kdc' GROUP BY dst_ip) q
LEFT JOIN (SELECT src_ip AS server, count(*) AS errors, count(*) FILTER (WHERE error_code = 52) AS too_big, max((CAST(server_ts AS BIGINT) - CAST(ts AS BIGINT)) / 1000000000) AS skew FROM kerberos WHERE msg_type = 30 AND carrier = 'kdc' GROUP BY src_ip) r ON r.server = q.kdc ORDER BY requests DESC, kdc;

-- @section "Principals" shape=table limit=25
SELECT coalesce(q.client, t.client) AS client, upper(coalesce(q.realm, t.realm)) AS realm, q.workstation, coalesce(q.source, t.source) AS source, coalesce(q.ok, 0) AS "AS ok", coalesce(q.failed, 0) AS "AS failed", coalesce(t.services, 0) AS services, greatest(coalesce(q.last, t.last), coalesce(t.last, q.last)) AS last
FROM (SELECT lower(k.client) AS client, lower(k.realm) AS realm, max(array_element(k.addresses, 1)) AS workstation, min(k.src_ip) AS source, count(*) FILTER (WHERE k.success) AS ok, count(*) FILTER (WHERE NOT k.success AND e.error_code IS DISTINCT FROM 25) AS failed, max(k.ts) AS last
  FROM kerberos k LEFT JOIN kerberos e ON e.capture_id = k.capture_id AND e.flow_id = k.flow_id AND e.frame = k.response_frame AND e.msg_type = 30 WHERE k.msg_type = 10 AND k.client IS NOT NULL GROUP BY lower(k.client), lower(k.realm)) q
FULL JOIN (SELECT lower(client) AS client, lower(realm) AS realm, min(dst_ip) AS source, count(DISTINCT service) AS services, max(ts) AS last FROM kerberos WHERE msg_type = 13 AND client IS NOT NULL GROUP BY lower(client), lower(realm)) t ON t.client = q.client AND t.realm = q.realm
ORDER BY coalesce(q.ok, 0) + coalesce(q.failed, 0) + coalesce(t.services, 0) DESC, 1, 2;

-- @section "Services" shape=table limit=25
SELECT service, ticket_realm AS realm, count(*) AS tickets, count(DISTINCT client) AS requesters, array_to_string(array_sort(array_agg(DISTINCT ticket_cipher)), ', ') AS ciphers FROM kerberos WHERE msg_type IN (11, 13) GROUP BY service, ticket_realm ORDER BY tickets DESC, service;

-- @section "Encryption" shape=table limit=15
SELECT realm, request_type AS reply, coalesce(ticket_cipher, CAST(ticket_etype AS VARCHAR)) AS ticket, enc_part_etype AS "Key type", count(*) AS replies FROM kerberos WHERE msg_type IN (11, 13) GROUP BY realm, request_type, ticket_cipher, ticket_etype, enc_part_etype
ORDER BY CASE WHEN ticket_etype IN (1, 2, 3) THEN 0 WHEN ticket_etype IN (23, 24) THEN 1 ELSE 2 END, replies DESC, realm, reply, ticket;

-- @section "Offered encryption" shape=table limit=15
SELECT array_to_string(etypes, ' ') AS offered, weak_etypes_only AS weak, count(*) AS requests, count(DISTINCT src_ip) AS hosts FROM kerberos WHERE msg_type IN (10, 12) GROUP BY 1, 2 ORDER BY weak DESC NULLS LAST, requests DESC, offered;

-- @section "Errors" shape=table limit=25
SELECT e.error, coalesce(q.client, e.client) AS client, e.dst_ip AS source, count(*) AS count, min(e.ts) AS first, max(e.ts) AS last FROM kerberos e LEFT JOIN kerberos q ON q.capture_id = e.capture_id AND q.response_frame = e.frame AND q.flow_id = e.flow_id
WHERE e.msg_type = 30 GROUP BY e.error, e.error_code, coalesce(q.client, e.client), e.dst_ip ORDER BY e.error_code = 25, count DESC, e.error, client, source;

-- @section "Use of services" shape=table limit=15
SELECT service, carrier, src_ip AS client, dst_ip AS server, ticket_cipher AS ticket, count(*) AS uses, count(*) FILTER (WHERE success) AS accepted FROM kerberos WHERE msg_type = 14 GROUP BY service, carrier, src_ip, dst_ip, ticket_cipher ORDER BY uses DESC, service, client, server;

-- @section "Crackable material" shape=table limit=25
SELECT request_type AS message, coalesce(CASE WHEN msg_type = 13 THEN service ELSE client END, service) AS principal, CASE WHEN msg_type = 11 THEN enc_part_etype WHEN msg_type = 13 THEN ticket_etype END AS type, count(*) AS times, min(frame) AS frame, min(coalesce(ticket_hash, preauth_hash)) AS line
FROM kerberos WHERE ticket_hash IS NOT NULL OR preauth_hash IS NOT NULL GROUP BY 1, 2, 3 ORDER BY times DESC, message, principal, type;

-- @section "Exchanges" shape=table verbose
SELECT ts, src_ip AS src, dst_ip AS dst, request_type AS message, client, service, coalesce(error, ticket_cipher) AS result FROM kerberos ORDER BY capture, frame;

-- @finding krb_kerberoast severity=high confidence=medium technique=T1558.003
WITH reply AS (SELECT r.capture, r.capture_id, r.dst_ip, r.src_ip, r.frame, r.ts, r.client, r.service, upper(r.ticket_realm) AS realm, r.ticket_cipher, q.etypes FROM kerberos r LEFT JOIN kerberos q ON q.capture_id = r.capture_id AND q.flow_id = r.flow_id AND q.response_frame = r.frame
  WHERE r.msg_type = 13 AND r.ticket_etype IN (1, 2, 3, 23, 24) AND r.service_class NOT IN ('krbtgt', 'kadmin', 'host', 'HOST', 'cifs', 'ldap', 'RestrictedKrbHost', 'TERMSRV', 'GC', 'DNS', 'afs') AND r.service NOT LIKE '%$%'),
aes AS (SELECT capture_id, upper(ticket_realm) AS realm FROM kerberos WHERE msg_type IN (11, 13) AND (ticket_etype BETWEEN 17 AND 20 OR enc_part_etype BETWEEN 17 AND 20) GROUP BY capture_id, upper(ticket_realm))
SELECT 'A weak ticket for a service account was obtained' AS title, max(coalesce(r.client, 'a client')) || ' got ' || array_to_string(array_slice(array_sort(array_agg(DISTINCT r.service)), 1, 5), ', ') || ' under ' || max(r.ticket_cipher) AS details,
  CASE WHEN count(DISTINCT r.service) >= 5 OR max(CASE WHEN array_has(r.etypes, 18) OR array_has(r.etypes, 17) THEN 1 ELSE 0 END) = 1 THEN 'high' ELSE 'medium' END AS severity, r.dst_ip AS src_ip, r.src_ip AS dst_ip, count(*) AS count, min(r.frame) AS frame, array_slice(array_sort(array_agg(r.frame)), 1, 20) AS frames, min(r.ts) AS ts, max(r.ts) AS end_ts, min(r.capture) AS capture
FROM reply r JOIN aes a ON a.capture_id = r.capture_id AND a.realm = r.realm GROUP BY r.capture_id, r.dst_ip, r.src_ip, r.client ORDER BY src_ip, dst_ip, frame;

-- @finding krb_rc4_realm severity=low confidence=high technique=T1600
SELECT 'A realm issues no tickets but weak ones' AS title, max(realm) || ': ' || CAST(count(*) AS VARCHAR) || ' tickets' AS details, src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM (SELECT *, upper(ticket_realm) AS name FROM kerberos WHERE msg_type IN (11, 13)) GROUP BY capture_id, src_ip, name HAVING min(CASE WHEN ticket_etype IN (23, 24) AND enc_part_etype IN (1, 2, 3, 23, 24) THEN 1 ELSE 0 END) = 1 ORDER BY src_ip, details;

-- @finding krb_asrep_roast severity=high confidence=high technique=T1558.004
WITH roast AS (SELECT q.capture, r.capture_id, q.src_ip, q.dst_ip, r.client, r.enc_part_etype, r.frame, r.ts FROM kerberos q JOIN kerberos r ON r.capture_id = q.capture_id AND r.flow_id = q.flow_id AND r.frame = q.response_frame
  WHERE q.msg_type = 10 AND r.msg_type = 11 AND q.preauth = 'none' AND r.client NOT LIKE '%$' AND r.client NOT LIKE 'WELLKNOWN/%')
SELECT 'A reply without pre-authentication can be cracked' AS title, array_to_string(array_slice(array_sort(array_agg(DISTINCT client)), 1, 6), ', ') AS details, CASE WHEN count(DISTINCT client) >= 3 AND max(CASE WHEN enc_part_etype = 23 THEN 1 ELSE 0 END) = 1 THEN 'critical' ELSE 'high' END AS severity,
  src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture FROM roast GROUP BY capture_id, src_ip, dst_ip ORDER BY src_ip, dst_ip, frame;

-- @finding krb_user_enum severity=high confidence=high technique=T1087.002
WITH asked AS (SELECT q.capture, q.capture_id, q.src_ip, q.dst_ip, lower(q.client) AS client, q.frame, q.ts FROM kerberos q JOIN kerberos e ON e.capture_id = q.capture_id AND e.flow_id = q.flow_id AND e.frame = q.response_frame WHERE q.msg_type = 10 AND e.error_code = 6)
SELECT 'Account names are guessed' AS title, CAST(count(DISTINCT client) AS VARCHAR) || ' unknown names within five minutes: ' || array_to_string(array_slice(array_sort(array_agg(DISTINCT client)), 1, 5), ', ') AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM asked GROUP BY capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 300000000000 HAVING count(DISTINCT client) >= 10 ORDER BY src_ip, dst_ip, frame;

-- @finding krb_password_spray severity=high confidence=high technique=T1110.003
WITH asked AS (SELECT q.capture, q.capture_id, q.src_ip, q.dst_ip, lower(q.client) AS client, q.frame, q.ts FROM kerberos q JOIN kerberos e ON e.capture_id = q.capture_id AND e.flow_id = q.flow_id AND e.frame = q.response_frame WHERE q.msg_type = 10 AND e.error_code IN (24, 31)),
tries AS (SELECT min(capture) AS capture, capture_id, src_ip, dst_ip, client, CAST(ts AS BIGINT) / 600000000000 AS slot, count(*) AS n, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts FROM asked GROUP BY capture_id, src_ip, dst_ip, client, slot HAVING count(*) <= 3)
SELECT 'One source fails with many accounts' AS title, CAST(count(*) AS VARCHAR) || ' accounts within ten minutes: ' || array_to_string(array_slice(array_sort(array_agg(client)), 1, 6), ', ') AS details, src_ip, dst_ip, sum(n) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture
FROM tries GROUP BY capture_id, src_ip, dst_ip, slot HAVING count(*) >= 5 ORDER BY src_ip, dst_ip, frame;

-- @finding krb_brute_force severity=high confidence=high technique=T1110.001
WITH failed AS (SELECT q.capture, q.capture_id, q.src_ip, q.dst_ip, lower(q.client) AS client, q.frame, q.ts, count(*) OVER (PARTITION BY q.capture_id, q.src_ip, q.dst_ip, lower(q.client) ORDER BY q.ts RANGE BETWEEN INTERVAL '5 minutes' PRECEDING AND CURRENT ROW) AS lately
  FROM kerberos q JOIN kerberos e ON e.capture_id = q.capture_id AND e.flow_id = q.flow_id AND e.frame = q.response_frame WHERE q.msg_type = 10 AND e.error_code IN (24, 31)),
guessed AS (SELECT min(capture) AS capture, capture_id, src_ip, dst_ip, client, count(*) AS n, max(lately) AS lately, min(frame) AS frame, max(frame) AS last_frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts FROM failed GROUP BY capture_id, src_ip, dst_ip, client HAVING max(lately) >= 10),
good AS (SELECT capture_id, src_ip, lower(client) AS client, max(frame) AS frame FROM kerberos WHERE msg_type = 10 AND success GROUP BY capture_id, src_ip, lower(client))
SELECT 'The password of one account is guessed' AS title, f.client || ': ' || CAST(f.n AS VARCHAR) || ' failures, ' || CAST(f.lately AS VARCHAR) || ' of them within five minutes' || CASE WHEN g.frame > f.frame THEN ', then a ticket' ELSE '' END AS details, CASE WHEN g.frame > f.frame THEN 'critical' ELSE 'high' END AS severity, f.src_ip, f.dst_ip, f.n AS count, f.frame, f.frames, f.ts, f.end_ts, f.capture
FROM guessed f LEFT JOIN good g ON g.capture_id = f.capture_id AND g.src_ip = f.src_ip AND g.client = f.client ORDER BY f.src_ip, f.dst_ip, f.frame;

-- @finding krb_lockout severity=medium confidence=high technique=T1110
SELECT 'An account is locked, disabled or expired' AS title, coalesce(q.client, 'unnamed') AS details, e.dst_ip AS src_ip, e.src_ip AS dst_ip, count(*) AS count, min(e.frame) AS frame, array_slice(array_sort(array_agg(e.frame)), 1, 20) AS frames, min(e.ts) AS ts, max(e.ts) AS end_ts, min(e.capture) AS capture
FROM kerberos e LEFT JOIN kerberos q ON q.capture_id = e.capture_id AND q.flow_id = e.flow_id AND q.response_frame = e.frame WHERE e.error_code = 18 GROUP BY e.capture_id, e.dst_ip, e.src_ip, q.client ORDER BY src_ip, dst_ip, details;

-- @finding krb_etype_downgrade severity=medium confidence=medium technique=T1600,T1558
WITH aes AS (SELECT capture_id, upper(coalesce(ticket_realm, realm)) AS realm FROM kerberos WHERE msg_type IN (11, 13) AND (ticket_etype BETWEEN 17 AND 20 OR enc_part_etype BETWEEN 17 AND 20) GROUP BY capture_id, upper(coalesce(ticket_realm, realm))),
strong AS (SELECT capture_id, src_ip FROM kerberos WHERE msg_type IN (10, 12) AND NOT weak_etypes_only GROUP BY capture_id, src_ip)
SELECT 'A client asks for weak encryption only' AS title, max(coalesce(q.client, 'a client')) || ' offers ' || max(array_to_string(q.etypes, ' ')) || CASE WHEN s.src_ip IS NULL THEN ', and never anything better' ELSE ', and better at other times' END AS details, CASE WHEN s.src_ip IS NULL THEN 'info' ELSE 'medium' END AS severity,
  q.src_ip, q.dst_ip, count(*) AS count, min(q.frame) AS frame, array_slice(array_sort(array_agg(q.frame)), 1, 20) AS frames, min(q.ts) AS ts, max(q.ts) AS end_ts, min(q.capture) AS capture
FROM kerberos q JOIN aes a ON a.capture_id = q.capture_id AND a.realm = upper(q.realm) LEFT JOIN strong s ON s.capture_id = q.capture_id AND s.src_ip = q.src_ip WHERE q.msg_type IN (10, 12) AND q.weak_etypes_only GROUP BY q.capture_id, q.src_ip, q.dst_ip, s.src_ip ORDER BY q.src_ip, q.dst_ip;

-- @finding krb_ticket_anomaly severity=high confidence=low technique=T1558.001,T1558.002
WITH issued AS (SELECT capture_id, upper(ticket_realm) AS realm, count(*) AS n, max(CASE WHEN ticket_etype IN (23, 24) THEN 1 ELSE 0 END) AS rc4, max(CASE WHEN ticket_etype BETWEEN 17 AND 20 THEN 1 ELSE 0 END) AS aes FROM kerberos WHERE msg_type = 11 GROUP BY capture_id, upper(ticket_realm))
SELECT 'A weak ticket-granting ticket the KDC was never seen to issue' AS title, 'realm ' || q.realm || ' issues AES tickets' AS details, q.src_ip, q.dst_ip, count(*) AS count, min(q.frame) AS frame, array_slice(array_sort(array_agg(q.frame)), 1, 20) AS frames, min(q.ts) AS ts, max(q.ts) AS end_ts, min(q.capture) AS capture
FROM kerberos q JOIN issued i ON i.capture_id = q.capture_id AND i.realm = upper(q.realm) WHERE q.msg_type = 12 AND q.ticket_etype IN (23, 24) AND i.rc4 = 0 AND i.aes = 1 AND i.n >= 3 GROUP BY q.capture_id, q.src_ip, q.dst_ip, q.realm ORDER BY q.src_ip, q.dst_ip, q.realm;

-- @finding krb_delegation_abuse severity=low confidence=medium technique=T1558,T1550.003
WITH itself AS (SELECT capture_id, src_ip, s4u_user, frame, CAST(ts AS BIGINT) AS at FROM kerberos WHERE msg_type = 12 AND s4u_user IS NOT NULL),
pairs AS (SELECT min(p.capture) AS capture, p.capture_id, p.src_ip, p.dst_ip, p.service, p.frame, p.ts, max(i.s4u_user) AS account FROM kerberos p LEFT JOIN itself i ON i.capture_id = p.capture_id AND i.src_ip = p.src_ip AND i.frame < p.frame AND CAST(p.ts AS BIGINT) - i.at < 300000000000 WHERE p.msg_type = 12 AND p.constrained_delegation GROUP BY p.capture_id, p.src_ip, p.dst_ip, p.service, p.frame, p.ts)
SELECT 'A service gets tickets in the name of users' AS title, 'for ' || coalesce(service, 'a service') || coalesce(' as ' || account, '') AS details, CASE WHEN regexp_like(lower(account), '(^|[.@_-])(admin|administrator)([.@_-]|$)') THEN 'medium' ELSE 'low' END AS severity, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM pairs GROUP BY capture_id, src_ip, dst_ip, service, account ORDER BY src_ip, dst_ip, details;

-- @finding krb_dcsync_prep severity=info confidence=low technique=T1003.006
SELECT 'A ticket for the replication of a directory' AS title, service AS details, dst_ip AS src_ip, src_ip AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(r.capture) AS capture
FROM kerberos r WHERE msg_type = 13 AND upper(service) LIKE 'E3514235-4B06-11D1-AB04-00C04FC2DCD2/%' AND NOT EXISTS (SELECT 1 FROM kerberos k WHERE k.capture_id = r.capture_id AND k.msg_type IN (11, 13) AND k.src_ip = r.dst_ip) GROUP BY r.capture_id, dst_ip, src_ip, service ORDER BY src_ip, dst_ip, details;

-- @finding krb_clock_skew severity=low confidence=high technique=T1070.006
SELECT 'The clocks of client and KDC differ' AS title, 'up to ' || CAST(CAST(max(abs((CAST(server_ts AS BIGINT) - CAST(ts AS BIGINT)) / 1e9)) AS BIGINT) AS VARCHAR) || ' s against the capture''s clock' AS details, dst_ip AS src_ip, src_ip AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, CAST(min(ts) AS BIGINT) AS ts, CAST(max(ts) AS BIGINT) AS end_ts
FROM kerberos WHERE error_code = 37 OR abs(CAST(server_ts AS BIGINT) - CAST(ts AS BIGINT)) > 300000000000 GROUP BY capture_id, dst_ip, src_ip ORDER BY src_ip, dst_ip;

-- @finding krb_external_kdc severity=medium confidence=high technique=T1133
SELECT 'Kerberos crosses the border' AS title, 'realm ' || coalesce(max(realm), 'unknown') AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM kerberos WHERE carrier = 'kdc' AND msg_type IN (10, 12) AND (is_public(src_ip) AND is_private(dst_ip) OR is_private(src_ip) AND is_public(dst_ip)) GROUP BY src_ip, dst_ip, capture ORDER BY src_ip, dst_ip;

-- @finding krb_weak_cipher_des severity=medium confidence=high technique=T1600
SELECT 'A ticket is protected by DES' AS title, coalesce(service, 'a service') || ' under ' || ticket_cipher AS details, dst_ip AS src_ip, src_ip AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM kerberos WHERE msg_type IN (11, 13) AND ticket_etype IN (1, 2, 3) GROUP BY dst_ip, src_ip, service, ticket_cipher, capture ORDER BY src_ip, dst_ip, details;
