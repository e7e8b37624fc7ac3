-- @table encoded_strings
-- Which secrets are sent in clear, and where do they stand?
SELECT secret_kind, context, key_name, src_ip, dst_ip, count(*) AS times FROM encoded_strings WHERE secret_kind IS NOT NULL GROUP BY secret_kind, context, key_name, src_ip, dst_ip ORDER BY times DESC, secret_kind, src_ip, dst_ip, context, key_name;
-- Which tokens were encoded more than once?
SELECT chain, context, src_ip, dst_ip, decoded_mime, decoded_len FROM encoded_strings WHERE cardinality(chain) > 1 ORDER BY cardinality(chain) DESC, ts, frame;
-- Which web tokens name no end?
SELECT jwt_issuer, jwt_subject, jwt_alg, src_ip, dst_ip, count(*) AS times FROM encoded_strings WHERE jwt_alg IS NOT NULL AND jwt_expires IS NULL GROUP BY jwt_issuer, jwt_subject, jwt_alg, src_ip, dst_ip ORDER BY times DESC, src_ip, dst_ip;
-- @table powershell
-- What did PowerShell run, once decoded?
SELECT ts, source, src_ip, dst_ip, coalesce(decoded_command, command) AS command FROM powershell WHERE command IS NOT NULL ORDER BY ts, frame;
-- Which hosts do its commands name?
SELECT host, count(*) AS commands FROM (SELECT unnest(hosts) AS host FROM powershell) GROUP BY host ORDER BY commands DESC, host;
-- Which scripts were fetched, and what do they show?
SELECT filename, sha256, indicators, src_ip, dst_ip FROM powershell WHERE kind = 'script' ORDER BY ts, frame;
-- @table strings
-- Which URLs stand in clear text, and who sent them?
SELECT value, count(*) AS times, min(src_ip) AS sender FROM strings WHERE kind = 'url' GROUP BY value ORDER BY times DESC, value LIMIT 20;
-- Which commands were written into a stream?
SELECT ts, src_ip, dst_ip, value FROM strings WHERE kind = 'command' ORDER BY ts, frame;
-- Which paths of files are named?
SELECT value, context, count(*) AS times FROM strings WHERE kind IN ('path', 'unc') GROUP BY value, context ORDER BY times DESC, value, context;
-- @table text_scans
-- How much text was read, and where?
SELECT context, count(*) AS texts, sum(read_bytes) AS read_bytes, sum(runs) AS strings FROM text_scans GROUP BY context ORDER BY read_bytes DESC, context;
-- Which conversations hold more text than is read?
SELECT flow_id, src_ip, dst_ip, context, read_bytes FROM text_scans WHERE limited ORDER BY ts, frame;
-- Who sends the most text?
SELECT src_ip, sum(runs) AS strings FROM text_scans GROUP BY src_ip ORDER BY strings DESC, src_ip LIMIT 20;
