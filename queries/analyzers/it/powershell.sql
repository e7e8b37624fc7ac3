-- @analyzer powershell
-- @group    it
-- @title    POWERSHELL
-- @help     PowerShell run or fetched over the network: commands decoded, downloads, remoting

-- @section summary shape=facts
SELECT count(*) AS records, count(*) FILTER (WHERE kind = 'command_line') AS command_lines, count(*) FILTER (WHERE kind = 'script') AS scripts, count(*) FILTER (WHERE kind LIKE 'psrp%') AS remoting, count(*) FILTER (WHERE kind = 'user_agent') AS "Requests by PowerShell", count(DISTINCT src_ip) AS senders, count(DISTINCT dst_ip) AS receivers,
  count(*) FILTER (WHERE decoded_command IS NOT NULL) AS decoded, count(*) FILTER (WHERE indicators IS NOT NULL) AS with_indicators FROM powershell;

-- @section "By source" shape=table
SELECT source, kind, count(*) AS records, count(DISTINCT src_ip) AS senders FROM powershell GROUP BY source, kind ORDER BY records DESC, source, kind;

-- @section "Commands" shape=table limit=25
SELECT ts AS time, frame, src_ip AS source, dst_ip AS target, source AS found_in, array_to_string(flags, ' ') AS switches, array_to_string(indicators, ', ') AS signs, coalesce(decoded_command, command) AS command FROM powershell WHERE command IS NOT NULL
ORDER BY CASE WHEN array_has_any(indicators, ['shellcode_api', 'amsi_bypass', 'credential_access', 'defender_tamper', 'persistence', 'download_cradle']) THEN 1 WHEN indicators IS NOT NULL THEN 2 ELSE 3 END, capture, frame, command;

-- @section "Whole text" shape=table verbose
SELECT frame, coalesce(decoded_command, command) AS command, array_to_string(decode_chain, ' > ') AS decoding FROM powershell WHERE command IS NOT NULL ORDER BY capture, frame, command;

-- @section "Downloads" shape=table limit=25
SELECT ts AS time, src_ip AS client, dst_ip AS server, array_element(urls, 1) AS url, user_agent, filename AS file, sha256, frame FROM powershell WHERE kind = 'user_agent' OR (array_has(indicators, 'download_cradle') AND urls IS NOT NULL) ORDER BY capture, frame, url;

-- @section "Remoting" shape=table limit=25
SELECT src_ip AS client, dst_ip AS server, max(username) AS account, count(DISTINCT shell_id) AS shells, count(*) FILTER (WHERE psrp_script IS NOT NULL) AS pipelines, count(*) FILTER (WHERE command IS NOT NULL) AS commands, bool_or(encrypted) AS encrypted, min(ts) AS first FROM winrm WHERE shell_id IS NOT NULL OR psrp_script IS NOT NULL OR command IS NOT NULL OR encrypted GROUP BY src_ip, dst_ip ORDER BY first, client, server;

-- @section "Indicators" shape=table
SELECT indicator, count(*) AS records, count(DISTINCT src_ip) AS senders, min(frame) AS frame FROM (SELECT src_ip, frame, unnest(indicators) AS indicator FROM powershell) GROUP BY indicator ORDER BY records DESC, indicator;

-- @finding ps_encoded_command severity=medium confidence=high technique=T1059.001,T1027.010
SELECT 'PowerShell is given an encoded command' AS title, substr(coalesce(decoded_command, command), 1, 200) AS details, CASE WHEN cardinality(indicators) > 0 THEN 'high' ELSE 'medium' END AS severity, src_ip, dst_ip, dst_port, frame, ts, capture FROM powershell WHERE array_has(flags, 'EncodedCommand') AND array_has(decode_chain, 'utf16le') ORDER BY capture, frame, details;

-- @finding ps_download_cradle severity=high confidence=high technique=T1105,T1059.001
SELECT 'PowerShell fetches a program and runs it' AS title, coalesce(array_to_string(urls, ', ') || ': ', '') || substr(coalesce(decoded_command, command), 1, 160) AS details, src_ip, dst_ip, dst_port, frame, ts, capture FROM powershell WHERE array_has(indicators, 'download_cradle') AND (array_has(indicators, 'iex') OR regexp_like(coalesce(decoded_command, command), '(?i)start-process|invoke-item|&\s*\(')) ORDER BY capture, frame, details;

-- @finding ps_amsi_bypass severity=high confidence=high technique=T1562.001
SELECT 'PowerShell switches the malware scan off' AS title, substr(coalesce(decoded_command, command), 1, 160) AS details, src_ip, dst_ip, dst_port, frame, ts, capture FROM powershell WHERE array_has(indicators, 'amsi_bypass') ORDER BY capture, frame, details;

-- @finding ps_shellcode severity=critical confidence=high technique=T1055
SELECT 'PowerShell writes machine code into memory' AS title, coalesce(filename || ': ', '') || substr(coalesce(decoded_command, command), 1, 160) AS details, src_ip, dst_ip, dst_port, frame, ts, capture FROM powershell WHERE array_has(indicators, 'shellcode_api') ORDER BY capture, frame, details;

-- @finding ps_credential_access severity=high confidence=high technique=T1003
SELECT 'PowerShell goes for passwords' AS title, coalesce(filename || ': ', '') || substr(coalesce(decoded_command, command), 1, 160) AS details, src_ip, dst_ip, dst_port, frame, ts, capture FROM powershell WHERE array_has(indicators, 'credential_access') ORDER BY capture, frame, details;

-- @finding ps_defender_tamper severity=high confidence=high technique=T1562.001
SELECT 'PowerShell weakens the virus scanner' AS title, substr(coalesce(decoded_command, command), 1, 160) AS details, src_ip, dst_ip, dst_port, frame, ts, capture FROM powershell WHERE array_has(indicators, 'defender_tamper') ORDER BY capture, frame, details;

-- @finding ps_ad_recon severity=medium confidence=medium technique=T1087.002,T1069.002
SELECT 'PowerShell maps the directory' AS title, coalesce(filename || ': ', '') || substr(coalesce(decoded_command, command), 1, 160) AS details, src_ip, dst_ip, dst_port, frame, ts, capture FROM powershell WHERE array_has(indicators, 'ad_recon') ORDER BY capture, frame, details;

-- @finding ps_persistence severity=high confidence=medium technique=T1053.005,T1547.001,T1546.003
SELECT 'PowerShell makes itself at home' AS title, substr(coalesce(decoded_command, command), 1, 160) AS details, src_ip, dst_ip, dst_port, frame, ts, capture FROM powershell WHERE array_has(indicators, 'persistence') ORDER BY capture, frame, details;

-- @finding ps_lateral severity=high confidence=medium technique=T1021.006
SELECT 'PowerShell runs on another host' AS title, CASE WHEN min(kind) = 'psrp_pipeline' THEN 'remote pipeline: ' ELSE coalesce('to ' || array_to_string(min(hosts), ', ') || ': ', '') END || substr(min(coalesce(decoded_command, command)), 1, 120) AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM powershell WHERE kind = 'psrp_pipeline' OR array_has(indicators, 'remote_execution') GROUP BY capture, capture_id, src_ip, dst_ip, dst_port ORDER BY capture, frame;

-- @finding ps_user_agent_download severity=medium confidence=high technique=T1105
SELECT 'PowerShell fetches a program' AS title, coalesce(array_element(p.urls, 1), '') || coalesce(': ' || f.mime, '') AS details, p.src_ip, p.dst_ip, p.dst_port, p.frame, p.ts, p.capture
FROM powershell p LEFT JOIN (SELECT capture_id, flow_id, max(CAST(mime AS VARCHAR)) AS mime, max(family) AS family FROM seen_files WHERE direction = 'download' AND family IN ('executable', 'script', 'archive') GROUP BY capture_id, flow_id) f ON f.capture_id = p.capture_id AND f.flow_id = p.flow_id
WHERE p.kind = 'user_agent' AND (f.family IS NOT NULL OR regexp_like(lower(array_element(p.urls, 1)), '[.](exe|dll|ps1|psm1|vbs|bat|cmd|hta|zip|7z|rar|msi|scr)([?]|$)')) AND NOT coalesce(regexp_like(array_element(p.urls, 1), '(?i)^https?://([^/]*[.])?(microsoft|windowsupdate|powershellgallery|nuget|chocolatey|github)[.](com|org)/'), false) ORDER BY p.capture, p.frame;

-- @finding ps_v2_downgrade severity=medium confidence=high technique=T1562.010
SELECT 'PowerShell is asked to be version 2' AS title, substr(command, 1, 160) AS details, src_ip, dst_ip, dst_port, frame, ts, capture FROM powershell WHERE array_has(flags, 'Version:2') OR array_has(flags, 'Version:2.0') ORDER BY capture, frame, details;

-- @finding ps_obfuscated severity=medium confidence=medium technique=T1027.010
SELECT 'PowerShell is written not to be read' AS title, coalesce(filename || ': ', '') || substr(command, 1, 160) AS details, src_ip, dst_ip, dst_port, frame, ts, capture FROM powershell WHERE array_has(indicators, 'obfuscated_syntax') ORDER BY capture, frame, details;
