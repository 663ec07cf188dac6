-- What all measures start from: patients and drugs by number, spells of enrolment, fills that were dispensed, and the
-- claims that no measure can use. All but the last are temporary: they belong to one run of the measures.
--
-- molecule  an ingredient of a class of drugs
-- spell     a patient's maximal time of enrolment: spells that overlap, touch, or are at most
--           parameter.enrolment_gap_days apart are one (31 days for PQA's measures: "no more than a 1-month gap", PQA
--           Measure Specifications, PDC, continuous enrollment), cut at death and at the last day of the claims
-- fill      an ingredient of a paid claim with a known drug and a supply, of a patient enrolled on that day
-- unusable  how many rows are left out of everything, by table and reason
DROP TABLE IF EXISTS molecule;
CREATE TEMP TABLE molecule AS
SELECT CAST(row_number() OVER (ORDER BY class, molecule) AS int) AS molecule_number, molecule, class
FROM (SELECT DISTINCT class, molecule FROM epidemic_claims.drug) AS known;

-- Numbers stand for tokens in what follows, since they are shorter; which is whose changes nothing.
DROP TABLE IF EXISTS person;
CREATE TEMP TABLE person AS
SELECT CAST(row_number() OVER () AS int) AS person, token, coalesce(location, '') AS location, birth_year, death_date,
    income
FROM epidemic_claims.patient;

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
    person.location, person.birth_year
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
