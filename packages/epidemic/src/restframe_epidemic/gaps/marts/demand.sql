-- Demand: who needs a specialty, how many visits that makes, and how many were put off.
--
-- patients         enrolled at the week's end who had a visit for a condition of the specialty in the 365 days up to it
-- visits           claims in the week with a diagnosis, at any place, of a condition of the specialty
-- expected_visits  patients x visits per patient and week of the same month before the epidemic, everywhere, x the
--                  county's own level: (its visits before + 10) / (those expected of it + 10), so that a few patients
--                  do not make a level
-- postponed        expected - observed visits since the epidemic began, summed up; never below 0
-- demand           visits that would be needed in the week: expected, and a 26th of what was postponed (half a year to
--                  catch up, an assumption)
-- Common practice; the numbers 365, 10 and 26 stand here and nowhere else. Weeks end as the calendar's. The first year
-- of the claims gives no rates: who had a condition before it is seen only bit by bit.
DROP TABLE IF EXISTS visit;
CREATE TEMP TABLE visit AS
-- A row for each line and diagnosis: who counts visits counts different claims.
SELECT care.claim, care.provider_number, care.from_date, care.meaning, spell.spell, spell.place
FROM care
JOIN spell ON spell.person = care.person AND care.from_date BETWEEN spell.start_date AND spell.end_date
WHERE care.is_ordered;

-- Some week's end, far in the future, from which others are counted back.
DROP TABLE IF EXISTS week_anchor;
CREATE TEMP TABLE week_anchor AS
SELECT coalesce((SELECT max(week_end) FROM epidemic.calendar), parameter.last_day) + 7000 AS anchor
FROM epidemic_gaps.parameter;

DROP TABLE IF EXISTS need_week;
CREATE TEMP TABLE need_week AS
WITH day AS (
    SELECT DISTINCT visit.spell, meaning.specialty_number, visit.from_date
    FROM visit
    JOIN meaning ON meaning.meaning = visit.meaning
    JOIN place ON place.place = visit.place
    WHERE meaning.specialty IS NOT NULL AND place.location <> ''
), spaced AS (
    SELECT spell, specialty_number, from_date,
        lag(from_date) OVER (PARTITION BY CAST(spell AS bigint) * 1048576 + specialty_number ORDER BY from_date)
            AS date_before,
        lead(from_date) OVER (PARTITION BY CAST(spell AS bigint) * 1048576 + specialty_number ORDER BY from_date)
            AS next_date
    FROM day
), change AS (
    -- A patient counts once: the time of visits that are at most 365 days apart is one.
    SELECT spell.place, spaced.specialty_number, spaced.from_date AS day, 1 AS step, 0 AS visits
    FROM spaced
    JOIN spell ON spell.spell = spaced.spell
    WHERE spaced.date_before IS NULL OR spaced.date_before + 365 < spaced.from_date
    UNION ALL
    SELECT spell.place, spaced.specialty_number, least(spaced.from_date + 365, spell.end_date + 1), -1, 0
    FROM spaced
    JOIN spell ON spell.spell = spaced.spell
    WHERE spaced.next_date IS NULL OR spaced.from_date + 365 < spaced.next_date
    UNION ALL
    SELECT made.place, made.specialty_number, made.from_date, 0, count(*)
    FROM (
        SELECT DISTINCT visit.claim, visit.place, meaning.specialty_number, visit.from_date
        FROM visit
        JOIN meaning ON meaning.meaning = visit.meaning
        JOIN place ON place.place = visit.place
        WHERE meaning.specialty IS NOT NULL AND place.location <> ''
    ) AS made
    GROUP BY 1, 2, 3
)
SELECT place, specialty_number, anchor - (anchor - day) / 7 * 7 AS week_end, sum(step) AS step, sum(visits) AS visits
FROM change
CROSS JOIN week_anchor
GROUP BY 1, 2, 3;

DROP TABLE IF EXISTS demand_week;
CREATE TEMP TABLE demand_week AS
WITH RECURSIVE week (week_end) AS (
    SELECT min(week_end) FROM need_week
    UNION ALL
    SELECT week_end + 7 FROM week WHERE week_end + 7 <= (SELECT last_day FROM epidemic_gaps.parameter)
), needed AS (
    SELECT DISTINCT place, specialty_number FROM need_week
), grid AS (
    SELECT needed.place, needed.specialty_number, week.week_end, coalesce(need_week.step, 0) AS step,
        coalesce(need_week.visits, 0) AS visits
    FROM needed
    CROSS JOIN week
    LEFT JOIN need_week ON need_week.place = needed.place AND need_week.specialty_number = needed.specialty_number
        AND need_week.week_end = week.week_end
)
SELECT place, specialty_number, week_end, visits,
    sum(step) OVER (PARTITION BY place, specialty_number ORDER BY week_end ROWS UNBOUNDED PRECEDING) AS patients,
    week_end >= (SELECT min(week_end) FROM week) + 365 AND week_end < parameter.epidemic_start AS is_before
FROM grid
CROSS JOIN epidemic_gaps.parameter;

DROP TABLE IF EXISTS visit_rate;
CREATE TEMP TABLE visit_rate AS
WITH overall AS (
    SELECT specialty_number, sum(CAST(visits AS float8)) / nullif(sum(patients), 0) AS rate
    FROM demand_week WHERE is_before GROUP BY specialty_number
), monthly AS (
    SELECT specialty_number, extract(month FROM week_end) AS season,
        sum(CAST(visits AS float8)) / nullif(sum(patients), 0) AS rate
    FROM demand_week WHERE is_before GROUP BY 1, 2
), month AS (
    SELECT DISTINCT extract(month FROM week_end) AS season FROM demand_week
)
SELECT overall.specialty_number, month.season, coalesce(monthly.rate, overall.rate) AS rate
FROM overall
CROSS JOIN month
LEFT JOIN monthly ON monthly.specialty_number = overall.specialty_number AND monthly.season = month.season;

DROP TABLE IF EXISTS epidemic_gaps.demand;
CREATE TABLE epidemic_gaps.demand AS
WITH usual AS (
    SELECT demand_week.place, demand_week.specialty_number, demand_week.week_end, demand_week.patients,
        demand_week.visits, demand_week.is_before, demand_week.patients * visit_rate.rate AS usual_visits
    FROM demand_week
    JOIN visit_rate ON visit_rate.specialty_number = demand_week.specialty_number
        AND visit_rate.season = extract(month FROM demand_week.week_end)
), level AS (
    SELECT place, specialty_number,
        (sum(CASE WHEN is_before THEN visits ELSE 0 END) + 10.0::float8)
            / (CAST(sum(CAST(CASE WHEN is_before THEN usual_visits ELSE 0 END AS decimal(32,12))) AS float8)
                + 10.0::float8) AS level
    FROM usual GROUP BY place, specialty_number
), expected AS (
    SELECT usual.place, usual.specialty_number, usual.week_end, usual.patients, usual.visits,
        usual.usual_visits * level.level AS expected_visits,
        CASE WHEN usual.week_end >= parameter.epidemic_start
            THEN usual.usual_visits * level.level - usual.visits ELSE 0 END AS put_off
    FROM usual
    JOIN level ON level.place = usual.place AND level.specialty_number = usual.specialty_number
    CROSS JOIN epidemic_gaps.parameter
), summed AS (
    SELECT place, specialty_number, week_end, patients, visits, expected_visits,
        -- As decimals: the same whatever the order in which they are added up.
        greatest(0.0::float8, CAST(sum(CAST(put_off AS decimal(32,12)))
            OVER (PARTITION BY place, specialty_number ORDER BY week_end ROWS UNBOUNDED PRECEDING) AS float8))
            AS postponed
    FROM expected
)
SELECT place.location, named.specialty, summed.week_end, summed.patients, summed.visits, summed.expected_visits,
    summed.postponed, summed.expected_visits + summed.postponed / 26 AS demand
FROM summed
JOIN place ON place.place = summed.place
JOIN (SELECT DISTINCT specialty_number, specialty FROM meaning) AS named
    ON named.specialty_number = summed.specialty_number;

DROP TABLE week_anchor;
DROP TABLE need_week;
DROP TABLE demand_week;
DROP TABLE visit_rate;
