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
SELECT made.claim, made.provider, made.from_date, made.meaning, made.spell, spell.place
FROM (
    SELECT DISTINCT care.claim, care.provider, care.from_date, care.meaning, spell.spell
    FROM care
    JOIN spell ON spell.person = care.person AND care.from_date BETWEEN spell.start_date AND spell.end_date
    WHERE care.is_ordered
) AS made
JOIN spell ON spell.spell = made.spell;

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
        lead(from_date) OVER (PARTITION BY CAST(spell AS bigint) * 1048576 + specialty_number ORDER BY from_date)
            AS next_date
    FROM day
), piece AS (
    -- A patient counts once: each visit's time ends where the next one's begins.
    SELECT spell.place, spaced.specialty_number, spaced.from_date AS begins,
        least(coalesce(spaced.next_date, spaced.from_date + 365), spaced.from_date + 365, spell.end_date + 1) AS ends
    FROM spaced
    JOIN spell ON spell.spell = spaced.spell
), change AS (
    SELECT place, specialty_number, begins AS day, count(*) AS step, 0 AS visits FROM piece GROUP BY 1, 2, 3
    UNION ALL
    SELECT place, specialty_number, ends, -count(*), 0 FROM piece GROUP BY 1, 2, 3
    UNION ALL
    SELECT made.place, made.specialty_number, made.from_date, 0, count(*)
    FROM (
        SELECT DISTINCT visit.claim, visit.place, meaning.specialty_number, visit.from_date
        FROM visit
        JOIN meaning ON meaning.meaning = visit.meaning
        WHERE meaning.specialty IS NOT NULL
    ) AS made
    GROUP BY 1, 2, 3
), weekly AS (
    SELECT place, specialty_number, anchor - (anchor - day) / 7 * 7 AS week_end, sum(step) AS step,
        sum(visits) AS visits
    FROM change
    CROSS JOIN week_anchor
    GROUP BY 1, 2, 3
)
SELECT place.location, named.specialty, weekly.week_end, weekly.step, weekly.visits
FROM weekly
JOIN place ON place.place = weekly.place
JOIN (SELECT DISTINCT specialty_number, specialty FROM meaning) AS named
    ON named.specialty_number = weekly.specialty_number
WHERE place.location <> '';

DROP TABLE IF EXISTS demand_week;
CREATE TEMP TABLE demand_week AS
WITH RECURSIVE week (week_end) AS (
    SELECT min(week_end) FROM need_week
    UNION ALL
    SELECT week_end + 7 FROM week WHERE week_end + 7 <= (SELECT last_day FROM epidemic_gaps.parameter)
), place AS (
    SELECT DISTINCT location, specialty FROM need_week
), grid AS (
    SELECT place.location, place.specialty, week.week_end, coalesce(need_week.step, 0) AS step,
        coalesce(need_week.visits, 0) AS visits
    FROM place
    CROSS JOIN week
    LEFT JOIN need_week ON need_week.location = place.location AND need_week.specialty = place.specialty
        AND need_week.week_end = week.week_end
)
SELECT location, specialty, week_end, visits,
    sum(step) OVER (PARTITION BY location, specialty ORDER BY week_end ROWS UNBOUNDED PRECEDING) AS patients,
    week_end >= (SELECT min(week_end) FROM week) + 365 AND week_end < parameter.epidemic_start AS is_before
FROM grid
CROSS JOIN epidemic_gaps.parameter;

DROP TABLE IF EXISTS visit_rate;
CREATE TEMP TABLE visit_rate AS
WITH overall AS (
    SELECT specialty, sum(CAST(visits AS float8)) / nullif(sum(patients), 0) AS rate
    FROM demand_week WHERE is_before GROUP BY specialty
), monthly AS (
    SELECT specialty, extract(month FROM week_end) AS season,
        sum(CAST(visits AS float8)) / nullif(sum(patients), 0) AS rate
    FROM demand_week WHERE is_before GROUP BY 1, 2
), month AS (
    SELECT DISTINCT extract(month FROM week_end) AS season FROM demand_week
)
SELECT overall.specialty, month.season, coalesce(monthly.rate, overall.rate) AS rate
FROM overall
CROSS JOIN month
LEFT JOIN monthly ON monthly.specialty = overall.specialty AND monthly.season = month.season;

DROP TABLE IF EXISTS epidemic_gaps.demand;
CREATE TABLE epidemic_gaps.demand AS
WITH usual AS (
    SELECT demand_week.location, demand_week.specialty, demand_week.week_end, demand_week.patients,
        demand_week.visits, demand_week.is_before, demand_week.patients * visit_rate.rate AS usual_visits
    FROM demand_week
    JOIN visit_rate ON visit_rate.specialty = demand_week.specialty
        AND visit_rate.season = extract(month FROM demand_week.week_end)
), level AS (
    SELECT location, specialty,
        (sum(CASE WHEN is_before THEN visits ELSE 0 END) + 10.0::float8)
            / (CAST(sum(CAST(CASE WHEN is_before THEN usual_visits ELSE 0 END AS decimal(32,12))) AS float8)
                + 10.0::float8) AS level
    FROM usual GROUP BY location, specialty
), expected AS (
    SELECT usual.location, usual.specialty, usual.week_end, usual.patients, usual.visits,
        usual.usual_visits * level.level AS expected_visits,
        usual.week_end >= parameter.epidemic_start AS is_since
    FROM usual
    JOIN level ON level.location = usual.location AND level.specialty = usual.specialty
    CROSS JOIN epidemic_gaps.parameter
), summed AS (
    SELECT location, specialty, week_end, patients, visits, expected_visits,
        greatest(0.0::float8, sum(CASE WHEN is_since THEN expected_visits - visits ELSE 0 END)
            OVER (PARTITION BY location, specialty ORDER BY week_end ROWS UNBOUNDED PRECEDING)) AS postponed
    FROM expected
)
SELECT location, specialty, week_end, patients, visits, expected_visits, postponed,
    expected_visits + postponed / 26 AS demand
FROM summed;
