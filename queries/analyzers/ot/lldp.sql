-- @analyzer lldp
-- @group    ot
-- @title    LLDP ANALYSIS
-- @help     LLDP and PROFINET DCP devices

-- @section summary shape=facts
SELECT (SELECT count(*) FROM lldp) AS "LLDP messages", (SELECT count(*) FROM cdp) AS "CDP messages", (SELECT count(*) FROM stp) AS "spanning tree messages",
  (SELECT count(DISTINCT src_mac) FROM (SELECT src_mac FROM lldp UNION ALL SELECT src_mac FROM cdp)) AS announcers,
  (SELECT count(DISTINCT bridge_mac) FROM stp) AS bridges, (SELECT count(*) FROM lldp WHERE ttl_s = 0) AS shutdowns,
  min(ts) AS first, max(ts) AS last
FROM (SELECT ts FROM lldp UNION ALL SELECT ts FROM cdp UNION ALL SELECT ts FROM stp);

-- @section "Neighbours" shape=table limit=30
SELECT name, mac, protocol, port, max(addresses) AS addresses, max(vlan) AS vlan, max(capabilities) AS capabilities, count(*) AS messages,
  CASE WHEN count(*) > 1 THEN CAST(CAST(max(ts) AS BIGINT) - CAST(min(ts) AS BIGINT) AS DOUBLE) / 1e9 / (count(*) - 1) END AS interval_s, min(ts) AS first, max(ts) AS last
FROM (
  SELECT coalesce(system_name, chassis_id) AS name, src_mac AS mac, 'LLDP' AS protocol, port_id AS port, array_to_string(management_addresses, ', ') AS addresses, port_vlan_id AS vlan,
    array_to_string(enabled_capabilities, ', ') AS capabilities, ts FROM lldp
  UNION ALL
  SELECT coalesce(system_name, device_id), src_mac, 'CDP', port_id, array_to_string(coalesce(management_addresses, addresses), ', '), native_vlan, array_to_string(capabilities, ', '), ts FROM cdp)
GROUP BY name, mac, protocol, port ORDER BY name, mac, protocol, port;

-- @section "Devices by CDP" shape=table limit=30 if=cdp
SELECT device_id AS device, platform, split_part(software_version, chr(10), 1) AS software, vtp_domain AS "VTP domain", CASE WHEN duplex THEN 'full' WHEN NOT duplex THEN 'half' END AS duplex, voice_vlan AS "voice VLAN", count(*) AS messages
FROM cdp GROUP BY device_id, platform, software_version, vtp_domain, duplex, voice_vlan ORDER BY device_id, platform, software, duplex, voice_vlan;

-- @section "Spanning trees" shape=table limit=15 if=stp
SELECT coalesce(originating_vlan, vlan_id) AS vlan, variant, root_mac AS root, root_priority AS priority, root_extension AS extension, count(DISTINCT bridge_mac) AS bridges, min(root_cost) AS "least cost", count(*) AS messages,
  count(*) FILTER (WHERE topology_change OR bpdu_type = 'tcn') AS "with change", max(mst_region) AS region, min(ts) AS first, max(ts) AS last
FROM stp WHERE bpdu_type IS NOT NULL GROUP BY coalesce(originating_vlan, vlan_id), variant, root_mac, root_priority, root_extension ORDER BY messages DESC, vlan, variant, root, priority, extension;

-- @section "Descriptions" shape=table limit=30
SELECT chassis_id AS chassis, system_name AS name, system_description AS description, port_description AS port FROM lldp WHERE system_description IS NOT NULL OR port_description IS NOT NULL
GROUP BY chassis_id, system_name, system_description, port_description ORDER BY name, chassis, port;

-- @section "Changes" shape=table limit=15
SELECT ts, protocol, name, port, changed, frame FROM (
  SELECT capture, ts, 'LLDP' AS protocol, coalesce(system_name, chassis_id) AS name, port_id AS port, array_to_string(changed_fields, ', ') AS changed, frame FROM lldp WHERE array_length(changed_fields) > 0
  UNION ALL
  SELECT capture, ts, 'CDP', device_id, port_id, array_to_string(changed_fields, ', '), frame FROM cdp WHERE array_length(changed_fields) > 0)
ORDER BY capture, frame;

-- @finding lldp_changed_identity severity=medium confidence=high technique=T1557,T0830
SELECT 'A device says something else of itself than before' AS title, coalesce(system_name, chassis_id) || ' changed ' || array_to_string(changed_fields, ', ') AS details, frame, ts, capture FROM lldp
WHERE array_has_any(changed_fields, make_array('system_name', 'system_description', 'management_addresses')) ORDER BY capture, frame;

-- @finding lldp_duplicate_chassis severity=medium technique=T1557
SELECT 'Two stations claim one chassis' AS title, chassis_id || ' is announced by ' || array_to_string(array_sort(array_agg(DISTINCT src_mac)), ', ') || ' as ' || array_to_string(array_sort(array_agg(DISTINCT system_name)), ', ') AS details,
  count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM lldp WHERE ttl_s > 0 GROUP BY capture_id, chassis_id HAVING count(DISTINCT src_mac) > 1 AND count(DISTINCT system_name) > 1 ORDER BY chassis_id;

-- @finding lldp_shutdown severity=info confidence=high
SELECT 'A device said goodbye' AS title, chassis_id || ', port ' || coalesce(port_id, '-') AS details, frame, ts, capture FROM lldp WHERE ttl_s = 0 ORDER BY capture, frame;

-- @finding lldp_flood severity=medium confidence=high technique=T1499.001,T0814
SELECT 'Flood of announcements' AS title, details, count, frame, ts, end_ts, capture FROM (
  SELECT CAST(max(chassis) AS VARCHAR) || ' different devices within a minute' AS details, sum(n) AS count, min(frame) AS frame, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture
  FROM (SELECT min(capture) AS capture, capture_id, count(DISTINCT chassis_id) AS chassis, count(*) AS n, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts FROM lldp GROUP BY capture_id, CAST(ts AS BIGINT) / 60000000000)
  WHERE chassis >= 50 GROUP BY capture_id
  UNION ALL
  SELECT 'up to ' || CAST(max(n) AS VARCHAR) || ' a second from ' || src_mac, sum(n), min(frame), min(ts), max(end_ts), min(capture)
  FROM (SELECT min(capture) AS capture, capture_id, src_mac, count(*) AS n, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts FROM lldp GROUP BY capture_id, src_mac, CAST(ts AS BIGINT) / 1000000000) WHERE n > 10 GROUP BY capture_id, src_mac)
ORDER BY capture, frame, details;

-- @finding lldp_malformed severity=low confidence=high technique=T1499.004
SELECT 'Malformed announcement' AS title, malformed AS details, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM lldp WHERE malformed IS NOT NULL AND malformed <> 'truncated' GROUP BY malformed, chassis_id, src_mac, capture HAVING count(*) >= 2 ORDER BY malformed, frame;

-- @finding cdp_native_vlan_mismatch severity=low confidence=medium
SELECT 'The ends of a link disagree' AS title, 'VLAN ' || a.capture_vlan || ': ' || a.device_id || ' ' || a.port_id || ' announces native VLAN ' || coalesce(CAST(a.native_vlan AS VARCHAR), '-') || CASE WHEN a.duplex THEN ', full duplex' WHEN NOT a.duplex THEN ', half duplex' ELSE '' END
  || '; ' || b.device_id || ' ' || b.port_id || ' native VLAN ' || coalesce(CAST(b.native_vlan AS VARCHAR), '-') || CASE WHEN b.duplex THEN ', full duplex' WHEN NOT b.duplex THEN ', half duplex' ELSE '' END AS details,
  a.frame AS frame, make_array(a.frame, b.frame) AS frames, a.ts AS ts, b.last_ts AS end_ts, a.capture
FROM (SELECT min(capture) AS capture, capture_id, 'untagged' AS capture_vlan, device_id, port_id, native_vlan, duplex, min(frame) AS frame, min(ts) AS ts, max(ts) AS last_ts FROM cdp WHERE malformed IS NULL GROUP BY capture_id, device_id, port_id, native_vlan, duplex) AS a
JOIN (SELECT capture_id, device_id, port_id, native_vlan, duplex, min(frame) AS frame, max(ts) AS last_ts FROM cdp WHERE malformed IS NULL GROUP BY capture_id, device_id, port_id, native_vlan, duplex) AS b
  ON a.capture_id = b.capture_id AND a.device_id < b.device_id AND (a.native_vlan <> b.native_vlan OR a.duplex <> b.duplex)
-- Two announcers alone in a capture are the two ends of one link.
JOIN (SELECT capture_id FROM cdp GROUP BY capture_id HAVING count(DISTINCT device_id) = 2) AS pair ON pair.capture_id = a.capture_id
ORDER BY a.frame, b.frame;

-- @finding cdp_information_leak severity=info confidence=high technique=T0888
SELECT 'Software version announced in clear' AS title, device || ' (' || protocol || '): ' || version AS details, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM (SELECT capture, device_id AS device, 'CDP' AS protocol, split_part(software_version, chr(10), 1) AS version, frame, ts FROM cdp WHERE software_version IS NOT NULL
  UNION ALL SELECT capture, coalesce(system_name, chassis_id), 'LLDP-MED', array_to_string(med_inventory, ', '), frame, ts FROM lldp WHERE array_to_string(med_inventory, ', ') LIKE '%software=%' OR array_to_string(med_inventory, ', ') LIKE '%firmware=%')
GROUP BY capture, device, protocol, version ORDER BY capture, device, protocol, version;

-- @finding cdp_flood severity=medium confidence=high technique=T1499.001,T0814
SELECT 'Flood of CDP announcements' AS title, CAST(max(devices) AS VARCHAR) || ' different devices within a minute' AS details, sum(n) AS count, min(frame) AS frame, min(first) AS ts, max(last) AS end_ts, capture
FROM (SELECT min(capture) AS capture, capture_id, CAST(ts AS BIGINT) / 60000000000 AS minute, count(DISTINCT device_id) AS devices, count(*) AS n, min(frame) AS frame, min(ts) AS first, max(ts) AS last FROM cdp GROUP BY capture_id, CAST(ts AS BIGINT) / 60000000000)
WHERE devices >= 50 GROUP BY capture, capture_id;

-- @finding stp_root_change severity=high technique=T1557,T0830
SELECT 'Another bridge became the root' AS title, c.root_mac || ' (priority ' || CAST(c.root_priority AS VARCHAR) || ') takes the place of ' || c.old_root || ' (priority ' || CAST(c.old_priority AS VARCHAR) || ')' AS details,
  c.frame AS frame, c.ts AS ts, c.capture AS capture
FROM (
  SELECT capture, capture_id, frame, ts, root_mac, root_priority, max_age_s, vlan, variant, root_extension,
    lag(root_mac) OVER (PARTITION BY capture_id, vlan, variant, root_extension ORDER BY frame) AS old_root, lag(root_priority) OVER (PARTITION BY capture_id, vlan, variant, root_extension ORDER BY frame) AS old_priority,
    lag(CAST(ts AS BIGINT)) OVER (PARTITION BY capture_id, vlan, variant, root_extension ORDER BY frame) AS old_ts,
    row_number() OVER (PARTITION BY capture_id, vlan, variant, root_extension, root_mac ORDER BY frame) AS nth
  FROM (SELECT capture, capture_id, frame, ts, CAST(root_mac AS VARCHAR) AS root_mac, root_priority, root_extension, variant, max_age_s, coalesce(originating_vlan, vlan_id, 0) AS vlan FROM stp WHERE root_mac IS NOT NULL AND malformed IS NULL)) AS c
-- While a tree forms every bridge claims to be its root: the old one must have stood for a maximum age, and not be gone for one.
JOIN (SELECT capture_id, coalesce(originating_vlan, vlan_id, 0) AS vlan, variant, root_extension, CAST(root_mac AS VARCHAR) AS root_mac, min(CAST(ts AS BIGINT)) AS first_ts FROM stp WHERE root_mac IS NOT NULL GROUP BY 1, 2, 3, 4, 5) AS r
  ON r.capture_id = c.capture_id AND r.vlan = c.vlan AND r.variant = c.variant AND r.root_extension = c.root_extension AND r.root_mac = c.old_root
WHERE c.nth = 1 AND c.old_root <> c.root_mac AND (c.root_priority < c.old_priority OR c.root_priority = c.old_priority AND c.root_mac < c.old_root)
  AND CAST(c.ts AS BIGINT) - c.old_ts < c.max_age_s * 1e9 AND c.old_ts - r.first_ts >= c.max_age_s * 1e9
ORDER BY capture, frame;

-- @finding stp_topology_change_storm severity=medium confidence=high technique=T0814
SELECT 'The spanning tree keeps changing' AS title, CAST(max(n) AS VARCHAR) || ' topology changes within a minute' AS details, sum(n) AS count, min(frame) AS frame, min(first) AS ts, max(last) AS end_ts, capture
FROM (
  SELECT capture, CAST(ts AS BIGINT) / 60000000000 AS minute, count(*) AS n, min(frame) AS frame, min(ts) AS first, max(ts) AS last
  FROM (SELECT capture, frame, ts, CAST(ts AS BIGINT) - lag(CAST(ts AS BIGINT)) OVER (PARTITION BY capture_id, src_mac, coalesce(originating_vlan, vlan_id, 0), bpdu_type = 'tcn' ORDER BY frame) AS gap, bpdu_type FROM stp WHERE topology_change OR bpdu_type = 'tcn')
  -- A change is announced for several hello times: what follows within 35 s (a maximum age and a forward delay) of one sender is one.
  WHERE bpdu_type = 'tcn' OR gap IS NULL OR gap > 35000000000 GROUP BY capture, CAST(ts AS BIGINT) / 60000000000)
WHERE n >= 10 GROUP BY capture ORDER BY capture;

-- @finding stp_version_mismatch severity=low confidence=medium
SELECT 'Plain STP beside RSTP or MSTP' AS title, 'VLAN ' || coalesce(CAST(vlan AS VARCHAR), 'untagged') || ': ' || array_to_string(array_sort(array_agg(DISTINCT variant)), ', ') AS details, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM (SELECT capture, frame, ts, CAST(variant AS VARCHAR) AS variant, coalesce(originating_vlan, vlan_id) AS vlan FROM stp WHERE variant IN ('stp', 'rstp', 'mstp'))
GROUP BY capture, vlan HAVING count(DISTINCT variant) > 1 AND array_has(array_agg(variant), 'stp') ORDER BY capture, vlan;

-- @finding stp_malformed severity=medium confidence=high technique=T1499.004
SELECT 'Malformed spanning tree message' AS title, 'version ' || coalesce(CAST(version_code AS VARCHAR), '-') || ', ' || malformed AS details, count(*) AS count, min(s.frame) AS frame, array_slice(array_sort(array_agg(s.frame)), 1, 20) AS frames, min(s.ts) AS ts, max(s.ts) AS end_ts, s.capture AS capture
FROM stp AS s JOIN packets AS p ON p.capture_id = s.capture_id AND p.frame = s.frame AND p.captured_len = p.frame_len
WHERE malformed IS NOT NULL GROUP BY s.capture, version_code, malformed ORDER BY capture, version_code, malformed;

-- @finding lldp_new_neighbour severity=low confidence=high technique=T1557
WITH spans AS (SELECT capture_id, CAST(min(ts) AS BIGINT) AS start, CAST(max(ts) AS BIGINT) AS stop FROM packets GROUP BY capture_id),
announcers AS (SELECT min(capture) AS capture, capture_id, chassis_id, max(system_name) AS system_name, min(src_mac) AS src_mac, max(ttl_s) AS ttl_s, count(*) AS n, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts FROM lldp WHERE ttl_s > 0 AND chassis_id IS NOT NULL GROUP BY capture_id, chassis_id)
SELECT 'A device that did not announce itself before' AS title, coalesce(a.system_name || ', ', '') || a.chassis_id || ' from ' || coalesce(a.src_mac, '-') || ', ' || CAST((CAST(a.ts AS BIGINT) - s.start) / 1000000000 AS VARCHAR) || ' s into the capture' AS details, a.n AS count, a.frame, a.frames, a.ts, a.end_ts, a.capture
FROM announcers a JOIN spans s ON s.capture_id = a.capture_id
WHERE s.stop - s.start >= 600000000000 AND CAST(a.ts AS BIGINT) - s.start > CAST(a.ttl_s AS BIGINT) * 3000000000
  -- Announcements could be heard all the time: another was.
  AND EXISTS (SELECT 1 FROM announcers o WHERE o.capture_id = a.capture_id AND o.chassis_id <> a.chassis_id AND CAST(o.ts AS BIGINT) < CAST(a.ts AS BIGINT) - CAST(a.ttl_s AS BIGINT) * 1000000000) ORDER BY a.frame;

-- @finding stp_root_claim severity=high confidence=medium technique=T1557
WITH told AS (
  SELECT capture, capture_id, frame, ts, CAST(ts AS BIGINT) AS at, src_mac, port_identifier, CAST(root_mac AS VARCHAR) AS root_mac, CAST(bridge_mac AS VARCHAR) AS bridge_mac, root_priority, max_age_s, variant, coalesce(root_extension, 0) AS extension, coalesce(originating_vlan, vlan_id, 0) AS vlan
  FROM stp WHERE root_mac IS NOT NULL AND malformed IS NULL),
steps AS (
  SELECT *, lag(root_mac) OVER w AS old_root, lag(root_priority) OVER w AS old_priority, lag(at) OVER w AS old_at, row_number() OVER (PARTITION BY capture_id, vlan, variant, extension, src_mac ORDER BY frame) AS nth FROM told
  WINDOW w AS (PARTITION BY capture_id, vlan, variant, extension ORDER BY frame)),
roots AS (SELECT capture_id, vlan, variant, extension, root_mac, min(at) AS since FROM told GROUP BY capture_id, vlan, variant, extension, root_mac)
SELECT 'A new port claims to be the root' AS title, s.bridge_mac || ' (priority ' || CAST(s.root_priority AS VARCHAR) || ') from ' || coalesce(s.src_mac, '-') || ', against ' || s.old_root || ' (priority ' || CAST(s.old_priority AS VARCHAR) || ')' AS details, s.frame, s.ts, s.capture
-- The known root has stood for a maximum age, and is not gone for one.
FROM steps s JOIN roots r ON r.capture_id = s.capture_id AND r.vlan = s.vlan AND r.variant = s.variant AND r.extension = s.extension AND r.root_mac = s.old_root
WHERE s.nth = 1 AND s.root_mac = s.bridge_mac AND s.root_mac <> s.old_root AND s.root_priority < s.old_priority AND s.at - s.old_at < s.max_age_s * 1e9 AND s.old_at - r.since >= s.max_age_s * 1e9 ORDER BY s.capture, s.frame;
