DELETE FROM epidemic.location;

INSERT INTO epidemic.location (location, name, level, population)
SELECT canton.code, canton.name, 'canton', SUM(parish.people)
FROM epidemic_staging.canton
JOIN epidemic_staging.parishes AS parish ON parish.canton = canton.code
GROUP BY canton.code, canton.name;

INSERT INTO epidemic.location (location, name, level, parent, population)
SELECT code, name, 'parish', canton, people FROM epidemic_staging.parishes;

DELETE FROM epidemic.capacity;

INSERT INTO epidemic.capacity (location, icu_beds, hospital_beds)
SELECT code, icu, beds FROM epidemic_staging.parishes;
