-- @analyzer wlan
-- @group    newer
-- @title    WIRELESS NETWORKS
-- @help     Wireless networks, clients, handshakes, attacks

-- @section summary shape=facts
SELECT count(*) AS "Management, key frames", count(*) FILTER (WHERE subtype = 'beacon') AS beacons, count(*) FILTER (WHERE subtype LIKE 'probe_%') AS probes, count(*) FILTER (WHERE subtype IN ('deauthentication', 'disassociation')) AS "Deauths, disassociations", count(*) FILTER (WHERE subtype = 'eapol_key') AS "Key frames",
  count(DISTINCT bssid) FILTER (WHERE subtype IN ('beacon', 'probe_response')) AS "Access points", array_to_string(array_sort(array_agg(DISTINCT channel)), ', ') AS channels, min(ts) AS first, max(ts) AS last FROM wlan;

-- @section "Networks" shape=table limit=30
SELECT coalesce(ssid, '(hidden)') AS network, bssid, max(channel) AS channel, max(security) AS security, max(pmf) AS "PMF", bool_or(wps) AS "WPS", count(*) FILTER (WHERE subtype = 'beacon') AS beacons, round(avg(signal_dbm)) AS "Signal dBm", min(ts) AS first, max(ts) AS last
FROM wlan WHERE subtype IN ('beacon', 'probe_response') GROUP BY ssid, bssid ORDER BY beacons DESC, network, bssid;

-- @section "Clients" shape=table limit=30
SELECT transmitter AS client, bool_or(mac_randomised) AS randomised, array_to_string(array_sort(array_agg(DISTINCT ssid)), ', ') AS "Asked for", count(*) FILTER (WHERE subtype = 'probe_request') AS probes, count(*) FILTER (WHERE subtype IN ('association_request', 'reassociation_request')) AS associations, min(ts) AS first, max(ts) AS last
FROM wlan WHERE subtype IN ('probe_request', 'association_request', 'reassociation_request') GROUP BY transmitter ORDER BY associations DESC, probes DESC, client;

-- @section "Handshakes" shape=table limit=20
SELECT bssid, CASE WHEN transmitter = bssid THEN receiver ELSE transmitter END AS client, array_to_string(array_sort(array_agg(DISTINCT eapol_message)), ' ') AS messages, count(*) AS frames, count(DISTINCT eapol_message) = 4 AS complete, bool_or(pmkid IS NOT NULL) AS "PMKID", min(frame) AS frame
FROM wlan WHERE subtype = 'eapol_key' GROUP BY bssid, CASE WHEN transmitter = bssid THEN receiver ELSE transmitter END ORDER BY frame;

-- @section "Deauthentications" shape=table limit=20
SELECT transmitter AS source, receiver AS destination, subtype AS kind, coalesce(reason, CAST(reason_code AS VARCHAR)) AS reason, protected, count(*) AS count, min(frame) AS frame FROM wlan WHERE subtype IN ('deauthentication', 'disassociation') GROUP BY transmitter, receiver, subtype, reason, reason_code, protected ORDER BY count DESC, frame;

-- @section "Frames by kind" shape=table limit=20
SELECT coalesce(subtype, CAST(type_subtype AS VARCHAR)) AS kind, count(*) AS frames, count(*) FILTER (WHERE retry) AS "Sent again" FROM wlan GROUP BY subtype, type_subtype ORDER BY frames DESC, kind;

-- @section "All" shape=table verbose
SELECT ts, transmitter AS source, receiver AS destination, bssid, subtype AS kind, ssid, channel, security, status_code AS status, reason_code AS reason, eapol_message AS message, frame FROM wlan ORDER BY capture, frame;

-- @finding wlan_deauth_flood severity=high confidence=high technique=T1499,T0814
SELECT 'A flood of deauthentications' AS title, CAST(count(*) AS VARCHAR) || ' frames within 10 s to ' || coalesce(receiver, '-') || ' as from ' || min(bssid) AS details, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM wlan WHERE subtype IN ('deauthentication', 'disassociation') AND NOT protected AND NOT retry GROUP BY capture, capture_id, receiver, CAST(ts AS BIGINT) / 10000000000 HAVING count(*) >= 20 ORDER BY capture, frame;

-- @finding wlan_evil_twin severity=high confidence=medium technique=T1557.004
WITH nets AS (SELECT capture, capture_id, ssid, bssid, security, substr(bssid, 1, 8) AS maker, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, count(*) AS n FROM wlan WHERE subtype IN ('beacon', 'probe_response') AND ssid IS NOT NULL GROUP BY capture, capture_id, ssid, bssid, security),
kinds AS (SELECT capture_id, ssid, count(DISTINCT security) AS securities, count(DISTINCT bssid) AS points FROM nets GROUP BY capture_id, ssid)
SELECT 'A network of one name with another security' AS title, n.ssid || ': ' || array_to_string(array_sort(array_agg(DISTINCT n.bssid || ' ' || n.security)), ', ') AS details, sum(n.n) AS count, min(n.frame) AS frame, min(n.ts) AS ts, max(n.end_ts) AS end_ts, n.capture
FROM nets AS n JOIN kinds AS k ON k.capture_id = n.capture_id AND k.ssid = n.ssid WHERE k.points > 1 AND k.securities > 1 GROUP BY n.capture, n.capture_id, n.ssid HAVING count(DISTINCT n.maker) > 1 ORDER BY n.capture, frame;

-- @finding wlan_weak severity=medium confidence=high technique=T1040
WITH nets AS (SELECT capture, capture_id, bssid, min(ssid) AS ssid, min(security) AS security, bool_or(array_has(pairwise_codes, 2)) AS tkip, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, count(*) AS n FROM wlan WHERE subtype IN ('beacon', 'probe_response') GROUP BY capture, capture_id, bssid),
-- Stations that joined: a network that nobody uses endangers nobody.
used AS (SELECT DISTINCT capture_id, bssid FROM wlan WHERE subtype IN ('association_response', 'reassociation_response') AND status_code = 0 OR subtype = 'eapol_key')
SELECT CASE WHEN n.security IN ('open', 'wep') AND u.bssid IS NOT NULL THEN 'medium' ELSE 'low' END AS severity, 'A weakly secured network' AS title, coalesce(n.ssid, '(hidden)') || ' ' || coalesce(n.bssid, '-') || ': ' || n.security AS details, n.n AS count, n.frame, n.ts, n.end_ts, n.capture
FROM nets AS n LEFT JOIN used AS u ON u.capture_id = n.capture_id AND u.bssid = n.bssid WHERE n.security = 'wep' OR n.security IN ('wpa', 'wpa_eap') OR n.security = 'open' AND u.bssid IS NOT NULL ORDER BY n.capture, n.frame;

-- @finding wlan_pmkid severity=info confidence=high technique=T1040
WITH taken AS (SELECT capture, capture_id, bssid, CASE WHEN transmitter = bssid THEN receiver ELSE transmitter END AS client, bool_or(pmkid IS NOT NULL) AS has_pmkid, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts FROM wlan WHERE subtype = 'eapol_key' GROUP BY capture, capture_id, bssid, CASE WHEN transmitter = bssid THEN receiver ELSE transmitter END),
thrown AS (SELECT capture_id, receiver, ts FROM wlan WHERE subtype = 'deauthentication')
SELECT CASE WHEN count(d.ts) > 0 THEN 'medium' ELSE 'info' END AS severity, 'A PMKID can be guessed from' AS title, t.client || ' at ' || coalesce(t.bssid, '-') || CASE WHEN count(d.ts) > 0 THEN ', after a deauthentication' ELSE '' END AS details, min(t.frame) AS frame, t.frames, t.ts, t.end_ts, t.capture
FROM taken AS t LEFT JOIN thrown AS d ON d.capture_id = t.capture_id AND d.receiver IN (t.client, 'ff:ff:ff:ff:ff:ff') AND d.ts < t.ts AND d.ts > t.ts - INTERVAL '10 seconds' WHERE t.has_pmkid GROUP BY t.capture, t.capture_id, t.bssid, t.client, t.frames, t.ts, t.end_ts ORDER BY t.capture, frame;

-- @finding wlan_handshake severity=info confidence=high technique=T1040
WITH taken AS (SELECT capture, capture_id, bssid, CASE WHEN transmitter = bssid THEN receiver ELSE transmitter END AS client, count(DISTINCT eapol_message) FILTER (WHERE eapol_message IN (1, 2)) AS both, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts FROM wlan WHERE subtype = 'eapol_key' GROUP BY capture, capture_id, bssid, CASE WHEN transmitter = bssid THEN receiver ELSE transmitter END),
thrown AS (SELECT capture_id, receiver, ts FROM wlan WHERE subtype = 'deauthentication')
SELECT CASE WHEN count(d.ts) > 0 THEN 'medium' ELSE 'info' END AS severity, 'A handshake can be guessed from' AS title, t.client || ' at ' || coalesce(t.bssid, '-') || CASE WHEN count(d.ts) > 0 THEN ', after a deauthentication' ELSE '' END AS details, min(t.frame) AS frame, t.frames, t.ts, t.end_ts, t.capture
FROM taken AS t LEFT JOIN thrown AS d ON d.capture_id = t.capture_id AND d.receiver IN (t.client, 'ff:ff:ff:ff:ff:ff') AND d.ts < t.ts AND d.ts > t.ts - INTERVAL '10 seconds' WHERE t.both = 2 GROUP BY t.capture, t.capture_id, t.bssid, t.client, t.frames, t.ts, t.end_ts ORDER BY t.capture, frame;

-- @finding wlan_krack severity=high confidence=low technique=T1557
SELECT 'The third message of a handshake came again and again' AS title, receiver || ' at ' || coalesce(bssid, '-') || ': ' || CAST(count(*) AS VARCHAR) || ' times with other counters' AS details, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM wlan WHERE eapol_message = 3 AND NOT retry GROUP BY capture, capture_id, bssid, receiver, CAST(ts AS BIGINT) / 10000000000 HAVING count(DISTINCT key_replay_counter) >= 4 ORDER BY capture, frame;

-- @finding wlan_beacon_flood severity=medium confidence=medium technique=T1499
WITH firsts AS (SELECT capture, capture_id, bssid, min(frame) AS frame, min(ts) AS ts FROM wlan WHERE subtype = 'beacon' GROUP BY capture, capture_id, bssid), since AS (SELECT capture_id, CAST(min(ts) AS BIGINT) AS start FROM wlan GROUP BY capture_id)
SELECT 'A flood of new networks' AS title, CAST(count(*) AS VARCHAR) || ' within 10 s' AS details, count(*) AS count, min(f.frame) AS frame, array_slice(array_sort(array_agg(f.frame)), 1, 20) AS frames, min(f.ts) AS ts, max(f.ts) AS end_ts, f.capture
-- The first seconds of a capture show what is there anyway.
FROM firsts AS f JOIN since AS s ON s.capture_id = f.capture_id WHERE CAST(f.ts AS BIGINT) > s.start + 10000000000 GROUP BY f.capture, f.capture_id, CAST(f.ts AS BIGINT) / 10000000000 HAVING count(*) >= 50 ORDER BY f.capture, frame;

-- @finding wlan_probe_leak severity=info confidence=high technique=T1592
SELECT 'A client tells which networks it knows' AS title, transmitter || ': ' || array_to_string(array_sort(array_agg(DISTINCT ssid)), ', ') AS details, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM wlan WHERE subtype = 'probe_request' AND ssid IS NOT NULL GROUP BY capture, capture_id, transmitter HAVING count(DISTINCT ssid) >= 5 ORDER BY capture, frame;

-- @finding wlan_open_secret severity=medium confidence=high technique=T1040
-- What is read from frames of a network without keys, anybody in reach reads.
SELECT 'A login goes through the air in clear' AS title, c.protocol || ' ' || c.kind || coalesce(', account ' || c.username, '') AS details, c.src_ip, c.dst_ip, max(c.dst_port) AS dst_port, count(*) AS count, min(c.frame) AS frame, array_slice(array_sort(array_agg(c.frame)), 1, 20) AS frames, min(c.ts) AS ts, max(c.ts) AS end_ts, min(c.capture) AS capture
FROM credentials c JOIN packets p ON p.capture_id = c.capture_id AND p.frame = c.frame AND p.link_type IN (105, 119, 127, 163, 192) WHERE NOT coalesce(c.encrypted, false) AND c.kind IN ('password', 'basic', 'bearer', 'cookie', 'form', 'community', 'api_key', 'private_key')
GROUP BY c.capture_id, c.protocol, c.kind, c.username, c.src_ip, c.dst_ip ORDER BY c.src_ip, c.dst_ip, details;
