-- @analyzer nfs
-- @group    it
-- @title    NFS
-- @help     NFS exports, clients, file operations

-- @section summary shape=facts
SELECT c.calls, c.programs, c.versions AS "NFS versions", c.transports, c.clients, c.servers, c.answered AS answered_share, c.p50 AS median_ms, c.p95 AS "95 % within_ms", n.operations, n.failed AS "failed operations", n.read_bytes, n.written_bytes, c.first, c.last
FROM (SELECT count(*) AS calls, array_to_string(array_sort(array_agg(DISTINCT coalesce(r.program_name, CAST(r.program AS VARCHAR)))), ', ') AS programs, array_to_string(array_sort(array_agg(DISTINCT CASE WHEN r.program = 100003 THEN r.program_version END)), ', ') AS versions,
  array_to_string(array_sort(array_agg(DISTINCT f.transport)), ', ') AS transports, count(DISTINCT r.src_ip) AS clients, count(DISTINCT r.dst_ip) AS servers, CAST(count(r.response_frame) AS DOUBLE) / count(*) AS answered,
  median(r.response_time_ms) AS p50, approx_percentile_cont(0.95) WITHIN GROUP (ORDER BY r.response_time_ms) AS p95, min(r.ts) AS first, max(r.ts) AS last
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
SELECT version, minor_version AS minor, operation, count(*) AS calls, count(status) AS answered, count(*) FILTER (WHERE status <> 0) AS failed, approx_percentile_cont(0.95) WITHIN GROUP (ORDER BY response_time_ms) AS "95 % within_ms" FROM nfs GROUP BY version, minor_version, operation ORDER BY version, minor, calls DESC, operation;

-- @section "Files" shape=table limit=25
SELECT path, count(*) FILTER (WHERE operation IN ('READ', 'READ_PLUS')) AS reads, count(*) FILTER (WHERE operation = 'WRITE') AS writes, coalesce(sum(returned_bytes) FILTER (WHERE operation IN ('READ', 'READ_PLUS', 'WRITE')), 0) AS moved_bytes, max(owner) AS owner, count(DISTINCT src_ip) AS clients, array_to_string(array_sort(array_agg(DISTINCT lower(operation))), ', ') AS operations
FROM nfs WHERE path IS NOT NULL AND coalesce(file_type, 'file') <> 'dir' AND operation NOT IN ('GETATTR', 'ACCESS', 'FSINFO', 'FSSTAT', 'PATHCONF', 'STATFS', 'PUTFH', 'PUTROOTFH', 'GETFH', 'SAVEFH', 'RESTOREFH', 'READDIR', 'READDIRPLUS') AND status = 0 GROUP BY path ORDER BY moved_bytes DESC, count(*) DESC, path;

-- @section "Content followed" shape=table limit=25 if=files
SELECT ts, direction, filename AS path, size_bytes AS size_bytes, complete, mime AS type, substr(sha256, 1, 16) AS "SHA-256", frame FROM files WHERE source = 'nfs' ORDER BY capture, CAST(ts AS BIGINT), frame, path;

-- @section "Created, removed, renamed" shape=table limit=25
SELECT ts, operation, coalesce(path, filename) AS path, coalesce(new_path, new_filename) AS "new name or target", status_name AS status, src_ip AS client, uid, frame
FROM nfs WHERE operation IN ('CREATE', 'MKDIR', 'SYMLINK', 'MKNOD', 'LINK', 'REMOVE', 'RMDIR', 'RENAME') OR (operation = 'OPEN' AND file_type = 'file' AND mode IS NOT NULL) ORDER BY capture, CAST(ts AS BIGINT), frame, xid, compound_index;

-- @section "Errors" shape=table limit=15
SELECT status_name AS status, operation, coalesce(path, filename) AS path, src_ip AS client, count(*) AS calls, min(frame) AS frame FROM nfs WHERE status <> 0 GROUP BY status_name, operation, coalesce(path, filename), src_ip ORDER BY calls DESC, status, operation, path, client;

-- @section "All operations" shape=table verbose
SELECT ts, src_ip AS client, dst_ip AS server, version, operation, coalesce(path, filename) AS path, "offset", count, returned_bytes AS moved_bytes, status_name AS status, frame, response_frame AS reply FROM nfs ORDER BY capture, frame, xid, compound_index;
