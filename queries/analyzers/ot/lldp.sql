-- @analyzer lldp
-- @group    ot
-- @title    LLDP ANALYSIS
-- @help     LLDP and PROFINET DCP devices

-- @section summary shape=facts
SELECT count(*) AS messages, count(DISTINCT src_mac) AS announcers, count(DISTINCT chassis_id) AS devices, count(*) FILTER (WHERE ttl_s = 0) AS shutdowns, min(ts) AS first, max(ts) AS last FROM lldp;

-- @section "Neighbours" shape=table limit=30
SELECT src_mac AS mac, max(chassis_id) AS chassis, port_id AS port, max(system_name) AS name, max(array_to_string(management_addresses, ', ')) AS addresses, max(port_vlan_id) AS vlan,
  max(array_to_string(enabled_capabilities, ', ')) AS capabilities, count(*) AS messages, min(ts) AS first, max(ts) AS last
FROM lldp GROUP BY src_mac, port_id ORDER BY name, mac, port;

-- @section "Descriptions" shape=table limit=30
SELECT chassis_id AS chassis, system_name AS name, system_description AS description, port_description AS port FROM lldp WHERE system_description IS NOT NULL OR port_description IS NOT NULL
GROUP BY chassis_id, system_name, system_description, port_description ORDER BY name, chassis, port;

-- @section "Changes" shape=table limit=15
SELECT ts, system_name AS name, port_id AS port, array_to_string(changed_fields, ', ') AS changed, frame FROM lldp WHERE array_length(changed_fields) > 0 ORDER BY capture, frame;

-- @finding lldp_changed_identity severity=medium confidence=high technique=T1557,T0830
SELECT 'A device says something else of itself than before' AS title, coalesce(system_name, chassis_id) || ' changed ' || array_to_string(changed_fields, ', ') AS details, frame, ts FROM lldp
WHERE array_has_any(changed_fields, make_array('system_name', 'system_description', 'management_addresses')) ORDER BY capture, frame;

-- @finding lldp_duplicate_chassis severity=medium technique=T1557
SELECT 'Two stations claim one chassis' AS title, chassis_id || ' is announced by ' || array_to_string(array_sort(array_agg(DISTINCT src_mac)), ', ') || ' as ' || array_to_string(array_sort(array_agg(DISTINCT system_name)), ', ') AS details,
  count(*) AS count, min(frame) AS frame, array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
FROM lldp WHERE ttl_s > 0 GROUP BY chassis_id HAVING count(DISTINCT src_mac) > 1 AND count(DISTINCT system_name) > 1 ORDER BY chassis_id;

-- @finding lldp_shutdown severity=info confidence=high
SELECT 'A device said goodbye' AS title, chassis_id || ', port ' || coalesce(port_id, '-') AS details, frame, ts FROM lldp WHERE ttl_s = 0 ORDER BY capture, frame;

-- @finding lldp_flood severity=medium confidence=high technique=T1499.001,T0814
SELECT 'Flood of announcements' AS title, CAST(max(chassis) AS VARCHAR) || ' different devices within a minute' AS details, sum(n) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts
FROM (SELECT CAST(ts AS BIGINT) / 60000000000 AS minute, count(DISTINCT chassis_id) AS chassis, count(*) AS n, min(frame) AS frame, min(ts) AS ts FROM lldp GROUP BY CAST(ts AS BIGINT) / 60000000000)
WHERE chassis >= 50 HAVING count(*) > 0;

-- @finding lldp_malformed severity=low confidence=high technique=T1499.004
SELECT 'Malformed announcement' AS title, malformed AS details, count(*) AS count, min(frame) AS frame, array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
FROM lldp WHERE malformed IS NOT NULL AND malformed <> 'truncated' GROUP BY malformed ORDER BY malformed;
