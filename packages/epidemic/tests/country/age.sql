DELETE FROM epidemic.population_age;

INSERT INTO epidemic.population_age (location, age_from, population)
SELECT code, 0, people * children FROM epidemic_staging.parishes
UNION ALL
SELECT code, 15, people * (1 - children - elders) FROM epidemic_staging.parishes
UNION ALL
SELECT code, 55, people * elders FROM epidemic_staging.parishes;

DELETE FROM epidemic.age_severity;

INSERT INTO epidemic.age_severity (age_from, susceptibility, hospitalised, critical, fatal)
SELECT age_from, susceptibility, hospitalised, critical, fatal FROM epidemic_staging.age_severity;
