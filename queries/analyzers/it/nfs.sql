-- @analyzer nfs
-- @group    it
-- @title    NFS
-- @help     NFS exports, clients, file operations

-- @section summary shape=facts
SELECT c.calls, c.programs, c.versions AS "NFS versions", c.transports, c.clients, c.servers, c.answered AS answered_share, c.p50 AS median_ms, c.p95 AS "95 % within_ms", n.operations, n.failed AS "failed operations", n.read_bytes, n.written_bytes, c.first, c.last
FROM (SELECT count(*) AS calls, array_to_string(array_sort(array_agg(DISTINCT coalesce(r.program_name, CAST(r.program AS VARCHAR)))), ', ') AS programs, array_to_string(array_sort(array_agg(DISTINCT CASE WHEN r.program = 100003 THEN r.program_version END)), ', ') AS versions,
  array_to_string(array_sort(array_agg(DISTINCT f.transport)), ', ') AS transports, count(DISTINCT r.src_ip) AS clients, count(DISTINCT r.dst_ip) AS servers, CAST(count(r.response_frame) AS DOUBLE) / count(*) AS answered,
  median(r.response_time_ms) AS p50, percentile_cont(0.95) WITHIN GROUP (ORDER BY r.response_time_ms) AS p95, min(r.ts) AS first, max(r.ts) AS last
  FROM rpc_calls r LEFT JOIN flows f ON f.capture_id = r.capture_id AND f.flow_id = r.flow_id) c
CROSS JOIN (SELECT count(*) AS operations, count(*) FILTER (WHERE status <> 0) AS failed, sum(returned_bytes) FILTER (WHERE operation IN ('READ', 'READ_PLUS')) AS read_bytes, sum(returned_bytes) FILTER (WHERE operation = 'WRITE') AS written_bytes FROM nfs) n WHERE c.calls > 0;

-- @section "Programs" shape=table limit=15
SELECT dst_ip AS server, coalesce(program_name, CAST(program AS VARCHAR)) AS program, array_to_string(array_sort(array_agg(DISTINCT program_version)), ', ') AS versions, array_to_string(array_sort(array_agg(DISTINCT dst_port)), ', ') AS ports, count(DISTINCT src_ip) AS clients, count(*) AS calls, count(response_frame) AS answered,
  count(*) FILTER (WHERE reply_status <> 'success') AS refused, median(response_time_ms) AS median_ms
FROM rpc_calls GROUP BY dst_ip, coalesce(program_name, CAST(program AS VARCHAR)) ORDER BY calls DESC, server, program;

-- @section "Ports told by portmap" shape=table limit=15
SELECT dst_ip AS server, query_program AS program, CASE query_program WHEN 100003 THEN 'nfs' WHEN 100005 THEN 'mount' WHEN 100021 THEN 'nlm' WHEN 100024 THEN 'nsm' WHEN 100227 THEN 'nfs_acl' WHEN 100000 THEN 'portmap' END AS name, query_version AS version,
  CASE query_protocol WHEN 6 THEN 'tcp' WHEN 17 THEN 'udp' END AS transport, CASE WHEN mapped_port = 0 THEN 'not registered' ELSE CAST(mapped_port AS VARCHAR) END AS port, count(*) AS calls, min(frame) AS frame
FROM rpc_calls WHERE query_program IS NOT NULL AND procedure_name IN ('GETPORT', 'GETADDR', 'GETVERSADDR') AND mapped_port IS NOT NULL GROUP BY dst_ip, query_program, query_version, query_protocol, mapped_port ORDER BY server, program, version, transport, port;

-- @section "Programs listed by portmap" shape=table limit=25
SELECT server, entry AS "program, version, transport, port", count(*) AS times FROM (SELECT dst_ip AS server, unnest(mappings) AS entry FROM rpc_calls WHERE mappings IS NOT NULL) GROUP BY server, entry ORDER BY server, entry;

-- @section "Exports" shape=table limit=15
SELECT server, CASE WHEN entry LIKE '%()' THEN substr(entry, 1, length(entry) - 2) || ' (everyone)' ELSE entry END AS "export (who may)", count(DISTINCT src_ip) AS asked_by, min(frame) AS frame FROM (SELECT dst_ip AS server, src_ip, frame, unnest(exports) AS entry FROM rpc_calls WHERE exports IS NOT NULL) GROUP BY server, entry ORDER BY server, entry;

-- @section "Mounts" shape=table limit=15
SELECT ts, src_ip AS client, dst_ip AS server, procedure_name AS call, mount_path AS path, CASE WHEN procedure_name <> 'MNT' THEN reply_status WHEN mount_status = 0 THEN 'granted' WHEN mount_status IS NULL THEN 'no reply' WHEN mount_status = 13 THEN 'access denied' WHEN mount_status = 2 THEN 'no such directory' ELSE 'status ' || CAST(mount_status AS VARCHAR) END AS outcome, uid, machine_name AS machine, frame
FROM rpc_calls WHERE mount_path IS NOT NULL ORDER BY capture, CAST(ts AS BIGINT), frame, xid;

-- @section "Clients" shape=table limit=15
SELECT src_ip AS client, machine_name AS machine, array_to_string(array_sort(array_agg(DISTINCT uid)), ', ') AS uids, array_to_string(array_sort(array_agg(DISTINCT gid)), ', ') AS gids, count(*) AS operations, count(*) FILTER (WHERE status <> 0) AS failed,
  sum(returned_bytes) FILTER (WHERE operation IN ('READ', 'READ_PLUS')) AS read_bytes, sum(returned_bytes) FILTER (WHERE operation = 'WRITE') AS written_bytes
FROM nfs GROUP BY src_ip, machine_name ORDER BY operations DESC, client, machine;

-- @section "Authentication" shape=table limit=15
SELECT src_ip AS client, dst_ip AS server, coalesce(program_name, CAST(program AS VARCHAR)) AS program, coalesce(auth_flavor_name, CAST(auth_flavor AS VARCHAR)) AS flavor, CASE gss_service WHEN 1 THEN 'signed header' WHEN 2 THEN 'integrity' WHEN 3 THEN 'privacy' END AS protection, count(*) AS calls, count(*) FILTER (WHERE procedure = 0) AS pings, count(*) FILTER (WHERE reply_status = 'auth_error') AS refused
FROM rpc_calls GROUP BY src_ip, dst_ip, coalesce(program_name, CAST(program AS VARCHAR)), coalesce(auth_flavor_name, CAST(auth_flavor AS VARCHAR)), CASE gss_service WHEN 1 THEN 'signed header' WHEN 2 THEN 'integrity' WHEN 3 THEN 'privacy' END ORDER BY calls DESC, client, server, program, flavor, protection;

-- @section "Operations" shape=table
SELECT version, minor_version AS minor, operation, count(*) AS calls, count(response_frame) AS answered, count(*) FILTER (WHERE status <> 0) AS failed, percentile_cont(0.95) WITHIN GROUP (ORDER BY response_time_ms) AS "95 % within_ms" FROM nfs GROUP BY version, minor_version, operation ORDER BY version, minor, calls DESC, operation;

-- @section "Files" shape=table limit=25
SELECT path, count(*) FILTER (WHERE operation IN ('READ', 'READ_PLUS')) AS reads, count(*) FILTER (WHERE operation = 'WRITE') AS writes, coalesce(sum(returned_bytes) FILTER (WHERE operation IN ('READ', 'READ_PLUS', 'WRITE')), 0) AS moved_bytes, max(owner) AS owner, count(DISTINCT src_ip) AS clients,
  array_to_string(array_sort(array_agg(DISTINCT lower(operation)) FILTER (WHERE operation IN ('READ', 'READ_PLUS', 'WRITE', 'CREATE', 'OPEN', 'SYMLINK', 'MKNOD', 'LINK', 'REMOVE', 'RENAME', 'SETATTR', 'READLINK', 'LOCK', 'COPY', 'CLONE'))), ', ') AS "what was done"
FROM nfs WHERE path IS NOT NULL AND status = 0 GROUP BY path HAVING coalesce(bool_or(file_type = 'dir' OR operation IN ('MKDIR', 'RMDIR', 'READDIR', 'READDIRPLUS', 'PUTROOTFH')), false) = false
  AND count(*) FILTER (WHERE operation IN ('READ', 'READ_PLUS', 'WRITE', 'CREATE', 'OPEN', 'SYMLINK', 'MKNOD', 'LINK', 'REMOVE', 'RENAME', 'SETATTR', 'READLINK', 'LOCK', 'COPY', 'CLONE')) > 0 ORDER BY moved_bytes DESC, count(*) DESC, path;

-- @section "Content followed" shape=table limit=25 if=files
SELECT ts, direction, filename AS path, size_bytes, complete, mime AS type, sha256 AS "SHA-256", frame FROM files WHERE source = 'nfs' ORDER BY capture, CAST(ts AS BIGINT), frame, path;

-- @section "Created, removed, renamed" shape=table limit=25
SELECT ts, operation, coalesce(path, filename) AS path, coalesce(new_path, new_filename) AS "new name or target", status_name AS status, src_ip AS client, uid, frame
FROM nfs WHERE operation IN ('CREATE', 'MKDIR', 'SYMLINK', 'MKNOD', 'LINK', 'REMOVE', 'RMDIR', 'RENAME') OR (operation = 'OPEN' AND file_type = 'file') ORDER BY capture, CAST(ts AS BIGINT), frame, xid, compound_index;

-- @section "Errors" shape=table limit=15
SELECT status_name AS status, operation, coalesce(path, filename) AS path, src_ip AS client, count(*) AS calls, min(frame) AS frame FROM nfs WHERE status <> 0 GROUP BY status_name, operation, coalesce(path, filename), src_ip ORDER BY calls DESC, status, operation, path, client;

-- @section "All operations" shape=table verbose
SELECT ts, src_ip AS client, dst_ip AS server, version, operation, coalesce(path, filename) AS path, "offset", count, returned_bytes AS moved_bytes, status_name AS status, frame, response_frame AS reply FROM nfs ORDER BY capture, frame, xid, compound_index;

-- @finding nfs_export_world severity=high confidence=high technique=T1039,T1135
SELECT 'A directory is exported to everyone' AS title, array_to_string(array_slice(array_sort(array_agg(DISTINCT regexp_replace(entry, '\(.*$', ''))), 1, 6), ', ') AS details, server AS src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM (SELECT capture, capture_id, dst_ip AS server, frame, ts, unnest(exports) AS entry FROM rpc_calls WHERE exports IS NOT NULL) WHERE entry LIKE '%()' OR regexp_like(entry, '\((.*,)?(\*|\(?everyone\)?|0\.0\.0\.0/0(\.0\.0\.0)?)(,.*)?\)$', 'i') GROUP BY capture_id, server ORDER BY server, frame;

-- @finding nfs_export_enum severity=medium confidence=medium technique=T1135,T1046
WITH asked AS (SELECT capture, capture_id, src_ip, dst_ip, frame, ts, procedure_name FROM rpc_calls WHERE program IN (100000, 100005) AND procedure_name IN ('EXPORT', 'EXPORTALL', 'DUMP')),
mounts AS (SELECT capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) AS at FROM rpc_calls WHERE program = 100005 AND procedure_name = 'MNT'),
alone AS (SELECT a.capture, a.capture_id, a.src_ip, a.dst_ip, a.frame, a.ts FROM asked a LEFT JOIN mounts m ON m.capture_id = a.capture_id AND m.src_ip = a.src_ip AND m.dst_ip = a.dst_ip AND abs(m.at - CAST(a.ts AS BIGINT)) <= 60000000000
  WHERE a.procedure_name LIKE 'EXPORT%' AND m.at IS NULL)
SELECT 'One host asks many servers what they export' AS title, CAST(count(DISTINCT dst_ip) AS VARCHAR) || ' servers' AS details, src_ip, CAST(NULL AS VARCHAR) AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM asked GROUP BY capture_id, src_ip HAVING count(DISTINCT dst_ip) >= 5
UNION ALL
SELECT 'The exports were asked for without a mount' AS title, 'no mount within a minute' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM alone GROUP BY capture_id, src_ip, dst_ip ORDER BY src_ip, dst_ip, frame;

-- @finding nfs_root_identity severity=medium confidence=high technique=T1068,T1548.001
WITH squashed AS (SELECT DISTINCT capture_id, src_ip, dst_ip FROM nfs WHERE uid = 0 AND status = 0 AND operation IN ('CREATE', 'MKDIR', 'SYMLINK', 'MKNOD') AND owner <> '0' AND owner <> 'root' AND owner NOT LIKE 'root@%'),
done AS (SELECT *, (mode & 2048) > 0 AND coalesce(file_type, 'file') = 'file' AND operation IN ('CREATE', 'OPEN', 'SETATTR') AS setuid FROM nfs
  WHERE uid = 0 AND status = 0 AND (operation IN ('WRITE', 'SETATTR', 'REMOVE', 'RMDIR', 'RENAME', 'CREATE', 'MKDIR', 'SYMLINK', 'MKNOD') OR (operation = 'OPEN' AND file_type = 'file')))
SELECT 'Files are changed as root, on the client''s word' AS title, array_to_string(array_sort(array_agg(DISTINCT d.operation)), ', ') || coalesce(': ' || array_to_string(array_slice(array_sort(array_agg(DISTINCT coalesce(d.path, d.filename))), 1, 4), ', '), '') || CASE WHEN coalesce(bool_or(d.setuid), false) THEN '; a program that runs as its owner' ELSE '' END AS details,
  CASE WHEN coalesce(bool_or(d.setuid), false) THEN 'high' ELSE 'medium' END AS severity, d.src_ip, d.dst_ip, count(*) AS count, min(d.frame) AS frame, array_slice(array_sort(array_agg(d.frame)), 1, 20) AS frames, min(d.ts) AS ts, max(d.ts) AS end_ts, min(d.capture) AS capture
FROM done d LEFT JOIN squashed s ON s.capture_id = d.capture_id AND s.src_ip = d.src_ip AND s.dst_ip = d.dst_ip WHERE s.src_ip IS NULL GROUP BY d.capture_id, d.src_ip, d.dst_ip ORDER BY d.src_ip, d.dst_ip, frame;

-- @finding nfs_uid_hopping severity=high confidence=medium technique=T1078
WITH steps AS (SELECT capture, capture_id, src_ip, dst_ip, machine_name, uid, frame, ts, lag(uid) OVER w AS before_uid, lag(status) OVER w AS before_status FROM nfs WHERE uid > 0 AND status IS NOT NULL AND (main_operation IS NULL OR main_operation) WINDOW w AS (PARTITION BY capture_id, src_ip, dst_ip, machine_name ORDER BY ts, frame, xid, compound_index))
SELECT 'A client tries one identity after the other' AS title, CAST(count(DISTINCT uid) AS VARCHAR) || ' uids within a minute, each after access was denied: ' || array_to_string(array_slice(array_sort(array_agg(DISTINCT uid)), 1, 8), ', ') AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM steps WHERE before_status = 13 AND uid <> before_uid GROUP BY capture_id, src_ip, dst_ip, machine_name, CAST(ts AS BIGINT) / 60000000000 HAVING count(DISTINCT uid) >= 4 ORDER BY src_ip, dst_ip, frame;

-- @finding nfs_null_auth severity=low confidence=high technique=T1078
SELECT 'Files are served to clients that say nothing of who they are' AS title, array_to_string(array_slice(array_sort(array_agg(DISTINCT n.operation)), 1, 8), ', ') AS details, n.src_ip, n.dst_ip, count(*) AS count, min(n.frame) AS frame, array_slice(array_sort(array_agg(n.frame)), 1, 20) AS frames, min(n.ts) AS ts, max(n.ts) AS end_ts, min(n.capture) AS capture
FROM nfs n JOIN rpc_calls r ON r.capture_id = n.capture_id AND r.flow_id = n.flow_id AND r.frame = n.frame AND r.xid = n.xid
WHERE r.program = 100003 AND r.auth_flavor = 0 AND r.procedure > 0 AND n.status = 0 AND (n.main_operation IS NULL OR n.main_operation) AND n.operation NOT IN ('EXCHANGE_ID', 'CREATE_SESSION', 'DESTROY_SESSION', 'DESTROY_CLIENTID', 'BIND_CONN_TO_SESSION', 'SEQUENCE', 'RECLAIM_COMPLETE', 'SETCLIENTID', 'SETCLIENTID_CONFIRM', 'RENEW', 'SECINFO', 'SECINFO_NO_NAME')
GROUP BY n.capture_id, n.src_ip, n.dst_ip ORDER BY n.src_ip, n.dst_ip, frame;

-- @finding nfs_access_denied_burst severity=medium confidence=medium technique=T1083
SELECT 'Access is denied to a client again and again' AS title, array_to_string(array_slice(array_sort(array_agg(DISTINCT coalesce(path, filename))), 1, 5), ', ') AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM nfs WHERE status IN (1, 13) GROUP BY capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 60000000000 HAVING count(*) >= 20 ORDER BY src_ip, dst_ip, frame;

-- @finding nfs_handle_guess severity=high confidence=medium technique=T1190
WITH tries AS (SELECT min(capture) AS capture, capture_id, src_ip, dst_ip, count(DISTINCT file_handle) AS handles, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts FROM nfs WHERE status IN (70, 10001) GROUP BY capture_id, src_ip, dst_ip),
good AS (SELECT capture_id, src_ip, dst_ip, min(frame) AS first_good FROM nfs WHERE status = 0 AND file_handle IS NOT NULL GROUP BY capture_id, src_ip, dst_ip),
mounted AS (SELECT DISTINCT capture_id, src_ip, dst_ip FROM rpc_calls WHERE program = 100005 AND mount_status = 0),
victims AS (SELECT capture_id, dst_ip, count(DISTINCT src_ip) AS clients FROM nfs WHERE status IN (70, 10001) GROUP BY capture_id, dst_ip)
SELECT 'A client that never mounted tries file handles' AS title, CAST(t.handles AS VARCHAR) || ' handles that the server does not know' AS details, t.src_ip, t.dst_ip, t.count, t.frame, t.frames, t.ts, t.end_ts, t.capture
FROM tries t JOIN victims v ON v.capture_id = t.capture_id AND v.dst_ip = t.dst_ip LEFT JOIN good g ON g.capture_id = t.capture_id AND g.src_ip = t.src_ip AND g.dst_ip = t.dst_ip LEFT JOIN mounted m ON m.capture_id = t.capture_id AND m.src_ip = t.src_ip AND m.dst_ip = t.dst_ip
WHERE t.handles >= 10 AND v.clients = 1 AND m.src_ip IS NULL AND (g.first_good IS NULL OR g.first_good > t.frame) ORDER BY t.src_ip, t.dst_ip, t.frame;

-- @finding nfs_mass_read severity=high confidence=medium technique=T1039
SELECT 'Files are read in masses' AS title, CAST(count(DISTINCT coalesce(path, encode(file_handle, 'hex'))) AS VARCHAR) || ' files, ' || CAST(sum(returned_bytes) AS VARCHAR) || ' bytes within ten minutes' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM nfs WHERE operation IN ('READ', 'READ_PLUS') AND status = 0 GROUP BY capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 600000000000 HAVING count(DISTINCT coalesce(path, encode(file_handle, 'hex'))) >= 500 OR sum(returned_bytes) >= 1000000000 ORDER BY src_ip, dst_ip, frame;

-- @finding nfs_mass_change severity=high confidence=medium technique=T1486,T1485
SELECT 'Files are removed or renamed in masses' AS title, CAST(count(DISTINCT coalesce(path, filename)) AS VARCHAR) || ' files within a minute' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM nfs WHERE operation IN ('REMOVE', 'RENAME') AND status = 0 GROUP BY capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 60000000000 HAVING count(DISTINCT coalesce(path, filename)) >= 100 ORDER BY src_ip, dst_ip, frame;

-- @finding nfs_sensitive_file severity=medium confidence=medium technique=T1552.001
SELECT 'A file that holds secrets or a controller''s program was opened or changed' AS title, coalesce(path, filename) || ': ' || array_to_string(array_sort(array_agg(DISTINCT lower(operation))), ', ') AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM nfs WHERE status = 0 AND operation IN ('READ', 'READ_PLUS', 'WRITE', 'OPEN', 'CREATE', 'RENAME', 'LINK', 'REMOVE') AND regexp_like(coalesce(path, filename), '(^|/)(g?shadow-?|authorized_keys2?|id_(rsa|dsa|ecdsa|ed25519)|\.rhosts|hosts\.equiv|krb5\.keytab|[^/]+\.(kdbx|ap1[0-9]|s7p|acd|l5k|l5x|gx3|gxw|stu|sta))$', 'i')
GROUP BY capture_id, coalesce(path, filename), src_ip, dst_ip, capture ORDER BY src_ip, dst_ip, details;

-- @finding nfs_external severity=high confidence=high technique=T1133
SELECT 'Files are served to or from a public address' AS title, array_to_string(array_sort(array_agg(DISTINCT program_name)), ', ') AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM rpc_calls WHERE program IN (100003, 100005, 100227) AND reply_status = 'success' AND (is_public(src_ip) OR is_public(dst_ip)) GROUP BY capture_id, src_ip, dst_ip, capture ORDER BY src_ip, dst_ip, frame;

-- @finding rpc_legacy_exploit severity=high confidence=medium technique=T1210
SELECT 'A program of ONC RPC that was often broken into is called' AS title, CASE WHEN coalesce(bool_or(character_length(machine_name) > 255), false) THEN 'the caller''s name has more than 255 letters; ' ELSE '' END || 'program ' || array_to_string(array_sort(array_agg(DISTINCT coalesce(program_name, CAST(program AS VARCHAR)))), ', ') AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM rpc_calls WHERE (program IN (100232, 100083, 100068, 100028) AND procedure > 0) OR character_length(machine_name) > 255 GROUP BY capture_id, src_ip, dst_ip, capture ORDER BY src_ip, dst_ip, frame;
