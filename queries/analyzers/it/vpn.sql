-- @analyzer vpn
-- @group    it
-- @title    VPN ANALYSIS
-- @help     VPNs and tunnels: IPsec, OpenVPN, WireGuard and others

-- @section summary shape=facts
SELECT count(*) AS sessions, count(*) FILTER (WHERE confirmed) AS confirmed, sum(packets) AS packets, sum(orig_bytes) + sum(resp_bytes) AS total_bytes, count(DISTINCT src_ip) AS initiators, count(DISTINCT dst_ip) AS responders,
  min(ts) AS first, max(end_ts) AS last FROM vpn;

-- @section "Kinds" shape=table
SELECT kind, version, encapsulation AS carrier, count(*) AS sessions, count(*) FILTER (WHERE confirmed) AS confirmed, sum(packets) AS packets, sum(orig_bytes) AS sent_bytes, sum(resp_bytes) AS received_bytes
FROM vpn GROUP BY kind, version, encapsulation ORDER BY sessions DESC, kind, version, carrier;

-- @section "Tunnels" shape=table limit=20
SELECT kind, src_ip AS initiator, dst_ip AS responder, dst_port AS port, ts AS start, (CAST(end_ts AS BIGINT) - CAST(ts AS BIGINT)) / 1e9 AS duration_s, packets, orig_bytes AS sent_bytes, resp_bytes AS received_bytes
FROM vpn ORDER BY capture, frame, kind, spi;

-- @section "Key exchanges" shape=table limit=15
SELECT src_ip AS initiator, dst_ip AS responder, version, exchange, coalesce(encryption_chosen, array_to_string(encryption, ', ')) AS cipher, coalesce(integrity_chosen, '-') AS integrity, dh_group AS "Group", auth_method AS auth, initiator_spi AS spi, frame
FROM vpn WHERE kind = 'ike' ORDER BY capture, frame, initiator_spi;

-- @section "Vendor ids" shape=table limit=15
SELECT vendor, count(*) AS associations FROM (SELECT unnest(vendor_ids) AS vendor FROM vpn WHERE vendor_ids IS NOT NULL) GROUP BY vendor ORDER BY associations DESC, vendor;

-- @section "Security associations" shape=table limit=15
SELECT kind, src_ip AS source, dst_ip AS destination, spi, last_sequence AS "Last sequence", packets, orig_bytes + resp_bytes AS bytes FROM vpn WHERE spi IS NOT NULL ORDER BY packets DESC, source, destination, spi;

-- @section "WireGuard and OpenVPN peers" shape=table limit=15
SELECT kind, src_ip AS client, dst_ip AS server, dst_port AS port, count(*) AS sessions, count(*) FILTER (WHERE wg_handshake OR (kind = 'openvpn' AND confirmed)) AS answered, bool_or(openvpn_tls_auth) AS signed, sum(packets) AS packets
FROM vpn WHERE kind IN ('wireguard', 'openvpn') GROUP BY kind, src_ip, dst_ip, dst_port ORDER BY packets DESC, client, server, port;

-- @section "L2TP, PPTP and GRE" shape=table limit=15
SELECT kind, version, src_ip AS client, dst_ip AS server, coalesce(hostname, '-') AS host, coalesce(username, '-') AS "user", coalesce(CAST(l2tp_session_id AS VARCHAR), CAST(pptp_call_id AS VARCHAR)) AS session, packets
FROM vpn WHERE kind IN ('l2tp', 'l2tpv3', 'pptp', 'gre', 'erspan') ORDER BY capture, frame, kind;

-- @section "Inside tunnels in clear" shape=table limit=15
SELECT tunnel, src_ip AS source, dst_ip AS destination, coalesce(service, transport) AS protocol, count(*) AS flows, sum(orig_packets + resp_packets) AS packets
FROM flows WHERE tunnel IS NOT NULL GROUP BY tunnel, src_ip, dst_ip, coalesce(service, transport) ORDER BY packets DESC, tunnel, source, destination, protocol;

-- @finding vpn_ike_weak severity=medium confidence=high technique=T1600
SELECT 'A key exchange agreed on weak algorithms' AS title, concat_ws(', ', encryption_chosen, prf_chosen, integrity_chosen, coalesce(dh_group, 'group ' || CAST(dh_group_code AS VARCHAR))) AS details, src_ip, dst_ip, dst_port, frame, ts, capture
FROM vpn WHERE kind = 'ike' AND (regexp_like(CAST(coalesce(encryption_chosen, '') AS VARCHAR), '^(des|3des|null)') OR coalesce(integrity_chosen, '') IN ('md5', 'sha1', 'hmac_md5_96', 'hmac_md5_128', 'hmac_sha1_96', 'des_mac', 'kpdk_md5') OR dh_group_code IN (1, 2, 5, 22, 23, 24))
ORDER BY capture, frame;

-- @finding vpn_ike_aggressive severity=medium confidence=high technique=T1040,T1110.002
SELECT 'A pre-shared key can be guessed from an aggressive exchange' AS title, 'authentication ' || coalesce(auth_method, 'unknown') || coalesce(', identity ' || identity, '') AS details, src_ip, dst_ip, dst_port, frame, ts, capture
FROM vpn WHERE kind = 'ike' AND array_has(exchanges, 'aggressive') AND confirmed AND coalesce(auth_method, 'psk') IN ('psk', 'xauth') ORDER BY capture, frame;

-- @finding vpn_ike_scan severity=medium confidence=medium technique=T1046
SELECT 'Key exchange servers were searched for' AS title, CAST(count(DISTINCT dst_ip) AS VARCHAR) || ' hosts were offered a key exchange, ' || CAST(count(DISTINCT CASE WHEN confirmed THEN dst_ip END) AS VARCHAR) || ' answered' AS details, src_ip, count(*) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture
FROM vpn WHERE kind = 'ike' GROUP BY capture_id, src_ip, CAST(ts AS BIGINT) / 300000000000 HAVING count(DISTINCT dst_ip) >= 10 ORDER BY src_ip, frame;

-- @finding vpn_pptp severity=high confidence=high technique=T1040,T1110.002
SELECT 'A tunnel whose logins can be cracked' AS title, CASE WHEN kind = 'gre' THEN 'PPP login of ' || username ELSE 'PPTP call set up' || coalesce(' by ' || hostname, '') END AS details, src_ip, dst_ip, dst_port, frame, ts, capture
FROM vpn WHERE (kind = 'pptp' AND (array_has(pptp_messages, 8) OR array_has(pptp_messages, 10))) OR (kind = 'gre' AND username IS NOT NULL) ORDER BY capture, frame;

-- @finding vpn_l2tp_clear severity=medium confidence=high technique=T1040
SELECT 'L2TP without IPsec' AS title, 'sessions in clear' || coalesce(', login of ' || max(username), '') AS details, src_ip, dst_ip, sum(packets) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, capture
FROM vpn WHERE kind = 'l2tp' GROUP BY src_ip, dst_ip, capture ORDER BY src_ip, dst_ip;

-- @finding vpn_unsanctioned severity=medium confidence=medium technique=T1572,T1133
SELECT 'A tunnel from inside to the internet' AS title, kind || ', ' || CAST(sum(packets) AS VARCHAR) || ' packets' AS details, src_ip, dst_ip, max(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, capture
FROM vpn WHERE kind IN ('wireguard', 'openvpn') AND confirmed AND is_private(src_ip) AND is_public(dst_ip) GROUP BY kind, src_ip, dst_ip, capture ORDER BY src_ip, dst_ip, kind;

-- @finding vpn_flapping severity=low confidence=medium
SELECT 'A tunnel is tried again and again' AS title, CAST(count(*) AS VARCHAR) || ' set-ups without answer, ' || kind AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture
FROM vpn WHERE (kind = 'ike' AND NOT confirmed) OR (kind = 'wireguard' AND wg_sender_index IS NOT NULL AND wg_receiver_index IS NULL) GROUP BY capture_id, kind, src_ip, dst_ip, CAST(ts AS BIGINT) / 600000000000 HAVING count(*) >= 10 ORDER BY src_ip, dst_ip, frame;

-- @finding vpn_gre_public severity=low confidence=medium technique=T1572,T1095
-- Routers do this between sites, and speak their own protocols inside.
WITH routers AS (SELECT DISTINCT capture_id, ip FROM host_roles WHERE role IN ('router', 'gateway')),
routed AS (SELECT DISTINCT capture_id, outer_src_ip AS one, outer_dst_ip AS other FROM packets WHERE outer_src_ip IS NOT NULL AND protocol IN ('ospf', 'eigrp', 'isis', 'rip', 'bgp', 'pim') AND tunnel LIKE '%gre%')
SELECT 'A host sends packets inside packets to the internet' AS title, CAST(sum(v.packets) AS VARCHAR) || ' packets by GRE' || coalesce(', inside ' || max(v.inner_protocol), '') || coalesce(', ' || max(v.inner_src_ip) || ' to ' || max(v.inner_dst_ip), '') AS details, v.src_ip, v.dst_ip, sum(v.packets) AS count, min(v.frame) AS frame, array_slice(array_sort(array_agg(v.frame)), 1, 20) AS frames, min(v.ts) AS ts, max(v.end_ts) AS end_ts, min(v.capture) AS capture
FROM vpn v LEFT JOIN routers r ON r.capture_id = v.capture_id AND r.ip = CASE WHEN is_public(v.src_ip) THEN v.dst_ip ELSE v.src_ip END LEFT JOIN routed i ON i.capture_id = v.capture_id AND (i.one = v.src_ip AND i.other = v.dst_ip OR i.one = v.dst_ip AND i.other = v.src_ip)
-- The GRE of PPTP belongs to its call.
WHERE v.kind = 'gre' AND coalesce(v.gre_protocol, 0) <> 34827 AND (is_private(v.src_ip) AND is_public(v.dst_ip) OR is_public(v.src_ip) AND is_private(v.dst_ip)) AND r.ip IS NULL AND i.one IS NULL AND coalesce(v.inner_protocol, '') NOT IN ('ospf', 'eigrp', 'isis', 'osi', 'rip', 'bgp', 'pim') GROUP BY v.capture_id, v.src_ip, v.dst_ip ORDER BY v.src_ip, v.dst_ip;

-- @finding vpn_erspan severity=medium confidence=high technique=T1040
SELECT 'Mirrored traffic leaves the network' AS title, CAST(sum(packets) AS VARCHAR) || ' mirrored frames' || coalesce(', such as of ' || max(inner_src_ip), '') AS details, src_ip, dst_ip, sum(packets) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture
FROM vpn WHERE kind = 'erspan' AND NOT is_public(src_ip) AND is_public(dst_ip) GROUP BY capture_id, src_ip, dst_ip ORDER BY src_ip, dst_ip;

-- @finding vpn_exfil severity=medium confidence=medium technique=T1048.002
SELECT 'Much was sent out through a tunnel' AS title, CAST(sum(orig_bytes) AS VARCHAR) || ' bytes by ' || kind || ', ' || CAST(sum(resp_bytes) AS VARCHAR) || ' back' AS details, src_ip, dst_ip, max(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture
FROM vpn WHERE is_private(src_ip) AND is_public(dst_ip) AND kind <> 'ike' GROUP BY capture_id, kind, src_ip, dst_ip HAVING sum(orig_bytes) >= 10000000 AND sum(orig_bytes) >= 4 * sum(resp_bytes) OR sum(orig_bytes) >= 50000000 ORDER BY src_ip, dst_ip, kind;

-- @finding vpn_ot severity=medium confidence=medium technique=T0886
SELECT 'A tunnel ends at industrial equipment' AS title, v.kind || ', ' || o.ip || ' is ' || min(o.kind) AS details, v.src_ip, v.dst_ip, max(v.dst_port) AS dst_port, count(DISTINCT v.frame) AS count, min(v.frame) AS frame, array_slice(array_sort(array_agg(DISTINCT v.frame)), 1, 20) AS frames, min(v.ts) AS ts, max(v.end_ts) AS end_ts, min(v.capture) AS capture
FROM vpn v JOIN ot_assets o ON o.capture_id = v.capture_id AND (o.ip = v.src_ip OR o.ip = v.dst_ip) WHERE v.confirmed GROUP BY v.capture_id, v.kind, o.ip, v.src_ip, v.dst_ip ORDER BY v.src_ip, v.dst_ip, details;
