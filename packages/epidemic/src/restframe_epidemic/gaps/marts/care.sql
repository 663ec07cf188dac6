-- What measures of visits start from: diagnoses by patient, with numbers in the place of texts.
--
-- meaning   a condition and the specialty that treats it
-- care      a diagnosis in a line of a medical claim, with the condition that it means; is_ordered: the line does not end
--           before it starts, is_first: the diagnosis stands first
-- diagnosed the days on which a patient was diagnosed with a condition; is_first: in some line the diagnosis stood first
DROP TABLE IF EXISTS meaning;
CREATE TEMP TABLE meaning AS
SELECT CAST(row_number() OVER (ORDER BY condition, specialty) AS int) AS meaning,
    CAST(dense_rank() OVER (ORDER BY condition) AS int) AS condition_number,
    CAST(dense_rank() OVER (ORDER BY specialty) AS int) AS specialty_number, condition, specialty
FROM (SELECT DISTINCT condition, specialty FROM epidemic_claims.condition) AS known;

DROP TABLE IF EXISTS known_provider;
CREATE TEMP TABLE known_provider AS
SELECT CAST(row_number() OVER () AS int) AS provider_number, provider, specialty FROM epidemic_claims.provider;

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
SELECT person.person, coded.meaning, line.from_date, line.claim, known_provider.provider_number,
    line.is_first = 1 AS is_first, line.through_date IS NULL OR line.through_date >= line.from_date AS is_ordered
FROM line
JOIN coded ON coded.code = line.code
JOIN person ON person.token = line.token
LEFT JOIN known_provider ON known_provider.provider = line.provider;

DROP TABLE IF EXISTS diagnosed;
CREATE TEMP TABLE diagnosed AS
SELECT care.person, meaning.condition_number, care.from_date AS diagnosed_date, bool_or(care.is_first) AS is_first
FROM care
JOIN meaning ON meaning.meaning = care.meaning
GROUP BY care.person, meaning.condition_number, care.from_date;
