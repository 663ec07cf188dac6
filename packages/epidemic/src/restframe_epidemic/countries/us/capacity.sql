-- ICU beds are the county's; physicians are given per 100,000 people of its state.

DELETE FROM epidemic.capacity;

INSERT INTO epidemic.capacity (location, icu_beds, physicians)
SELECT location, icu_beds, physicians_per_100k * population / 100000.0
FROM epidemic_staging.county_features;
