DELETE FROM epidemic.case_report;

INSERT INTO epidemic.case_report (location, date, cases, deaths)
SELECT fips, date, cum_cases, cum_deaths
FROM epidemic_staging.county_daily;
