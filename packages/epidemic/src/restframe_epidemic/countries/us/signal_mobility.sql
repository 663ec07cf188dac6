-- Google's community mobility, in percent of the days before the epidemic; a day without a figure ends the last one.

DELETE FROM epidemic.signal
WHERE name LIKE 'mobility\\_%';

INSERT INTO epidemic.signal (location, date, name, value)
SELECT location, date, 'mobility_retail', retail FROM epidemic_staging.mobility
UNION ALL
SELECT location, date, 'mobility_grocery', grocery FROM epidemic_staging.mobility
UNION ALL
SELECT location, date, 'mobility_parks', parks FROM epidemic_staging.mobility
UNION ALL
SELECT location, date, 'mobility_transit', transit FROM epidemic_staging.mobility
UNION ALL
SELECT location, date, 'mobility_workplaces', workplaces FROM epidemic_staging.mobility
UNION ALL
SELECT location, date, 'mobility_residential', residential FROM epidemic_staging.mobility;
