-- Persistency: how long patients stay on a class of drugs, and how late refills come.
--
-- Persistence: days from the index fill (the first paid fill of the class within the period, while enrolled) to the last
-- day of supply before the first gap of more than 30, 60 or 90 days without any drug of the class (table permitted_gap).
-- Supply is shifted forward as for PDC (adherence.sql): fills of one molecule follow each other, different molecules
-- cover together. Censored at disenrolment, at death and at the end of the period: a gap that is still too short then is
-- no discontinuation, and days are counted to that day. Patients with one fill count.
-- Survival: the Kaplan-Meier estimate (Kaplan and Meier, J. Am. Stat. Assoc. 53, 1958) of the share still on the class
-- after so many days: the product over days t with an event of 1 - d_t / n_t, where n_t are at risk; those censored on a
-- day are at risk on it. location '*' stands for all places.
-- Refills: by month of the fill, days from the end of the supply before it to the fill; gap_days counts late ones only,
-- delay_days lets early ones (negative) count too.
--
-- How: with b_i the supply before fill i of one molecule, the supply before it lasts until max over j < i of
-- (date_j - b_j) + b_i - 1; so one window more gives all gaps of patients with one molecule of the class, who are nearly
-- all. For the others intervals are merged. One number stands for spell (times 8) and period, times 2^20 for a molecule
-- or a class, since windows over one column are quicker.
DROP TABLE IF EXISTS therapy;
CREATE TEMP TABLE therapy AS
SELECT (CAST(course.spell AS bigint) * 8 + course.period_number) * 1048576 + molecule.class_number AS therapy,
    count(*) AS molecules, min(course.first_fill) AS index_date,
    max(course.origin + CAST(course.supply AS int) - 1) AS covered_until
FROM course
JOIN molecule ON molecule.molecule_number = course.molecule_number
GROUP BY 1;

DROP TABLE IF EXISTS unsupplied;
CREATE TEMP TABLE unsupplied AS
WITH dispensed AS (
    SELECT (CAST(fill.spell AS bigint) * 8 + period.period_number) * 1048576 + fill.molecule_number AS course,
        fill.fill_date, fill.days_supply, fill.supply_before
    FROM fill
    JOIN epidemic_gaps.period ON fill.fill_date BETWEEN period.start_date AND period.end_date
), stacked AS (
    SELECT course, days_supply, fill_date,
        max(fill_date - supply_before) OVER (PARTITION BY course
            ORDER BY supply_before ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) + supply_before - 1
            AS covered_until
    FROM dispensed
), known AS (
    SELECT stacked.course, molecule.class_number, stacked.days_supply, stacked.fill_date, stacked.covered_until
    FROM stacked
    JOIN molecule ON molecule.molecule_number = CAST(stacked.course % 1048576 AS int)
), several AS (
    SELECT therapy.therapy, known.course, known.days_supply,
        greatest(known.fill_date, coalesce(known.covered_until + 1, known.fill_date)) AS first_day
    FROM known
    JOIN therapy ON therapy.therapy = known.course / 1048576 * 1048576 + known.class_number
    WHERE therapy.molecules > 1
), merged AS (
    SELECT therapy, first_day,
        max(first_day + days_supply - 1) OVER (PARTITION BY therapy ORDER BY first_day, days_supply, course
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS covered_until
    FROM several
), least_gap AS (
    SELECT min(gap_days) AS gap_days FROM epidemic_gaps.permitted_gap
)
SELECT therapy.therapy, known.covered_until, datediff(day, known.covered_until, known.fill_date) - 1 AS days
FROM known
JOIN therapy ON therapy.therapy = known.course / 1048576 * 1048576 + known.class_number
CROSS JOIN least_gap
WHERE therapy.molecules = 1 AND datediff(day, known.covered_until, known.fill_date) - 1 > least_gap.gap_days
UNION ALL
SELECT merged.therapy, merged.covered_until, datediff(day, merged.covered_until, merged.first_day) - 1
FROM merged
CROSS JOIN least_gap
WHERE datediff(day, merged.covered_until, merged.first_day) - 1 > least_gap.gap_days;

DROP TABLE IF EXISTS episode;
CREATE TEMP TABLE episode AS
WITH whole AS (
    SELECT therapy.therapy, (CAST(spell.person AS bigint) * 8 + therapy.therapy / 1048576 % 8) * 1048576
            + therapy.therapy % 1048576 AS course_of_person,
        therapy.index_date, therapy.covered_until, least(period.end_date, spell.end_date) AS end_date
    FROM therapy
    JOIN spell ON spell.spell = CAST(therapy.therapy / 8388608 AS int)
    JOIN epidemic_gaps.period ON period.period_number = CAST(therapy.therapy / 1048576 % 8 AS int)
), earliest AS (
    SELECT course_of_person, min(index_date) AS index_date FROM whole GROUP BY course_of_person
)
SELECT whole.therapy, whole.index_date, whole.covered_until, whole.end_date
FROM whole
JOIN earliest ON earliest.course_of_person = whole.course_of_person AND earliest.index_date = whole.index_date;

DROP TABLE IF EXISTS ended;
CREATE TEMP TABLE ended AS
WITH gap AS (
    SELECT unsupplied.therapy, permitted_gap.gap_days, min(unsupplied.covered_until) AS stopped
    FROM unsupplied
    JOIN epidemic_gaps.permitted_gap ON unsupplied.days > permitted_gap.gap_days
    GROUP BY unsupplied.therapy, permitted_gap.gap_days
), known AS (
    SELECT episode.therapy, episode.index_date, episode.end_date, permitted_gap.gap_days,
        CASE WHEN gap.stopped IS NOT NULL THEN gap.stopped
            WHEN datediff(day, episode.covered_until, episode.end_date) > permitted_gap.gap_days
                THEN episode.covered_until END AS stopped
    FROM episode
    CROSS JOIN epidemic_gaps.permitted_gap
    LEFT JOIN gap ON gap.therapy = episode.therapy AND gap.gap_days = permitted_gap.gap_days
)
SELECT CAST(therapy / 8388608 AS int) AS spell, CAST(therapy / 1048576 % 8 AS int) AS period_number,
    CAST(therapy % 1048576 AS int) AS class_number, gap_days, index_date,
    datediff(day, index_date, coalesce(stopped, end_date)) + 1 AS days,
    CASE WHEN stopped IS NULL THEN 0 ELSE 1 END AS discontinued
FROM known;

DROP TABLE IF EXISTS epidemic_gaps.persistence_patient;
CREATE TABLE epidemic_gaps.persistence_patient AS
SELECT period.period, spell.token, spell.location, drug_class_number.class, ended.gap_days, ended.index_date, ended.days,
    ended.discontinued
FROM ended
JOIN spell ON spell.spell = ended.spell
JOIN drug_class_number ON drug_class_number.class_number = ended.class_number
JOIN epidemic_gaps.period ON period.period_number = ended.period_number;

DROP TABLE IF EXISTS epidemic_gaps.survival;
CREATE TABLE epidemic_gaps.survival AS
WITH ending_there AS (
    SELECT ended.period_number, spell.place, ended.class_number, ended.gap_days, ended.days, count(*) AS ending,
        sum(ended.discontinued) AS events
    FROM ended
    JOIN spell ON spell.spell = ended.spell
    GROUP BY 1, 2, 3, 4, 5
), ending_on AS (
    SELECT period_number, place, class_number, gap_days, days, ending, events FROM ending_there
    UNION ALL
    SELECT period_number, 0, class_number, gap_days, days, sum(ending), sum(events)
    FROM ending_there
    GROUP BY 1, 3, 4, 5
), risk AS (
    SELECT period_number, place, class_number, gap_days, days, events,
        sum(ending) OVER (PARTITION BY period_number, place, class_number, gap_days ORDER BY days
            ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS at_risk
    FROM ending_on
), estimated AS (
    SELECT period_number, place, class_number, gap_days, days, at_risk, events,
        -- all that are at risk can have an event on a group's last day alone
        CASE WHEN at_risk = events THEN 0.0
            ELSE exp(CAST(sum(CAST(log_share AS decimal(38,18)))
                OVER (PARTITION BY period_number, place, class_number, gap_days ORDER BY days
                    ROWS UNBOUNDED PRECEDING) AS float8))
            END AS survival
    FROM (
        SELECT period_number, place, class_number, gap_days, days, at_risk, events,
            ln(CASE WHEN at_risk = events THEN 1.0::float8 ELSE 1 - CAST(events AS float8) / at_risk END) AS log_share
        FROM risk
    ) AS shared
)
SELECT period.period, coalesce(place.location, '*') AS location, drug_class_number.class, estimated.gap_days,
    estimated.days, estimated.at_risk, estimated.events, estimated.survival
FROM estimated
LEFT JOIN place ON place.place = estimated.place
JOIN drug_class_number ON drug_class_number.class_number = estimated.class_number
JOIN epidemic_gaps.period ON period.period_number = estimated.period_number;

DROP TABLE IF EXISTS epidemic_gaps.persistence;
CREATE TABLE epidemic_gaps.persistence AS
WITH counted AS (
    SELECT ended.period_number, spell.place, ended.class_number, ended.gap_days, count(*) AS patients,
        sum(ended.discontinued) AS discontinued
    FROM ended
    JOIN spell ON spell.spell = ended.spell
    GROUP BY 1, 2, 3, 4
)
SELECT period.period, place.location, drug_class_number.class, counted.gap_days, counted.patients,
    counted.discontinued, half_year.survival AS survival_180
FROM counted
JOIN place ON place.place = counted.place
JOIN drug_class_number ON drug_class_number.class_number = counted.class_number
JOIN epidemic_gaps.period ON period.period_number = counted.period_number
LEFT JOIN (
    SELECT period, location, class, gap_days, min(survival) AS survival
    FROM epidemic_gaps.survival
    WHERE days <= 180
    GROUP BY period, location, class, gap_days
) AS half_year ON half_year.period = period.period AND half_year.location = place.location
    AND half_year.class = drug_class_number.class AND half_year.gap_days = counted.gap_days;

DROP TABLE IF EXISTS epidemic_gaps.refill;
CREATE TABLE epidemic_gaps.refill AS
SELECT place.location, filled.month, drug_class_number.class, filled.refills, filled.delay_days, filled.gap_days
FROM filled
JOIN place ON place.place = filled.place
JOIN drug_class_number ON drug_class_number.class_number = filled.class_number
WHERE filled.refills > 0;

DROP TABLE therapy;
DROP TABLE unsupplied;
DROP TABLE episode;
DROP TABLE ended;
