-- Adherence: PDC, MPR and days without supply, by patient, and by county and class of drugs.
--
-- PDC, the proportion of days covered: days on which the patient had a drug of the class, over the days from the index
-- fill to the end of the treatment period. As the Pharmacy Quality Alliance specifies it (PQA Measure Specifications,
-- Proportion of Days Covered; the worked examples of PDC-DR are tests):
--   * the treatment period begins with the first paid fill of the class while enrolled (the index date), and ends with
--     the measurement period, the spell of enrolment, or death, whichever is first; both days count
--   * counted are patients with fills on two different days at least, whose index date lies at least 91 days before
--     the end of the treatment period, and who are 18 or older in the year in which the measurement period begins
--   * when fills of the same molecule overlap, the later one begins on the day after the earlier one has ended; fills
--     of different molecules of the class are not shifted, and a day that both cover counts once
--   * a combination product is a fill of each of its ingredients
--   * a patient is adherent from a PDC of .80 on, or of what drug_class says (antiretrovirals .90)
-- Fills on the same day are taken one after the other. Supply from before the measurement period is not carried over.
-- MPR, the medication possession ratio: days of supply dispensed over the days of the treatment period; may exceed 1.
-- Gap days: days of the treatment period without supply, days - covered.
--
-- How: all supply lies within the period but for what reaches beyond its end. So courses (base.sql) are enough for
-- patients with one molecule of the class, who are nearly all; for the others intervals are merged.
DROP TABLE IF EXISTS treatment;
CREATE TEMP TABLE treatment AS
WITH taken AS (
    SELECT course.period_number, spell.person, course.spell, molecule.class, count(*) AS molecules,
        min(course.first_fill) AS index_date, max(course.last_fill) AS last_fill, sum(course.supply) AS supply,
        max(course.origin) AS origin
    FROM course
    JOIN spell ON spell.spell = course.spell
    JOIN molecule ON molecule.molecule_number = course.molecule_number
    GROUP BY course.period_number, spell.person, course.spell, molecule.class
), earliest AS (
    SELECT period_number, person, class, min(index_date) AS index_date
    FROM taken
    GROUP BY period_number, person, class
)
SELECT taken.period_number, taken.spell, taken.class, taken.molecules, taken.index_date, taken.supply, taken.origin,
    least(period.end_date, spell.end_date) AS end_date, spell.token, spell.location
FROM taken
JOIN earliest ON earliest.period_number = taken.period_number AND earliest.person = taken.person
    AND earliest.class = taken.class AND earliest.index_date = taken.index_date
JOIN spell ON spell.spell = taken.spell
JOIN epidemic_gaps.period ON period.period_number = taken.period_number
WHERE taken.last_fill > taken.index_date
    AND datediff(day, taken.index_date, least(period.end_date, spell.end_date)) >= 91
    AND date_part(year, period.start_date) - spell.birth_year >= 18;

DROP TABLE IF EXISTS several;
CREATE TEMP TABLE several AS
WITH supplied AS (
    SELECT treatment.period_number, treatment.spell, treatment.class, treatment.end_date, fill.molecule_number,
        fill.fill_date, fill.days_supply,
        sum(fill.days_supply) OVER (PARTITION BY treatment.period_number, treatment.spell, fill.molecule_number
            ORDER BY fill.fill_date ROWS UNBOUNDED PRECEDING) - fill.days_supply AS supply_before
    FROM treatment
    JOIN fill ON fill.spell = treatment.spell AND fill.fill_date BETWEEN treatment.index_date AND treatment.end_date
    JOIN molecule ON molecule.molecule_number = fill.molecule_number AND molecule.class = treatment.class
    WHERE treatment.molecules > 1
), shifted AS (
    SELECT period_number, spell, class, end_date, days_supply,
        max(fill_date - CAST(supply_before AS int)) OVER (PARTITION BY period_number, spell, molecule_number
            ORDER BY fill_date, supply_before ROWS UNBOUNDED PRECEDING) + CAST(supply_before AS int) AS first_day
    FROM supplied
), cut AS (
    SELECT period_number, spell, class, first_day, least(first_day + days_supply - 1, end_date) AS last_day
    FROM shifted
    WHERE first_day <= end_date
), merged AS (
    SELECT period_number, spell, class, first_day, last_day,
        max(last_day) OVER (PARTITION BY period_number, spell, class ORDER BY first_day, last_day
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS covered_until
    FROM cut
)
SELECT period_number, spell, class,
    sum(greatest(0, datediff(day, greatest(first_day, coalesce(covered_until + 1, first_day)), last_day) + 1)) AS covered
FROM merged
GROUP BY period_number, spell, class;

DROP TABLE IF EXISTS epidemic_gaps.adherence_patient;
CREATE TABLE epidemic_gaps.adherence_patient AS
WITH measured AS (
    SELECT period.period, treatment.token, treatment.location, treatment.class, treatment.index_date,
        treatment.end_date, treatment.supply, datediff(day, treatment.index_date, treatment.end_date) + 1 AS days,
        coalesce(several.covered,
            treatment.supply - greatest(0, datediff(day, treatment.end_date, treatment.origin) + treatment.supply - 1)
        ) AS covered
    FROM treatment
    JOIN epidemic_gaps.period ON period.period_number = treatment.period_number
    LEFT JOIN several ON several.period_number = treatment.period_number AND several.spell = treatment.spell
        AND several.class = treatment.class
)
SELECT measured.period, measured.token, measured.location, measured.class, measured.index_date, measured.end_date,
    measured.days, CAST(measured.covered AS int) AS covered,
    CAST(CAST(measured.covered AS float8) / measured.days AS decimal(9, 6)) AS pdc,
    CAST(CAST(measured.supply AS float8) / measured.days AS decimal(9, 6)) AS mpr,
    CAST(measured.days - measured.covered AS int) AS gap_days,
    CASE WHEN measured.covered >= coalesce(drug_class.adherent_at, 0.8) * measured.days - 0.000001 THEN 1 ELSE 0 END
        AS adherent
FROM measured
LEFT JOIN epidemic_claims.drug_class ON drug_class.class = measured.class;

DROP TABLE IF EXISTS epidemic_gaps.adherence;
CREATE TABLE epidemic_gaps.adherence AS
SELECT period, location, class, count(*) AS patients, sum(adherent) AS adherent_patients,
    CAST(avg(pdc) AS decimal(9, 6)) AS mean_pdc, CAST(avg(mpr) AS decimal(9, 6)) AS mean_mpr,
    CAST(avg(CAST(gap_days AS decimal(9, 3))) AS decimal(9, 3)) AS mean_gap_days
FROM epidemic_gaps.adherence_patient
GROUP BY period, location, class;

DROP TABLE treatment;
DROP TABLE several;
