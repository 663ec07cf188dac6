-- Orders of the counties in spring and summer 2020: 1 from the day an order came into force, 0 from its rollback on, and
-- 0 before. The file has days as proleptic ordinal numbers, of which 1 is 0001-01-01. Rows of states and of the nation
-- are left out: their codes end in 000.

DELETE FROM epidemic.signal
WHERE name LIKE 'county\\_%';

INSERT INTO epidemic.signal (location, date, name, value)
WITH orders AS (
    SELECT fips, stay_at_home AS day, 'county_stay_at_home' AS name, 1 AS value FROM epidemic_staging.county_interventions
    UNION ALL
    SELECT fips, gatherings_50 AS day, 'county_gatherings_50' AS name, 1 AS value FROM epidemic_staging.county_interventions
    UNION ALL
    SELECT fips, gatherings_500 AS day, 'county_gatherings_500' AS name, 1 AS value FROM epidemic_staging.county_interventions
    UNION ALL
    SELECT fips, public_schools AS day, 'county_public_schools' AS name, 1 AS value FROM epidemic_staging.county_interventions
    UNION ALL
    SELECT fips, restaurant_dine_in AS day, 'county_restaurant_dine_in' AS name, 1 AS value FROM epidemic_staging.county_interventions
    UNION ALL
    SELECT fips, entertainment_gym AS day, 'county_entertainment_gym' AS name, 1 AS value FROM epidemic_staging.county_interventions
    UNION ALL
    SELECT fips, federal_guidelines AS day, 'county_federal_guidelines' AS name, 1 AS value FROM epidemic_staging.county_interventions
    UNION ALL
    SELECT fips, foreign_travel_ban AS day, 'county_foreign_travel_ban' AS name, 1 AS value FROM epidemic_staging.county_interventions
    UNION ALL
    SELECT fips, stay_at_home_rollback, 'county_stay_at_home', 0 FROM epidemic_staging.county_interventions
    UNION ALL
    SELECT fips, gatherings_50_rollback, 'county_gatherings_50', 0 FROM epidemic_staging.county_interventions
    UNION ALL
    SELECT fips, gatherings_500_rollback, 'county_gatherings_500', 0 FROM epidemic_staging.county_interventions
    UNION ALL
    SELECT fips, restaurant_dine_in_rollback, 'county_restaurant_dine_in', 0 FROM epidemic_staging.county_interventions
    UNION ALL
    SELECT fips, entertainment_gym_rollback, 'county_entertainment_gym', 0 FROM epidemic_staging.county_interventions
), counties AS (
    SELECT LPAD(CAST(fips AS varchar), 5, '0') AS location, name, day, value
    FROM orders
    WHERE MOD(CAST(fips AS int), 1000) <> 0
)
SELECT location, DATEADD(day, CAST(day AS int) - 1, DATE '0001-01-01'), name, MAX(value)
FROM counties
WHERE day IS NOT NULL
GROUP BY location, day, name
UNION ALL
SELECT DISTINCT location, DATE '2020-01-01', name, 0
FROM counties;
