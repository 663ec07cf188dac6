-- Concentration: on how few providers a county's patients depend, before the epidemic and since.
--
-- hhi: the Herfindahl-Hirschman index, sum over providers of (share of the visits in %)^2: 10,000 when there is one
-- provider, 10,000 / n when n have as many visits each. U.S. Department of Justice and Federal Trade Commission, Merger
-- Guidelines 2023, guideline 1: markets above 1,800 are highly concentrated.
-- Visits are those of the patients who live in the county, its area or a place above them, wherever the provider is; of
-- conditions of the specialty to
-- providers of the specialty (mart demand's visits; those without a provider are left out).
DROP TABLE IF EXISTS epidemic_gaps.concentration;
CREATE TABLE epidemic_gaps.concentration AS
WITH made AS (
    SELECT DISTINCT visit.claim, visit.place, meaning.specialty_number, visit.provider_number AS provider,
        visit.from_date >= parameter.epidemic_start AS is_since
    FROM visit
    JOIN meaning ON meaning.meaning = visit.meaning
    JOIN known_provider ON known_provider.provider_number = visit.provider_number
        AND known_provider.specialty = meaning.specialty
    CROSS JOIN epidemic_gaps.parameter
), share AS (
    SELECT above.ancestor AS location, made.specialty_number, made.is_since, made.provider,
        CAST(sum(made.visits) AS float8) AS visits
    FROM (
        SELECT place, specialty_number, is_since, provider, count(*) AS visits FROM made GROUP BY 1, 2, 3, 4
    ) AS made
    JOIN place ON place.place = made.place
    JOIN above ON above.location = place.location
    GROUP BY 1, 2, 3, 4
)
SELECT share.location, named.specialty, share.is_since, CAST(sum(share.visits) AS bigint) AS visits,
    count(*) AS providers, 10000 * sum(share.visits * share.visits) / (sum(share.visits) * sum(share.visits)) AS hhi
FROM share
JOIN (SELECT DISTINCT specialty_number, specialty FROM meaning) AS named
    ON named.specialty_number = share.specialty_number
GROUP BY 1, 2, 3;
