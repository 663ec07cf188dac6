-- Orders of the counties in spring and summer 2020: 1 from the day an order came into force, 0 from its rollback on, and
-- 0 before. Rows of states and of the nation are left out: their codes end in 000.

DELETE FROM epidemic.signal
WHERE name LIKE 'county\\_%';

INSERT INTO epidemic.signal (location, date, name, value)
WITH orders AS (
    SELECT location, stay_at_home AS date, 'county_stay_at_home' AS name, 1 AS value FROM epidemic_staging.interventions
    UNION ALL
    SELECT location, gatherings_50, 'county_gatherings_50', 1 FROM epidemic_staging.interventions
    UNION ALL
    SELECT location, gatherings_500, 'county_gatherings_500', 1 FROM epidemic_staging.interventions
    UNION ALL
    SELECT location, schools, 'county_schools', 1 FROM epidemic_staging.interventions
    UNION ALL
    SELECT location, restaurants, 'county_restaurants', 1 FROM epidemic_staging.interventions
    UNION ALL
    SELECT location, gyms, 'county_gyms', 1 FROM epidemic_staging.interventions
    UNION ALL
    SELECT location, federal_guidelines, 'county_federal_guidelines', 1 FROM epidemic_staging.interventions
    UNION ALL
    SELECT location, travel_ban, 'county_travel_ban', 1 FROM epidemic_staging.interventions
    UNION ALL
    SELECT location, stay_at_home_end, 'county_stay_at_home', 0 FROM epidemic_staging.interventions
    UNION ALL
    SELECT location, gatherings_50_end, 'county_gatherings_50', 0 FROM epidemic_staging.interventions
    UNION ALL
    SELECT location, gatherings_500_end, 'county_gatherings_500', 0 FROM epidemic_staging.interventions
    UNION ALL
    SELECT location, restaurants_end, 'county_restaurants', 0 FROM epidemic_staging.interventions
    UNION ALL
    SELECT location, gyms_end, 'county_gyms', 0 FROM epidemic_staging.interventions
)
SELECT location, date, name, MAX(value)
FROM orders
WHERE date IS NOT NULL AND location NOT LIKE '%000'
GROUP BY location, date, name
UNION ALL
SELECT DISTINCT location, DATE '2020-01-01', name, 0
FROM orders
WHERE location NOT LIKE '%000';
