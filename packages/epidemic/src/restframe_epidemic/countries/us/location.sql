-- Counties, states and the nation, by FIPS codes of five and of two digits.

DELETE FROM epidemic.location;

INSERT INTO epidemic.location (location, name, level, parent, population, latitude, longitude)
SELECT fips, ctyname, 'county', SUBSTRING(fips, 1, 2), popestimate2019, lat, lon
FROM epidemic_staging.county_features;

INSERT INTO epidemic.location (location, name, level, parent, population, latitude, longitude)
SELECT SUBSTRING(fips, 1, 2), MAX(stname), 'state', 'US', SUM(popestimate2019), AVG(lat), AVG(lon)
FROM epidemic_staging.county_features
GROUP BY SUBSTRING(fips, 1, 2);

INSERT INTO epidemic.location (location, name, level, population)
SELECT 'US', 'United States', 'nation', SUM(popestimate2019)
FROM epidemic_staging.county_features;
