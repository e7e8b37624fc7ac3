-- @analyzer niagara
-- @group    ot
-- @title    NIAGARA FOX ANALYSIS
-- @help     Tridium Niagara Fox stations and sessions

-- @section summary shape=facts
SELECT count(*) AS messages, count(DISTINCT flow_id) AS sessions, count(DISTINCT CASE WHEN app_name = 'Station' THEN src_ip END) AS stations, count(*) FILTER (WHERE command = 'challenge') AS challenges, count(*) FILTER (WHERE command IN ('login', 'authenticate')) AS logins, count(*) FILTER (WHERE command = 'rejected') AS rejected, min(ts) AS first, max(ts) AS last FROM niagara_fox;

-- @section "Stations" shape=table limit=15
SELECT src_ip AS ip, max(station_name) AS station, max(app_version) AS version, max(brand_id) AS brand, max(os_name || ' ' || coalesce(os_version, '')) AS system, max(vm_name || ' ' || coalesce(vm_version, '')) AS "JVM", max(host_id) AS "Host id", max(hostname) AS name, max(host_address) AS "Own address" FROM niagara_fox WHERE app_name = 'Station' GROUP BY src_ip ORDER BY ip;

-- @section "Sessions" shape=table limit=15
SELECT CASE WHEN is_orig THEN src_ip ELSE dst_ip END AS client, CASE WHEN is_orig THEN dst_ip ELSE src_ip END AS station, max(CASE WHEN is_orig THEN app_name || ' ' || coalesce(app_version, '') END) AS application, max(auth_method) AS method, max(username) AS user, CASE WHEN count(*) FILTER (WHERE command = 'rejected') > 0 THEN 'rejected' WHEN count(*) FILTER (WHERE command = 'welcome') > 0 THEN 'accepted' ELSE 'unknown' END AS login, count(*) AS messages, min(ts) AS first
FROM niagara_fox GROUP BY capture_id, flow_id, CASE WHEN is_orig THEN src_ip ELSE dst_ip END, CASE WHEN is_orig THEN dst_ip ELSE src_ip END ORDER BY first, client;

-- @section "Messages" shape=table verbose
SELECT ts, src_ip AS source, dst_ip AS destination, frame_type AS type, sequence, channel, command, array_to_string(fields, '; ') AS fields FROM niagara_fox ORDER BY capture, frame;

-- @finding fox_identity_disclosed severity=low confidence=high technique=T0888
SELECT CASE WHEN is_public(dst_ip) OR is_public(src_ip) THEN 'medium' ELSE 'low' END AS severity, 'A station tells what it is before any login' AS title, coalesce(station_name, app_name) || ', version ' || coalesce(app_version, '-') || ', host ' || coalesce(host_id, '-') AS details, src_ip, dst_ip, src_port, frame, ts, capture
FROM niagara_fox WHERE command = 'hello' AND NOT is_orig AND (station_name IS NOT NULL OR host_id IS NOT NULL) ORDER BY capture, frame;

-- @finding fox_public_station severity=high confidence=high technique=T0883
SELECT 'A station answers across the internet' AS title, coalesce(max(station_name), max(app_name), 'station') AS details, dst_ip AS src_ip, src_ip AS dst_ip, src_port AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM niagara_fox WHERE NOT is_orig AND (is_public(src_ip) OR is_public(dst_ip)) GROUP BY capture, capture_id, src_ip, dst_ip, src_port ORDER BY capture, frame;

-- @finding fox_login_basic severity=high confidence=high technique=T0859
SELECT 'A login in clear' AS title, coalesce('user ' || username, 'method basic') AS details, src_ip, dst_ip, frame, ts, capture FROM (
  SELECT username, src_ip, dst_ip, frame, ts, capture FROM niagara_fox WHERE lower(CAST(auth_method AS VARCHAR)) = 'basic'
  UNION ALL SELECT username, src_ip, dst_ip, frame, ts, capture FROM credentials WHERE protocol = 'niagara_fox' AND kind = 'password') ORDER BY capture, frame;

-- @finding fox_login_failure_burst severity=medium confidence=high technique=T0859,T1110
SELECT 'Logins are rejected again and again' AS title, CAST(count(*) AS VARCHAR) || ' within five minutes' AS details, dst_ip AS src_ip, src_ip AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM niagara_fox WHERE command = 'rejected' GROUP BY capture, capture_id, dst_ip, src_ip, CAST(ts AS BIGINT) / 300000000000 HAVING count(*) >= 5 ORDER BY capture, frame;

-- @finding fox_old_version severity=low technique=T0866
SELECT 'A station of the AX generation' AS title, coalesce(max(station_name), '-') || ': version ' || app_version AS details, src_ip, min(frame) AS frame, min(ts) AS ts, capture
FROM niagara_fox WHERE app_name = 'Station' AND TRY_CAST(split_part(CAST(app_version AS VARCHAR), '.', 1) AS INT) < 4 GROUP BY capture, capture_id, src_ip, app_version ORDER BY capture, frame;

-- @finding fox_scan severity=medium technique=T0846
SELECT 'Stations are looked for' AS title, CAST(count(DISTINCT dst_ip) AS VARCHAR) || ' hosts were greeted' AS details, src_ip, count(DISTINCT dst_ip) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, n.capture AS capture
FROM niagara_fox AS n WHERE is_orig AND command = 'hello' AND NOT EXISTS (SELECT 1 FROM niagara_fox AS l WHERE l.capture_id = n.capture_id AND l.src_ip = n.src_ip AND l.is_orig AND l.command IN ('login', 'authenticate')) GROUP BY n.capture, n.capture_id, src_ip HAVING count(DISTINCT dst_ip) >= 5 ORDER BY capture, src_ip;

-- @finding fox_nonstandard_port severity=low confidence=high technique=T0885
SELECT 'Niagara Fox on another port than its own' AS title, 'port ' || CAST(dst_port AS VARCHAR) AS details, min(src_ip) AS src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, capture
FROM flows WHERE service IN ('niagara_fox') AND src_port NOT IN (1911, 4911) AND dst_port NOT IN (1911, 4911) GROUP BY dst_ip, dst_port, capture ORDER BY frame;
