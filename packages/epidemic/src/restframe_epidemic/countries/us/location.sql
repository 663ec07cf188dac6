-- Counties, states and the nation, by FIPS codes of five and of two digits.

DELETE FROM epidemic.location;

INSERT INTO epidemic.location (location, name, level, parent, population, latitude, longitude)
SELECT location, name, 'county', SUBSTRING(location, 1, 2), population, latitude, longitude
FROM epidemic_staging.county_features;

INSERT INTO epidemic.location (location, name, level, parent, population, latitude, longitude)
SELECT SUBSTRING(location, 1, 2), MAX(state_name), 'state', 'US', SUM(population), AVG(latitude), AVG(longitude)
FROM epidemic_staging.county_features
GROUP BY SUBSTRING(location, 1, 2);

INSERT INTO epidemic.location (location, name, level, population)
SELECT 'US', 'United States', 'nation', SUM(population)
FROM epidemic_staging.county_features;
