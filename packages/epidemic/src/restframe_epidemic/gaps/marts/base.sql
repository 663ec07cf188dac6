-- What all measures start from: patients, places and drugs by number, spells of enrolment, fills that were dispensed,
-- and the claims that no measure can use. All but the last are temporary: they belong to one run of the measures.
-- Numbers stand for texts in what follows, since they are compared and sorted much faster.
--
-- molecule  an ingredient of a class of drugs
-- above     of each smallest place the places that it counts in: itself, its area (epidemic_published.area), and those
--           above. Not patients of whom no more than a place above others is known (a state, not the county): a total
--           must be the sum of its parts, or the difference would be a count that nobody guards.
-- spell     a patient's maximal time of enrolment: spells that overlap, touch, or are at most
--           parameter.enrolment_gap_days apart are one (31 days for PQA's measures: "no more than a 1-month gap", PQA
--           Measure Specifications, PDC, continuous enrollment), cut at death and at the last day of the claims
-- fill      an ingredient of a paid claim with a known drug and a supply, of a patient enrolled on that day; with the
--           supply of all earlier fills of the molecule in the spell, and the day after that of the last one ends
-- course    the fills of a molecule in a spell and a period, taken one behind the other: their last day of supply is
--           max over fills i of (date_i + sum of supply from i on) - 1 = origin + supply - 1, where origin is
--           max(date_i - sum of supply before i)
-- unusable  how many rows are left out of everything, by table and reason; of patients the year of birth is
DROP TABLE IF EXISTS molecule;
CREATE TEMP TABLE molecule AS
SELECT CAST(row_number() OVER (ORDER BY class, molecule) AS int) AS molecule_number,
    CAST(dense_rank() OVER (ORDER BY class) AS int) AS class_number, molecule, class
FROM (SELECT DISTINCT class, molecule FROM epidemic_claims.drug) AS known;

DROP TABLE IF EXISTS drug_class_number;
CREATE TEMP TABLE drug_class_number AS SELECT DISTINCT class_number, class FROM molecule;

DROP TABLE IF EXISTS place;
CREATE TEMP TABLE place AS
SELECT CAST(row_number() OVER (ORDER BY location) AS int) AS place, location
FROM (SELECT DISTINCT coalesce(location, '') AS location FROM epidemic_claims.patient) AS known;

DROP TABLE IF EXISTS above;
CREATE TEMP TABLE above AS
WITH RECURSIVE climbed (location, ancestor) AS (
    SELECT location, location FROM (SELECT location FROM epidemic.location UNION SELECT location FROM place) AS known
    WHERE location NOT IN (SELECT parent FROM epidemic.location WHERE parent IS NOT NULL) AND location <> ''
    UNION
    SELECT climbed.location, place.parent
    FROM climbed
    JOIN epidemic.location AS place ON place.location = climbed.ancestor
    WHERE place.parent IS NOT NULL
)
SELECT location, ancestor FROM climbed
UNION
SELECT location, area FROM epidemic_published.area;

DROP TABLE IF EXISTS person;
CREATE TEMP TABLE person AS
SELECT CAST(row_number() OVER () AS int) AS person, patient.token, place.place, place.location,
    CASE WHEN patient.birth_year <= extract(year FROM parameter.last_day) THEN patient.birth_year END AS birth_year,
    patient.sex, patient.plan, patient.death_date, patient.income
FROM epidemic_claims.patient
JOIN place ON place.location = coalesce(patient.location, '')
CROSS JOIN epidemic_gaps.parameter;

DROP TABLE IF EXISTS spell;
CREATE TEMP TABLE spell AS
WITH enrolled AS (
    SELECT person.person, eligibility.start_date,
        least(coalesce(eligibility.end_date, parameter.last_day), coalesce(person.death_date, parameter.last_day),
            parameter.last_day) AS end_date,
        parameter.enrolment_gap_days
    FROM epidemic_claims.eligibility
    JOIN person ON person.token = eligibility.token
    CROSS JOIN epidemic_gaps.parameter
    WHERE eligibility.end_date IS NULL OR eligibility.end_date >= eligibility.start_date
), reached AS (
    SELECT person, start_date, end_date, enrolment_gap_days,
        max(end_date) OVER (PARTITION BY person ORDER BY start_date, end_date
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS end_before
    FROM enrolled
    WHERE end_date >= start_date
), numbered AS (
    SELECT person, start_date, end_date,
        sum(CASE WHEN start_date <= end_before + 1 + enrolment_gap_days THEN 0 ELSE 1 END)
            OVER (PARTITION BY person ORDER BY start_date, end_date ROWS UNBOUNDED PRECEDING) AS part
    FROM reached
), merged AS (
    SELECT person, min(start_date) AS start_date, max(end_date) AS end_date
    FROM numbered
    GROUP BY person, part
)
SELECT CAST(row_number() OVER () AS int) AS spell, merged.start_date, merged.end_date, person.person, person.token,
    person.place, person.location, person.birth_year
FROM merged
JOIN person ON person.person = merged.person;

DROP TABLE IF EXISTS fill;
CREATE TEMP TABLE fill AS
WITH product AS (
    SELECT drug.code, molecule.molecule_number
    FROM epidemic_claims.drug
    JOIN molecule ON molecule.class = drug.class AND molecule.molecule = drug.molecule
), dispensed AS (
    -- One number stands for spell (times 2^20) and molecule, since windows over one column are quicker.
    SELECT CAST(spell.spell AS bigint) * 1048576 + product.molecule_number AS taken, claim.fill_date, claim.days_supply
    FROM epidemic_claims.pharmacy_claim AS claim
    JOIN spell ON spell.token = claim.token AND claim.fill_date BETWEEN spell.start_date AND spell.end_date
    JOIN product ON product.code = claim.drug
    WHERE claim.status = 'paid' AND claim.days_supply > 0
)
SELECT CAST(taken / 1048576 AS int) AS spell, CAST(taken % 1048576 AS int) AS molecule_number, fill_date, days_supply,
    CAST(sum(days_supply) OVER (PARTITION BY taken ORDER BY fill_date, days_supply ROWS UNBOUNDED PRECEDING) AS int)
        - days_supply AS supply_before,
    lag(fill_date + days_supply) OVER (PARTITION BY taken ORDER BY fill_date, days_supply) AS due
FROM dispensed;

DROP TABLE IF EXISTS course;
CREATE TEMP TABLE course AS
SELECT CAST(course / 8388608 AS int) AS spell, CAST(course / 1048576 % 8 AS int) AS period_number,
    CAST(course % 1048576 AS int) AS molecule_number,
    min(fill_date) AS first_fill, max(fill_date) AS last_fill, sum(days_supply) AS supply,
    -- Supply from before the period does not count.
    max(fill_date - supply_before) + min(supply_before) AS origin
FROM (
    SELECT (CAST(fill.spell AS bigint) * 8 + period.period_number) * 1048576 + fill.molecule_number AS course,
        fill.fill_date, fill.days_supply, fill.supply_before
    FROM fill
    JOIN epidemic_gaps.period ON fill.fill_date BETWEEN period.start_date AND period.end_date
) AS within
GROUP BY course;

DROP TABLE IF EXISTS epidemic_gaps.unusable;
CREATE TABLE epidemic_gaps.unusable AS
SELECT 'pharmacy_claim' AS table_name, 'unknown drug code' AS reason, count(*) AS row_count
FROM epidemic_claims.pharmacy_claim AS claim
LEFT JOIN (SELECT DISTINCT code FROM epidemic_claims.drug) AS drug ON drug.code = claim.drug
WHERE drug.code IS NULL
UNION ALL
SELECT 'pharmacy_claim', 'paid without a supply', count(*)
FROM epidemic_claims.pharmacy_claim
WHERE status = 'paid' AND (days_supply IS NULL OR days_supply <= 0)
UNION ALL
SELECT 'pharmacy_claim', 'unknown patient', count(*)
FROM epidemic_claims.pharmacy_claim AS claim
LEFT JOIN epidemic_claims.patient ON patient.token = claim.token
WHERE patient.token IS NULL
UNION ALL
SELECT 'medical_claim', 'unknown patient', count(*)
FROM epidemic_claims.medical_claim AS claim
LEFT JOIN epidemic_claims.patient ON patient.token = claim.token
WHERE patient.token IS NULL
UNION ALL
SELECT 'medical_claim', 'end before start', count(*)
FROM epidemic_claims.medical_claim
WHERE through_date < from_date
UNION ALL
SELECT 'eligibility', 'end before start', count(*)
FROM epidemic_claims.eligibility
WHERE end_date < start_date
UNION ALL
SELECT 'eligibility', 'unknown patient', count(*)
FROM epidemic_claims.eligibility
LEFT JOIN epidemic_claims.patient ON patient.token = eligibility.token
WHERE patient.token IS NULL
UNION ALL
SELECT 'patient', 'birth after the last claim: age unknown', count(*)
FROM epidemic_claims.patient
CROSS JOIN epidemic_gaps.parameter
WHERE patient.birth_year > extract(year FROM parameter.last_day)
UNION ALL
SELECT 'provider', 'without location', count(*)
FROM epidemic_claims.provider
WHERE location IS NULL;
