-- @kept
-- What was commanded in the captures, as a baseline tells it.
SELECT CAST(protocol AS VARCHAR) AS protocol, target || coalesce(' ' || point, '') AS target, count(*) AS count
FROM ot_commands WHERE class NOT IN ('diagnostic', 'discovery', 'subscribe', 'auth') AND target IS NOT NULL GROUP BY protocol, target || coalesce(' ' || point, '')
