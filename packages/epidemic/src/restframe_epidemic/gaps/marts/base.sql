-- What all measures start from: patients, places and drugs by number, spells of enrolment, fills that were dispensed,
-- diagnoses, and the claims that no measure can use. All but the last are temporary: they belong to one run of the
-- measures. Numbers stand for texts in what follows, since they are compared and sorted much faster.
--
-- molecule  an ingredient of a class of drugs
-- meaning   a condition and the specialty that treats it
-- above     of each smallest place the places that it counts in: itself, its area (epidemic_published.area), and those
--           above. Not patients of whom no more than a place above others is known (a state, not the county): a total
--           must be the sum of its parts, or the difference would be a count that nobody guards.
-- spell     a patient's maximal time of enrolment: spells that overlap, touch, or are at most
--           parameter.enrolment_gap_days apart are one (31 days for PQA's measures: "no more than a 1-month gap", PQA
--           Measure Specifications, PDC, continuous enrollment), cut at death and at the last day of the claims
-- fill      an ingredient of a paid claim with a known drug and a supply, of a patient enrolled on that day
-- care      a diagnosis in a line of a medical claim, with the condition that it means; is_ordered: the line does not end
--           before it starts, is_first: the diagnosis stands first
-- unusable  how many rows are left out of everything, by table and reason
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
SELECT CAST(row_number() OVER () AS int) AS person, patient.token, place.place, place.location, patient.birth_year,
    patient.death_date, patient.income
FROM epidemic_claims.patient
JOIN place ON place.location = coalesce(patient.location, '');

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
)
SELECT spell.spell, product.molecule_number, claim.fill_date, claim.days_supply
FROM epidemic_claims.pharmacy_claim AS claim
JOIN spell ON spell.token = claim.token AND claim.fill_date BETWEEN spell.start_date AND spell.end_date
JOIN product ON product.code = claim.drug
WHERE claim.status = 'paid' AND claim.days_supply > 0;

DROP TABLE IF EXISTS meaning;
CREATE TEMP TABLE meaning AS
SELECT CAST(row_number() OVER (ORDER BY condition, specialty) AS int) AS meaning,
    CAST(dense_rank() OVER (ORDER BY condition) AS int) AS condition_number,
    CAST(dense_rank() OVER (ORDER BY specialty) AS int) AS specialty_number, condition, specialty
FROM (SELECT DISTINCT condition, specialty FROM epidemic_claims.condition) AS known;

DROP TABLE IF EXISTS care;
CREATE TEMP TABLE care AS
WITH line AS (
    SELECT claim, token, provider, from_date, through_date, diagnosis_1 AS code, 1 AS is_first
    FROM epidemic_claims.medical_claim
    UNION ALL
    SELECT claim, token, provider, from_date, through_date, diagnosis_2, 0 FROM epidemic_claims.medical_claim
    WHERE diagnosis_2 IS NOT NULL
    UNION ALL
    SELECT claim, token, provider, from_date, through_date, diagnosis_3, 0 FROM epidemic_claims.medical_claim
    WHERE diagnosis_3 IS NOT NULL
    UNION ALL
    SELECT claim, token, provider, from_date, through_date, diagnosis_4, 0 FROM epidemic_claims.medical_claim
    WHERE diagnosis_4 IS NOT NULL
), coded AS (
    SELECT DISTINCT code.code, meaning.meaning
    FROM (SELECT DISTINCT code FROM line) AS code
    JOIN epidemic_claims.condition ON left(code.code, len(condition.code_prefix)) = condition.code_prefix
    JOIN meaning ON meaning.condition = condition.condition
        AND coalesce(meaning.specialty, '') = coalesce(condition.specialty, '')
)
SELECT person.person, coded.meaning, line.from_date, line.claim, line.provider, line.is_first = 1 AS is_first,
    line.through_date IS NULL OR line.through_date >= line.from_date AS is_ordered
FROM line
JOIN coded ON coded.code = line.code
JOIN person ON person.token = line.token;

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
SELECT 'provider', 'without location', count(*)
FROM epidemic_claims.provider
WHERE location IS NULL;
