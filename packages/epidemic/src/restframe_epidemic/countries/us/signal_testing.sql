-- Of the states, over the seven days up to each: the share of PCR tests that were positive, and tests per 100,000 people.

DELETE FROM epidemic.signal
WHERE name IN ('test_positivity', 'tests_per_100k');

INSERT INTO epidemic.signal (location, date, name, value)
WITH states AS (
    SELECT state.postal, SUBSTRING(county.location, 1, 2) AS code, SUM(county.population) AS people
    FROM epidemic_staging.state
    JOIN epidemic_staging.county_features AS county ON county.state_name = state.name
    GROUP BY 1, 2
), by_day AS (
    SELECT states.code, states.people, testing.date, CAST(SUM(testing.tests) AS float8) AS tests,
           CAST(SUM(CASE WHEN testing.outcome = 'Positive' THEN testing.tests ELSE 0 END) AS float8) AS positive
    FROM epidemic_staging.testing
    JOIN states ON states.postal = testing.state
    GROUP BY 1, 2, 3
), by_week AS (
    SELECT code, people, date,
           SUM(tests) OVER (PARTITION BY code ORDER BY date ROWS BETWEEN 6 PRECEDING AND CURRENT ROW) AS tests,
           SUM(positive) OVER (PARTITION BY code ORDER BY date ROWS BETWEEN 6 PRECEDING AND CURRENT ROW) AS positive
    FROM by_day
)
SELECT code, date, 'test_positivity', positive / NULLIF(tests, 0) FROM by_week
UNION ALL
SELECT code, date, 'tests_per_100k', 100000.0 * tests / 7 / NULLIF(people, 0) FROM by_week;
