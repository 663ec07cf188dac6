DELETE FROM epidemic.case_report;

INSERT INTO epidemic.case_report (location, date, cases, deaths)
SELECT parish, day, confirmed, died FROM epidemic_staging.reports;

DELETE FROM epidemic.holiday;

INSERT INTO epidemic.holiday (date, name)
SELECT date, name FROM epidemic_staging.holiday;
