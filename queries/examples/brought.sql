-- @table indicators
-- What is looked for, from which feed?
SELECT type, feed, count(*) AS indicators FROM indicators GROUP BY type, feed ORDER BY indicators DESC, type, feed;
-- Which indicators are no longer valid?
SELECT value, type, valid_until FROM indicators WHERE valid_until < now() ORDER BY valid_until, value;
-- Which names were asked for in this capture, they or names below them?
SELECT DISTINCT d.query, i.value, i.feed FROM dns AS d JOIN indicators AS i ON i.type = 'domain' AND array_has(name_and_parents(d.query), i.value) ORDER BY d.query, i.value;
-- @table indicator_patterns
-- Which hosts fit a pattern of several facts?
SELECT host, pattern, "text", severity, ts FROM indicator_patterns ORDER BY host, pattern;
-- Which frames show it?
SELECT host, pattern, capture, frames FROM indicator_patterns ORDER BY capture, host, pattern;
-- Which techniques do the patterns that fit stand for?
SELECT technique, attack_name(technique) AS name, count(*) AS hosts FROM (SELECT unnest(techniques) AS technique FROM indicator_patterns) AS seen GROUP BY technique ORDER BY hosts DESC, technique;
-- @table settings
-- Which options do the built-in queries see?
SELECT name, value FROM settings ORDER BY name, value;
-- How many are there?
SELECT count(*) AS options FROM settings;
-- Which of them are about time?
SELECT name, value FROM settings WHERE name LIKE '%time%' ORDER BY name;
-- @table suricata_alerts
-- Which rules were raised, how often?
SELECT sid, signature, severity, count(*) AS alerts FROM suricata_alerts GROUP BY sid, signature, severity ORDER BY alerts DESC, sid, signature, severity;
-- Which flows do the alerts belong to?
SELECT a.sid, a.signature, f.capture, f.flow_id, f.service FROM suricata_alerts AS a JOIN flows AS f ON f.community_id = a.community_id ORDER BY a.sid, f.capture, f.flow_id;
-- Which techniques do the rules name?
SELECT technique, attack_name(technique) AS name, count(*) AS alerts FROM (SELECT unnest(techniques) AS technique FROM suricata_alerts) AS seen GROUP BY technique ORDER BY alerts DESC, technique;
-- @table suricata_events
-- How many records of which kind were there?
SELECT event_type, sum(count) AS records FROM suricata_events WHERE name IS NULL GROUP BY event_type ORDER BY records DESC, event_type;
-- What could the engine not see or decode?
SELECT name, count FROM suricata_events WHERE event_type IN ('stats', 'anomaly') AND count > 0 ORDER BY count DESC, name;
-- Which engine was it?
SELECT name, value FROM suricata_events WHERE event_type = 'engine' ORDER BY name, value;
-- @table baseline
-- What are the captures compared with?
SELECT path, version, created_at, captures, duration_s FROM baseline;
-- Does the file hold conversations and functions?
SELECT path, form >= 2 AS holds_conversations FROM baseline;
-- How old is it?
SELECT path, created_at FROM baseline ORDER BY path;
-- @table baseline_hosts
-- Which hosts are new?
SELECT h.ip, h.hostnames FROM hosts AS h LEFT JOIN baseline_hosts AS b ON h.ip = b.ip WHERE b.ip IS NULL AND h.ip IS NOT NULL ORDER BY h.ip;
-- Which hosts of the baseline are missing?
SELECT b.ip, b.hostnames FROM baseline_hosts AS b LEFT JOIN hosts AS h ON h.ip = b.ip WHERE h.ip IS NULL ORDER BY b.ip;
-- Which systems were there?
SELECT os, count(*) AS hosts FROM baseline_hosts GROUP BY os ORDER BY hosts DESC, os;
-- @table baseline_services
-- Which services are new?
SELECT DISTINCT f.dst_ip, f.dst_port, f.transport, f.service FROM flows AS f LEFT JOIN baseline_services AS b ON f.dst_ip = b.ip AND f.dst_port = b.port AND f.transport = b.protocol WHERE b.ip IS NULL AND f.resp_packets > 0 AND f.dst_port IS NOT NULL ORDER BY f.dst_ip, f.dst_port;
-- Which programs served what?
SELECT service, software, count(*) AS servers FROM baseline_services GROUP BY service, software ORDER BY servers DESC, service;
-- Which service had most users?
SELECT ip, port, cardinality(clients) AS users FROM baseline_services ORDER BY users DESC, ip, port;
-- @table baseline_conversations
-- Which conversations are new?
SELECT DISTINCT f.src_ip, f.dst_ip, f.service FROM flows AS f LEFT JOIN baseline_conversations AS b ON f.src_ip = b.src AND f.dst_ip = b.dst WHERE b.src IS NULL AND f.src_ip IS NOT NULL ORDER BY f.src_ip, f.dst_ip, f.service;
-- Which were the largest?
SELECT src, dst, service, bytes FROM baseline_conversations ORDER BY bytes DESC, src, dst LIMIT 20;
-- Which protocols were spoken?
SELECT service, count(*) AS conversations FROM baseline_conversations GROUP BY service ORDER BY conversations DESC, service;
-- @table baseline_functions
-- Who used which functions?
SELECT client, server, function, count FROM baseline_functions ORDER BY client, server, function;
-- Who wrote or controlled?
SELECT client, server, protocol, function, count FROM baseline_functions WHERE category IN ('write', 'control', 'program') ORDER BY count DESC, client, server;
-- Which protocols were used?
SELECT protocol, sum(count) AS uses FROM baseline_functions GROUP BY protocol ORDER BY uses DESC, protocol;
-- @table baseline_commands
-- Which commands were given before?
SELECT name, count FROM baseline_commands ORDER BY count DESC, name;
-- How many kinds were there?
SELECT count(*) AS kinds, sum(count) AS commands FROM baseline_commands;
-- Which of them were Modbus commands?
SELECT name, count FROM baseline_commands WHERE name ILIKE 'modbus%' ORDER BY name;
-- @table baseline_targets
-- Which points were written before?
SELECT protocol, target, count FROM baseline_targets ORDER BY count DESC, protocol, target;
-- How many points does each protocol have?
SELECT protocol, count(*) AS points FROM baseline_targets GROUP BY protocol ORDER BY points DESC, protocol;
-- Which points were written most?
SELECT target, count FROM baseline_targets ORDER BY count DESC, target LIMIT 10;
