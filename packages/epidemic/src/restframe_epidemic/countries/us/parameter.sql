DELETE FROM epidemic.parameter;

INSERT INTO epidemic.parameter (name, value, unit, source)
SELECT name, value, unit, source FROM epidemic_staging.parameter;
