DELETE FROM epidemic.location;

INSERT INTO epidemic.location (location, name, level, parent, population, latitude, longitude)
SELECT district, name, 'district', province, people, latitude, longitude
FROM epidemic_staging.districts;

INSERT INTO epidemic.location (location, name, level, parent, population, latitude, longitude)
SELECT province.code, province.name, 'province', nation.code, SUM(district.people), AVG(district.latitude),
       AVG(district.longitude)
FROM epidemic_staging.districts AS district
JOIN epidemic_staging.province AS province ON province.code = district.province
CROSS JOIN epidemic_staging.nation AS nation
GROUP BY province.code, province.name, nation.code;

INSERT INTO epidemic.location (location, name, level, population)
SELECT nation.code, nation.name, 'nation', SUM(district.people)
FROM epidemic_staging.districts AS district
CROSS JOIN epidemic_staging.nation AS nation
GROUP BY nation.code, nation.name;

DELETE FROM epidemic.population_age;

INSERT INTO epidemic.population_age (location, age_from, population)
SELECT district, 0, people * young FROM epidemic_staging.districts
UNION ALL
SELECT district, 20, people * (1 - young - old) FROM epidemic_staging.districts
UNION ALL
SELECT district, 65, people * old FROM epidemic_staging.districts;

DELETE FROM epidemic.capacity;

INSERT INTO epidemic.capacity (location, icu_beds, hospital_beds, physicians)
SELECT district, icu_beds, hospital_beds, physicians FROM epidemic_staging.districts;

DELETE FROM epidemic.feature;

INSERT INTO epidemic.feature (location, name, value)
SELECT district, 'poverty', poverty FROM epidemic_staging.districts WHERE poverty IS NOT NULL
UNION ALL
SELECT district, 'household_size', household_size FROM epidemic_staging.districts WHERE household_size IS NOT NULL;
