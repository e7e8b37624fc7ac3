-- @analyzer routing
-- @group    it
-- @title    ROUTING
-- @help     OSPF, IS-IS, BGP, RIP, EIGRP, PIM, VRRP, HSRP

-- @section summary shape=facts
SELECT count(*) AS messages, array_to_string(array_sort(array_agg(DISTINCT protocol)), ', ') AS protocols, count(DISTINCT src_ip) AS speakers, min(ts) AS first, max(ts) AS last
FROM (SELECT 'IGMP' AS protocol, src_ip, ts FROM igmp UNION ALL SELECT 'VRRP', src_ip, ts FROM vrrp UNION ALL SELECT 'HSRP', src_ip, ts FROM hsrp UNION ALL SELECT 'GLBP', src_ip, ts FROM glbp
  UNION ALL SELECT CASE WHEN ripng THEN 'RIPng' ELSE 'RIP' END, src_ip, ts FROM rip UNION ALL SELECT 'PIM', src_ip, ts FROM pim UNION ALL SELECT 'OSPF', src_ip, ts FROM ospf
  UNION ALL SELECT 'BGP', src_ip, ts FROM bgp UNION ALL SELECT 'EIGRP', src_ip, ts FROM eigrp UNION ALL SELECT 'IS-IS', system_id, ts FROM isis);

-- @section "Speakers" shape=table limit=30
SELECT protocol, src_ip AS address, kind AS role, count(*) AS messages, min(ts) AS first, max(ts) AS last
FROM (SELECT 'VRRP' AS protocol, src_ip, CASE WHEN carp THEN 'CARP master' ELSE 'master' END AS kind, ts FROM vrrp
  UNION ALL SELECT 'HSRP', src_ip, coalesce(state_name, opcode_name), ts FROM hsrp UNION ALL SELECT 'GLBP', src_ip, 'gateway', ts FROM glbp
  UNION ALL SELECT CASE WHEN ripng THEN 'RIPng' ELSE 'RIPv' || CAST(version AS VARCHAR) END, src_ip, command_name, ts FROM rip
  UNION ALL SELECT 'OSPFv' || CAST(version AS VARCHAR), src_ip, 'router ' || router_id, ts FROM ospf
  UNION ALL SELECT 'BGP', src_ip, message_type_name, ts FROM bgp UNION ALL SELECT 'EIGRP', src_ip, 'AS ' || CAST(asn AS VARCHAR), ts FROM eigrp
  UNION ALL SELECT 'IS-IS', system_id, CASE WHEN level IS NULL THEN 'point to point' ELSE 'level ' || CAST(level AS VARCHAR) END, ts FROM isis
  UNION ALL SELECT 'PIMv' || CAST(version AS VARCHAR), src_ip, message_type_name, ts FROM pim
  UNION ALL SELECT 'IGMPv' || CAST(version AS VARCHAR), src_ip, 'querier', ts FROM igmp WHERE message_type = 17)
GROUP BY protocol, src_ip, kind ORDER BY protocol, address, messages DESC, role;

-- @section "Routes" shape=table limit=50 if=routing_routes
SELECT protocol, prefix, next_hop AS "Next hop", max(metric) AS metric, count(*) FILTER (WHERE action = 'announce') AS announced, count(*) FILTER (WHERE action = 'withdraw') AS withdrawn
FROM routing_routes GROUP BY protocol, prefix, next_hop ORDER BY withdrawn DESC, announced DESC, protocol, prefix, "Next hop";

-- @section "BGP sessions" shape=table limit=20 if=bgp
SELECT src_ip AS speaker, dst_ip AS peer, max(my_as) AS "AS", max(bgp_id) AS id, max(hold_time_s) AS hold_s, max(tcp_authentication) AS auth, max(ttl) AS ttl, count(*) FILTER (WHERE message_type = 2) AS updates, max(error) AS error, count(*) AS messages
FROM bgp GROUP BY src_ip, dst_ip ORDER BY messages DESC, speaker, peer;

-- @section "BGP notifications" shape=table limit=15 if=bgp
SELECT ts, src_ip AS "From", dst_ip AS "To", coalesce(error, CAST(error_code AS VARCHAR)) AS error, error_subcode AS sub, shutdown_communication AS text FROM bgp WHERE message_type = 3 ORDER BY ts, capture, frame, "From";

-- @section "IS-IS systems" shape=table limit=20 if=isis
SELECT system_id AS system, level, max(hostname) AS name, array_to_string(max(areas), ', ') AS areas, max(priority) AS priority, max(lan_id) AS "LAN", coalesce(max(CASE auth_type WHEN 1 THEN 'text' WHEN 54 THEN 'md5' WHEN 3 THEN 'generic' END), 'none') AS auth, count(*) AS messages
FROM isis GROUP BY system_id, level ORDER BY system, level;

-- @section "IS-IS database" shape=table limit=30 if=isis
SELECT lsp_id AS lsp, level, sequence, lifetime_s, overload, attached FROM (SELECT lsp_id, level, lsp_sequence AS sequence, lsp_lifetime_s AS lifetime_s, overload, attached,
    row_number() OVER (PARTITION BY level, lsp_id ORDER BY lsp_sequence DESC, capture, frame DESC) AS newest FROM isis WHERE lsp_id IS NOT NULL) WHERE newest = 1 ORDER BY lsp, level;

-- @section "EIGRP routers" shape=table limit=20 if=eigrp
SELECT src_ip AS router, asn AS "AS", max(hold_time_s) AS hold_s, max(software_version) AS software, coalesce(max(CASE auth_type WHEN 2 THEN 'md5' WHEN 3 THEN 'sha2' END), 'none') AS auth,
  count(*) FILTER (WHERE opcode_name = 'hello') AS hellos, count(*) FILTER (WHERE opcode = 1) AS updates, count(*) FILTER (WHERE opcode IN (3, 10)) AS queries, count(*) FILTER (WHERE goodbye) AS goodbyes
FROM eigrp GROUP BY src_ip, asn ORDER BY router, "AS";

-- @section "OSPF routers" shape=table limit=30 if=ospf
SELECT router_id AS router, area_id AS area, src_ip AS address, max(src_mac) AS mac, max(hello_interval_s) AS hello_s, max(dead_interval_s) AS dead_s, max(designated_router) AS dr, max(auth_type_name) AS auth, count(*) AS messages
FROM ospf GROUP BY router_id, area_id, src_ip ORDER BY router, area, address;

-- @section "OSPF adjacencies" shape=table limit=20 if=ospf
SELECT src_ip AS "From", router_id AS router, dst_ip AS "To", count(*) FILTER (WHERE message_type = 2) AS descriptions, count(*) FILTER (WHERE message_type = 3) AS requests, count(*) FILTER (WHERE message_type = 4) AS updates, count(*) FILTER (WHERE message_type = 5) AS acks
FROM ospf WHERE message_type > 1 GROUP BY src_ip, router_id, dst_ip ORDER BY "From", "To", router;

-- @section "OSPF database" shape=table limit=30 if=ospf_lsas
SELECT lsa_type_name AS type, link_state_id AS id, advertising_router AS router, '0x' || lpad(to_hex(CAST(sequence AS BIGINT)), 8, '0') AS sequence, age_s, metric, links
FROM (SELECT version, coalesce(lsa_type_name, CAST(lsa_type AS VARCHAR)) AS lsa_type_name, link_state_id, advertising_router, sequence, age_s, metric, array_length(links) AS links,
    row_number() OVER (PARTITION BY version, area_id, lsa_type, link_state_id, advertising_router ORDER BY CAST(sequence AS BIGINT) + CASE WHEN sequence >= 2147483648 THEN -4294967296 ELSE 0 END DESC, header_only, capture, frame) AS newest
  FROM ospf_lsas WHERE sequence IS NOT NULL) WHERE newest = 1 ORDER BY type, id, router, sequence;

-- @section "First-hop redundancy" shape=table limit=30
SELECT protocol, grp AS "Group", ip AS "Virtual IP", src_ip AS router, max(priority) AS priority, max(state) AS "Best state", max(auth) AS authentication, count(*) AS messages, min(ts) AS first
FROM (SELECT 'HSRPv' || CAST(version AS VARCHAR) AS protocol, CAST("group" AS VARCHAR) AS grp, virtual_ip AS ip, src_ip, priority,
    CASE state_name WHEN 'active' THEN '6 active' WHEN 'standby' THEN '5 standby' WHEN 'speak' THEN '4 speak' WHEN 'listen' THEN '3 listen' WHEN 'learn' THEN '2 learn' ELSE '1 initial' END AS state, coalesce(auth, 'none') AS auth, ts FROM hsrp WHERE state IS NOT NULL
  UNION ALL SELECT CASE WHEN carp THEN 'CARP' ELSE 'VRRPv' || CAST(version AS VARCHAR) END, CAST(virtual_router_id AS VARCHAR), array_to_string(virtual_ips, ', '), src_ip, CAST(priority AS INT UNSIGNED), 'master',
    CASE auth_type WHEN 0 THEN 'none' WHEN 1 THEN 'text' WHEN 2 THEN 'AH' END, ts FROM vrrp
  UNION ALL SELECT 'GLBP', CAST("group" AS VARCHAR), virtual_ip, src_ip, CAST(priority AS INT UNSIGNED), CAST(NULL AS VARCHAR), CASE auth_type WHEN 1 THEN 'text' WHEN 2 THEN 'md5' WHEN 3 THEN 'md5 chain' ELSE 'none' END, ts FROM glbp)
GROUP BY protocol, grp, ip, src_ip ORDER BY protocol, "Group", "Virtual IP", "Best state" DESC, router;

-- @section "Redundancy changes" shape=table limit=30
SELECT ts, protocol, grp AS "Group", coalesce(before, '(first)') AS "From", src_ip AS "To", priority
FROM (SELECT *, lag(src_ip) OVER (PARTITION BY capture_id, protocol, grp, family ORDER BY frame) AS before
  FROM (SELECT capture_id, frame, ts, 'HSRP' AS protocol, "group" AS grp, 4 AS family, src_ip, priority FROM hsrp WHERE state_name = 'active' AND opcode = 0
    UNION ALL SELECT capture_id, frame, ts, 'VRRP', CAST(virtual_router_id AS SMALLINT UNSIGNED), CASE WHEN position(':' IN src_ip) > 0 THEN 6 ELSE 4 END, src_ip, CAST(priority AS INT UNSIGNED) FROM vrrp WHERE NOT carp AND priority > 0))
WHERE before IS NULL OR before <> src_ip ORDER BY ts, protocol, "Group", "To";

-- @section "PIM" shape=table limit=20 if=pim
SELECT src_ip AS router, version, max(dr_priority) AS "DR priority", count(DISTINCT generation_id) AS generations, max(holdtime_s) FILTER (WHERE message_type = 0) AS hold_s, max(bsr) AS bsr,
  count(*) FILTER (WHERE message_type_name = 'join_prune') AS "Joins/prunes", count(*) FILTER (WHERE message_type_name = 'register') AS registers, count(*) AS messages
FROM pim GROUP BY src_ip, version ORDER BY router, version;

-- @section "Multicast trees" shape=table limit=20 if=pim
SELECT entry, src_ip AS router, upstream_neighbor AS upstream, sum(joins) AS joins, sum(prunes) AS prunes
FROM (SELECT unnest(joins) AS entry, src_ip, upstream_neighbor, 1 AS joins, 0 AS prunes FROM pim WHERE joins IS NOT NULL UNION ALL SELECT unnest(prunes), src_ip, upstream_neighbor, 0, 1 FROM pim WHERE prunes IS NOT NULL)
GROUP BY entry, src_ip, upstream_neighbor ORDER BY sum(joins) + sum(prunes) DESC, entry, router, upstream;

-- @section "Multicast groups" shape=table limit=20 if=igmp
SELECT "group", count(DISTINCT src_ip) FILTER (WHERE message_type <> 17) AS members, count(*) FILTER (WHERE message_type IN (18, 22, 34)) AS reports, count(*) FILTER (WHERE message_type = 23) AS leaves, count(*) FILTER (WHERE message_type = 17) AS queries
FROM (SELECT unnest(groups) AS "group", src_ip, message_type FROM igmp WHERE groups IS NOT NULL) WHERE "group" <> '0.0.0.0' GROUP BY "group" ORDER BY members DESC, reports DESC, "group";

-- @section "Queriers" shape=table limit=10 if=igmp
SELECT src_ip AS querier, version, max(max_response_ms) AS "Wait ms", max(querier_interval_s) AS interval_s, max(robustness) AS robustness, count(*) AS queries FROM igmp WHERE message_type = 17 GROUP BY src_ip, version ORDER BY queries DESC, querier, version;

-- @section "ICMP redirects" shape=table limit=15
SELECT src_ip AS router, dst_ip AS host, redirect_destination AS destination, gateway, count(*) AS redirects FROM icmp WHERE gateway IS NOT NULL AND redirect_destination IS NOT NULL GROUP BY src_ip, dst_ip, redirect_destination, gateway ORDER BY redirects DESC, router, host, destination, gateway;

-- @section "Messages" shape=table verbose
SELECT ts, protocol, src_ip AS src, dst_ip AS dst, message, details
FROM (SELECT capture, frame, ts, 'IGMP' AS protocol, src_ip, dst_ip, message_type_name AS message, array_to_string(groups, ', ') AS details FROM igmp
  UNION ALL SELECT capture, frame, ts, 'VRRP', src_ip, dst_ip, 'advertisement', 'id ' || CAST(virtual_router_id AS VARCHAR) || coalesce(', priority ' || CAST(priority AS VARCHAR), '') FROM vrrp
  UNION ALL SELECT capture, frame, ts, 'HSRP', src_ip, dst_ip, opcode_name, coalesce(state_name || ', group ' || CAST("group" AS VARCHAR) || ', priority ' || CAST(priority AS VARCHAR), '') FROM hsrp
  UNION ALL SELECT capture, frame, ts, 'GLBP', src_ip, dst_ip, 'message', 'group ' || CAST("group" AS VARCHAR) FROM glbp
  UNION ALL SELECT capture, frame, ts, CASE WHEN ripng THEN 'RIPng' ELSE 'RIP' END, src_ip, dst_ip, command_name, CAST(entry_count AS VARCHAR) || ' entries' FROM rip
  UNION ALL SELECT capture, frame, ts, 'BGP', src_ip, dst_ip, message_type_name, coalesce(error, array_to_string(announced, ', '), '') FROM bgp
  UNION ALL SELECT capture, frame, ts, 'EIGRP', src_ip, dst_ip, opcode_name, coalesce(array_to_string(prefixes, ', '), '') FROM eigrp
  UNION ALL SELECT capture, frame, ts, 'IS-IS', system_id, dst_mac, pdu_type_name, coalesce(lsp_id, '') FROM isis
  UNION ALL SELECT capture, frame, ts, 'PIM', src_ip, dst_ip, message_type_name, coalesce(array_to_string(groups, ', '), '') FROM pim
  UNION ALL SELECT capture, frame, ts, 'OSPF', src_ip, dst_ip, message_type_name, 'router ' || router_id || ', area ' || area_id || coalesce(', ' || CAST(lsa_count AS VARCHAR) || ' LSAs', '') FROM ospf)
ORDER BY capture, frame;

-- @finding routing_no_auth severity=low confidence=high technique=T1557
SELECT CASE WHEN protocol = 'VRRPv3' THEN 'info' ELSE 'low' END AS severity, protocol || ' without authentication' AS title, CASE WHEN count(src_ip) = 0 THEN CAST(count(*) AS VARCHAR) || ' messages' ELSE CAST(count(DISTINCT src_ip) AS VARCHAR) || ' speakers' END AS details, min(src_ip) AS src_ip, min(dst_ip) AS dst_ip,
  count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture, capture_id
FROM (SELECT capture, capture_id, frame, ts, src_ip, dst_ip, 'RIPv2' AS protocol FROM rip WHERE NOT ripng AND version = 2 AND command = 2 AND auth_type IS NULL
  UNION ALL SELECT capture, capture_id, frame, ts, src_ip, dst_ip, 'HSRP' FROM hsrp WHERE state IS NOT NULL AND opcode <> 3 AND auth IS NULL
  UNION ALL SELECT capture, capture_id, frame, ts, src_ip, dst_ip, 'VRRPv' || CAST(version AS VARCHAR) FROM vrrp WHERE NOT carp AND (version = 3 OR auth_type = 0)
  UNION ALL SELECT capture, capture_id, frame, ts, src_ip, dst_ip, 'OSPFv2' FROM ospf WHERE auth_type = 0
  UNION ALL SELECT capture, capture_id, frame, ts, src_ip, dst_ip, 'EIGRP' FROM eigrp WHERE opcode_name = 'hello' AND auth_type IS NULL
  UNION ALL SELECT capture, capture_id, frame, ts, src_ip, dst_ip, 'IS-IS' FROM isis WHERE pdu_type BETWEEN 15 AND 17 AND auth_type IS NULL)
GROUP BY capture, capture_id, protocol ORDER BY capture, protocol;

-- @finding routing_cleartext_auth severity=medium confidence=high technique=T1552,T1040
SELECT protocol || ' password in clear text' AS title, CASE WHEN count(src_ip) = 0 THEN CAST(count(*) AS VARCHAR) || ' messages' ELSE CAST(count(DISTINCT src_ip) AS VARCHAR) || ' speakers' END || CASE WHEN bool_or(is_default) THEN ', the default password' ELSE '' END AS details, min(src_ip) AS src_ip, min(dst_ip) AS dst_ip,
  count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture, capture_id
FROM (SELECT capture, capture_id, frame, ts, src_ip, dst_ip, 'RIPv2' AS protocol, false AS is_default FROM rip WHERE auth_type = 2
  UNION ALL SELECT capture, capture_id, frame, ts, src_ip, dst_ip, 'HSRP', auth_text = secret('cisco') FROM hsrp WHERE auth = 'text'
  UNION ALL SELECT capture, capture_id, frame, ts, src_ip, dst_ip, 'VRRPv2', false FROM vrrp WHERE auth_type = 1
  UNION ALL SELECT capture, capture_id, frame, ts, src_ip, dst_ip, 'GLBP', false FROM glbp WHERE auth_type = 1
  UNION ALL SELECT capture, capture_id, frame, ts, src_ip, dst_ip, 'OSPFv2', false FROM ospf WHERE auth_type = 1
  UNION ALL SELECT capture, capture_id, frame, ts, src_ip, dst_ip, 'IS-IS', false FROM isis WHERE auth_type = 1)
GROUP BY capture, capture_id, protocol ORDER BY capture, protocol;

-- @finding fhrp_takeover severity=high confidence=medium technique=T1557
WITH seen AS (SELECT capture_id, "group", src_ip, min(frame) AS frame FROM hsrp GROUP BY capture_id, "group", src_ip),
active AS (SELECT capture_id, "group", min(frame) AS frame FROM hsrp WHERE state_name = 'active' GROUP BY capture_id, "group")
SELECT 'A stranger takes over a gateway address' AS title, 'HSRP group ' || CAST(h."group" AS VARCHAR) || ' (' || h.virtual_ip || '), priority ' || CAST(h.priority AS VARCHAR) || ', first seen with this coup' AS details, h.src_ip, h.dst_ip, h.frame, h.ts, h.capture, h.capture_id
FROM hsrp h JOIN seen s ON s.capture_id = h.capture_id AND s."group" = h."group" AND s.src_ip = h.src_ip AND s.frame = h.frame JOIN active a ON a.capture_id = h.capture_id AND a."group" = h."group" AND a.frame < h.frame
WHERE h.opcode = 1
UNION ALL
SELECT 'A router claims to own a gateway address that is not its own', 'VRRP id ' || CAST(virtual_router_id AS VARCHAR) || ' (' || array_to_string(max(virtual_ips), ', ') || ') with priority 255', src_ip, min(dst_ip), min(frame), min(ts), capture, capture_id
FROM vrrp WHERE NOT carp AND priority = 255 AND virtual_ips IS NOT NULL AND NOT array_has(virtual_ips, src_ip) GROUP BY capture, capture_id, virtual_router_id, src_ip
ORDER BY capture, frame;

-- @finding fhrp_flap severity=medium confidence=high technique=T1498
SELECT 'A gateway changes again and again' AS title, protocol || ' group ' || CAST(grp AS VARCHAR) || ': ' || CAST(count(*) AS VARCHAR) || ' changes within five minutes' AS details, count(*) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture, capture_id
FROM (SELECT *, lag(src_ip) OVER (PARTITION BY capture_id, protocol, grp, family ORDER BY frame) AS before
  FROM (SELECT capture, capture_id, frame, ts, 'HSRP' AS protocol, "group" AS grp, 4 AS family, src_ip FROM hsrp WHERE state_name = 'active' AND opcode = 0
    UNION ALL SELECT capture, capture_id, frame, ts, 'VRRP', CAST(virtual_router_id AS SMALLINT UNSIGNED), CASE WHEN position(':' IN src_ip) > 0 THEN 6 ELSE 4 END, src_ip FROM vrrp WHERE NOT carp AND priority > 0))
WHERE before <> src_ip GROUP BY capture, capture_id, protocol, grp, family, CAST(ts AS BIGINT) / 300000000000 HAVING count(*) >= 3 ORDER BY capture, frame;

-- @finding route_default_injected severity=high confidence=medium technique=T1557
WITH r AS (SELECT capture, capture_id, protocol, coalesce(router_id, src_ip) AS speaker, src_ip, dst_ip, prefix, frame, CAST(ts AS BIGINT) AS at FROM routing_routes WHERE action = 'announce'),
f AS (SELECT capture_id, protocol, speaker, min(at) AS at FROM r GROUP BY capture_id, protocol, speaker),
d AS (SELECT capture, capture_id, protocol, speaker, min(src_ip) AS src_ip, min(dst_ip) AS dst_ip, min(frame) AS frame, min(at) AS at, count(*) AS n FROM r WHERE prefix IN ('0.0.0.0/0', '::/0') GROUP BY capture, capture_id, protocol, speaker)
SELECT 'A router begins to announce a default route' AS title, d.protocol || ', router ' || d.speaker || ', ' || CAST((d.at - f.at) / 1000000000 AS VARCHAR) || ' s after its first routes' AS details, d.src_ip, d.dst_ip, d.n AS count, d.frame, to_timestamp_nanos(d.at) AS ts, d.capture, d.capture_id
FROM d JOIN f ON f.capture_id = d.capture_id AND f.protocol = d.protocol AND f.speaker = d.speaker WHERE d.at - f.at > 60000000000 ORDER BY d.capture, d.frame, d.speaker;

-- @finding routing_external_speaker severity=high confidence=medium technique=T1557
SELECT title, protocol || ': ' || what AS details, src_ip, min(dst_ip) AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture, capture_id
FROM (SELECT capture, capture_id, frame, ts, src_ip, dst_ip, protocol, 'A public address speaks an internal protocol' AS title, 'sender ' || src_ip AS what
    FROM (SELECT capture, capture_id, frame, ts, src_ip, dst_ip, 'VRRP' AS protocol FROM vrrp UNION ALL SELECT capture, capture_id, frame, ts, src_ip, dst_ip, 'HSRP' FROM hsrp
      UNION ALL SELECT capture, capture_id, frame, ts, src_ip, dst_ip, 'GLBP' FROM glbp UNION ALL SELECT capture, capture_id, frame, ts, src_ip, dst_ip, 'RIP' FROM rip WHERE command = 2 UNION ALL SELECT capture, capture_id, frame, ts, src_ip, dst_ip, 'OSPF' FROM ospf)
    WHERE is_public(src_ip)
  UNION ALL SELECT capture, capture_id, frame, ts, src_ip, dst_ip, 'VRRP', 'An advertisement came through a router', 'time to live ' || CAST(ttl AS VARCHAR) || ', not 255' FROM vrrp WHERE NOT carp AND ttl <> 255)
GROUP BY capture, capture_id, title, protocol, what, src_ip ORDER BY capture, frame, title;

-- @finding rip_v1_in_use severity=low confidence=high technique=T1557
SELECT 'RIP version 1 is in use' AS title, 'it has neither masks nor authentication' AS details, src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM rip WHERE NOT ripng AND version = 1 AND command = 2 GROUP BY src_ip, capture ORDER BY src_ip;

-- @finding rip_poisoned severity=info confidence=high
SELECT 'Routes are withdrawn' AS title, CAST(count(DISTINCT prefix) AS VARCHAR) || ' prefixes with metric 16' AS details, src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM routing_routes WHERE protocol IN ('rip', 'ripng') AND action = 'withdraw' GROUP BY src_ip, capture ORDER BY src_ip;

-- @finding pim_rogue_bsr severity=medium confidence=medium technique=T1557
WITH b AS (SELECT capture, capture_id, bsr, max(bsr_priority) AS priority, min(frame) AS frame, min(src_ip) AS src_ip, CAST(min(ts) AS BIGINT) AS ts, count(*) AS n FROM pim WHERE bsr IS NOT NULL GROUP BY capture, capture_id, bsr)
SELECT 'A second bootstrap router outbids the first' AS title, n.bsr || ' with priority ' || CAST(n.priority AS VARCHAR) || ', ' || o.bsr || ' has ' || CAST(o.priority AS VARCHAR) AS details, n.src_ip, n.n AS count, n.frame, to_timestamp_nanos(n.ts) AS ts, n.capture, n.capture_id
FROM b n JOIN b o ON o.capture_id = n.capture_id AND o.frame < n.frame AND o.priority < n.priority ORDER BY n.capture, n.frame, o.bsr;

-- @finding igmp_rogue_querier severity=medium confidence=low technique=T1557
SELECT 'Two queriers do not settle' AS title, array_to_string(array_sort(array_agg(querier)), ', ') AS details, min(querier) AS src_ip, CAST(sum(n) AS BIGINT) AS count, min(start) AS frame, to_timestamp_nanos(min(since)) AS ts, to_timestamp_nanos(max(last)) AS end_ts, capture, capture_id
FROM (SELECT q.capture, q.capture_id, q.src_ip AS querier, p.vlan_id, count(*) AS n, min(q.frame) AS start, min(CAST(q.ts AS BIGINT)) AS since, max(CAST(q.ts AS BIGINT)) AS last
  FROM igmp q JOIN packets p ON p.capture_id = q.capture_id AND p.frame = q.frame WHERE q.message_type = 17 AND q."group" = '0.0.0.0' AND q.src_ip <> '0.0.0.0'
  GROUP BY q.capture, q.capture_id, q.src_ip, p.vlan_id HAVING count(*) >= 3)
GROUP BY capture, capture_id, vlan_id HAVING count(*) > 1 AND max(since) < min(last) ORDER BY capture, frame;

-- @finding ospf_duplicate_router_id severity=high confidence=medium technique=T1557
SELECT 'One OSPF router id at several stations' AS title, 'router ' || router_id || ', area ' || area_id || ': ' || array_to_string(array_sort(array_agg(DISTINCT src_mac)), ', ') AS details, min(src_ip) AS src_ip, count(*) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture, capture_id
FROM (SELECT o.*, p.vlan_id FROM ospf o JOIN packets p ON p.capture_id = o.capture_id AND p.frame = o.frame WHERE o.message_type = 1 AND o.src_mac IS NOT NULL AND o.dst_ip IN ('224.0.0.5', 'ff02::5'))
GROUP BY capture, capture_id, vlan_id, version, area_id, router_id, network_mask, designated_router HAVING count(DISTINCT src_mac) > 1 ORDER BY capture, frame;

-- @finding ospf_maxage_storm severity=high confidence=medium technique=T1498,T1565.002
SELECT 'OSPF routes are flushed in numbers' AS title, CAST(count(DISTINCT link_state_id || advertising_router || CAST(lsa_type AS VARCHAR)) AS VARCHAR) || ' LSAs at their greatest age within a minute' AS details, src_ip, count(*) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture, capture_id
FROM ospf_lsas WHERE age_s >= 3600 AND NOT header_only AND router_id <> advertising_router GROUP BY capture, capture_id, src_ip, CAST(ts AS BIGINT) / 60000000000 HAVING count(*) >= 20 ORDER BY capture, frame;

-- @finding ospf_sequence_wrap severity=high confidence=high technique=T1565.002
SELECT 'An LSA is about to run out of sequence numbers' AS title, coalesce(lsa_type_name, 'type ' || CAST(lsa_type AS VARCHAR)) || ' ' || link_state_id || ' of ' || advertising_router || ': 0x' || lpad(to_hex(CAST(max(sequence) AS BIGINT)), 8, '0') AS details, min(src_ip) AS src_ip,
  count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture, capture_id
FROM ospf_lsas WHERE NOT header_only AND sequence BETWEEN 2147483392 AND 2147483647 GROUP BY capture, capture_id, lsa_type, lsa_type_name, link_state_id, advertising_router ORDER BY capture, frame, details;

-- @finding ospf_parameter_mismatch severity=medium confidence=medium
WITH masks AS (SELECT column1 AS mask, column2 AS bits FROM (VALUES ('255.255.0.0', 16), ('255.255.240.0', 20), ('255.255.252.0', 22), ('255.255.254.0', 23), ('255.255.255.0', 24), ('255.255.255.128', 25), ('255.255.255.192', 26), ('255.255.255.224', 27), ('255.255.255.240', 28), ('255.255.255.248', 29), ('255.255.255.252', 30))),
h AS (SELECT o.capture, o.capture_id, p.vlan_id, o.version, o.src_ip, o.area_id, o.network_mask, o.hello_interval_s, o.dead_interval_s, min(o.frame) AS frame, CAST(min(o.ts) AS BIGINT) AS since
  FROM ospf o JOIN packets p ON p.capture_id = o.capture_id AND p.frame = o.frame WHERE o.message_type = 1 AND o.version = 2 AND o.dst_ip = '224.0.0.5'
  GROUP BY o.capture, o.capture_id, p.vlan_id, o.version, o.src_ip, o.area_id, o.network_mask, o.hello_interval_s, o.dead_interval_s)
SELECT 'OSPF neighbours do not agree' AS title, b.src_ip || ' and ' || a.src_ip || ': hello ' || CAST(b.hello_interval_s AS VARCHAR) || '/' || CAST(a.hello_interval_s AS VARCHAR) || ' s, dead ' || CAST(b.dead_interval_s AS VARCHAR) || '/' || CAST(a.dead_interval_s AS VARCHAR) || ' s, area ' || b.area_id || '/' || a.area_id || coalesce(', mask ' || b.network_mask || '/' || a.network_mask, '') AS details,
  b.src_ip, b.frame, to_timestamp_nanos(b.since) AS ts, b.capture, b.capture_id
FROM h a JOIN masks m ON m.mask = a.network_mask JOIN h b ON a.capture_id = b.capture_id AND a.src_ip < b.src_ip AND (a.vlan_id = b.vlan_id OR (a.vlan_id IS NULL AND b.vlan_id IS NULL))
WHERE (a.hello_interval_s <> b.hello_interval_s OR a.dead_interval_s <> b.dead_interval_s OR a.area_id <> b.area_id OR a.network_mask <> b.network_mask) AND cidr_match(a.src_ip || '/' || CAST(m.bits AS VARCHAR), b.src_ip)
ORDER BY b.capture, b.frame, details;

-- @finding bgp_notification severity=medium confidence=high technique=T1498
SELECT CASE WHEN error IN ('cease/administrative_shutdown', 'cease/administrative_reset') THEN 'info' WHEN error_code = 4 THEN 'high' ELSE 'medium' END AS severity, 'A BGP session was ended with an error' AS title,
  coalesce(max(error), 'error ' || CAST(error_code AS VARCHAR)) || coalesce(': ' || max(shutdown_communication), '') AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture, capture_id
FROM bgp WHERE message_type = 3 GROUP BY capture, capture_id, src_ip, dst_ip, error_code, error ORDER BY capture, frame, src_ip;

-- @finding isis_overload severity=medium confidence=high technique=T1498
SELECT 'An IS-IS system says it is overloaded' AS title, system_id || ', LSP ' || min(lsp_id) AS details, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture, capture_id
FROM isis WHERE overload GROUP BY capture, capture_id, system_id ORDER BY capture, frame, details;

-- @finding isis_purge_storm severity=high confidence=medium technique=T1498
SELECT 'Link-state PDUs are purged in numbers' AS title, CAST(count(*) AS VARCHAR) || ' purges within a minute, of ' || CAST(count(DISTINCT lsp_id) AS VARCHAR) || ' PDUs' AS details, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture, capture_id
FROM isis WHERE lsp_lifetime_s = 0 GROUP BY capture, capture_id, CAST(ts AS BIGINT) / 60000000000 HAVING count(*) >= 10 ORDER BY capture, frame;

-- @finding bgp_hijack_suspect severity=high confidence=medium technique=T1565.002
WITH updates AS (SELECT capture, capture_id, flow_id, frame, ts, src_ip, dst_ip, unnest(announced) AS prefix, origin_as, as_path_text, ' ' || coalesce(as_path_text, '') || ' ' AS path FROM bgp WHERE message_type = 2 AND announced IS NOT NULL AND origin_as IS NOT NULL AND coalesce(afi_safi, 'ipv4/unicast') IN ('ipv4/unicast', 'ipv6/unicast')),
sizes AS (SELECT capture_id, flow_id, count(DISTINCT prefix) AS prefixes, CAST(min(ts) AS BIGINT) AS since FROM updates GROUP BY capture_id, flow_id),
-- What a whole table brings at first is what there is; who announces it from several networks does so by design.
later AS (SELECT u.* FROM updates u JOIN sizes s ON s.capture_id = u.capture_id AND s.flow_id IS NOT DISTINCT FROM u.flow_id WHERE (s.prefixes < 1000 OR CAST(u.ts AS BIGINT) - s.since >= 60000000000) AND u.prefix NOT IN ('192.88.99.0/24', '2002::/16', '192.175.48.0/24', '192.31.196.0/24', '2620:4f:8000::/48', '2001:4:112::/48')
  AND NOT (u.origin_as BETWEEN 64512 AND 65534 OR u.origin_as >= 4200000000)),
firsts AS (SELECT capture_id, prefix, first_value(origin_as ORDER BY frame) AS origin_as, first_value(path ORDER BY frame) AS path, min(frame) AS frame FROM updates GROUP BY capture_id, prefix),
small AS (SELECT capture_id FROM firsts GROUP BY capture_id HAVING count(*) <= 2000),
covers AS (SELECT f.*, CAST(split_part(f.prefix, '/', 2) AS INT) AS bits FROM firsts f JOIN small s ON s.capture_id = f.capture_id WHERE NOT (f.origin_as BETWEEN 64512 AND 65534 OR f.origin_as >= 4200000000)),
narrow AS (SELECT l.*, CAST(split_part(l.prefix, '/', 2) AS INT) AS bits FROM later l JOIN small s ON s.capture_id = l.capture_id JOIN firsts f ON f.capture_id = l.capture_id AND f.prefix = l.prefix AND f.frame = l.frame),
-- A session between networks of the internet, not of a laboratory or inside a company.
sides AS (SELECT capture_id, flow_id, count(DISTINCT my_as) AS numbers, bool_or(my_as BETWEEN 64512 AND 65534 OR my_as >= 4200000000) AS is_private FROM bgp WHERE message_type = 1 GROUP BY capture_id, flow_id),
external AS (SELECT u.* FROM updates u JOIN sides s ON s.capture_id = u.capture_id AND s.flow_id = u.flow_id WHERE s.numbers = 2 AND NOT s.is_private AND is_public(u.src_ip) AND is_public(u.dst_ip)),
told AS (
  SELECT l.capture, l.capture_id, 'A prefix is announced by a second network' AS title, l.prefix || ' by AS ' || CAST(l.origin_as AS VARCHAR) || ', before by AS ' || CAST(f.origin_as AS VARCHAR) AS details, l.src_ip, l.dst_ip, l.frame, l.ts
  FROM later l JOIN firsts f ON f.capture_id = l.capture_id AND f.prefix = l.prefix AND f.origin_as <> l.origin_as AND f.frame < l.frame
  -- Who stands in the other's path is its neighbour, and may speak for it.
  WHERE NOT (f.origin_as BETWEEN 64512 AND 65534 OR f.origin_as >= 4200000000) AND strpos(l.path, ' ' || CAST(f.origin_as AS VARCHAR) || ' ') = 0 AND strpos(f.path, ' ' || CAST(l.origin_as AS VARCHAR) || ' ') = 0
  UNION ALL
  SELECT n.capture, n.capture_id, 'A part of another network''s prefix is announced', n.prefix || ' of AS ' || CAST(n.origin_as AS VARCHAR) || ' lies in ' || c.prefix || ' of AS ' || CAST(c.origin_as AS VARCHAR), n.src_ip, n.dst_ip, n.frame, n.ts
  FROM narrow n JOIN covers c ON c.capture_id = n.capture_id AND c.frame < n.frame AND c.origin_as <> n.origin_as AND c.bits < n.bits AND c.bits >= 8 WHERE cidr_match(c.prefix, split_part(n.prefix, '/', 1)) AND strpos(n.path, ' ' || CAST(c.origin_as AS VARCHAR) || ' ') = 0 AND strpos(c.path, ' ' || CAST(n.origin_as AS VARCHAR) || ' ') = 0
  UNION ALL
  SELECT capture, capture_id, 'A network number that is nobody''s is announced', 'path ' || as_path_text || ' of ' || prefix, src_ip, dst_ip, frame, ts FROM external WHERE regexp_like(path, ' (0|6449[6-9]|6450[0-9]|6451[0-9]|645[2-9][0-9]|64[6-9][0-9]{2}|65[0-4][0-9]{2}|655[0-4][0-9]|6555[01]|42[0-9]{8}) ')
  UNION ALL
  SELECT capture, capture_id, 'A prefix that belongs to no network is announced', prefix || ' by AS ' || CAST(origin_as AS VARCHAR), src_ip, dst_ip, frame, ts FROM external
  WHERE prefix NOT IN ('0.0.0.0/0', '::/0') AND regexp_like(prefix, '^(0[.]|10[.]|127[.]|169[.]254[.]|172[.](1[6-9]|2[0-9]|3[01])[.]|192[.]0[.]2[.]|192[.]168[.]|198[.]1[89][.]|198[.]51[.]100[.]|203[.]0[.]113[.]|100[.](6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])[.]|2(2[4-9]|[345][0-9])[.]|f[cd][0-9a-f]{2}:|fe[89ab][0-9a-f]:|2001:db8:|ff)'))
SELECT title, min(details) || CASE WHEN count(DISTINCT details) > 1 THEN ', and ' || CAST(count(DISTINCT details) - 1 AS VARCHAR) || ' more' ELSE '' END AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(DISTINCT frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM told GROUP BY capture_id, title, src_ip, dst_ip ORDER BY src_ip, dst_ip, title;

-- @finding bgp_no_md5 severity=low confidence=high technique=T1557
-- Without the opening of the connection nobody can say whether the option was agreed.
WITH opens AS (SELECT min(b.capture) AS capture, b.capture_id, b.flow_id, min(b.my_as) AS low, max(b.my_as) AS high, count(DISTINCT b.my_as) AS numbers, bool_or(b.tcp_authentication IS NOT NULL) AS is_guarded, max(b.ttl) AS ttl, min(b.frame) AS frame, min(b.ts) AS ts FROM bgp b WHERE b.message_type = 1 GROUP BY b.capture_id, b.flow_id)
SELECT 'A session between networks without protection' AS title, 'AS ' || CAST(min(o.low) AS VARCHAR) || ' and AS ' || CAST(max(o.high) AS VARCHAR) || ', neither MD5 nor TCP-AO, time to live ' || CAST(max(o.ttl) AS VARCHAR) AS details, f.src_ip, f.dst_ip, max(f.dst_port) AS dst_port, count(*) AS count, min(o.frame) AS frame, array_slice(array_sort(array_agg(o.frame)), 1, 20) AS frames, min(o.ts) AS ts, max(f.end_ts) AS end_ts, min(o.capture) AS capture
FROM opens o JOIN flows f ON f.capture_id = o.capture_id AND f.flow_id = o.flow_id WHERE o.numbers = 2 AND NOT o.is_guarded AND o.ttl = 1 AND f.history LIKE 'S%' AND NOT EXISTS (SELECT 1 FROM bgp k WHERE k.capture_id = o.capture_id AND k.flow_id = o.flow_id AND k.tcp_authentication IS NOT NULL) GROUP BY o.capture_id, f.src_ip, f.dst_ip ORDER BY f.src_ip, f.dst_ip;

-- @finding routing_rogue_neighbor severity=medium confidence=medium technique=T1557
WITH hellos AS (
  SELECT capture, capture_id, frame, ts, src_ip, src_mac AS mac, 'OSPF' AS protocol FROM ospf WHERE message_type = 1 AND src_mac IS NOT NULL
  UNION ALL SELECT capture, capture_id, frame, ts, CAST(NULL AS VARCHAR), src_mac, 'IS-IS' FROM isis WHERE pdu_type BETWEEN 15 AND 17 AND src_mac IS NOT NULL
  UNION ALL SELECT e.capture, e.capture_id, e.frame, e.ts, e.src_ip, p.src_mac, e.protocol FROM (SELECT capture, capture_id, frame, ts, src_ip, 'EIGRP' AS protocol FROM eigrp WHERE opcode_name = 'hello' UNION ALL SELECT capture, capture_id, frame, ts, src_ip, 'HSRP' FROM hsrp WHERE opcode = 0 UNION ALL SELECT capture, capture_id, frame, ts, src_ip, 'VRRP' FROM vrrp WHERE NOT carp) e JOIN packets p ON p.capture_id = e.capture_id AND p.frame = e.frame),
-- Workstations take leases for themselves; routers of some makers do so on their outer side.
clients AS (
  SELECT capture_id, client_mac AS mac, coalesce(min(host_name), min(vendor_class)) AS name FROM dhcp WHERE op = 1 AND message_type IN (1, 3) AND client_mac = src_mac AND giaddr = '0.0.0.0' GROUP BY capture_id, client_mac HAVING NOT bool_or(regexp_like(lower(coalesce(vendor_class, '')), 'cisco|juniper|aruba|mikrotik|huawei|fortinet|ubnt|edgeos|arista'))
  UNION SELECT capture_id, mac, hostnames[1] FROM hosts WHERE device_type IN ('workstation', 'phone', 'printer') AND mac IS NOT NULL)
SELECT 'A workstation speaks as a router' AS title, h.protocol || ' from ' || h.mac || coalesce(' (' || max(c.name) || ')', '') AS details, max(h.src_ip) AS src_ip, count(DISTINCT h.frame) AS count, min(h.frame) AS frame, array_slice(array_sort(array_agg(DISTINCT h.frame)), 1, 20) AS frames, min(h.ts) AS ts, max(h.ts) AS end_ts, min(h.capture) AS capture
FROM hellos h JOIN clients c ON c.capture_id = h.capture_id AND c.mac = h.mac GROUP BY h.capture_id, h.protocol, h.mac ORDER BY frame, details;
