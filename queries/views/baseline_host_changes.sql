-- Hosts that are in the baseline and in the captures, where something about them is another. What one of them does not say is no change.
WITH both AS (SELECT n.*, b.macs AS old_macs, b.hostnames AS old_names, b.os AS old_os FROM present_hosts n JOIN baseline_hosts b ON b.ip = n.ip)
SELECT ip, 'mac' AS change, array_to_string(old_macs, ', ') AS before, array_to_string(macs, ', ') AS now, ts, capture FROM both WHERE array_length(macs) > 0 AND array_length(old_macs) > 0 AND NOT array_has_any(macs, old_macs)
UNION ALL SELECT ip, 'name', array_to_string(old_names, ', '), array_to_string(hostnames, ', '), ts, capture FROM both WHERE array_length(hostnames) > 0 AND array_length(old_names) > 0 AND NOT array_has_any(hostnames, old_names)
UNION ALL SELECT ip, 'os', old_os, os, ts, capture FROM both WHERE os <> old_os
