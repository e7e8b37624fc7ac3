-- Sightings of indicators. Names match themselves and what lies below them; networks what lies in them; URLs what begins so.
WITH wanted AS (
  SELECT *, CASE WHEN type IN ('ipv4', 'ipv6') THEN 'ip' ELSE type END AS kind FROM indicators
), exact AS (
  SELECT o.*, i.value AS indicator, i.type, i.confidence, i.severity, i.feed, i.tags, i.techniques, i.valid_until, i.pattern
  FROM observables o JOIN wanted i ON i.kind = o.kind AND i.value = o.value WHERE i.kind NOT IN ('domain', 'url', 'cidr')
), parents AS (
  SELECT DISTINCT value, unnest(name_and_parents(value)) AS parent FROM (SELECT DISTINCT value FROM observables WHERE kind = 'domain')
), names AS (
  SELECT o.*, i.value AS indicator, i.type, i.confidence, i.severity, i.feed, i.tags, i.techniques, i.valid_until, i.pattern
  FROM observables o JOIN parents p ON p.value = o.value JOIN wanted i ON i.kind = 'domain' AND i.value = p.parent WHERE o.kind = 'domain'
), addresses AS (
  SELECT DISTINCT value FROM observables WHERE kind = 'ip'
), within AS (
  SELECT a.value, i.value AS network FROM addresses a JOIN wanted i ON i.kind = 'cidr' AND cidr_match(i.value, a.value)
), networks AS (
  SELECT o.*, i.value AS indicator, i.type, i.confidence, i.severity, i.feed, i.tags, i.techniques, i.valid_until, i.pattern
  FROM observables o JOIN within w ON w.value = o.value JOIN wanted i ON i.kind = 'cidr' AND i.value = w.network WHERE o.kind = 'ip'
), urls AS (
  SELECT o.*, i.value AS indicator, i.type, i.confidence, i.severity, i.feed, i.tags, i.techniques, i.valid_until, i.pattern
  FROM observables o JOIN wanted i ON i.kind = 'url' AND split_part(i.value, '/', 1) = split_part(o.value, '/', 1) AND starts_with(o.value, i.value) WHERE o.kind = 'url'
)
SELECT * FROM exact UNION ALL SELECT * FROM names UNION ALL SELECT * FROM networks UNION ALL SELECT * FROM urls
