-- @analyzer smb
-- @group    it
-- @title    SMB
-- @help     SMB versions, shares, files, logins, lateral movement

-- @section summary shape=facts
SELECT s.commands, s.connections, s.clients, s.servers, s.versions, s.dialects, s.signed AS signed_commands, s.encrypted AS encrypted_messages, s.failed AS failed_commands, m.shares, f.files, s.first, s.last
FROM (SELECT count(*) AS commands, count(DISTINCT flow_id) AS connections, count(DISTINCT src_ip) AS clients, count(DISTINCT dst_ip) AS servers, array_to_string(array_sort(array_agg(DISTINCT version)), ', ') AS versions, array_to_string(array_sort(array_agg(DISTINCT dialect)), ', ') AS dialects,
  count(*) FILTER (WHERE signed) AS signed, count(*) FILTER (WHERE encrypted) AS encrypted, count(*) FILTER (WHERE status_code >= 3221225472 AND status_code <> 3221225494) AS failed, min(ts) AS first, max(ts) AS last FROM smb) s
CROSS JOIN (SELECT count(DISTINCT path) AS shares FROM smb_mappings) m CROSS JOIN (SELECT count(DISTINCT path) AS files FROM smb_files) f WHERE s.commands > 0;

-- @section "Sessions" shape=table limit=15
SELECT src_ip AS client, dst_ip AS server, domain, username AS account, max(hostname) AS host, max(auth_method) AS method, max(dialect) AS dialect, bool_or(signed) AS signed, bool_or(encrypted) AS encrypted, count(*) AS commands
FROM smb WHERE command IS NULL OR command <> 'negotiate' GROUP BY src_ip, dst_ip, domain, username ORDER BY commands DESC, client, server, domain, account;

-- @section "Shares" shape=table limit=15
SELECT path AS share, dst_ip AS server, max(share_type) AS type, bool_or(is_admin) AS admin, count(DISTINCT src_ip) AS clients, array_to_string(array_sort(array_agg(DISTINCT username)), ', ') AS accounts, count(*) AS connects, count(*) FILTER (WHERE status_code <> 0) AS refused
FROM smb_mappings GROUP BY path, dst_ip ORDER BY connects DESC, share, server;

-- @section "Files" shape=table limit=15
SELECT ts, action, path, share, username AS account, src_ip AS client, bytes_read AS read_bytes, bytes_written AS written_bytes, sha256 AS "SHA-256", frame FROM smb_files WHERE path IS NOT NULL AND action <> 'open' ORDER BY CAST(ts AS BIGINT) DESC, frame DESC, action, path;

-- @section "Pipes" shape=table limit=15
SELECT pipe, src_ip AS client, dst_ip AS server, max(username) AS account, count(*) AS commands, count(*) FILTER (WHERE status_code >= 3221225472) AS failed FROM smb WHERE pipe IS NOT NULL GROUP BY pipe, src_ip, dst_ip ORDER BY commands DESC, pipe, client, server;

-- @section "Commands" shape=table limit=25
SELECT version, command, count(request_frame) AS requests, count(response_frame) AS responses, count(*) FILTER (WHERE interim_pending) AS pending, median(response_time_ms) AS median_ms FROM smb WHERE command IS NOT NULL GROUP BY version, command ORDER BY count(*) DESC, version, command;

-- @section "Status" shape=table limit=15
SELECT command, coalesce(status, '0x' || to_hex(CAST(status_code AS BIGINT))) AS status, count(*) AS commands FROM smb WHERE status_code <> 0 GROUP BY command, coalesce(status, '0x' || to_hex(CAST(status_code AS BIGINT))) ORDER BY commands DESC, command, status;

-- @section "Servers" shape=table limit=15
SELECT dst_ip AS server, array_to_string(array_sort(array_agg(DISTINCT dialect)), ', ') AS dialects, max(security_mode) AS signing, max(server_guid) AS guid, array_to_string(max(capabilities), ', ') AS capabilities, count(DISTINCT src_ip) AS clients FROM smb WHERE command = 'negotiate' AND response_frame IS NOT NULL GROUP BY dst_ip ORDER BY clients DESC, server;

-- @section "All commands" shape=table verbose
SELECT ts, src_ip AS client, dst_ip AS server, command, sub_command AS kind, path, status, request_frame AS request, response_frame AS response FROM smb ORDER BY capture, frame, compound_index;

-- @finding smb1_in_use severity=high confidence=high technique=T1210
SELECT 'SMB 1 is in use' AS title, 'commands ' || array_to_string(array_slice(array_sort(array_agg(DISTINCT command)), 1, 6), ', ') AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM smb WHERE version = 'SMB1' AND command <> 'negotiate' AND status_code = 0 AND response_frame IS NOT NULL GROUP BY capture_id, src_ip, dst_ip, capture ORDER BY src_ip, dst_ip, frame;

-- @finding smb_signing_not_required severity=low confidence=high technique=T1557.001
SELECT 'A server does not require signing' AS title, 'signing ' || max(security_mode) AS details, dst_ip AS src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM smb WHERE command = 'negotiate' AND security_mode IN ('none', 'enabled') GROUP BY dst_ip, capture ORDER BY dst_ip;

-- @finding smb_guest_or_anonymous severity=medium confidence=high technique=T1078.001
WITH nobody AS (SELECT DISTINCT capture_id, flow_id, session_id, auth_method FROM smb WHERE command IN ('session_setup', 'session_setup_andx') AND status_code = 0 AND auth_method IN ('guest', 'anonymous'))
SELECT 'A share is open to all' AS title, m.path || ', session ' || max(n.auth_method) AS details, m.src_ip, m.dst_ip, count(*) AS count, min(m.frame) AS frame, array_slice(array_sort(array_agg(m.frame)), 1, 20) AS frames, min(m.ts) AS ts, max(m.ts) AS end_ts, min(m.capture) AS capture
FROM smb_mappings m JOIN nobody n ON n.capture_id = m.capture_id AND n.flow_id = m.flow_id AND n.session_id = m.session_id WHERE m.status_code = 0 AND upper(m.share_name) <> 'IPC$' GROUP BY m.capture_id, m.path, m.src_ip, m.dst_ip ORDER BY m.src_ip, m.dst_ip, details;

-- @finding smb_admin_share severity=medium confidence=high technique=T1021.002
SELECT 'An administrative share was connected' AS title, path || coalesce(' by ' || max(username), '') AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM smb_mappings WHERE is_admin AND status_code = 0 GROUP BY capture_id, path, src_ip, dst_ip, capture ORDER BY src_ip, dst_ip, details;

-- @finding smb_exec_upload severity=high confidence=high technique=T1570
SELECT 'A program was written to an administrative share' AS title, f.share || '\' || f.path || coalesce(', SHA-256 ' || max(f.sha256), '') AS details, f.src_ip, f.dst_ip, count(*) AS count, min(f.frame) AS frame, array_slice(array_sort(array_agg(f.frame)), 1, 20) AS frames, min(f.ts) AS ts, max(f.ts) AS end_ts, capture
FROM smb_files f WHERE f.action = 'write' AND regexp_like(f.share, '\\(admin\$|[a-z]\$|sysvol)$', 'i') AND regexp_like(f.path, '\.(exe|dll|sys|scr|ps1|bat|vbs|js|hta|msi|lnk)$', 'i') GROUP BY f.capture_id, f.share, f.path, f.src_ip, f.dst_ip, capture ORDER BY f.src_ip, f.dst_ip, details;

-- @finding smb_psexec severity=high confidence=high technique=T1569.002
SELECT 'Commands are run by a service of PsExec''s kind' AS title, 'pipes ' || array_to_string(array_slice(array_sort(array_agg(DISTINCT pipe)), 1, 4), ', ') AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM smb WHERE regexp_like(pipe, '^(psexesvc|paexec|csexec|remcom)|-(stdin|stdout|stderr)$', 'i') GROUP BY capture_id, src_ip, dst_ip, capture ORDER BY src_ip, dst_ip, frame;

-- @finding smb_lateral severity=medium confidence=high technique=T1021.002
SELECT 'One host opens the administrative shares of many' AS title, CAST(count(DISTINCT dst_ip) AS VARCHAR) || ' servers within an hour' || coalesce(', as ' || max(username), '') AS details, CASE WHEN count(DISTINCT dst_ip) >= 15 THEN 'high' ELSE 'medium' END AS severity, src_ip, count(*) AS count,
  min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM smb_mappings WHERE is_admin AND status_code = 0 GROUP BY capture_id, src_ip, CAST(ts AS BIGINT) / 3600000000000 HAVING count(DISTINCT dst_ip) >= 5 ORDER BY src_ip, frame;

-- @finding smb_brute severity=high confidence=high technique=T1110.001
SELECT 'Logins fail again and again' AS title, 'accounts ' || coalesce(array_to_string(array_slice(array_sort(array_agg(DISTINCT username)), 1, 5), ', '), 'unknown') AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM smb WHERE command IN ('session_setup', 'session_setup_andx') AND status IN ('STATUS_LOGON_FAILURE', 'STATUS_WRONG_PASSWORD', 'STATUS_ACCOUNT_LOCKED_OUT', 'STATUS_NO_SUCH_USER') GROUP BY capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 300000000000 HAVING count(*) >= 10 ORDER BY src_ip, dst_ip, frame;

-- @finding smb_mass_modify severity=critical confidence=medium technique=T1486
SELECT 'Files are changed in masses' AS title, CAST(count(DISTINCT path) AS VARCHAR) || ' files renamed to one extension within a minute' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM smb_files WHERE action = 'rename' GROUP BY capture_id, src_ip, dst_ip, regexp_replace(path, '^.*\.', ''), CAST(ts AS BIGINT) / 60000000000 HAVING count(DISTINCT path) >= 100 ORDER BY src_ip, dst_ip, frame;

-- @finding smb_mass_read severity=medium confidence=medium technique=T1039
SELECT 'Files are read in masses' AS title, CAST(count(DISTINCT path) AS VARCHAR) || ' files, ' || CAST(sum(bytes_read) AS VARCHAR) || ' bytes within ten minutes' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM smb_files WHERE action = 'read' GROUP BY capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 600000000000 HAVING count(DISTINCT path) >= 500 OR sum(bytes_read) >= 1000000000 ORDER BY src_ip, dst_ip, frame;

-- @finding smb_exploit severity=critical confidence=high technique=T1210
SELECT 'A compressed message is made to overflow its receiver' AS title, max(detail) AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM anomalies WHERE protocol = 'smb' AND detail LIKE 'the sizes of a compressed message%' GROUP BY capture_id, src_ip, dst_ip, capture ORDER BY src_ip, dst_ip, frame;

-- @finding smb_public severity=high confidence=high technique=T1190,T1187
SELECT 'SMB across the border' AS title, 'versions ' || array_to_string(array_sort(array_agg(DISTINCT version)), ', ') AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM smb WHERE (is_public(src_ip) AND is_private(dst_ip)) OR (is_private(src_ip) AND is_public(dst_ip)) GROUP BY capture_id, src_ip, dst_ip, capture ORDER BY src_ip, dst_ip, frame;

-- @finding smb_peer_admin severity=high confidence=medium technique=T1021.002,T1078.002
-- Servers are administered; workstations do not administer each other. Whoever opens the administrative shares of several hosts
-- that are themselves but clients, and serves nobody, moves sideways.
WITH opened AS (SELECT m.capture, m.capture_id, m.src_ip, m.dst_ip, m.path, m.username, m.frame, m.ts FROM smb_mappings m WHERE m.is_admin AND m.status_code = 0 AND coalesce(m.share_name, '') NOT ILIKE 'ipc$' AND m.path NOT ILIKE '%ipc$'),
clients AS (SELECT DISTINCT f.capture_id, f.src_ip FROM flows f WHERE f.transport = 'tcp' AND f.resp_bytes > 0),
servers AS (SELECT capture_id, dst_ip, count(DISTINCT src_ip) AS clients FROM flows WHERE transport = 'tcp' AND resp_bytes > 0 GROUP BY capture_id, dst_ip)
SELECT 'A workstation opens the administrative shares of others' AS title, CAST(count(DISTINCT o.dst_ip) AS VARCHAR) || ' hosts: ' || array_to_string(array_slice(array_sort(array_agg(DISTINCT o.path)), 1, 6), ', ') || coalesce(', as ' || max(o.username), '') AS details, o.src_ip, first_value(o.dst_ip ORDER BY o.frame) AS dst_ip, count(*) AS count, min(o.frame) AS frame, array_slice(array_sort(array_agg(o.frame)), 1, 20) AS frames, min(o.ts) AS ts, max(o.ts) AS end_ts, min(o.capture) AS capture
FROM opened o JOIN clients c ON c.capture_id = o.capture_id AND c.src_ip = o.dst_ip JOIN servers t ON t.capture_id = o.capture_id AND t.dst_ip = o.dst_ip AND t.clients <= 2 LEFT JOIN servers s ON s.capture_id = o.capture_id AND s.dst_ip = o.src_ip
WHERE coalesce(s.clients, 0) < 3 GROUP BY o.capture_id, o.src_ip HAVING count(DISTINCT o.dst_ip) >= 3 ORDER BY frame;

-- @finding smb1_offered severity=info confidence=high
SELECT 'SMB 1 is offered or agreed' AS title, CASE WHEN bool_or(chosen) THEN 'the server chose ' || max(dialect) FILTER (WHERE chosen) ELSE 'the client offers nothing newer' END || coalesce('; offered ' || max(array_to_string(dialects_offered, ', ')), '') AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
-- A client that lists SMB 2 in the old form of the question asks for the newer one.
FROM (SELECT *, coalesce(NOT regexp_like(CAST(dialect AS VARCHAR), '^(SMB )?[23][.]'), false) AS chosen FROM smb WHERE version = 'SMB1' AND command = 'negotiate')
WHERE chosen OR NOT regexp_like(array_to_string(dialects_offered, ','), '(^|,)SMB 2[.]') GROUP BY capture_id, src_ip, dst_ip ORDER BY src_ip, dst_ip, frame;

-- @finding smb_scheduled_task severity=high confidence=high technique=T1053.002,T1053.005
WITH accounts AS (SELECT capture_id, flow_id, max(coalesce(domain || '\', '') || username) AS account FROM smb WHERE username IS NOT NULL GROUP BY capture_id, flow_id)
SELECT 'A task is set up on another host over SMB' AS title, array_to_string(array_sort(array_agg(DISTINCT coalesce(d.operation, d.endpoint || ' ' || CAST(d.opnum AS VARCHAR)) || coalesce(' ' || d.detail, ''))), ', ') || coalesce(', by ' || max(a.account), '') AS details, d.src_ip, d.dst_ip, max(d.dst_port) AS dst_port, count(*) AS count, min(d.frame) AS frame, array_slice(array_sort(array_agg(d.frame)), 1, 20) AS frames, min(d.ts) AS ts, max(d.ts) AS end_ts, min(d.capture) AS capture
FROM dcerpc d LEFT JOIN accounts a ON a.capture_id = d.capture_id AND a.flow_id = d.flow_id
-- JobAdd; SchRpcRegisterTask and SchRpcRun. Lists of tasks are read for many reasons.
WHERE d.ptype = 0 AND d.carrier = 'smb' AND (d.endpoint = 'atsvc' AND d.opnum = 0 OR d.endpoint = 'ITaskSchedulerService' AND d.opnum IN (1, 12)) GROUP BY d.capture_id, d.src_ip, d.dst_ip ORDER BY d.src_ip, d.dst_ip, frame;

-- @finding smb_remote_registry severity=medium confidence=high technique=T1003.002
WITH calls AS (SELECT *, regexp_replace(detail, '^.*key=', '') AS key FROM dcerpc WHERE ptype = 0 AND carrier = 'smb' AND endpoint = 'winreg')
SELECT 'The keys of accounts are taken from the registry of another host' AS title, array_to_string(array_sort(array_agg(DISTINCT coalesce(operation, 'operation ' || CAST(opnum AS VARCHAR)) || coalesce(' ' || key, ''))), ', ') AS details, src_ip, dst_ip, max(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM calls WHERE opnum IN (20, 31) OR opnum = 15 AND regexp_like(key, '(?i)^((HKLM|HKEY_LOCAL_MACHINE)\\)?((SAM|SECURITY)(\\.*)?|SYSTEM)$') GROUP BY capture_id, src_ip, dst_ip ORDER BY src_ip, dst_ip, frame;

-- @finding smb_sam_lsa_enum severity=medium confidence=medium technique=T1087.002
SELECT 'Accounts are looked up in numbers' AS title, CAST(count(*) FILTER (WHERE endpoint = 'samr') AS VARCHAR) || ' calls of samr and ' || CAST(count(*) FILTER (WHERE endpoint = 'lsarpc') AS VARCHAR) || ' of lsarpc within five minutes' AS details, src_ip, dst_ip, max(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
-- Lists and lookups of users, groups and aliases, their members and their attributes; names and SIDs translated.
FROM dcerpc WHERE ptype = 0 AND carrier = 'smb' AND (endpoint = 'samr' AND opnum IN (11, 13, 15, 16, 17, 18, 20, 25, 28, 33, 34, 36, 39, 40, 47, 48, 51) OR endpoint = 'lsarpc' AND opnum IN (14, 15, 57, 58, 68, 76, 77))
GROUP BY capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 300000000000 HAVING count(*) >= 20 ORDER BY src_ip, dst_ip, frame;

-- @finding smb_share_enum severity=low confidence=high technique=T1135
SELECT 'The shares of many servers are listed' AS title, CAST(count(DISTINCT dst_ip) AS VARCHAR) || ' servers within ten minutes: ' || array_to_string(array_slice(array_sort(array_agg(DISTINCT dst_ip)), 1, 8), ', ') AS details, src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM dcerpc WHERE ptype = 0 AND carrier = 'smb' AND endpoint = 'srvsvc' AND opnum IN (15, 36) GROUP BY capture_id, src_ip, CAST(ts AS BIGINT) / 600000000000 HAVING count(DISTINCT dst_ip) >= 5 ORDER BY src_ip, frame;

-- @finding smb_spray severity=high confidence=high technique=T1110.003
WITH failed AS (
  SELECT min(capture) AS capture, capture_id, src_ip, dst_ip, lower(coalesce(domain || '\', '') || username) AS account, CAST(ts AS BIGINT) / 900000000000 AS span, count(*) AS tries, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts
  FROM smb WHERE command IN ('session_setup', 'session_setup_andx') AND status IN ('STATUS_LOGON_FAILURE', 'STATUS_WRONG_PASSWORD', 'STATUS_ACCOUNT_LOCKED_OUT', 'STATUS_NO_SUCH_USER') AND username IS NOT NULL
  GROUP BY capture_id, src_ip, dst_ip, lower(coalesce(domain || '\', '') || username), CAST(ts AS BIGINT) / 900000000000)
SELECT 'One client tries many accounts' AS title, CAST(count(DISTINCT account) AS VARCHAR) || ' accounts refused on ' || CAST(count(DISTINCT dst_ip) AS VARCHAR) || ' servers within 15 minutes: ' || array_to_string(array_slice(array_sort(array_agg(DISTINCT account)), 1, 6), ', ') AS details, src_ip, CASE WHEN count(DISTINCT dst_ip) = 1 THEN min(dst_ip) END AS dst_ip, sum(tries) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture
FROM failed GROUP BY capture_id, src_ip, span HAVING count(DISTINCT account) FILTER (WHERE tries <= 3) >= 5 OR count(DISTINCT account) >= 5 AND count(DISTINCT dst_ip) >= 5 ORDER BY src_ip, frame;

-- @finding smb_gpp severity=high confidence=high technique=T1552.006
SELECT 'A policy file with a password in it was read' AS title, coalesce(min(f.share) || '\', '') || f.path || ' holds a cpassword' || coalesce('; read by ' || max(f.username), '') AS details, f.src_ip, f.dst_ip, max(f.dst_port) AS dst_port, count(DISTINCT f.frame) AS count, min(f.frame) AS frame, array_slice(array_sort(array_agg(DISTINCT f.frame)), 1, 20) AS frames, min(f.ts) AS ts, max(f.ts) AS end_ts, min(f.capture) AS capture
FROM smb_files f JOIN strings s ON s.capture_id = f.capture_id AND s.flow_id = f.flow_id AND s.kind = 'credential' AND s.context = 'smb_file' AND strpos(lower(s.value), 'cpassword') > 0 AND lower(regexp_replace(s.filename, '^.*[\\/]', '')) = lower(regexp_replace(f.path, '^.*[\\/]', ''))
WHERE f.action = 'read' AND regexp_like(lower(f.path), '(^|[\\/])(groups|services|scheduledtasks|datasources|printers|drives)[.]xml$') GROUP BY f.capture_id, f.path, f.src_ip, f.dst_ip ORDER BY f.src_ip, f.dst_ip, f.path;

-- @finding smb_ntlm_relay_hint severity=medium confidence=medium technique=T1557.001
-- One challenge of two servers; or a client under the name of a workstation that is another host, while itself it is known by another name.
WITH given AS (SELECT capture, capture_id, flow_id, frame, ts, src_ip AS server, dst_ip AS client, carrier, server_challenge FROM ntlm WHERE message_type = 2 AND flow_id IS NOT NULL AND server_challenge <> secret('1122334455667788') AND server_challenge <> secret('0000000000000000')),
-- One name at several addresses: what stands before several servers passes connections on.
shared AS (SELECT DISTINCT a.capture_id, a.ip AS one, b.ip AS other FROM host_names a JOIN host_names b ON b.capture_id = a.capture_id AND b.name = a.name AND b.ip <> a.ip WHERE a.kind = 'dns_name' AND b.kind = 'dns_name'),
own AS (SELECT capture_id, ip, lower(split_part(name, '.', 1)) AS name FROM host_names WHERE ip IS NOT NULL AND kind = 'hostname' AND confidence = 'high' AND source NOT IN ('ntlm.hostname', 'smb.hostname') GROUP BY capture_id, ip, lower(split_part(name, '.', 1)))
SELECT 'A challenge of one server is given by another' AS title, b.server || ' to ' || b.client || ', then ' || a.server || ' to ' || a.client AS details, a.server AS src_ip, a.client AS dst_ip, 2 AS count, a.frame, make_array(b.frame, a.frame) AS frames, b.ts AS ts, a.ts AS end_ts, a.capture
FROM given a JOIN given b ON b.capture_id = a.capture_id AND b.server_challenge = a.server_challenge AND b.flow_id <> a.flow_id AND b.frame < a.frame AND b.server <> a.server AND b.client <> a.client AND 'smb' IN (a.carrier, b.carrier)
LEFT JOIN shared s ON s.capture_id = a.capture_id AND s.one = a.server AND s.other = b.server WHERE s.one IS NULL
UNION ALL
SELECT 'A login names a workstation that is another host' AS title, 'workstation ' || n.hostname || ', which is ' || min(w.ip) || '; ' || n.src_ip || ' is ' || min(o.name) || coalesce('; account ' || max(coalesce(n.domainname || '\', '') || n.username), '') AS details, n.src_ip, n.dst_ip, count(DISTINCT n.frame) AS count, min(n.frame) AS frame, array_slice(array_sort(array_agg(DISTINCT n.frame)), 1, 20) AS frames, min(n.ts) AS ts, max(n.ts) AS end_ts, min(n.capture) AS capture
FROM ntlm n JOIN own w ON w.capture_id = n.capture_id AND w.name = lower(split_part(n.hostname, '.', 1)) AND w.ip <> n.src_ip JOIN own o ON o.capture_id = n.capture_id AND o.ip = n.src_ip
WHERE n.message_type = 3 AND n.carrier = 'smb' AND n.username IS NOT NULL AND NOT EXISTS (SELECT 1 FROM own k WHERE k.capture_id = n.capture_id AND k.ip = n.src_ip AND k.name = lower(split_part(n.hostname, '.', 1)))
GROUP BY n.capture_id, n.hostname, n.src_ip, n.dst_ip ORDER BY src_ip, dst_ip, frame;

-- @finding smb_plain_credentials severity=high confidence=high technique=T1040
SELECT 'A password in clear, or as good as that' AS title, CASE auth_method WHEN 'plaintext' THEN 'plain text' ELSE 'a LAN Manager response' END || ', account ' || coalesce(domain || '\', '') || username AS details, src_ip, dst_ip, max(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM smb WHERE version = 'SMB1' AND command IN ('session_setup', 'session_setup_andx') AND auth_method IN ('plaintext', 'lanman') AND username IS NOT NULL GROUP BY capture_id, auth_method, domain, username, src_ip, dst_ip ORDER BY src_ip, dst_ip, details;
