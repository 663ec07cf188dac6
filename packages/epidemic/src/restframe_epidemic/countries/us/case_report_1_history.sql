-- Cases and deaths of every county and day in one file.

DELETE FROM epidemic.case_report;

INSERT INTO epidemic.case_report (location, date, cases, deaths)
SELECT location, date, cases, deaths
FROM epidemic_staging.case_history;
