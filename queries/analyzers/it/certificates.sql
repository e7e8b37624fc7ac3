-- @analyzer certificates
-- @group    it
-- @title    CERTIFICATE ANALYSIS
-- @help     Certificates: names, validity, weaknesses

-- @section summary shape=facts
SELECT count(DISTINCT sha256) AS certificates, count(*) AS presentations, count(*) FILTER (WHERE chain_index = 0) AS leafs, count(*) FILTER (WHERE basic_constraints_ca) AS "CA", count(*) FILTER (WHERE role = 'client') AS client_certificates,
  count(DISTINCT CASE WHEN role = 'server' THEN src_ip END) AS servers, count(DISTINCT CASE WHEN days_left < 0 THEN sha256 END) AS expired, count(DISTINCT CASE WHEN not_before > ts THEN sha256 END) AS not_yet_valid,
  count(DISTINCT CASE WHEN self_signed THEN sha256 END) AS self_signed,
  (SELECT count(*) FROM tls WHERE message = 'server_hello' AND version = 'TLS1.3') AS "Hidden by TLS 1.3", (SELECT count(*) FROM tls WHERE message = 'server_hello' AND resumed) AS "Skipped (resumed)"
FROM x509;

-- @section "Leaf certificates" shape=table limit=25
SELECT subject_cn AS "Subject", issuer_cn AS "Issuer", array_to_string(array_slice(san_dns, 1, 2), ', ') AS "Names", key_type || ' ' || CAST(key_bits AS VARCHAR) AS key, min(not_after) AS not_after, CAST(floor(min(days_left)) AS BIGINT) AS days_left,
  min(src_ip) AS server, bool_and(sni_matches) AS "SNI ok", sha256
FROM x509 WHERE chain_index = 0 AND coalesce(role, 'server') = 'server' AND carrier <> 'ldap' GROUP BY subject_cn, issuer_cn, san_dns, key_type, key_bits, sha256 ORDER BY days_left, sha256;

-- @section "Chains" shape=table limit=15
SELECT src_ip AS server, server_name AS "SNI", max(chain_length) AS length, bool_and(signed_by_next) AS "Signatures ok", bool_or(chain_index > 0 AND self_issued) AS "Root sent" FROM x509
WHERE carrier = 'tls' GROUP BY capture_id, flow_id, frame, src_ip, server_name ORDER BY server, "SNI", length, min(frame);

-- @section "Client certificates" shape=table
SELECT subject, issuer_cn AS issuer, src_ip AS client, dst_ip AS server FROM x509 WHERE role = 'client' AND chain_index = 0 ORDER BY capture, frame;

-- @section "Issuers" shape=table limit=15
SELECT coalesce(issuer_cn, issuer_o, issuer) AS issuer, count(DISTINCT sha256) AS leafs, count(DISTINCT src_ip) AS servers FROM x509 WHERE chain_index = 0 AND carrier <> 'ldap' GROUP BY 1 ORDER BY leafs DESC, issuer;

-- @section "Key reuse" shape=table
SELECT spki_sha256 AS key, count(DISTINCT sha256) AS certificates, count(DISTINCT subject) AS subjects, count(DISTINCT src_ip) AS hosts FROM x509 WHERE chain_index = 0 AND carrier <> 'ldap'
GROUP BY spki_sha256 HAVING count(DISTINCT subject) > 1 ORDER BY certificates DESC, key;

-- @section "Certificates" shape=table verbose
SELECT frame, chain_index, subject, issuer, serial, sig_alg, not_before, not_after, sha256, ja4x FROM x509 ORDER BY capture, frame, chain_index;

-- @finding cert_expired severity=medium confidence=high technique=T1587.003
SELECT CASE WHEN max(days_left) > -7 THEN 'low' ELSE 'medium' END AS severity, 'A certificate had expired when it was presented' AS title, coalesce(subject_cn, subject) || ', valid until ' || CAST(min(not_after) AS VARCHAR) AS details,
  src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM x509 WHERE chain_index = 0 AND days_left < 0 AND carrier NOT IN ('ocsp', 'ldap') GROUP BY src_ip, sha256, coalesce(subject_cn, subject), capture ORDER BY src_ip, details;

-- @finding cert_not_yet_valid severity=low confidence=high
SELECT 'A certificate was not yet valid when it was presented' AS title, coalesce(subject_cn, subject) || ', valid from ' || CAST(not_before AS VARCHAR) AS details, src_ip, frame, ts, capture
FROM x509 WHERE chain_index = 0 AND CAST(not_before AS BIGINT) > CAST(ts AS BIGINT) + 86400000000000 AND carrier <> 'ldap' ORDER BY capture, frame;

-- @finding cert_self_signed_public severity=medium technique=T1587.003,T1573
SELECT 'A public server with a self-signed certificate' AS title, coalesce(subject_cn, subject) AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM x509 WHERE chain_index = 0 AND self_signed AND is_public(src_ip) AND role = 'server' AND carrier = 'tls' AND src_port <> 3389 GROUP BY src_ip, dst_ip, coalesce(subject_cn, subject), capture ORDER BY src_ip, dst_ip, details;

-- @finding cert_sni_mismatch severity=medium confidence=high technique=T1557
SELECT 'The certificate does not bear the name asked for' AS title, server_name || ' was asked for, ' || coalesce(array_to_string(array_slice(san_dns, 1, 3), ', '), subject_cn, subject) || ' came' AS details, src_ip, count(*) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM x509 WHERE chain_index = 0 AND sni_matches = false AND is_public(src_ip) GROUP BY src_ip, server_name, coalesce(array_to_string(array_slice(san_dns, 1, 3), ', '), subject_cn, subject), capture ORDER BY src_ip, details;

-- @finding cert_weak_key severity=medium confidence=high technique=T1600.001
SELECT 'A certificate with a weak key' AS title, coalesce(subject_cn, subject) || ': ' || key_type || ' ' || CAST(key_bits AS VARCHAR) || ' bits' AS details, src_ip, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM x509 WHERE (key_type IN ('rsa', 'dsa') AND key_bits < 2048) OR (key_type = 'ec' AND key_bits < 224) OR key_exponent = '1' GROUP BY src_ip, coalesce(subject_cn, subject), key_type, key_bits, capture ORDER BY src_ip, details;

-- @finding cert_weak_signature severity=medium confidence=high technique=T1600
SELECT 'A certificate signed with a broken hash' AS title, coalesce(subject_cn, subject) || ': ' || sig_alg AS details, src_ip, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM x509 WHERE NOT self_issued AND regexp_like(lower(sig_alg), '(md2|md5|sha1|sha-1)') GROUP BY src_ip, coalesce(subject_cn, subject), sig_alg, capture ORDER BY src_ip, details;

-- @finding cert_key_reuse severity=low confidence=high technique=T1552.004
SELECT 'One key under several names' AS title, CAST(count(DISTINCT subject) AS VARCHAR) || ' subjects share key ' || substr(spki_sha256, 1, 16) AS details, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
FROM x509 WHERE chain_index = 0 AND carrier <> 'ldap' GROUP BY spki_sha256 HAVING count(DISTINCT registered_domain(subject_cn)) >= 2 OR (count(DISTINCT src_ip) >= 3 AND count(DISTINCT subject) >= 2) ORDER BY details;

-- @finding cert_interception severity=high confidence=medium technique=T1557
SELECT 'One issuer certifies many unrelated sites' AS title, issuer || ' signs for ' || array_to_string(array_slice(array_sort(array_agg(DISTINCT registered_domain(server_name))), 1, 5), ', ') AS details, min(dst_ip) AS src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM x509 WHERE role = 'server' AND chain_index = 0 AND server_name IS NOT NULL AND is_public(src_ip) AND coalesce(scts, 0) = 0 AND sni_matches AND validity_days < 900
  AND ocsp_urls IS NULL AND crl_urls IS NULL AND ca_issuers IS NULL GROUP BY capture_id, issuer HAVING count(DISTINCT registered_domain(server_name)) >= 3 ORDER BY details;

-- @finding cert_suspicious_fields severity=medium confidence=medium technique=T1587.003
SELECT 'A certificate with the fields of a tool' AS title, coalesce(nullif(subject, ''), 'empty subject') AS details, src_ip AS dst_ip, max(src_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM x509 WHERE role = 'server' AND chain_index = 0 AND is_public(src_ip) AND (subject LIKE '%Internet Widgits%' OR subject LIKE '%Major Cobalt Strike%' OR subject_cn = 'localhost' OR (coalesce(subject, '') = '' AND san_dns IS NULL AND san_ip IS NULL))
GROUP BY subject, src_ip, capture ORDER BY details, dst_ip;

-- @finding cert_ca_as_leaf severity=medium confidence=medium technique=T1587.003
SELECT CASE WHEN bool_and(self_signed) OR NOT bool_or(is_public(src_ip)) THEN 'info' ELSE 'medium' END AS severity, 'A server proves itself with a certificate that can sign others' AS title, coalesce(subject_cn, subject) AS details, src_ip AS dst_ip, max(src_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM x509 WHERE role = 'server' AND chain_index = 0 AND basic_constraints_ca GROUP BY subject_cn, subject, src_ip, capture ORDER BY details, dst_ip;

-- @finding cert_chain_broken severity=info confidence=high
SELECT 'A chain whose signatures do not hold' AS title, coalesce(subject_cn, subject) || ' is not signed by the next certificate' AS details, src_ip AS dst_ip, max(src_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM x509 WHERE role = 'server' AND signed_by_next = false GROUP BY subject_cn, subject, src_ip, capture ORDER BY details, dst_ip;

-- @finding cert_long_validity severity=low confidence=high
SELECT 'A public certificate that is valid for too long' AS title, coalesce(subject_cn, subject) || ', ' || CAST(round(validity_days) AS VARCHAR) || ' days' AS details, src_ip AS dst_ip, max(src_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM x509 WHERE role = 'server' AND chain_index = 0 AND NOT self_signed AND coalesce(scts, 0) > 0 AND ((not_before >= TIMESTAMP '2018-03-01' AND validity_days > 826) OR (not_before >= TIMESTAMP '2020-09-01' AND validity_days > 399))
GROUP BY subject_cn, subject, validity_days, src_ip, capture ORDER BY details, dst_ip;

-- @finding cert_short_lived severity=info confidence=high technique=T1587.003
SELECT 'A certificate for a few days' AS title, coalesce(subject_cn, subject) || ', ' || CAST(round(validity_days, 1) AS VARCHAR) || ' days' AS details, src_ip AS dst_ip, max(src_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM x509 WHERE role = 'server' AND chain_index = 0 AND validity_days < 6.9 AND validity_days > 0 AND is_public(src_ip) AND carrier <> 'ocsp' GROUP BY subject_cn, subject, validity_days, src_ip, capture ORDER BY details, dst_ip;

-- @finding cert_known_bad severity=critical confidence=high technique=T1071.001,T1587.003
WITH judged AS (SELECT capture, capture_id, frame, ts, src_ip, dst_ip, src_port, role, subject, subject_cn, sha1, CASE
    WHEN encode(serial, 'hex') = '08bb00ee' OR sha1 = '6ece5ece4192683d2d84e25b0ba7e04f9cb7eb7c' OR sha256 = '87f2085c32b6a2cc709b365f55873e207a9caa10bffecf2fd16d3cf9d94d390c' OR subject LIKE '%Major Cobalt Strike%' THEN 'the default of Cobalt Strike'
    WHEN subject_cn = 'AsyncRAT Server' OR issuer_cn = 'AsyncRAT Server' THEN 'the default of AsyncRAT' WHEN subject_cn IN ('Quasar Server CA', 'QuasarRAT') OR issuer_cn = 'Quasar Server CA' THEN 'the default of Quasar' WHEN subject_cn IN ('DcRat Server', 'DcRat') OR issuer_cn IN ('DcRat Server', 'DcRat') THEN 'the default of DcRat'
    WHEN subject_cn IN ('BitRAT', 'VenomRAT Server', 'XWorm Server') THEN 'the default of a remote access trojan' WHEN subject_cn = 'Covenant' AND issuer_cn = 'Covenant' THEN 'the default of Covenant' WHEN subject_cn = 'multiplayer' AND issuer_cn = 'operators' THEN 'the default of Sliver'
    WHEN subject_cn = 'P18055077' THEN 'the default of PoshC2' WHEN subject_o = 'Mythic' AND self_issued THEN 'the default of Mythic' END AS tool FROM x509 WHERE carrier NOT IN ('ldap', 'ocsp') AND chain_index = 0)
SELECT 'A certificate that an implant''s server shows' AS title, tool || ': ' || coalesce(nullif(subject, ''), sha1) AS details, CASE WHEN role = 'client' THEN src_ip ELSE dst_ip END AS src_ip, CASE WHEN role = 'client' THEN dst_ip ELSE src_ip END AS dst_ip, max(src_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM judged WHERE tool IS NOT NULL GROUP BY capture_id, tool, coalesce(nullif(subject, ''), sha1), CASE WHEN role = 'client' THEN src_ip ELSE dst_ip END, CASE WHEN role = 'client' THEN dst_ip ELSE src_ip END
UNION ALL
SELECT 'A certificate of the indicator list' AS title, indicator || coalesce(' (' || feed || ')', '') AS details, host AS src_ip, peer AS dst_ip, CAST(NULL AS SMALLINT UNSIGNED) AS dst_port, hits AS count, frame, frames, ts, end_ts, capture FROM ioc_hits WHERE (type IN ('cert_sha1', 'cert_sha256') OR type IN ('sha1', 'sha256') AND array_has_any(places, ['x509.sha1', 'x509.sha256'])) AND NOT expired ORDER BY src_ip, dst_ip, frame;

-- @finding cert_wildcard_ot severity=info confidence=medium
WITH shown AS (SELECT x.*, CASE WHEN x.carrier = 'opcua' OR x.src_port IN (4840, 4843) OR x.dst_port IN (4840, 4843) THEN 'OPC UA' WHEN x.src_port IN (3782, 19998, 19999) OR x.dst_port IN (3782, 19998, 19999) THEN 'IEC 62351' WHEN x.src_port = 802 OR x.dst_port = 802 THEN 'Modbus Security' END AS protocol,
  CASE WHEN x.subject_cn LIKE '*.%' OR array_to_string(x.san_dns, ' ') LIKE '%*.%' THEN 'for a whole domain' WHEN x.days_left < 0 THEN 'expired' END AS fault FROM x509 x WHERE x.chain_index = 0)
SELECT 'A certificate of industrial equipment to look at' AS title, protocol || ': ' || coalesce(subject_cn, subject) || ', ' || fault AS details, src_ip, dst_ip, max(src_port) AS src_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM shown WHERE protocol IS NOT NULL AND fault IS NOT NULL GROUP BY capture_id, protocol, coalesce(subject_cn, subject), fault, src_ip, dst_ip ORDER BY src_ip, dst_ip, details;
