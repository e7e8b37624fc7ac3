-- @analyzer strings
-- @group    it
-- @title    STRINGS
-- @help     Readable text in clear traffic: URLs, addresses, paths, keys, commands

-- @section summary shape=facts
SELECT (SELECT count(*) FROM text_scans) AS "Texts read", (SELECT sum(read_bytes) FROM text_scans) AS read_bytes, (SELECT sum(runs) FROM text_scans) AS "Strings seen", count(*) AS kept, count(DISTINCT value) AS "Different ones", (SELECT count(*) FROM text_scans WHERE limited) AS "Texts read in part" FROM all_strings;

-- @section "Indicators" shape=table limit=200
SELECT kind, value, count(*) AS times, min(src_ip) AS "First source", min(dst_ip) AS "First target", max(service) AS service, array_to_string(array_slice(array_sort(array_agg(frame)), 1, 4), ', ') AS frames FROM all_strings WHERE kind NOT IN ('text', 'flag', 'flag_placeholder') GROUP BY kind, value
ORDER BY CASE kind WHEN 'key' THEN 1 WHEN 'credential' THEN 2 WHEN 'command' THEN 3 WHEN 'unc' THEN 4 WHEN 'path' THEN 5 WHEN 'hash' THEN 6 WHEN 'email' THEN 7 WHEN 'ip' THEN 8 WHEN 'domain' THEN 9 ELSE 10 END, times DESC, value;

-- @section "Top strings" shape=table limit=200
SELECT value AS string, count(*) AS times, encoding, array_to_string(array_sort(array_agg(DISTINCT coalesce(service, context))), ', ') AS "Where", min(frame) AS frame FROM all_strings WHERE kind = 'text' GROUP BY value, encoding ORDER BY times DESC, frame, string;

-- @section "By host" shape=table limit=25
SELECT src_ip AS sender, count(*) AS strings, count(*) FILTER (WHERE kind <> 'text') AS indicators, count(DISTINCT dst_ip) AS receivers, array_to_string(array_sort(array_agg(DISTINCT kind)), ', ') AS kinds FROM all_strings GROUP BY src_ip ORDER BY strings DESC, sender;

-- @finding strings_credential severity=medium confidence=medium technique=T1552
SELECT 'A secret is named in clear text' AS title, value || ' in ' || context || ' at ' || CAST(stream_offset AS VARCHAR) AS details, src_ip, dst_ip, dst_port, frame, ts, capture FROM strings WHERE kind = 'credential' AND coalesce(filename, '') NOT LIKE '%.js' AND coalesce(filename, '') NOT LIKE '%.css' AND context NOT IN ('http_form') ORDER BY capture, frame, details;

-- @finding strings_command severity=medium confidence=medium technique=T1059
SELECT 'A command line in clear text' AS title, substr(value, 1, 160) AS details, src_ip, dst_ip, dst_port, frame, ts, capture FROM strings WHERE kind = 'command' ORDER BY capture, frame, details;
