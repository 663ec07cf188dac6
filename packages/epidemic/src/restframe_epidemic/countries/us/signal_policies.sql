-- OxCGRT's policies of the states: the indices, and the levels of single policies. Its flags are left out (they say
-- whether a policy is for the whole state), and so are the counts of cases that come with it. A value holds until the
-- next row, so only changes are kept.

DELETE FROM epidemic.signal
WHERE name IN (SELECT indicator FROM epidemic_staging.state_policies);

INSERT INTO epidemic.signal (location, date, name, value)
WITH states AS (
    SELECT DISTINCT SUBSTRING(fips, 1, 2) AS code, stname
    FROM epidemic_staging.county_features
), named AS (
    SELECT states.code, policy.date, policy.indicator, policy.value,
           LAG(policy.value) OVER (PARTITION BY policy.region_code, policy.indicator ORDER BY policy.date) AS earlier,
           ROW_NUMBER() OVER (PARTITION BY policy.region_code, policy.indicator ORDER BY policy.date) AS number
    FROM epidemic_staging.state_policies AS policy
    JOIN states
      ON states.stname = CASE policy.region_name WHEN 'Washington DC' THEN 'District of Columbia'
                         ELSE policy.region_name END
    WHERE policy.indicator NOT LIKE '%flag' AND policy.indicator NOT LIKE 'confirmed%' AND policy.value IS NOT NULL
)
SELECT code, date, indicator, value
FROM named
WHERE number = 1 OR value <> earlier;
