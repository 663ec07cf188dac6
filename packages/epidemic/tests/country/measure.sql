DELETE FROM epidemic.signal;

INSERT INTO epidemic.signal (location, date, name, value)
SELECT canton, day, 'schools_closed', schools_closed FROM epidemic_staging.measures;
