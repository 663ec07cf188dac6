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
DROP TABLE IF EXISTS supplied;
CREATE TEMP TABLE supplied AS
WITH stacked AS (
    SELECT period.period_number, fill.spell, fill.molecule_number, fill.fill_date, fill.days_supply,
        sum(fill.days_supply) OVER (PARTITION BY period.period_number, fill.spell, fill.molecule_number
            ORDER BY fill.fill_date ROWS UNBOUNDED PRECEDING) - fill.days_supply AS supply_before
    FROM fill
    JOIN epidemic_gaps.period ON fill.fill_date BETWEEN period.start_date AND period.end_date
), shifted AS (
    SELECT period_number, spell, molecule_number, days_supply,
        max(fill_date - CAST(supply_before AS int)) OVER (PARTITION BY period_number, spell, molecule_number
            ORDER BY fill_date, supply_before ROWS UNBOUNDED PRECEDING) + CAST(supply_before AS int) AS first_day
    FROM stacked
)
SELECT shifted.period_number, shifted.spell, molecule.class, shifted.first_day,
    shifted.first_day + shifted.days_supply - 1 AS last_day,
    max(shifted.first_day + shifted.days_supply - 1) OVER (
        PARTITION BY shifted.period_number, shifted.spell, molecule.class
        ORDER BY shifted.first_day, shifted.days_supply, shifted.molecule_number
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS covered_until
FROM shifted
JOIN molecule ON molecule.molecule_number = shifted.molecule_number;

DROP TABLE IF EXISTS episode;
CREATE TEMP TABLE episode AS
WITH whole AS (
    SELECT supplied.period_number, spell.person, supplied.spell, supplied.class, min(supplied.first_day) AS index_date,
        max(supplied.last_day) AS covered_until
    FROM supplied
    JOIN spell ON spell.spell = supplied.spell
    GROUP BY supplied.period_number, spell.person, supplied.spell, supplied.class
), earliest AS (
    SELECT period_number, person, class, min(index_date) AS index_date FROM whole GROUP BY period_number, person, class
)
SELECT whole.period_number, whole.spell, whole.class, whole.index_date, whole.covered_until,
    least(period.end_date, spell.end_date) AS end_date
FROM whole
JOIN earliest ON earliest.period_number = whole.period_number AND earliest.person = whole.person
    AND earliest.class = whole.class AND earliest.index_date = whole.index_date
JOIN spell ON spell.spell = whole.spell
JOIN epidemic_gaps.period ON period.period_number = whole.period_number;

DROP TABLE IF EXISTS epidemic_gaps.persistence_patient;
CREATE TABLE epidemic_gaps.persistence_patient AS
WITH gap AS (
    SELECT supplied.period_number, supplied.spell, supplied.class, permitted_gap.gap_days,
        min(supplied.covered_until) AS stopped
    FROM supplied
    JOIN epidemic_gaps.permitted_gap
        ON datediff(day, supplied.covered_until, supplied.first_day) - 1 > permitted_gap.gap_days
    GROUP BY supplied.period_number, supplied.spell, supplied.class, permitted_gap.gap_days
), ended AS (
    SELECT episode.period_number, episode.spell, episode.class, episode.index_date, episode.end_date,
        permitted_gap.gap_days,
        CASE WHEN gap.stopped IS NOT NULL THEN gap.stopped
            WHEN datediff(day, episode.covered_until, episode.end_date) > permitted_gap.gap_days
                THEN episode.covered_until END AS stopped
    FROM episode
    CROSS JOIN epidemic_gaps.permitted_gap
    LEFT JOIN gap ON gap.period_number = episode.period_number AND gap.spell = episode.spell
        AND gap.class = episode.class AND gap.gap_days = permitted_gap.gap_days
)
SELECT period.period, spell.token, spell.location, ended.class, ended.gap_days, ended.index_date,
    datediff(day, ended.index_date, coalesce(ended.stopped, ended.end_date)) + 1 AS days,
    CASE WHEN ended.stopped IS NULL THEN 0 ELSE 1 END AS discontinued
FROM ended
JOIN spell ON spell.spell = ended.spell
JOIN epidemic_gaps.period ON period.period_number = ended.period_number;

DROP TABLE IF EXISTS epidemic_gaps.survival;
CREATE TABLE epidemic_gaps.survival AS
WITH ending_on AS (
    SELECT period, location, class, gap_days, days, count(*) AS ending, sum(discontinued) AS events
    FROM epidemic_gaps.persistence_patient
    GROUP BY period, location, class, gap_days, days
    UNION ALL
    SELECT period, '*', class, gap_days, days, count(*), sum(discontinued)
    FROM epidemic_gaps.persistence_patient
    GROUP BY period, class, gap_days, days
), risk AS (
    SELECT period, location, class, gap_days, days, events,
        sum(ending) OVER (PARTITION BY period, location, class, gap_days ORDER BY days DESC ROWS UNBOUNDED PRECEDING)
            AS at_risk
    FROM ending_on
)
SELECT period, location, class, gap_days, days, at_risk, events,
    CASE WHEN min(at_risk - events) OVER (PARTITION BY period, location, class, gap_days ORDER BY days
            ROWS UNBOUNDED PRECEDING) = 0 THEN 0.0
        ELSE exp(sum(ln(CASE WHEN at_risk = events THEN 1.0 ELSE 1.0 - CAST(events AS float8) / at_risk END))
            OVER (PARTITION BY period, location, class, gap_days ORDER BY days ROWS UNBOUNDED PRECEDING))
        END AS survival
FROM risk;

DROP TABLE IF EXISTS epidemic_gaps.persistence;
CREATE TABLE epidemic_gaps.persistence AS
SELECT patient.period, patient.location, patient.class, patient.gap_days, count(*) AS patients,
    sum(patient.discontinued) AS discontinued, min(half_year.survival) AS survival_180
FROM epidemic_gaps.persistence_patient AS patient
LEFT JOIN (
    SELECT period, location, class, gap_days, min(survival) AS survival
    FROM epidemic_gaps.survival
    WHERE days <= 180
    GROUP BY period, location, class, gap_days
) AS half_year ON half_year.period = patient.period AND half_year.location = patient.location
    AND half_year.class = patient.class AND half_year.gap_days = patient.gap_days
GROUP BY patient.period, patient.location, patient.class, patient.gap_days;

DROP TABLE IF EXISTS epidemic_gaps.refill;
CREATE TABLE epidemic_gaps.refill AS
WITH delayed AS (
    SELECT spell, molecule_number, fill_date,
        datediff(day, lag(fill_date + days_supply) OVER (PARTITION BY spell, molecule_number
            ORDER BY fill_date, days_supply), fill_date) AS delay
    FROM fill
)
SELECT spell.location, CAST(date_trunc('month', delayed.fill_date) AS date) AS month, molecule.class,
    count(*) AS refills, sum(delayed.delay) AS delay_days, sum(greatest(0, delayed.delay)) AS gap_days
FROM delayed
JOIN spell ON spell.spell = delayed.spell
JOIN molecule ON molecule.molecule_number = delayed.molecule_number
WHERE delayed.delay IS NOT NULL
GROUP BY 1, 2, 3;
