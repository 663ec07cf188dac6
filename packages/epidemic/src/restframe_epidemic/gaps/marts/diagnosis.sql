-- New diagnoses by county, month and condition, against the same months before the epidemic.
--
-- A new diagnosis: a medical claim with a code of the condition in any position, on a day d, when the patient has had no
-- such claim from d - parameter.lookback_days to d - 1 (365 days; 180 are usual too) and was enrolled throughout them
-- (a spell of table `spell`) and on d. The day is the claim's first. Common practice in claims research; the length of
-- the look-back decides how many old cases pass for new ones, so the two must be told together.
-- Rate: new diagnoses per 100,000 member-months. A member-month is a patient enrolled on the first day of a month, and
-- during the look-back before it; patients who have the condition already are among them.
-- Baseline: the rate of the same calendar months before the month in which the epidemic began, taken together.
-- Ratio: rate / baseline rate; 1 is no change. NULL where there is no baseline.
DROP TABLE IF EXISTS epidemic_gaps.diagnosis_patient;
CREATE TABLE epidemic_gaps.diagnosis_patient AS
WITH spaced AS (
    SELECT person, condition_number, diagnosed_date,
        lag(diagnosed_date) OVER (PARTITION BY CAST(person AS bigint) * 1048576 + condition_number
            ORDER BY diagnosed_date) AS diagnosed_before
    FROM diagnosed
)
SELECT spell.token, spell.location, named.condition, spaced.diagnosed_date
FROM spaced
CROSS JOIN epidemic_gaps.parameter
JOIN spell ON spell.person = spaced.person AND spaced.diagnosed_date BETWEEN spell.start_date AND spell.end_date
JOIN (SELECT DISTINCT condition_number, condition FROM meaning) AS named
    ON named.condition_number = spaced.condition_number
WHERE spell.start_date <= spaced.diagnosed_date - parameter.lookback_days
    AND (spaced.diagnosed_before IS NULL
        OR spaced.diagnosed_before < spaced.diagnosed_date - parameter.lookback_days);

DROP TABLE IF EXISTS epidemic_gaps.member_month;
CREATE TABLE epidemic_gaps.member_month AS
SELECT place.location, counted.month, counted.members
FROM (
    SELECT spell.place, month.month, count(*) AS members
    FROM spell
    CROSS JOIN epidemic_gaps.parameter
    JOIN epidemic_gaps.month ON month.month BETWEEN spell.start_date + parameter.lookback_days AND spell.end_date
    GROUP BY spell.place, month.month
) AS counted
JOIN place ON place.place = counted.place;

DROP TABLE IF EXISTS epidemic_gaps.diagnosis;
CREATE TABLE epidemic_gaps.diagnosis AS
WITH found AS (
    SELECT location, condition, CAST(date_trunc('month', diagnosed_date) AS date) AS month, count(*) AS new_diagnoses
    FROM epidemic_gaps.diagnosis_patient
    GROUP BY 1, 2, 3
), monthly AS (
    SELECT member_month.location, member_month.month, known.condition, member_month.members AS member_months,
        coalesce(found.new_diagnoses, 0) AS new_diagnoses
    FROM epidemic_gaps.member_month
    CROSS JOIN (SELECT DISTINCT condition FROM epidemic_claims.condition) AS known
    LEFT JOIN found ON found.location = member_month.location AND found.month = member_month.month
        AND found.condition = known.condition
), baseline AS (
    SELECT monthly.location, monthly.condition, date_part(month, monthly.month) AS month_of_year,
        sum(monthly.new_diagnoses) AS new_diagnoses, sum(monthly.member_months) AS member_months
    FROM monthly
    CROSS JOIN epidemic_gaps.parameter
    WHERE monthly.month < date_trunc('month', parameter.epidemic_start)
    GROUP BY 1, 2, 3
)
SELECT monthly.location, monthly.month, monthly.condition, monthly.new_diagnoses, monthly.member_months,
    CAST(monthly.new_diagnoses AS float8) * 100000 / monthly.member_months AS rate,
    baseline.new_diagnoses AS baseline_diagnoses, baseline.member_months AS baseline_member_months,
    CAST(baseline.new_diagnoses AS float8) * 100000 / baseline.member_months AS baseline_rate,
    CAST(monthly.new_diagnoses AS float8) * baseline.member_months
        / nullif(CAST(monthly.member_months AS float8) * baseline.new_diagnoses, 0) AS ratio
FROM monthly
LEFT JOIN baseline ON baseline.location = monthly.location AND baseline.condition = monthly.condition
    AND baseline.month_of_year = date_part(month, monthly.month);
