-- OxCGRT's policies of the states: the indices, and the levels of single policies. Its flags are left out (they say
-- whether a policy is for the whole state), and so are the counts of cases that come with it. A value holds until the
-- next row, so only changes are kept.

DELETE FROM epidemic.signal
WHERE name IN (SELECT indicator FROM epidemic_staging.policies);

INSERT INTO epidemic.signal (location, date, name, value)
WITH codes AS (
    SELECT DISTINCT 'US_' || state.postal AS region, SUBSTRING(county.location, 1, 2) AS code
    FROM epidemic_staging.state
    JOIN epidemic_staging.county_features AS county ON county.state_name = state.name
), ordered AS (
    SELECT codes.code, policy.date, policy.indicator, policy.value,
           LAG(policy.value) OVER (PARTITION BY codes.code, policy.indicator ORDER BY policy.date) AS earlier
    FROM epidemic_staging.policies AS policy
    JOIN codes ON codes.region = policy.region
    WHERE policy.indicator NOT LIKE '%flag' AND policy.indicator NOT LIKE 'confirmed%' AND policy.value IS NOT NULL
)
SELECT code, date, indicator, value
FROM ordered
WHERE earlier IS NULL OR value <> earlier;
