-- @table bgp
-- Who peers with whom, under which number?
SELECT src_ip, dst_ip, my_as, bgp_id FROM bgp WHERE message_type_name = 'open' GROUP BY src_ip, dst_ip, my_as, bgp_id ORDER BY src_ip, dst_ip;
-- Which sessions ended, and why?
SELECT ts, src_ip, dst_ip, error, shutdown_communication FROM bgp WHERE error IS NOT NULL ORDER BY ts, src_ip;
-- Which networks does each neighbour announce?
SELECT src_ip, origin_as, count(*) AS updates FROM bgp WHERE announced IS NOT NULL GROUP BY src_ip, origin_as ORDER BY updates DESC, src_ip;
-- @table routing_routes
-- Which routes were announced last?
SELECT prefix, protocol, last_value(next_hop ORDER BY ts) AS next_hop FROM routing_routes GROUP BY prefix, protocol ORDER BY prefix, protocol;
-- Which prefix has more than one origin?
SELECT prefix, count(DISTINCT origin_as) AS origins FROM routing_routes WHERE origin_as IS NOT NULL GROUP BY prefix HAVING count(DISTINCT origin_as) > 1 ORDER BY origins DESC, prefix;
-- Which routes come and go?
SELECT prefix, protocol, count(*) FILTER (WHERE action = 'withdraw') AS withdrawn, count(*) AS changes FROM routing_routes GROUP BY prefix, protocol ORDER BY changes DESC, prefix;
-- @table ospf
-- Which routers speak, in which area?
SELECT router_id, area_id, src_ip, count(*) AS messages FROM ospf GROUP BY router_id, area_id, src_ip ORDER BY router_id, src_ip;
-- Which routers do not authenticate?
SELECT src_ip, auth_type_name, count(*) AS messages FROM ospf GROUP BY src_ip, auth_type_name ORDER BY messages DESC, src_ip;
-- Do neighbours agree on their timers?
SELECT area_id, network_mask, hello_interval_s, dead_interval_s, count(DISTINCT src_ip) AS routers FROM ospf WHERE hello_interval_s IS NOT NULL GROUP BY area_id, network_mask, hello_interval_s, dead_interval_s ORDER BY area_id, network_mask;
-- @table ospf_lsas
-- What does each router advertise?
SELECT advertising_router, lsa_type_name, count(*) AS lsas FROM ospf_lsas GROUP BY advertising_router, lsa_type_name ORDER BY lsas DESC, advertising_router;
-- Which external routes are brought in?
SELECT link_state_id, mask, metric, forwarding_address, external_tag FROM ospf_lsas WHERE external_tag IS NOT NULL GROUP BY link_state_id, mask, metric, forwarding_address, external_tag ORDER BY link_state_id;
-- Which advertisements are taken back?
SELECT ts, advertising_router, link_state_id FROM ospf_lsas WHERE age_s >= 3600 ORDER BY ts, advertising_router, link_state_id;
-- @table eigrp
-- Which routers speak, in which system?
SELECT src_ip, asn, software_version, count(*) AS messages FROM eigrp GROUP BY src_ip, asn, software_version ORDER BY messages DESC, src_ip;
-- Which prefixes were said to be unreachable?
SELECT ts, src_ip, unreachable_prefixes FROM eigrp WHERE unreachable_prefixes IS NOT NULL ORDER BY ts, src_ip;
-- Who leaves?
SELECT ts, src_ip, asn FROM eigrp WHERE goodbye ORDER BY ts, src_ip;
-- @table rip
-- Who announces how much?
SELECT src_ip, version, command_name, count(*) AS messages, max(entry_count) AS entries FROM rip GROUP BY src_ip, version, command_name ORDER BY messages DESC, src_ip;
-- Who asks for whole tables?
SELECT ts, src_ip, dst_ip FROM rip WHERE full_table_request ORDER BY ts, src_ip;
-- Which routers authenticate, and how?
SELECT src_ip, auth_type, auth_key_id, count(*) AS messages FROM rip GROUP BY src_ip, auth_type, auth_key_id ORDER BY messages DESC, src_ip;
-- @table isis
-- Which systems are there?
SELECT system_id, hostname, level, areas FROM isis WHERE system_id IS NOT NULL GROUP BY system_id, hostname, level, areas ORDER BY system_id, level;
-- Which systems are overloaded?
SELECT ts, lsp_id, lsp_sequence FROM isis WHERE overload ORDER BY ts, lsp_id;
-- What kinds of messages are sent?
SELECT pdu_type_name, count(*) AS messages FROM isis GROUP BY pdu_type_name ORDER BY messages DESC, pdu_type_name;
-- @table hsrp
-- Who is active for which address?
SELECT "group", virtual_ip, src_ip, state_name, max(priority) AS priority FROM hsrp GROUP BY "group", virtual_ip, src_ip, state_name ORDER BY "group", src_ip, state_name;
-- Which groups use the default password?
SELECT src_ip, "group", auth, count(*) AS messages FROM hsrp GROUP BY src_ip, "group", auth ORDER BY messages DESC, src_ip;
-- When did a router claim to be active?
SELECT ts, src_ip, "group", opcode_name FROM hsrp WHERE opcode_name <> 'hello' ORDER BY ts, src_ip;
-- @table vrrp
-- Who is master for which address?
SELECT virtual_router_id, src_ip, priority, virtual_ips, count(*) AS messages FROM vrrp GROUP BY virtual_router_id, src_ip, priority, virtual_ips ORDER BY virtual_router_id, priority DESC, src_ip;
-- Who gave up?
SELECT ts, virtual_router_id, src_ip FROM vrrp WHERE priority = 0 ORDER BY ts, src_ip;
-- Which announcements came from beyond the link?
SELECT ts, src_ip, ttl FROM vrrp WHERE ttl <> 255 ORDER BY ts, src_ip;
-- @table glbp
-- Which routers share an address?
SELECT "group", virtual_ip, src_ip, count(*) AS messages FROM glbp GROUP BY "group", virtual_ip, src_ip ORDER BY messages DESC, src_ip;
-- Which forwarders answer for which card?
SELECT forwarder, virtual_mac, src_ip, count(*) AS messages FROM glbp WHERE forwarder IS NOT NULL GROUP BY forwarder, virtual_mac, src_ip ORDER BY forwarder, src_ip;
-- Who authenticates, and how?
SELECT src_ip, auth_type, count(*) AS messages FROM glbp GROUP BY src_ip, auth_type ORDER BY messages DESC, src_ip;
-- @table pim
-- Which routers are neighbours?
SELECT src_ip, dr_priority, count(*) AS hellos FROM pim WHERE holdtime_s IS NOT NULL GROUP BY src_ip, dr_priority ORDER BY hellos DESC, src_ip;
-- Which groups are joined?
SELECT src_ip, joins, count(*) AS messages FROM pim WHERE joins IS NOT NULL GROUP BY src_ip, joins ORDER BY messages DESC, src_ip;
-- Who registers sources?
SELECT register_source, register_group, count(*) AS messages FROM pim WHERE register_group IS NOT NULL GROUP BY register_source, register_group ORDER BY messages DESC, register_source;
