-- Access to providers: the enhanced two-step floating catchment area (E2SFCA).
--
-- Step 1: for the providers of a specialty at place j, R_j = S_j / sum over k of D_k W(d_kj)
-- Step 2: for the people of place i, A_i = sum over j of R_j W(d_ij)
-- with S the visits that open providers can see in a week, D the visits demanded in the last week (mart demand), d the
-- great-circle distance between places in km (Earth's mean radius 6371.0088 km, IUGG) and W the weight of its band.
-- A_i is in visits offered per visit demanded; sum over i of A_i D_i is what the reachable providers offer.
-- Luo, Wang: Measures of spatial accessibility to health care in a GIS environment, Environment and Planning B 30
-- (2003); with bands: Luo, Qi: An enhanced two-step floating catchment area (E2SFCA) method, Health & Place 15 (2009),
-- whose weights (slow decay) are taken; the bands' widths are ours: counties, not streets, are what is measured.
-- A provider without a place, or of a specialty that no condition names, offers nothing here and stands in
-- left_out_provider.
CREATE TABLE IF NOT EXISTS epidemic_gaps.distance_band (up_to_km float8 NOT NULL, weight float8 NOT NULL);

INSERT INTO epidemic_gaps.distance_band
SELECT band.up_to_km, band.weight
FROM (SELECT 25.0 AS up_to_km, 1.0 AS weight UNION ALL SELECT 50.0, 0.68 UNION ALL SELECT 100.0, 0.22) AS band
WHERE NOT EXISTS (SELECT 1 FROM epidemic_gaps.distance_band);

DROP TABLE IF EXISTS epidemic_gaps.open_provider;
CREATE TABLE epidemic_gaps.open_provider AS
WITH site AS (
    SELECT affiliation.provider, coalesce(affiliation.location, provider.location) AS location,
        count(*) OVER (PARTITION BY affiliation.provider) AS sites
    FROM epidemic_claims.affiliation
    JOIN epidemic_claims.provider ON provider.provider = affiliation.provider
    CROSS JOIN epidemic_gaps.parameter
    WHERE affiliation.start_date <= parameter.last_day
        AND (affiliation.end_date IS NULL OR affiliation.end_date >= parameter.last_day)
)
SELECT provider.provider, provider.specialty, site.location, provider.accepts_new, provider.plans,
    -- Who works at several sites is taken to divide the week evenly.
    coalesce(provider.visits_per_week, 0.0::float8) / site.sites AS visits_per_week
FROM site
JOIN epidemic_claims.provider ON provider.provider = site.provider
JOIN epidemic.location ON location.location = site.location;

DROP TABLE IF EXISTS epidemic_gaps.left_out_provider;
CREATE TABLE epidemic_gaps.left_out_provider AS
SELECT provider.provider,
    CASE WHEN provider.specialty IS NULL THEN 'unknown specialty'
        WHEN known.specialty IS NULL THEN 'specialty of no condition'
        WHEN affiliation.provider IS NULL THEN 'without affiliation'
        WHEN affiliation.is_open = 0 THEN 'closed'
        ELSE 'without location' END AS reason
FROM epidemic_claims.provider
LEFT JOIN (SELECT DISTINCT specialty FROM epidemic_claims.condition) AS known ON known.specialty = provider.specialty
LEFT JOIN (
    SELECT affiliation.provider,
        max(CASE WHEN affiliation.end_date IS NULL OR affiliation.end_date >= parameter.last_day THEN 1 ELSE 0 END)
            AS is_open
    FROM epidemic_claims.affiliation
    CROSS JOIN epidemic_gaps.parameter
    GROUP BY affiliation.provider
) AS affiliation ON affiliation.provider = provider.provider
LEFT JOIN (SELECT DISTINCT provider FROM epidemic_gaps.open_provider) AS placed
    ON placed.provider = provider.provider
WHERE known.specialty IS NULL OR placed.provider IS NULL;

DROP TABLE IF EXISTS near;
CREATE TEMP TABLE near AS
WITH point AS (
    SELECT location, radians(latitude) AS latitude, radians(longitude) AS longitude
    FROM epidemic.location
    WHERE latitude IS NOT NULL AND longitude IS NOT NULL
        AND location IN (
            SELECT location FROM epidemic_gaps.demand UNION SELECT location FROM epidemic_gaps.open_provider)
), pair AS (
    SELECT a.location AS from_location, b.location AS to_location,
        2 * 6371.0088 * asin(least(1.0::float8, sqrt(power(sin((b.latitude - a.latitude) / 2), 2)
            + cos(a.latitude) * cos(b.latitude) * power(sin((b.longitude - a.longitude) / 2), 2)))) AS km
    FROM point AS a
    JOIN point AS b ON abs(b.latitude - a.latitude) * 6371.0088
        <= (SELECT max(up_to_km) FROM epidemic_gaps.distance_band)
)
SELECT pair.from_location, pair.to_location, pair.km, max(distance_band.weight) AS weight
FROM pair
JOIN epidemic_gaps.distance_band ON pair.km <= distance_band.up_to_km
GROUP BY 1, 2, 3;

DROP TABLE IF EXISTS epidemic_gaps.access;
CREATE TABLE epidemic_gaps.access AS
WITH wanted AS (
    SELECT location, specialty, demand
    FROM epidemic_gaps.demand
    WHERE week_end = (SELECT max(week_end) FROM epidemic_gaps.demand) AND demand > 0
), offered AS (
    SELECT location, specialty, CAST(sum(CAST(visits_per_week AS decimal(32,12))) AS float8) AS capacity,
        count(DISTINCT provider) AS providers,
        sum(CASE WHEN accepts_new THEN 1 ELSE 0 END) AS accepting
    FROM epidemic_gaps.open_provider GROUP BY location, specialty
), ratio AS (
    SELECT offered.location, offered.specialty, offered.capacity
        / CAST(sum(CAST(wanted.demand * near.weight AS decimal(32,12))) AS float8) AS ratio
    FROM offered
    JOIN near ON near.to_location = offered.location
    JOIN wanted ON wanted.location = near.from_location AND wanted.specialty = offered.specialty
    GROUP BY offered.location, offered.specialty, offered.capacity
), reached AS (
    SELECT near.from_location AS location, ratio.specialty,
        CAST(sum(CAST(ratio.ratio * near.weight AS decimal(32,12))) AS float8) AS access
    FROM near
    JOIN ratio ON ratio.location = near.to_location
    GROUP BY 1, 2
)
SELECT wanted.location, wanted.specialty, wanted.demand, coalesce(offered.capacity, 0.0::float8) AS capacity,
    coalesce(offered.providers, 0) AS providers, coalesce(offered.accepting, 0) AS accepting,
    -- Without coordinates a place's distances are unknown, and so is its access.
    CASE WHEN place.latitude IS NULL OR place.longitude IS NULL THEN NULL
        ELSE coalesce(reached.access, 0.0::float8) END AS access
FROM wanted
LEFT JOIN offered ON offered.location = wanted.location AND offered.specialty = wanted.specialty
LEFT JOIN reached ON reached.location = wanted.location AND reached.specialty = wanted.specialty
LEFT JOIN epidemic.location AS place ON place.location = wanted.location;

DROP TABLE near;
