-- The county's people under 18, from 18 to 64 and from 65 on (CDC/ATSDR Social Vulnerability Index 2018), each spread
-- over finer bands as the nation's are (Census Bureau, population estimates of July 2019, in millions).

DELETE FROM epidemic.population_age;

INSERT INTO epidemic.population_age (location, age_from, population)
WITH shares AS (
    SELECT location, population, age_17_minus / 100.0 AS young, age_65_plus / 100.0 AS old
    FROM epidemic_staging.county_features
), bands AS (
    SELECT CASE WHEN age_from IN (18, 65) THEN age_from WHEN age_from >= 80 THEN 80 ELSE age_from / 10 * 10 END AS band,
           CASE WHEN age_from < 18 THEN 'young' WHEN age_from < 65 THEN 'adult' ELSE 'old' END AS third,
           SUM(people) AS people
    FROM epidemic_staging.national_age
    GROUP BY 1, 2
), parts AS (
    SELECT band, third, people / SUM(people) OVER (PARTITION BY third) AS part
    FROM bands
)
SELECT location, band,
       -- rounded, so that the order in which an engine adds does not show
       ROUND(SUM(population * part * CASE third WHEN 'young' THEN young WHEN 'old' THEN old ELSE 1 - young - old END), 6)
FROM shares CROSS JOIN parts
GROUP BY location, band;
