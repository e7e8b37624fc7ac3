-- @analyzer files
-- @group    it
-- @title    FILES
-- @help     Files in transfer: what they are, from where to where, and which deserve a look

-- @section summary shape=facts
SELECT count(*) AS files, count(*) FILTER (WHERE complete) AS complete, sum(size_bytes) AS bytes, count(*) FILTER (WHERE family = 'executable') AS executables, count(*) FILTER (WHERE family = 'script') AS scripts, count(*) FILTER (WHERE family = 'archive') AS archives,
  count(*) FILTER (WHERE family = 'document') AS documents, count(*) FILTER (WHERE family = 'project') AS "OT projects", count(*) - count(DISTINCT coalesce(sha256, CAST(frame AS VARCHAR) || coalesce(filename, ''))) AS duplicates, array_to_string(array_sort(array_agg(DISTINCT source)), ', ') AS protocols FROM seen_files;

-- @section "Files" shape=table limit=30
SELECT ts AS time, source AS protocol, direction, filename AS name, mime AS type, declared_mime AS declared, size_bytes AS "size_bytes", complete, client, server, sha256, frame FROM seen_files ORDER BY capture, frame, filename;

-- @section "Hashes" shape=table limit=30 verbose indicator=hash:sha256
SELECT filename AS name, md5, sha1, sha256, size_bytes AS "size_bytes", frame FROM seen_files WHERE sha256 IS NOT NULL ORDER BY capture, frame, filename;

-- @section "Flagged" shape=table
SELECT detection, severity, details, src_ip AS sender, dst_ip AS receiver, frame FROM findings WHERE source = 'files' ORDER BY CASE severity WHEN 'critical' THEN 1 WHEN 'high' THEN 2 WHEN 'medium' THEN 3 ELSE 4 END, frame, detection, details;

-- @section "Same content" shape=table limit=15
SELECT sha256, count(*) AS times, count(DISTINCT src_ip) AS senders, count(DISTINCT dst_ip) AS receivers, array_to_string(array_slice(array_sort(array_agg(DISTINCT coalesce(filename, '-'))), 1, 3), ', ') AS names, max(size_bytes) AS "size_bytes"
FROM seen_files WHERE sha256 IS NOT NULL AND size_bytes > 0 GROUP BY sha256 HAVING count(*) >= 2 ORDER BY times DESC, sha256;

-- @section "Types" shape=table limit=15
SELECT coalesce(mime, '(unknown)') AS type, count(*) AS files, sum(size_bytes) AS bytes FROM seen_files GROUP BY 1 ORDER BY files DESC, type;

-- @section "Not whole" shape=table limit=15
SELECT ts AS time, source AS protocol, filename AS name, size_bytes AS "Seen", total_bytes AS "Announced", client, server, frame FROM seen_files WHERE NOT complete ORDER BY capture, frame, filename;

-- @section "Transfers without content" shape=table limit=15
SELECT first AS time, protocol, what AS name, client, server, bytes FROM (
  SELECT min(ts) AS first, 'smb3, encrypted' AS protocol, '(' || CAST(count(*) AS VARCHAR) || ' messages)' AS what, src_ip AS client, dst_ip AS server, CAST(NULL AS BIGINT) AS bytes, capture FROM smb WHERE encrypted GROUP BY capture, src_ip, dst_ip
  UNION ALL SELECT ts, 'ftps', path, src_ip, dst_ip, CAST(size_bytes AS BIGINT), capture FROM ftp_transfers WHERE tls
  UNION ALL SELECT ts, 'ssh, likely a transfer', '(' || bulk_direction || ')', src_ip, dst_ip, CAST(orig_encrypted_bytes + resp_encrypted_bytes AS BIGINT), capture FROM ssh_sessions WHERE bulk_direction IS NOT NULL AND orig_encrypted_bytes + resp_encrypted_bytes > 1000000) ORDER BY capture, time, name;

-- @finding file_masquerade severity=high confidence=high technique=T1036.008
SELECT 'A program under another file''s name or type' AS title, coalesce(filename, '(no name)') || coalesce(', declared ' || declared_mime, '') || ': is ' || mime AS details, src_ip, dst_ip, dst_port, frame, ts, capture
FROM seen_files WHERE family IN ('executable', 'script') AND (name_family IN ('picture', 'document', 'media', 'text') OR (name_family IS NULL AND declared_family IN ('picture', 'document', 'media')))
  AND NOT (family = 'script' AND (name_family IN ('text', 'document') OR declared_family = 'text')) ORDER BY capture, frame, filename;

-- @finding file_type_mismatch severity=low confidence=medium technique=T1036
SELECT 'A file is not what its name says' AS title, filename || ': is ' || mime AS details, src_ip, dst_ip, dst_port, frame, ts, capture
FROM seen_files WHERE family IS NOT NULL AND name_family IS NOT NULL AND family <> name_family AND name_family <> 'text' AND family NOT IN ('executable', 'script', 'text') AND NOT (family = 'archive' AND name_family IN ('document', 'executable', 'project'))
  AND NOT (family = 'picture' AND name_family = 'media') AND NOT (family = 'media' AND name_family = 'picture') AND NOT (family = 'document' AND name_family = 'script') ORDER BY capture, frame, filename;

-- @finding file_executable_download severity=medium confidence=high technique=T1105
SELECT 'A program comes from outside' AS title, coalesce(f.filename, '(no name)') || ', ' || f.mime || coalesce(', from ' || f.host, ', from ' || f.src_ip) AS details,
  CASE WHEN f.family = 'script' OR f.src_port NOT IN (80, 8080, 443, 21, 20) OR f.host IS NULL OR ip_scope(split_part(f.host, ':', 1)) IS NOT NULL THEN 'high'
    WHEN regexp_like(registered_domain(f.host), '^(microsoft|windowsupdate|msftncsi|apple|mozilla|google|gvt1|ubuntu|debian|fedoraproject|centos|redhat|adobe|oracle|java|github|githubusercontent|akamaized|avast|kaspersky|symantec|mcafee|eset|dell|hp|lenovo|intel|nvidia|python|apache|docker|cisco)[.]') THEN 'info' ELSE 'medium' END AS severity, f.src_ip, f.dst_ip, f.src_port, f.dst_port, f.frame, f.ts, f.capture
FROM seen_files f WHERE f.direction IN ('download', 'upload') AND (is_public(f.src_ip) OR ip_scope(f.src_ip) = 'documentation') AND NOT is_public(f.dst_ip)
  AND (f.family = 'executable' OR f.family = 'script' AND (f.name_family = 'script' OR f.mime NOT IN ('text/javascript', 'application/javascript')) AND coalesce(f.extension, '') NOT IN ('js', 'php', 'css', 'html', 'htm')) ORDER BY f.capture, f.frame, f.filename;

-- @finding file_double_extension severity=high confidence=high technique=T1036.007
SELECT 'A file''s name hides its ending' AS title, replace(filename, chr(8238), '[RLO]') AS details, src_ip, dst_ip, dst_port, frame, ts, capture
FROM seen_files WHERE regexp_like(lower(filename), '[.](pdf|docx?|xlsx?|pptx?|jpe?g|png|gif|txt|csv|mp[34]|avi|zip)[. ]*[.](exe|scr|com|bat|cmd|ps1|vbs|js|jse|hta|pif|lnk|msi|jar)$') OR strpos(filename, chr(8238)) > 0 OR regexp_like(filename, ' {20,}')
  OR regexp_like(lower(filename), '[.](exe|scr|bat|cmd|ps1|vbs|hta)[. ]+$') ORDER BY capture, frame, filename;

-- @finding file_macro_document severity=medium confidence=medium technique=T1566.001,T1204.002
SELECT 'A document with a program in it' AS title, coalesce(filename, '(no name)') || ', ' || mime || ': ' || array_to_string(marks, ', ') AS details, CASE WHEN is_private(src_ip) AND is_private(dst_ip) THEN 'low' ELSE 'medium' END AS severity, src_ip, dst_ip, dst_port, frame, ts, capture
FROM seen_files WHERE array_has_any(marks, ['macros', 'active_content']) ORDER BY capture, frame, filename;

-- @finding file_packed_executable severity=medium confidence=medium technique=T1027.002
SELECT 'A program is packed' AS title, coalesce(filename, '(no name)') || ', ' || mime AS details, src_ip, dst_ip, dst_port, frame, ts, capture FROM seen_files WHERE array_has(marks, 'packed') AND NOT regexp_like(lower(coalesce(filename, '')), 'setup|install|update') ORDER BY capture, frame, filename;

-- @finding file_archive_encrypted severity=medium confidence=medium technique=T1027.013,T1560.001
SELECT 'An archive that needs a password crosses the border' AS title, coalesce(filename, '(no name)') || ', ' || mime AS details, src_ip, dst_ip, dst_port, frame, ts, capture
FROM seen_files WHERE (array_has(marks, 'encrypted') OR mime = 'application/pgp-encrypted') AND (is_public(src_ip) OR is_public(dst_ip)) ORDER BY capture, frame, filename;

-- @finding file_lateral_executable severity=high confidence=medium technique=T1021.002,T1570
WITH written AS (SELECT w.capture, w.capture_id, w.frame, w.ts, w.src_ip, w.dst_ip, w.dst_port, w.share, w.path, f.mime FROM smb_files w LEFT JOIN (SELECT capture_id, sha256, max(mime) AS mime, max(family) AS family FROM seen_files WHERE source = 'smb' GROUP BY capture_id, sha256) f ON f.capture_id = w.capture_id AND f.sha256 = w.sha256
  WHERE w.bytes_written > 0 AND is_private(w.src_ip) AND (f.family IN ('executable', 'script') OR regexp_like(lower(w.path), '[.](exe|dll|sys|scr|bat|cmd|ps1|vbs|js|hta|msi)$')))
SELECT 'A program is written to another host' AS title, coalesce(share, '') || '\' || path || coalesce(', ' || mime, '') AS details, src_ip, dst_ip, dst_port, min(frame) AS frame, count(*) AS count, min(ts) AS ts, max(ts) AS end_ts, capture
FROM written WHERE regexp_like(lower(share), '(admin[$]|[a-z][$]|sysvol)$') OR regexp_like(lower(path), 'startup|start menu') GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, share, path, mime
UNION ALL
SELECT 'Many hosts fetch one program inside' AS title, coalesce(min(filename), '(no name)') || ', by ' || CAST(count(DISTINCT dst_ip) AS VARCHAR) || ' hosts' AS details, src_ip, min(dst_ip) AS dst_ip, min(dst_port) AS dst_port, min(frame) AS frame, count(*) AS count, min(ts) AS ts, max(ts) AS end_ts, capture
FROM seen_files WHERE family = 'executable' AND source = 'smb' AND sha256 IS NOT NULL AND is_private(src_ip) AND is_private(dst_ip) GROUP BY capture, capture_id, src_ip, sha256 HAVING count(DISTINCT dst_ip) >= 3 ORDER BY capture, frame, details;

-- @finding file_credential_store severity=high confidence=medium technique=T1003,T1552.004
SELECT 'A store of passwords or keys is copied' AS title, coalesce(filename, '(no name)') || coalesce(', ' || mime, '') AS details, CASE WHEN is_public(dst_ip) THEN 'critical' ELSE 'high' END AS severity, src_ip, dst_ip, dst_port, frame, ts, capture
FROM seen_files WHERE size_bytes > 0 AND (regexp_like(lower(filename), '(^|[\\/])(ntds[.]dit|sam|security|system)([.](save|hiv|hive|bak|dat))?$|[.](kdbx?|pfx|p12|ppk)$|(^|[\\/])(id_rsa|id_dsa|id_ecdsa|id_ed25519|lsass[.]dmp|shadow)$|lsass.*[.]dmp$')
  OR mime IN ('application/x-mdmp', 'application/x-keepass', 'application/x-windows-registry')) AND coalesce(mime, '') NOT LIKE 'text/html%' ORDER BY capture, frame, filename;

-- @finding file_ot_project severity=info confidence=medium technique=T0843,T0845,T0857
SELECT 'A controller''s program or firmware moves' AS title, coalesce(filename, '(no name)') || ' by ' || source || coalesce(', ' || CAST(size_bytes AS VARCHAR) || ' bytes', '') AS details, src_ip, dst_ip, dst_port, frame, ts, capture FROM seen_files WHERE family = 'project' OR source IN ('s7comm', 'umas') ORDER BY capture, frame, filename;

-- @finding file_traversal_name severity=medium confidence=high technique=T1006
SELECT 'A file''s name leaves its folder' AS title, replace(replace(filename, chr(0), '[NUL]'), chr(10), '[LF]') AS details, src_ip, dst_ip, dst_port, frame, ts, capture
FROM seen_files WHERE regexp_like(filename, '(^|[\\/])[.][.]([\\/]|$)') OR (source IN ('http', 'smtp', 'imap', 'pop3') AND regexp_like(filename, '^([A-Za-z]:[\\/]|/|\\\\)')) OR regexp_like(filename, '[\x00-\x08\x0a-\x1f]') ORDER BY capture, frame, filename;

-- @finding file_bomb severity=low confidence=high technique=T1499
SELECT 'A body unpacks to far more than it is' AS title, detail AS details, src_ip, dst_ip, dst_port, frame, ts, capture FROM anomalies WHERE protocol = 'http' AND kind = 'limit_reached' AND detail LIKE 'a body unpacks%' ORDER BY capture, frame;

-- @finding file_known_bad severity=critical confidence=high technique=T1204.002 if=indicators
SELECT 'A file of the indicator list' AS title, indicator || coalesce(' (' || feed || ')', '') || coalesce(', ' || n.filename, '') AS details, h.host AS src_ip, h.peer AS dst_ip, h.hits AS count, h.frame, h.frames, h.ts, h.end_ts, h.capture
FROM ioc_hits h LEFT JOIN (SELECT hash, min(filename) AS filename FROM (SELECT md5 AS hash, filename FROM files UNION ALL SELECT sha1, filename FROM files UNION ALL SELECT sha256, filename FROM files) WHERE hash IS NOT NULL AND filename IS NOT NULL GROUP BY hash) n ON n.hash = h.indicator
WHERE h.type IN ('md5', 'sha1', 'sha256') AND NOT array_has_any(h.places, ['x509.sha1', 'x509.sha256']) AND NOT h.expired ORDER BY h.indicator, h.host;
