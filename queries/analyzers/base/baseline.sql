-- What is new, gone and changed on a network since the day it was known to be good.
-- @analyzer baseline
-- @group    base
-- @title    BASELINE DRIFT
-- @help     What changed since a baseline

-- @section summary shape=facts
SELECT b.path AS baseline_file, b.version AS baseline_version, b.created_at AS baseline_created, b.captures AS baseline_captures, c.captures AS current_captures, CASE WHEN h.new + h.missing + x.changes + s.new + s.missing + s.changed + o.new + o.missing + o.changed + t.new + t.missing + v.new + v.missing = 0 THEN 'No drift.' ELSE 'Changed.' END
    || CASE WHEN b.form < 2 THEN ' The baseline is of the older form: conversations, functions and rates are not compared.' ELSE '' END AS verdict,
  h.new AS "New Hosts", h.missing AS "Missing Hosts", x.changes AS "Host Changes", s.new AS "New Services", s.missing AS "Missing Services", s.changed AS "Service Changes",
  o.new AS "New OT Commands", o.missing AS "Missing OT Commands", o.changed AS "OT Command Changes", t.new AS "New Control Targets", t.missing AS "Missing Control Targets", v.new AS "New Conversations", v.missing AS "Missing Conversations"
FROM baseline b, (SELECT count(DISTINCT capture_id) AS captures FROM captures) c,
  (SELECT count(*) FILTER (WHERE b.ip IS NULL) AS new, count(*) FILTER (WHERE n.ip IS NULL) AS missing FROM present_hosts n FULL JOIN baseline_hosts b ON b.ip = n.ip) h,
  (SELECT count(*) AS changes FROM baseline_host_changes) x,
  (SELECT count(*) FILTER (WHERE b.ip IS NULL) AS new, count(*) FILTER (WHERE n.ip IS NULL) AS missing, count(*) FILTER (WHERE n.service <> b.service) AS changed FROM present_services n FULL JOIN baseline_services b ON b.ip = n.ip AND b.port = n.port AND b.protocol = n.protocol) s,
  (SELECT count(*) FILTER (WHERE b.name IS NULL) AS new, count(*) FILTER (WHERE n.name IS NULL) AS missing, count(*) FILTER (WHERE n.count <> b.count) AS changed FROM present_commands n FULL JOIN baseline_commands b ON b.name = n.name) o,
  (SELECT count(*) FILTER (WHERE b.target IS NULL) AS new, count(*) FILTER (WHERE n.target IS NULL) AS missing FROM present_targets n FULL JOIN baseline_targets b ON b.protocol = n.protocol AND b.target = n.target) t,
  (SELECT count(*) FILTER (WHERE b.src IS NULL) AS new, count(*) FILTER (WHERE n.src IS NULL) AS missing FROM present_conversations n FULL JOIN baseline_conversations b ON b.src = n.src AND b.dst = n.dst AND b.protocol = n.protocol AND coalesce(b.service, '') = n.service CROSS JOIN baseline form WHERE form.form >= 2) v;

-- @section "New Hosts" shape=table limit=10 unless_empty
SELECT n.ip AS host, array_to_string(n.macs, ', ') AS mac, array_to_string(n.hostnames, ', ') AS names, n.packets AS packets_sent, n.ts AS first, n.end_ts AS last FROM present_hosts n LEFT JOIN baseline_hosts b ON b.ip = n.ip WHERE b.ip IS NULL ORDER BY n.ts, host;

-- @section "Missing Hosts" shape=table limit=10 unless_empty
SELECT b.ip AS host, array_to_string(b.macs, ', ') AS mac, array_to_string(b.hostnames, ', ') AS names, array_to_string(b.ports, ', ') AS ports FROM baseline_hosts b LEFT JOIN present_hosts n ON b.ip = n.ip WHERE n.ip IS NULL ORDER BY host;

-- @section "Host Changes" shape=table limit=10 unless_empty
SELECT ip AS host, change, before, now FROM baseline_host_changes ORDER BY host, change;

-- @section "New Services" shape=table limit=10 unless_empty
SELECT n.ip AS address, n.port, n.protocol, n.service, array_length(n.clients) AS clients, n.ts AS first, n.frame FROM present_services n LEFT JOIN baseline_services b ON b.ip = n.ip AND b.port = n.port AND b.protocol = n.protocol WHERE b.ip IS NULL ORDER BY address, n.port, n.protocol;

-- @section "Missing Services" shape=table limit=10 unless_empty
SELECT b.ip AS address, b.port, b.protocol, b.service, array_to_string(b.clients, ', ') AS clients FROM baseline_services b LEFT JOIN present_services n ON b.ip = n.ip AND b.port = n.port AND b.protocol = n.protocol WHERE n.ip IS NULL ORDER BY address, b.port, b.protocol;

-- @section "Service Changes" shape=table limit=10 unless_empty
SELECT n.ip AS address, n.port, n.protocol, b.service AS before, n.service AS now FROM present_services n JOIN baseline_services b ON b.ip = n.ip AND b.port = n.port AND b.protocol = n.protocol WHERE n.service <> b.service ORDER BY address, n.port, n.protocol;

-- @section "OT Command Drift" shape=table limit=10 unless_empty
SELECT coalesce(n.name, b.name) AS command, coalesce(b.count, 0) AS baseline, coalesce(n.count, 0) AS current, CAST(coalesce(n.count, 0) AS BIGINT) - CAST(coalesce(b.count, 0) AS BIGINT) AS delta,
  round(coalesce(b.count, 0) / (SELECT max(duration_s) / 3600.0 FROM baseline WHERE duration_s > 0), 1) AS "baseline an hour", round(coalesce(n.count, 0) / (SELECT greatest(sum(duration_s) / 3600.0, 0.0003) FROM captures), 1) AS "current an hour"
FROM present_commands n FULL JOIN baseline_commands b ON b.name = n.name WHERE coalesce(n.count, 0) <> coalesce(b.count, 0) ORDER BY abs(CAST(coalesce(n.count, 0) AS BIGINT) - CAST(coalesce(b.count, 0) AS BIGINT)) DESC, command;

-- @section "New Control Targets" shape=table limit=10 unless_empty
SELECT n.protocol, n.target, n.count AS commands FROM present_targets n LEFT JOIN baseline_targets b ON b.protocol = n.protocol AND b.target = n.target WHERE b.target IS NULL ORDER BY n.count DESC, n.protocol, n.target;

-- @section "Missing Control Targets" shape=table limit=10 unless_empty
SELECT b.protocol, b.target, b.count AS commands FROM baseline_targets b LEFT JOIN present_targets n ON b.protocol = n.protocol AND b.target = n.target WHERE n.target IS NULL ORDER BY b.count DESC, b.protocol, b.target;

-- @section "New Conversations" shape=table limit=10 unless_empty
SELECT n.src, n.dst, n.protocol, nullif(n.service, '') AS service, n.flows, n.bytes FROM present_conversations n LEFT JOIN baseline_conversations b ON b.src = n.src AND b.dst = n.dst AND b.protocol = n.protocol AND coalesce(b.service, '') = n.service
WHERE b.src IS NULL AND (SELECT max(form) FROM baseline) >= 2 ORDER BY n.bytes DESC, n.src, n.dst, n.protocol, service;

-- @section "Missing Conversations" shape=table limit=10 unless_empty
SELECT b.src, b.dst, b.protocol, nullif(b.service, '') AS service, b.flows, b.bytes FROM baseline_conversations b LEFT JOIN present_conversations n ON b.src = n.src AND b.dst = n.dst AND b.protocol = n.protocol AND coalesce(b.service, '') = n.service WHERE n.src IS NULL ORDER BY b.bytes DESC, b.src, b.dst, b.protocol, service;

-- A client that writes or controls what it did not before; a server without traffic in the baseline proves nothing.
-- @finding baseline_new_ot_writer severity=high confidence=high technique=T0855,T0836 if=baseline
SELECT 'A station writes to a controller it did not write to before' AS title, n.client || ' -> ' || n.server || ': ' || array_to_string(array_sort(array_agg(DISTINCT n.protocol || ' ' || n.function)), ', ') AS details, n.client AS src_ip, n.server AS dst_ip, sum(n.count) AS count,
  min(n.frame) AS frame, first_value(n.frames ORDER BY n.frame) AS frames, min(n.ts) AS ts, max(n.end_ts) AS end_ts, min(n.capture) AS capture
FROM present_functions n JOIN (SELECT DISTINCT server FROM baseline_functions) known ON known.server = n.server
LEFT JOIN (SELECT DISTINCT client, server FROM baseline_functions WHERE category IN (SELECT category FROM changing_categories)) b ON b.client = n.client AND b.server = n.server
WHERE n.category IN (SELECT category FROM changing_categories) AND b.client IS NULL GROUP BY n.client, n.server ORDER BY n.client, n.server;

-- @finding baseline_new_ot_function severity=medium confidence=medium technique=T0843,T0858 if=baseline
SELECT 'A function that was not used before' AS title, n.client || ' -> ' || n.server || ': ' || n.protocol || ' ' || n.function || coalesce(' (' || n.category || ')', '') || ', ' || CAST(n.count AS VARCHAR) || ' times' AS details,
  CASE WHEN (SELECT coalesce(max(duration_s), 0) FROM baseline) < 600 THEN 'low' WHEN n.category IN ('control', 'program', 'mode', 'firmware', 'download', 'upload', 'start', 'stop', 'restart', 'file', 'file_write', 'force', 'config') THEN 'high' WHEN c.category IS NOT NULL THEN 'medium' ELSE 'low' END AS severity,
  n.client AS src_ip, n.server AS dst_ip, n.count, n.frame, n.frames, n.ts, n.end_ts, n.capture
FROM present_functions n JOIN (SELECT DISTINCT client, server, protocol FROM baseline_functions) pair ON pair.client = n.client AND pair.server = n.server AND pair.protocol = n.protocol
LEFT JOIN baseline_functions b ON b.client = n.client AND b.server = n.server AND b.protocol = n.protocol AND b.function = n.function
LEFT JOIN (SELECT DISTINCT client, server FROM baseline_functions WHERE category IN (SELECT category FROM changing_categories)) w ON w.client = n.client AND w.server = n.server
LEFT JOIN changing_categories c ON c.category = n.category
WHERE b.function IS NULL AND NOT (c.category IS NOT NULL AND w.client IS NULL) ORDER BY n.client, n.server, n.protocol, n.function;

-- @finding baseline_new_host severity=low confidence=medium technique=T1200 if=baseline
SELECT 'A host that was not there before' AS title, n.ip || coalesce(' (' || array_to_string(n.macs, ', ') || ')', '') || coalesce(', ' || array_to_string(n.hostnames, ', '), '') AS details,
  CASE WHEN peers.known >= 3 AND peers.new = 1 THEN 'medium' ELSE 'low' END AS severity, n.ip AS src_ip, n.packets AS count, n.ts, n.end_ts, n.capture
FROM present_hosts n LEFT JOIN baseline_hosts b ON b.ip = n.ip
LEFT JOIN (SELECT net, count(*) FILTER (WHERE is_known) AS known, count(*) FILTER (WHERE NOT is_known) AS new FROM (
    SELECT regexp_replace(n.ip, '\.[0-9]+$', '') AS net, b.ip IS NOT NULL AS is_known FROM present_hosts n LEFT JOIN baseline_hosts b ON b.ip = n.ip WHERE n.ip NOT LIKE '%:%') GROUP BY net) peers ON peers.net = regexp_replace(n.ip, '\.[0-9]+$', '')
WHERE b.ip IS NULL AND n.flows_out > 0 AND is_private(n.ip) ORDER BY n.ts, n.ip;

-- Virtual router addresses move by design.
-- @finding baseline_mac_changed severity=medium confidence=medium technique=T1557.002 if=baseline
SELECT 'An address moved to another network card' AS title, c.ip || ': ' || before || ', now ' || now AS details, c.ip AS src_ip, 1 AS count, ts, capture
FROM baseline_host_changes c LEFT JOIN (SELECT DISTINCT CAST(yiaddr AS VARCHAR) AS ip FROM dhcp WHERE op = 2) l ON l.ip = c.ip WHERE l.ip IS NULL AND change = 'mac' AND NOT (now LIKE '00:00:5e:00:0%' OR before LIKE '00:00:5e:00:0%' OR now LIKE '00:00:0c:07:ac:%' OR now LIKE '00:07:b4:%' OR now LIKE '00:00:0c:9f:f%') ORDER BY c.ip;

-- @finding baseline_new_service severity=medium confidence=medium technique=T1571 if=baseline
SELECT 'A service that was not there before' AS title, n.ip || ':' || CAST(n.port AS VARCHAR) || '/' || n.protocol || coalesce(' ' || n.service, '') || ', ' || CAST(array_length(n.clients) AS VARCHAR) || ' clients' AS details, n.client AS src_ip, n.ip AS dst_ip, n.port AS dst_port, array_length(n.clients) AS count, n.frame, n.ts, n.end_ts, n.capture
FROM present_services n JOIN baseline_hosts h ON h.ip = n.ip LEFT JOIN baseline_services b ON b.ip = n.ip AND b.port = n.port AND b.protocol = n.protocol
WHERE b.ip IS NULL AND coalesce(n.service, '') NOT IN ('ftp-data', 'dcerpc', 'tftp') AND (n.service IS NOT NULL OR n.port < 49152) AND n.protocol = 'tcp' ORDER BY n.ip, n.port;

-- Captures differ in length: rates are compared, not counts.
-- @finding baseline_command_rate severity=medium confidence=low technique=T0806 if=baseline
SELECT 'A command is given at another rate' AS title, n.name || ': ' || CAST(round(b.rate, 1) AS VARCHAR) || ' an hour before, ' || CAST(round(n.rate, 1) AS VARCHAR) || ' now' AS details, n.src_ip, n.dst_ip, n.count, n.frame, n.ts, n.end_ts, n.capture
FROM (SELECT *, count / (SELECT greatest(sum(duration_s) / 3600.0, 0.0003) FROM captures) AS rate FROM present_commands) n JOIN (SELECT name, count, count / (SELECT max(duration_s) / 3600.0 FROM baseline WHERE duration_s > 0) AS rate FROM baseline_commands) b ON b.name = n.name
WHERE abs(n.rate - b.rate) >= 0.5 * b.rate AND abs(CAST(n.count AS DOUBLE) - b.rate * (SELECT greatest(sum(duration_s) / 3600.0, 0.0003) FROM captures)) >= 5 ORDER BY n.name;

-- @finding baseline_missing_host severity=info confidence=low technique=T0814 if=baseline
SELECT 'A host that is silent now' AS title, b.ip || coalesce(', ' || array_to_string(b.hostnames, ', '), '') || coalesce(' offered ' || array_to_string(b.ports, ', '), '') AS details, CASE WHEN s.server IS NOT NULL THEN 'medium' ELSE 'info' END AS severity, b.ip AS dst_ip, 1 AS count
FROM baseline_hosts b LEFT JOIN present_hosts n ON n.ip = b.ip LEFT JOIN (SELECT DISTINCT server FROM baseline_functions) s ON s.server = b.ip
WHERE n.ip IS NULL AND (SELECT sum(duration_s) FROM captures) >= (SELECT coalesce(max(duration_s), 0) FROM baseline) ORDER BY b.ip;
