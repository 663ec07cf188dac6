DELETE FROM epidemic.case_report;

INSERT INTO epidemic.case_report (location, date, cases, deaths)
SELECT district, day, cases, deaths FROM epidemic_staging.reports;

DELETE FROM epidemic.holiday;

INSERT INTO epidemic.holiday (date, name)
SELECT date, name FROM epidemic_staging.holiday;
