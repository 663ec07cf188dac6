-- Local change: what is measured in a county and month or quarter, over what the time before the epidemic lets expect.
--
-- Measures: visits (by specialty, mart demand), fills (paid, by class of drugs) and new diagnoses (by condition, mart
-- diagnosis).
-- exposure  patients enrolled on the month's last day; for new diagnoses those of mart diagnosis, with their look-back
-- expected  exposure x r x the county's level, where
--           r      the rate everywhere: log r = mean of the same calendar months before the epidemic + slope x years
--                  since their mean time (season as a factor, a common trend; least squares within calendar months,
--                  weighted by counts, the slope drawn to 0 as by a normal prior of 5 % a year, since few events tell
--                  no trend); calendar months that the time before does not have take the mean of all
--           level  the county's count before the epidemic / that expected of it by r
-- Counties, their areas and the places above them, each of these measured as one place: by its own sums of counts and
-- exposures. Quarters of the year (months = 3) likewise, by the sums of their months; the first may lack those that were
-- before the epidemic, and the last one is over.
-- The time before begins when parameter.lookback_days of claims have passed, and ends with the last month that is
-- wholly before the epidemic; the months of the epidemic are those wholly in it.
-- change    count / expected; NULL where nothing was counted before
-- lower, upper: a 95 % interval that knows of chance now and of chance in the county's level. Given the sum n of
--           the count now (O) and before (B), O is binomial with p = k rho / (1 + k rho), k = expected now / before by
--           r and rho the change (Przyborowski, Wilenski, Biometrika 31, 1940); Wilson's score interval of p (JASA 22,
--           1927) holds its level for few events and none at all, where intervals of a logarithm break down. Its
--           variance is multiplied by the dispersion of the months before around their expectation (at least 1):
--           patients come more than once, so that events are more uneven than Poisson's. The season and trend are
--           taken as known: they come from all counties together.
-- Sums of fractions are taken as decimals: they are the same whatever the order in which they are added up.
DROP TABLE IF EXISTS enrolled_month;
CREATE TEMP TABLE enrolled_month AS
WITH change AS (
    SELECT location, date_trunc('month', start_date) AS month, 1 AS step FROM spell WHERE location <> ''
    UNION ALL
    SELECT location, date_trunc('month', end_date + 1), -1 FROM spell WHERE location <> ''
), summed AS (
    SELECT location, CAST(month AS date) AS month, sum(step) AS step FROM change GROUP BY 1, 2
), grid AS (
    SELECT place.location, month.month, coalesce(summed.step, 0) AS step
    FROM (SELECT DISTINCT location FROM summed) AS place
    CROSS JOIN (SELECT month FROM summed UNION SELECT month FROM epidemic_gaps.month) AS month
    LEFT JOIN summed ON summed.location = place.location AND summed.month = month.month
)
SELECT 'everybody' AS counted_for, grid.location, grid.month,
    sum(grid.step) OVER (PARTITION BY grid.location ORDER BY grid.month ROWS UNBOUNDED PRECEDING) AS exposure
FROM grid
UNION ALL
SELECT 'new diagnoses', location, month, members FROM epidemic_gaps.member_month WHERE location <> '';

DROP TABLE IF EXISTS counted_month;
CREATE TEMP TABLE counted_month AS
WITH visited AS (
    SELECT visit.place, meaning.specialty, CAST(date_trunc('month', visit.from_date) AS date) AS month,
        count(DISTINCT visit.claim) AS events
    FROM visit
    JOIN meaning ON meaning.meaning = visit.meaning
    WHERE meaning.specialty IS NOT NULL
    GROUP BY 1, 2, 3
)
SELECT 'visits' AS measure, visited.specialty AS subject, place.location, visited.month, visited.events
FROM visited
JOIN place ON place.place = visited.place
WHERE place.location <> ''
UNION ALL
SELECT 'fills', drug_class_number.class, place.location, filled.month, filled.fills
FROM filled
JOIN drug_class_number ON drug_class_number.class_number = filled.class_number
JOIN place ON place.place = filled.place
WHERE place.location <> ''
UNION ALL
SELECT 'new diagnoses', condition, location, CAST(date_trunc('month', diagnosed_date) AS date), count(*)
FROM epidemic_gaps.diagnosis_patient WHERE location <> '' GROUP BY 2, 3, 4;

-- Whole months only.
DROP TABLE IF EXISTS measured_month;
CREATE TEMP TABLE measured_month AS
WITH subject AS (
    SELECT counted_month.measure, counted_month.subject, min(counted_month.month) AS first_month
    FROM counted_month
    CROSS JOIN epidemic_gaps.parameter
    WHERE counted_month.month >= parameter.first_day + parameter.lookback_days
    GROUP BY 1, 2
)
SELECT subject.measure, subject.subject, enrolled_month.location, enrolled_month.month,
    extract(month FROM enrolled_month.month) AS season,
    datediff(month, subject.first_month, enrolled_month.month) / 12.0::float8 AS years,
    CAST(coalesce(counted_month.events, 0) AS float8) AS events, CAST(enrolled_month.exposure AS float8) AS exposure,
    last_day(enrolled_month.month) < parameter.epidemic_start AS is_before,
    enrolled_month.month >= parameter.epidemic_start AS is_since
FROM subject
JOIN enrolled_month ON enrolled_month.month >= subject.first_month
    AND enrolled_month.month IN (SELECT month FROM epidemic_gaps.month)
    AND enrolled_month.counted_for = CASE WHEN subject.measure = 'new diagnoses' THEN 'new diagnoses'
        ELSE 'everybody' END
CROSS JOIN epidemic_gaps.parameter
LEFT JOIN counted_month ON counted_month.measure = subject.measure AND counted_month.subject = subject.subject
    AND counted_month.location = enrolled_month.location AND counted_month.month = enrolled_month.month
WHERE last_day(enrolled_month.month) <= parameter.last_day;

DROP TABLE IF EXISTS usual_rate;
CREATE TEMP TABLE usual_rate AS
WITH everywhere AS (
    SELECT measure, subject, month, season, years, is_before, sum(events) AS events,
        ln(sum(events) / sum(exposure)) AS log_rate
    FROM measured_month GROUP BY 1, 2, 3, 4, 5, 6 HAVING sum(events) > 0 AND sum(exposure) > 0
), season AS (
    SELECT measure, subject, season,
        CAST(sum(CAST(events * log_rate AS decimal(32,12))) AS float8) / sum(events) AS log_rate,
        CAST(sum(CAST(events * years AS decimal(32,12))) AS float8) / sum(events) AS years
    FROM everywhere WHERE is_before GROUP BY 1, 2, 3
), overall AS (
    SELECT measure, subject, CAST(sum(CAST(events * log_rate AS decimal(32,12))) AS float8) / sum(events) AS log_rate,
        CAST(sum(CAST(events * years AS decimal(32,12))) AS float8) / sum(events) AS years
    FROM everywhere WHERE is_before GROUP BY 1, 2
), trend AS (
    SELECT everywhere.measure, everywhere.subject,
        CAST(sum(CAST(everywhere.events * (everywhere.years - season.years)
                * (everywhere.log_rate - season.log_rate) AS decimal(32,12))) AS float8)
            / (CAST(sum(CAST(everywhere.events * power(everywhere.years - season.years, 2) AS decimal(32,12)))
                AS float8) + 400) AS slope
    FROM everywhere
    JOIN season ON season.measure = everywhere.measure AND season.subject = everywhere.subject
        AND season.season = everywhere.season
    WHERE everywhere.is_before GROUP BY 1, 2
), month AS (
    SELECT DISTINCT measure, subject, month, season, years FROM measured_month
)
SELECT month.measure, month.subject, month.month,
    exp(coalesce(season.log_rate, overall.log_rate)
        + trend.slope * (month.years - coalesce(season.years, overall.years))) AS rate
FROM month
JOIN overall ON overall.measure = month.measure AND overall.subject = month.subject
JOIN trend ON trend.measure = month.measure AND trend.subject = month.subject
LEFT JOIN season ON season.measure = month.measure AND season.subject = month.subject AND season.season = month.season;

DROP TABLE IF EXISTS epidemic_gaps.baseline;
CREATE TABLE epidemic_gaps.baseline AS
SELECT measured_month.measure, measured_month.subject, measured_month.location, sum(measured_month.events) AS events,
    CAST(sum(CAST(measured_month.exposure * usual_rate.rate AS decimal(32,12))) AS float8) AS usual_events
FROM measured_month
JOIN usual_rate ON usual_rate.measure = measured_month.measure AND usual_rate.subject = measured_month.subject
    AND usual_rate.month = measured_month.month
WHERE measured_month.is_before
GROUP BY 1, 2, 3;

DROP TABLE IF EXISTS dispersion;
CREATE TEMP TABLE dispersion AS
WITH fitted AS (
    SELECT measured_month.measure, measured_month.subject, measured_month.location, measured_month.events,
        measured_month.exposure * usual_rate.rate * baseline.events / baseline.usual_events AS expected
    FROM measured_month
    JOIN usual_rate ON usual_rate.measure = measured_month.measure AND usual_rate.subject = measured_month.subject
        AND usual_rate.month = measured_month.month
    JOIN epidemic_gaps.baseline ON baseline.measure = measured_month.measure
        AND baseline.subject = measured_month.subject AND baseline.location = measured_month.location
    WHERE measured_month.is_before AND baseline.usual_events > 0
)
SELECT measure, subject,
    greatest(1.0::float8, coalesce(CAST(sum(CAST(power(events - expected, 2) / expected AS decimal(32,12))) AS float8)
        / nullif(count(*) - count(DISTINCT location), 0), 1)) AS dispersion
FROM fitted
-- A squared difference over a tiny expectation says nothing about dispersion.
WHERE expected >= 1
GROUP BY 1, 2;

DROP TABLE IF EXISTS epidemic_gaps.local_change;
CREATE TABLE epidemic_gaps.local_change AS
WITH since AS (
    SELECT month, 1 AS months, month AS begins FROM epidemic_gaps.month
    UNION ALL
    SELECT month.month, 3, CAST(date_trunc('quarter', month.month) AS date)
    FROM epidemic_gaps.month
    CROSS JOIN epidemic_gaps.parameter
    WHERE add_months(date_trunc('quarter', month.month), 3) <= parameter.last_day + 1
), usual AS (
    SELECT above.ancestor AS location, measured_month.measure, measured_month.subject, since.months, since.begins AS month,
        sum(measured_month.events) AS events, sum(measured_month.exposure) AS exposure,
        CAST(sum(CAST(measured_month.exposure * usual_rate.rate AS decimal(32,12))) AS float8) AS usual_events
    FROM measured_month
    JOIN usual_rate ON usual_rate.measure = measured_month.measure AND usual_rate.subject = measured_month.subject
        AND usual_rate.month = measured_month.month
    JOIN above ON above.location = measured_month.location
    JOIN since ON since.month = measured_month.month
    WHERE measured_month.is_since
    GROUP BY 1, 2, 3, 4, 5
), before AS (
    SELECT above.ancestor AS location, baseline.measure, baseline.subject, sum(baseline.events) AS events,
        CAST(sum(CAST(baseline.usual_events AS decimal(32,12))) AS float8) AS usual_events
    FROM epidemic_gaps.baseline
    JOIN above ON above.location = baseline.location
    GROUP BY 1, 2, 3
), joined AS (
    SELECT usual.measure, usual.subject, usual.location, usual.month, usual.months, usual.events, usual.exposure,
        before.events AS events_before, usual.usual_events / nullif(before.usual_events, 0) AS k,
        3.841459::float8 * coalesce(dispersion.dispersion, 1) AS zz
    FROM usual
    JOIN before ON before.measure = usual.measure AND before.subject = usual.subject
        AND before.location = usual.location
    LEFT JOIN dispersion ON dispersion.measure = usual.measure AND dispersion.subject = usual.subject
), wilson AS (
    SELECT measure, subject, location, month, months, events, exposure, events_before, k, events + events_before AS n,
        (events + zz / 2) / nullif(events + events_before + zz, 0) AS middle,
        sqrt(zz * (events * events_before / nullif(events + events_before, 0) + zz / 4))
            / nullif(events + events_before + zz, 0) AS half
    FROM joined
)
SELECT measure, subject, location, month, months, CAST(events AS bigint) AS events, CAST(exposure AS bigint) AS exposure,
    CAST(events_before AS bigint) AS events_before, events_before * k AS expected,
    CASE WHEN events_before * k > 0 THEN events / (events_before * k) END AS change,
    CASE WHEN n > 0 AND k > 0 THEN greatest(middle - half, 0.0::float8)
        / (1 - greatest(middle - half, 0.0::float8)) / k END AS lower,
    CASE WHEN events_before > 0 AND k > 0 THEN (middle + half) / (1 - middle - half) / k END AS upper
FROM wilson;

DROP TABLE enrolled_month;
DROP TABLE counted_month;
DROP TABLE measured_month;
DROP TABLE usual_rate;
DROP TABLE dispersion;
