-- @table anomalies
-- What could not be decoded, and how often?
SELECT protocol, kind, count(*) AS times FROM anomalies GROUP BY protocol, kind ORDER BY times DESC, protocol, kind;
-- Where does a capture end early or lack bytes?
SELECT capture, frame, detail FROM anomalies WHERE protocol = 'captures' ORDER BY capture, frame;
-- Who sends messages that their protocol does not allow?
SELECT src_ip, protocol, count(*) AS messages FROM anomalies WHERE src_ip IS NOT NULL GROUP BY src_ip, protocol ORDER BY messages DESC, src_ip, protocol;
-- @table captures
-- What captures are there, and when were they taken?
SELECT capture, ts, end_ts, packets, file_size_bytes FROM captures ORDER BY ts, capture;
-- Which captures are cut short?
SELECT capture, packets, skipped_bytes FROM captures WHERE truncated OR skipped_bytes > 0 ORDER BY capture;
-- Which program wrote a capture, on which system?
SELECT capture, application, os, hardware FROM captures WHERE application IS NOT NULL ORDER BY capture;
-- @table interfaces
-- Which interfaces were captured, with which filter?
SELECT capture, name, link_type_name, filter, packets FROM interfaces ORDER BY capture, interface_id;
-- Where did the capturing system lose packets?
SELECT capture, name, dropped_by_interface, dropped_by_os FROM interfaces WHERE dropped_by_interface > 0 OR dropped_by_os > 0 ORDER BY capture, name;
-- Which interfaces cut packets off?
SELECT capture, name, snaplen, truncated_packets FROM interfaces WHERE truncated_packets > 0 ORDER BY capture, name;
-- @table packets
-- How much does each protocol carry?
SELECT protocol, count(*) AS packets, sum(frame_len) AS bytes FROM packets GROUP BY protocol ORDER BY bytes DESC, protocol;
-- How does the load change, minute by minute?
SELECT date_bin(INTERVAL '1 minute', ts) AS minute, count(*) AS packets, sum(frame_len) AS bytes FROM packets GROUP BY minute ORDER BY minute;
-- Which packets came through a tunnel, and between which outer ends?
SELECT tunnel, outer_src_ip, outer_dst_ip, count(*) AS packets FROM packets WHERE tunnel IS NOT NULL GROUP BY tunnel, outer_src_ip, outer_dst_ip ORDER BY packets DESC, tunnel;
-- @table flows
-- Which conversations moved most?
SELECT src_ip, dst_ip, dst_port, service, orig_bytes + resp_bytes AS bytes FROM flows ORDER BY bytes DESC, src_ip, dst_ip LIMIT 20;
-- Who sent far more than it received to public addresses?
SELECT src_ip, dst_ip, sum(orig_bytes) AS sent, sum(resp_bytes) AS received FROM flows WHERE is_public(dst_ip) GROUP BY src_ip, dst_ip HAVING sum(orig_bytes) > 10 * sum(resp_bytes) ORDER BY sent DESC, src_ip, dst_ip;
-- Whose connections repeat like a clock?
SELECT src_ip, dst_ip, dst_port, count(*) AS flows, median_gap_s(ts) AS period_s, periodicity_score(ts) AS score FROM flows GROUP BY src_ip, dst_ip, dst_port HAVING count(*) >= 8 ORDER BY score DESC, src_ip, dst_ip, dst_port;
-- @table tcp_events
-- Which connections lose segments?
SELECT src_ip, dst_ip, count(*) FILTER (WHERE retransmission) AS retransmissions, count(*) FILTER (WHERE lost_segment) AS lost FROM tcp_events GROUP BY src_ip, dst_ip ORDER BY retransmissions DESC, lost DESC, src_ip, dst_ip;
-- Which receivers could not keep up?
SELECT src_ip, count(*) AS zero_windows FROM tcp_events WHERE zero_window GROUP BY src_ip ORDER BY zero_windows DESC, src_ip;
-- How long did retransmissions take?
SELECT flow_id, max(delay_ms) AS longest_ms FROM tcp_events WHERE retransmission GROUP BY flow_id ORDER BY longest_ms DESC NULLS LAST, flow_id LIMIT 20;
-- @table files
-- Which files were transferred whole, by hash?
SELECT sha256, filename, mime, size_bytes, source FROM files WHERE complete ORDER BY size_bytes DESC, sha256;
-- Which files are not what they were said to be?
SELECT filename, declared_mime, mime, src_ip, dst_ip FROM files WHERE declared_mime IS NOT NULL AND mime IS NOT NULL AND declared_mime <> mime ORDER BY filename, frame;
-- Which file went over more than one protocol?
SELECT sha256, count(DISTINCT source) AS ways, array_agg(DISTINCT source) AS sources FROM files WHERE complete GROUP BY sha256 HAVING count(DISTINCT source) > 1 ORDER BY ways DESC, sha256;
-- @table credentials
-- Who logged in where, and did it work?
SELECT protocol, username, dst_ip, outcome, count(*) AS times FROM credentials GROUP BY protocol, username, dst_ip, outcome ORDER BY times DESC, protocol, username;
-- Which passwords crossed the network in clear?
SELECT protocol, username, src_ip, dst_ip, secret FROM credentials WHERE NOT encrypted AND secret IS NOT NULL ORDER BY frame;
-- Which secret serves several users?
SELECT secret_id, count(DISTINCT username) AS users FROM credentials WHERE secret_id IS NOT NULL GROUP BY secret_id HAVING count(DISTINCT username) > 1 ORDER BY users DESC, secret_id;
-- @table findings
-- What needs attention first?
SELECT severity, detection, title, src_ip, dst_ip FROM findings WHERE severity IN ('critical', 'high') ORDER BY severity, detection, src_ip;
-- Which ATT&CK techniques were seen?
SELECT technique, attack_name(technique) AS name, count(*) AS findings FROM (SELECT unnest(techniques) AS technique FROM findings) AS seen GROUP BY technique ORDER BY findings DESC, technique;
-- Which hosts are named most often?
SELECT src_ip, count(*) AS findings, count(DISTINCT detection) AS kinds FROM findings WHERE src_ip IS NOT NULL GROUP BY src_ip ORDER BY kinds DESC, findings DESC, src_ip;
-- @table hosts
-- Who is in this network, and what is it?
SELECT ip, hostnames, mac_vendor, os, device_type, roles FROM hosts WHERE scope <> 'public' ORDER BY ip;
-- Which hosts serve something?
SELECT ip, services FROM hosts WHERE services IS NOT NULL ORDER BY ip;
-- Which hosts talk to the most others?
SELECT ip, peers, peers_public, flows_out, failed_flows_out FROM hosts ORDER BY peers DESC, ip LIMIT 20;
-- @table host_names
-- What is each address called, and who says so?
SELECT ip, name, kind, source, confidence FROM host_names ORDER BY ip, name, source;
-- Which addresses have several names?
SELECT ip, count(DISTINCT name) AS names FROM host_names GROUP BY ip HAVING count(DISTINCT name) > 1 ORDER BY names DESC, ip;
-- Which name moved from one address to another?
SELECT name, count(DISTINCT ip) AS addresses FROM host_names GROUP BY name HAVING count(DISTINCT ip) > 1 ORDER BY addresses DESC, name;
-- @table process_values
-- How did each point move?
SELECT device, point, count(*) AS readings, min(value) AS low, max(value) AS high FROM process_values GROUP BY device, point ORDER BY readings DESC, device, point;
-- What was the last value of each point?
SELECT device, point, last_value(value ORDER BY ts) AS value FROM process_values GROUP BY device, point ORDER BY device, point;
-- Which values were commanded, and by whom?
SELECT ts, actor, device, point, value, outcome FROM process_values WHERE is_command ORDER BY ts, device, point;
-- @table ot_commands
-- Who commanded which device to do what?
SELECT actor, target, protocol, class, count(*) AS commands FROM ot_commands GROUP BY actor, target, protocol, class ORDER BY commands DESC, actor, target;
-- Which commands are risky, and why?
SELECT ts, actor, target, command, point, risk, risk_reasons FROM ot_commands WHERE risk IN ('critical', 'high') ORDER BY ts, target;
-- Which commands were refused?
SELECT actor, target, command, outcome, error, count(*) AS times FROM ot_commands WHERE outcome <> 'ok' GROUP BY actor, target, command, outcome, error ORDER BY times DESC, actor, target, command;
