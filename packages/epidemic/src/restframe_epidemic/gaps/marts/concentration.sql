-- Concentration: on how few providers a county's patients depend, before the epidemic and since.
--
-- hhi: the Herfindahl-Hirschman index, sum over providers of (share of the visits in %)^2: 10,000 when there is one
-- provider, 10,000 / n when n have as many visits each. U.S. Department of Justice and Federal Trade Commission, Merger
-- Guidelines 2023, guideline 1: markets above 1,800 are highly concentrated.
-- Visits are those of the patients who live in the county, wherever the provider is; of conditions of the specialty to
-- providers of the specialty (mart demand's visits; those without a provider are left out).
DROP TABLE IF EXISTS epidemic_gaps.concentration;
CREATE TABLE epidemic_gaps.concentration AS
WITH made AS (
    SELECT DISTINCT visit.claim, visit.location, visit.specialty, visit.provider,
        visit.from_date >= parameter.epidemic_start AS is_since
    FROM visit
    JOIN epidemic_claims.provider ON provider.provider = visit.provider AND provider.specialty = visit.specialty
    CROSS JOIN epidemic_gaps.parameter
    WHERE visit.location <> ''
), share AS (
    SELECT location, specialty, is_since, provider, CAST(count(*) AS float8) AS visits
    FROM made GROUP BY 1, 2, 3, 4
)
SELECT location, specialty, is_since, CAST(sum(visits) AS bigint) AS visits, count(*) AS providers,
    10000 * sum(visits * visits) / (sum(visits) * sum(visits)) AS hhi
FROM share
GROUP BY 1, 2, 3;
