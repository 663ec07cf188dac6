-- The files of JHU CSSE as they are published, cases and deaths apart. Where there are both they are newer than the
-- history, and take its place.

DELETE FROM epidemic.case_report
WHERE date BETWEEN (SELECT MIN(date) FROM epidemic_staging.jhu_cases) AND (SELECT MAX(date) FROM epidemic_staging.jhu_cases);

INSERT INTO epidemic.case_report (location, date, cases, deaths)
SELECT c.location, c.date, c.cases, d.deaths
FROM epidemic_staging.jhu_cases AS c
LEFT JOIN epidemic_staging.jhu_deaths AS d ON d.location = c.location AND d.date = c.date;
