-- @analyzer tls
-- @group    it
-- @title    TLS ANALYSIS
-- @help     TLS versions, suites, server names, fingerprints

-- @section summary shape=facts
SELECT count(*) FILTER (WHERE message = 'client_hello') AS client_hellos, count(*) FILTER (WHERE message = 'server_hello') AS server_hellos,
  array_to_string(array_sort(array_agg(DISTINCT version) FILTER (WHERE message = 'server_hello')), ', ') AS versions_agreed, count(*) FILTER (WHERE transport = 'dtls') AS dtls,
  count(*) FILTER (WHERE resumed) AS resumed, count(*) FILTER (WHERE alert_level = 2) AS fatal_alerts, count(DISTINCT server_name) AS server_names, count(DISTINCT ja4) AS client_fingerprints FROM tls;

-- @section "Server names" shape=table limit=15 "indicator=host:Server name"
SELECT server_name AS "Server name", count(*) AS hellos, count(DISTINCT src_ip) AS clients, count(DISTINCT dst_ip) AS servers, array_to_string(array_sort(array_agg(DISTINCT array_to_string(alpn_offered, ' '))), ' | ') AS "ALPN offered"
FROM tls WHERE message = 'client_hello' GROUP BY server_name ORDER BY hellos DESC, server_name;

-- @section "Sessions" shape=table limit=15
SELECT src_ip AS client, dst_ip AS server, dst_port AS port, server_name AS "Name", version, cipher, alpn, resumed FROM tls_sessions ORDER BY capture, frame;

-- @section "Session details" shape=table limit=25 verbose
SELECT frame, server_name AS "Name", curve AS "Group", client_hellos AS hellos, answer_ms, certificates AS certs, server_subject AS subject, array_to_string(alerts, ', ') AS alerts FROM tls_sessions ORDER BY capture, frame;

-- @section "Fingerprints" shape=table limit=15
SELECT ja4, ja3, count(*) AS hellos, count(DISTINCT src_ip) AS clients FROM tls WHERE message = 'client_hello' AND ja3 IS NOT NULL GROUP BY ja4, ja3 ORDER BY hellos DESC, ja4, ja3;

-- @section "Server fingerprints" shape=table limit=15
SELECT ja4s, ja3s, count(*) AS hellos, count(DISTINCT src_ip) AS servers FROM tls WHERE message = 'server_hello' AND ja3s IS NOT NULL GROUP BY ja4s, ja3s ORDER BY hellos DESC, ja4s, ja3s;

-- @section "Ciphers agreed" shape=table
SELECT cipher, version, count(*) AS sessions, count(DISTINCT src_ip) AS servers FROM tls WHERE message = 'server_hello' GROUP BY cipher, version ORDER BY sessions DESC, cipher, version;

-- @section "Alerts" shape=table limit=15
SELECT CASE alert_level WHEN 1 THEN 'warning' WHEN 2 THEN 'fatal' ELSE 'encrypted' END AS level, alert, src_ip AS "From", dst_ip AS "To", count(*) AS count FROM tls WHERE message = 'alert'
GROUP BY alert_level, alert, src_ip, dst_ip ORDER BY count DESC, level, alert, "From", "To";

-- @finding tls_legacy_version severity=low confidence=high technique=T1040
SELECT CASE WHEN version IN ('SSL2', 'SSL3') THEN 'high' ELSE 'low' END AS severity, 'An outdated version was agreed' AS title, version AS details, dst_ip AS src_ip, src_ip AS dst_ip, count(*) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM tls WHERE message = 'server_hello' AND version IN ('SSL2', 'SSL3', 'TLS1.0', 'TLS1.1') GROUP BY version, src_ip, dst_ip, capture ORDER BY src_ip, dst_ip, version;

-- @finding tls_weak_cipher severity=medium confidence=high technique=T1040
SELECT 'A weak cipher suite was agreed' AS title, cipher AS details, dst_ip AS src_ip, src_ip AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM tls WHERE message = 'server_hello' AND regexp_like(CAST(cipher AS VARCHAR), '(_NULL_|EXPORT|_anon_|_RC4_|_DES_|_DES40_|_3DES_|_RC2_)') GROUP BY cipher, src_ip, dst_ip, capture ORDER BY src_ip, dst_ip, cipher;

-- @finding tls_weak_dh severity=medium confidence=high technique=T1040
SELECT 'Diffie-Hellman with a short prime' AS title, CAST(dh_prime_bits AS VARCHAR) || ' bits' AS details, dst_ip AS src_ip, src_ip AS dst_ip, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM tls WHERE dh_prime_bits < 2048 GROUP BY dh_prime_bits, src_ip, dst_ip, capture ORDER BY src_ip, dst_ip, dh_prime_bits;

-- @finding tls_heartbleed severity=high confidence=high technique=T1190
SELECT CASE WHEN a.frame IS NOT NULL THEN 'critical' ELSE 'high' END AS severity, CASE WHEN a.frame IS NOT NULL THEN 'Heartbleed: a server gave away memory' ELSE 'Heartbleed tried' END AS title,
  'the request claims ' || CAST(q.heartbeat_payload_length AS VARCHAR) || ' bytes in a record of ' || CAST(q.heartbeat_record_length AS VARCHAR) || CASE WHEN a.frame IS NOT NULL THEN '; the answer has ' || CAST(a.heartbeat_record_length AS VARCHAR) ELSE '' END AS details,
  q.src_ip, q.dst_ip, q.dst_port, q.frame, CASE WHEN a.frame IS NOT NULL THEN make_array(q.frame, a.frame) ELSE make_array(q.frame) END AS frames, q.ts, coalesce(a.ts, q.ts) AS end_ts, q.capture
FROM tls q LEFT JOIN (SELECT capture_id, flow_id, min(frame) AS frame, min(ts) AS ts, max(heartbeat_record_length) AS heartbeat_record_length FROM tls WHERE message = 'heartbeat_response' GROUP BY capture_id, flow_id) a
  ON a.capture_id = q.capture_id AND a.flow_id = q.flow_id AND a.frame > q.frame AND a.heartbeat_record_length > q.heartbeat_record_length
WHERE q.message = 'heartbeat_request' AND CAST(q.heartbeat_payload_length AS BIGINT) > CAST(q.heartbeat_record_length AS BIGINT) - 19 ORDER BY q.capture, q.frame;

-- @finding tls_handshake_failures severity=low technique=T1573
WITH failures AS (SELECT min(capture) AS capture, capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 600000000000 AS span, count(*) AS n, array_to_string(array_sort(array_agg(DISTINCT alert)), ', ') AS names, min(frame) AS frame,
    array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
  FROM tls WHERE message = 'alert' AND alert_level = 2 AND alert NOT IN ('close_notify', 'user_canceled') GROUP BY capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 600000000000)
SELECT 'Handshakes fail again and again' AS title, CAST(n AS VARCHAR) || ' fatal alerts within 10 minutes: ' || names AS details, src_ip, dst_ip, n AS count, frame, frames, ts, end_ts, capture FROM failures WHERE n >= 10 ORDER BY src_ip, dst_ip, ts;

-- @finding tls_ech severity=info confidence=medium technique=T1573
SELECT 'Encrypted client hello' AS title, CASE ech WHEN 2 THEN 'old ESNI' ELSE 'ECH (or GREASE, which looks alike), outer name ' || coalesce(ech_outer_name, '-') END AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM tls WHERE message = 'client_hello' AND ech > 0 GROUP BY ech, ech_outer_name, src_ip, dst_ip, capture ORDER BY src_ip, dst_ip, details;

-- @finding tls_no_sni_public severity=low confidence=medium technique=T1071.001
SELECT 'A client hides which host it asks for' AS title, 'no server name in ' || CAST(count(*) AS VARCHAR) || ' hellos' AS details, src_ip, dst_ip, max(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM tls WHERE is_client AND message = 'client_hello' AND transport = 'tls' AND server_name IS NULL AND coalesce(ech, 0) = 0 AND starttls IS NULL AND dst_port IN (443, 8443, 80) AND is_public(dst_ip) AND dst_ip NOT IN (SELECT "value" FROM encrypted_resolvers WHERE kind = 'address') GROUP BY capture_id, src_ip, dst_ip ORDER BY src_ip, dst_ip;

-- @finding tls_odd_port severity=low confidence=high technique=T1571
SELECT CASE WHEN is_public(dst_ip) THEN 'medium' ELSE 'low' END AS severity, 'TLS on an unusual port' AS title, coalesce('to ' || max(server_name), 'without a server name') AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM tls WHERE is_client AND message = 'client_hello' AND transport = 'tls' AND starttls IS NULL AND dst_port NOT IN (443, 3128, 8080, 465, 587, 636, 853, 990, 993, 995, 2083, 3269, 3389, 4443, 5061, 5671, 6514, 8443, 8883, 9443, 25, 21, 110, 143, 389, 5222, 5269, 5986, 1433, 5432, 3306, 8089, 8006, 10443, 2376, 6443, 4840, 4843)
  -- The control channel of OpenVPN is TLS by its nature.
  AND NOT EXISTS (SELECT 1 FROM vpn AS v WHERE v.kind = 'openvpn' AND v.capture_id = tls.capture_id AND v.flow_id = tls.flow_id)
GROUP BY src_ip, dst_ip, dst_port, capture ORDER BY src_ip, dst_ip, dst_port;

-- @finding tls_renegotiation_flood severity=medium confidence=high technique=T1499.003
SELECT 'A client starts over and over on one connection' AS title, CAST(count(*) AS VARCHAR) || ' client hellos within a minute' AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM tls WHERE message = 'client_hello' AND transport = 'tls' GROUP BY capture_id, flow_id, src_ip, dst_ip, dst_port, CAST(ts AS BIGINT) / 60000000000 HAVING count(*) >= 20 ORDER BY src_ip, dst_ip, frame;

-- @finding tls_doh severity=info confidence=high technique=T1071.004
SELECT 'Names are resolved over HTTPS' AS title, server_name AS details, src_ip, dst_ip, max(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM tls WHERE message = 'client_hello' AND server_name IN (SELECT "value" FROM encrypted_resolvers WHERE kind = 'name')
GROUP BY capture_id, server_name, src_ip, dst_ip ORDER BY src_ip, dst_ip, details;

-- @finding tls_self_signed_public severity=medium confidence=medium technique=T1587.003
SELECT CASE WHEN regexp_like(lower(subject), 'siemens|schneider|rockwell|allen-bradley|phoenix contact|beckhoff|wago|moxa|honeywell|emerson|yokogawa|omron|mitsubishi|abb |simatic|modicon|axis|hikvision|dahua|camera|printer|xerox|ubiquiti|ubnt|mikrotik|routeros|synology|qnap|fritz!box|netgear|zyxel|draytek|lantronix|\bplc\b|\bhmi\b|\brtu\b') THEN 'info' ELSE 'medium' END AS severity,
  CASE WHEN bool_or(self_signed) THEN 'A public server signs its own certificate, and was not asked for by name' ELSE 'A public server with a certificate of a private authority, and not asked for by name' END AS title, coalesce(nullif(subject, ''), 'no subject') || coalesce(', asked for as ' || min(server_name), '') AS details,
  dst_ip AS src_ip, src_ip AS dst_ip, max(src_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
-- Public authorities say where a certificate can be checked and log what they sign.
FROM x509 WHERE role = 'server' AND carrier = 'tls' AND chain_index = 0 AND is_public(src_ip) AND src_port <> 3389 AND (server_name IS NULL OR regexp_like(CAST(server_name AS VARCHAR), '^([0-9.]+|.*:.*)$'))
  AND (self_signed OR coalesce(scts, 0) = 0 AND ocsp_urls IS NULL AND crl_urls IS NULL AND ca_issuers IS NULL) GROUP BY capture_id, subject, src_ip, dst_ip ORDER BY src_ip, dst_ip, details;

-- @finding tls_cert_name_mismatch severity=low confidence=high technique=T1587.003
SELECT 'A server proves another name than it was asked for' AS title, server_name || ' was asked for, the certificate is for ' || coalesce(array_to_string(array_slice(san_dns, 1, 3), ', '), subject_cn, subject) AS details, dst_ip AS src_ip, src_ip AS dst_ip, max(src_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM x509 WHERE role = 'server' AND carrier = 'tls' AND chain_index = 0 AND sni_matches = false AND is_public(src_ip) AND NOT regexp_like(CAST(server_name AS VARCHAR), '^([0-9.]+|.*:.*)$')
GROUP BY capture_id, server_name, coalesce(array_to_string(array_slice(san_dns, 1, 3), ', '), subject_cn, subject), src_ip, dst_ip ORDER BY src_ip, dst_ip, details;

-- @finding tls_expired severity=low confidence=high technique=T1587.003
SELECT 'A certificate outside its time' AS title, coalesce(subject_cn, subject) || CASE WHEN bool_or(not_after < ts) THEN ', valid until ' || CAST(min(not_after) AS VARCHAR) ELSE ', valid from ' || CAST(max(not_before) AS VARCHAR) END AS details, dst_ip AS src_ip, src_ip AS dst_ip, max(src_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM x509 WHERE role = 'server' AND carrier IN ('tls', 'dtls') AND chain_index = 0 AND (not_after < ts OR not_before > ts) GROUP BY capture_id, sha256, coalesce(subject_cn, subject), src_ip, dst_ip ORDER BY src_ip, dst_ip, details;

-- @finding tls_bad_fingerprint severity=high confidence=medium technique=T1071.001 if=indicators
-- The list is the user's. Libraries that many programs use share a JA3: alone it says less.
WITH hits AS (SELECT *, bool_or(type IN ('ja4', 'ja4s', 'ja3s')) OVER (PARTITION BY host) AS is_backed FROM ioc_hits WHERE type IN ('ja3', 'ja3s', 'ja4', 'ja4s') AND NOT is_local AND NOT expired)
SELECT CASE WHEN is_backed THEN 'high' ELSE 'medium' END AS severity, 'A fingerprint of the list' AS title, upper(type) || ' ' || indicator || coalesce(' (' || coalesce(array_to_string(tags, ', '), feed) || ')', '') AS details, host AS src_ip, peer AS dst_ip, hits AS count, frame, frames, ts, end_ts, capture FROM hits ORDER BY host, indicator;

-- @finding tls_rare_fingerprint severity=info confidence=low technique=T1071.001
WITH hellos AS (SELECT capture, capture_id, src_ip, dst_ip, ja4, frame, ts FROM tls WHERE is_client AND message = 'client_hello' AND ja4 IS NOT NULL),
totals AS (SELECT capture_id, count(*) AS sessions, count(DISTINCT src_ip) AS hosts FROM hellos GROUP BY capture_id)
SELECT 'A program that no other host runs' AS title, 'JA4 ' || h.ja4 || ' in ' || CAST(count(*) AS VARCHAR) || ' of ' || CAST(max(t.sessions) AS VARCHAR) || ' sessions of ' || CAST(max(t.hosts) AS VARCHAR) || ' hosts' AS details, min(h.src_ip) AS src_ip, min(h.dst_ip) AS dst_ip, count(*) AS count, min(h.frame) AS frame, array_slice(array_sort(array_agg(h.frame)), 1, 20) AS frames, min(h.ts) AS ts, max(h.ts) AS end_ts, min(h.capture) AS capture
FROM hellos h JOIN totals t ON t.capture_id = h.capture_id WHERE t.hosts >= 20 GROUP BY h.capture_id, h.ja4 HAVING count(DISTINCT h.src_ip) = 1 AND 100 * count(*) < max(t.sessions) ORDER BY src_ip, details;

-- @finding tls_dga_sni severity=medium confidence=medium technique=T1568.002
WITH asked AS (SELECT DISTINCT capture, capture_id, src_ip, dst_ip, frame, ts, lower(server_name) AS name, registered_domain(lower(server_name)) AS domain FROM tls WHERE is_client AND message = 'client_hello' AND server_name IS NOT NULL),
-- Names of content networks are made by machines as well, and so are those of hosts that many ask for.
scored AS (SELECT *, dga_score(domain) AS score FROM asked WHERE NOT regexp_like(domain, '(cloudfront|akamai[a-z]*|akamaized|edgekey|edgesuite|edgecastcdn|fastly[a-z]*|fbcdn|gstatic|gvt[0-9]|ggpht|ytimg|twimg|nflx[a-z]*|msedge|azureedge|azurefd|trafficmanager|llnwd|llnwi|cdn[0-9a-z-]*|[a-z0-9-]*cdn|stackpath[a-z]*|bunny|b-cdn|hwcdn|kxcdn|cdninstagram|ttvnw|jtvnw|scdn|sndcdn|qcloud[a-z]*|alicdn|alikunlun|wscdns|ksyun[a-z]*|byte[a-z]*)[.][a-z.]+$'))
SELECT 'Names that look generated are asked for' AS title, CAST(count(DISTINCT domain) AS VARCHAR) || ' names, such as ' || array_to_string(array_slice(array_sort(array_agg(DISTINCT name)), 1, 4), ', ') AS details, src_ip, min(dst_ip) AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM scored WHERE score >= 0.8 AND length(split_part(domain, '.', 1)) >= 8 GROUP BY capture_id, src_ip HAVING count(DISTINCT domain) >= 5
UNION ALL
SELECT 'A name in other letters than it seems' AS title, name || ' looks like ' || lookalike_of(name) AS details, src_ip, min(dst_ip) AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM asked WHERE lookalike_of(name) IS NOT NULL GROUP BY capture_id, src_ip, name ORDER BY src_ip, frame, details;

-- @finding tls_domain_fronting severity=medium confidence=medium technique=T1090.004
WITH hellos AS (SELECT capture_id, flow_id, min(lower(server_name)) AS sni, min(frame) AS frame FROM tls WHERE message = 'client_hello' AND server_name IS NOT NULL GROUP BY capture_id, flow_id),
asked AS (
  SELECT capture, capture_id, flow_id, frame, ts, src_ip, dst_ip, dst_port, lower(split_part(host, ':', 1)) AS host, false AS may_share FROM http WHERE is_request AND host IS NOT NULL AND method <> 'CONNECT'
  UNION ALL SELECT capture, capture_id, flow_id, frame, ts, src_ip, dst_ip, dst_port, lower(split_part(authority, ':', 1)), true FROM http2 WHERE kind = 'request' AND authority IS NOT NULL),
proved AS (SELECT capture_id, flow_id, registered_domain(lower(name)) AS domain FROM (SELECT capture_id, flow_id, unnest(san_dns) AS name FROM x509 WHERE role = 'server' AND chain_index = 0 AND san_dns IS NOT NULL) GROUP BY capture_id, flow_id, registered_domain(lower(name))),
seen AS (SELECT DISTINCT capture_id, flow_id FROM proved)
SELECT 'A request is for another host than its connection' AS title, 'the connection names ' || h.sni || ', the request ' || a.host AS details, a.src_ip, a.dst_ip, max(a.dst_port) AS dst_port, count(*) AS count, min(a.frame) AS frame, array_slice(array_sort(array_agg(a.frame)), 1, 20) AS frames, min(a.ts) AS ts, max(a.ts) AS end_ts, min(a.capture) AS capture
FROM asked a JOIN hellos h ON h.capture_id = a.capture_id AND h.flow_id = a.flow_id AND h.frame <= a.frame LEFT JOIN proved p ON p.capture_id = a.capture_id AND p.flow_id = a.flow_id AND p.domain = registered_domain(a.host) LEFT JOIN seen k ON k.capture_id = a.capture_id AND k.flow_id = a.flow_id
-- HTTP/2 uses one connection for all names of its certificate: without the certificate nothing can be said.
WHERE registered_domain(a.host) <> registered_domain(h.sni) AND p.domain IS NULL AND (NOT a.may_share OR k.flow_id IS NOT NULL) GROUP BY a.capture_id, h.sni, a.host, a.src_ip, a.dst_ip ORDER BY a.src_ip, a.dst_ip, details;

-- @finding tls_exfil severity=medium confidence=medium technique=T1041
SELECT 'Much was sent out encrypted' AS title, CAST(sum(orig_bytes) AS VARCHAR) || ' bytes to ' || server || ', ' || CAST(sum(resp_bytes) AS VARCHAR) || ' back' AS details, src_ip, min(dst_ip) AS dst_ip, min(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture
FROM named_flows WHERE service = 'tls' AND is_private(src_ip) AND is_public(dst_ip) AND NOT regexp_like(server, '(^|[.])(windowsupdate[.]com|update[.]microsoft[.]com|delivery[.]mp[.]microsoft[.]com|icloud[.]com|icloud-content[.]com|backblaze[.]com|backblazeb2[.]com|carbonite[.]com|crashplan[.]com|code42[.]com|idrive[.]com|mozy[.]com|acronis[.]com|veeam[.]com|datto[.]com|barracuda[.]com)$')
GROUP BY capture_id, src_ip, server, CAST(ts AS BIGINT) / 86400000000000 HAVING sum(orig_bytes) >= 10000000 AND sum(orig_bytes) >= 4 * sum(resp_bytes) OR sum(orig_bytes) >= 50000000 ORDER BY src_ip, server, frame;

-- @finding tls_beacon severity=medium confidence=medium technique=T1041
SELECT CASE WHEN is_external(server_ip) THEN 'medium' ELSE 'info' END AS severity, 'Encrypted connections on a rhythm' AS title, CAST(events AS VARCHAR) || ' to ' || server || ' every ' || CAST(round(period_s, 1) AS VARCHAR) || ' s (jitter ' || CAST(round(100 * jitter_share, 1) AS VARCHAR) || ' %)' AS details, client AS src_ip, server_ip AS dst_ip, port AS dst_port, events AS count, frame, frames, first AS ts, last AS end_ts, capture
FROM beacon_series WHERE service = 'tls' AND (class = 'candidate' OR class = 'internal' AND events >= 8 AND span_s >= 600 AND period_s >= 5 AND jitter_share <= 0.15 AND size_spread <= 0.2) ORDER BY frame, client, server;

-- @finding tls_tor severity=medium confidence=high technique=T1090.003
-- Relays ask for a name that nobody registered and show a certificate for another such name by a third.
WITH hellos AS (SELECT capture_id, flow_id, min(lower(server_name)) AS sni, bool_or(ja3 = 'e7d705a3286e19ea42f587b344ee6865') AS is_tor FROM tls WHERE is_client AND message = 'client_hello' GROUP BY capture_id, flow_id),
shown AS (SELECT capture_id, flow_id, min(subject_cn) AS subject, min(issuer_cn) AS issuer FROM x509 WHERE role = 'server' AND chain_index = 0 AND carrier = 'tls' AND regexp_like(CAST(subject_cn AS VARCHAR), '^www[.][a-z2-7]{8,25}[.](com|net)$') AND regexp_like(CAST(issuer_cn AS VARCHAR), '^www[.][a-z2-7]{8,25}[.](com|net)$') AND subject_cn <> issuer_cn AND san_dns IS NULL AND ocsp_urls IS NULL AND crl_urls IS NULL GROUP BY capture_id, flow_id)
SELECT 'A connection to the Tor network' AS title, CASE WHEN count(s.flow_id) > 0 THEN 'certificate of ' || min(s.subject) || ' by ' || min(s.issuer) ELSE 'the JA3 of Tor' END || coalesce(', asked for as ' || min(h.sni), '') AS details, f.src_ip, f.dst_ip, max(f.dst_port) AS dst_port, count(*) AS count, min(f.frame) AS frame, array_slice(array_sort(array_agg(f.frame)), 1, 20) AS frames, min(f.ts) AS ts, max(f.end_ts) AS end_ts, min(f.capture) AS capture
FROM flows f JOIN hellos h ON h.capture_id = f.capture_id AND h.flow_id = f.flow_id LEFT JOIN shown s ON s.capture_id = f.capture_id AND s.flow_id = f.flow_id
WHERE s.flow_id IS NOT NULL AND (h.sni IS NULL OR regexp_like(h.sni, '^www[.][a-z2-7]{8,25}[.](com|net)$')) OR h.is_tor AND regexp_like(h.sni, '^www[.][a-z2-7]{8,25}[.](com|net)$') GROUP BY f.capture_id, f.src_ip, f.dst_ip ORDER BY f.src_ip, f.dst_ip;
