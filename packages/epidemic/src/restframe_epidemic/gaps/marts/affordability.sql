-- Affordability: what patients are asked to pay for drugs, what they leave at the pharmacy, and for whom it is much.
--
-- Out of pocket per 30 days: copay of paid fills * 30 / days of supply dispensed (of fills with a supply).
-- Prescriptions: claims presented, but for a rejected one that is approved within parameter.abandonment_days (14),
-- which is the same prescription presented again.
-- Abandoned: a prescription that was rejected, or reversed within 14 days of approval, without a paid fill of the same
-- drug by the same patient within 14 days after it was presented. Reversals within 14 days are how studies of claims
-- know that nobody fetched the drug; rejections show barriers of the plan, so both are told apart too. A reversal
-- without a date counts as a late one.
-- Burden: patients of known income whose copays of a period, as a yearly sum, exceed parameter.burden_share of it.
--
-- What came after is looked up for claims that were not paid only, which are few.
DROP TABLE IF EXISTS presented;
CREATE TEMP TABLE presented AS
WITH class_of AS (
    SELECT drug.code, min(drug_class_number.class_number) AS class_number
    FROM epidemic_claims.drug
    JOIN drug_class_number ON drug_class_number.class = drug.class
    GROUP BY drug.code
), missed AS (
    SELECT claim.claim, claim.token, claim.drug, claim.fill_date, parameter.abandonment_days
    FROM epidemic_claims.pharmacy_claim AS claim
    CROSS JOIN epidemic_gaps.parameter
    WHERE claim.status <> 'paid'
), followed AS (
    SELECT missed.claim, max(CASE WHEN later.status = 'paid' THEN 1 ELSE 0 END) AS fetched,
        max(CASE WHEN later.status = 'rejected' THEN 0 ELSE 1 END) AS approved
    FROM missed
    JOIN epidemic_claims.pharmacy_claim AS later ON later.token = missed.token AND later.drug = missed.drug
        AND later.fill_date BETWEEN missed.fill_date AND missed.fill_date + missed.abandonment_days
    GROUP BY missed.claim
), claimed AS (
    SELECT claim.token, claim.drug, claim.fill_date, claim.status, claim.days_supply, claim.copay, 1 AS prescription,
        0 AS reversed_soon, 1 AS fetched
    FROM epidemic_claims.pharmacy_claim AS claim
    WHERE claim.status = 'paid'
    UNION ALL
    SELECT claim.token, claim.drug, claim.fill_date, claim.status, claim.days_supply, claim.copay,
        CASE WHEN claim.status = 'rejected' AND followed.approved = 1 THEN 0 ELSE 1 END,
        CASE WHEN claim.status = 'reversed'
            AND claim.reversed_date <= claim.fill_date + parameter.abandonment_days THEN 1 ELSE 0 END,
        followed.fetched
    FROM epidemic_claims.pharmacy_claim AS claim
    JOIN followed ON followed.claim = claim.claim
    CROSS JOIN epidemic_gaps.parameter
    WHERE claim.status <> 'paid'
)
SELECT person.person, person.place, coalesce(class_of.class_number, 0) AS class_number, claimed.fill_date,
    claimed.status, claimed.days_supply, coalesce(claimed.copay, 0) AS copay, claimed.prescription,
    claimed.reversed_soon, claimed.fetched
FROM claimed
JOIN person ON person.token = claimed.token
LEFT JOIN class_of ON class_of.code = claimed.drug;

DROP TABLE IF EXISTS epidemic_gaps.affordability;
CREATE TABLE epidemic_gaps.affordability AS
WITH monthly AS (
    SELECT place, CAST(date_trunc('month', fill_date) AS date) AS month, class_number,
        count(DISTINCT person) AS patients, sum(prescription) AS prescriptions,
        sum(CASE WHEN status = 'rejected' THEN 1 ELSE 0 END) AS rejected, sum(reversed_soon) AS reversed,
        sum(CASE WHEN prescription = 1 AND fetched = 0 AND (status = 'rejected' OR reversed_soon = 1) THEN 1 ELSE 0 END)
            AS abandoned,
        sum(CASE WHEN status = 'paid' THEN copay ELSE 0 END) AS out_of_pocket,
        sum(CASE WHEN status = 'paid' AND days_supply > 0 THEN copay ELSE 0 END) AS supplied_for,
        sum(CASE WHEN status = 'paid' AND days_supply > 0 THEN days_supply ELSE 0 END) AS supply
    FROM presented
    GROUP BY 1, 2, 3
)
SELECT place.location, monthly.month, coalesce(drug_class_number.class, 'unknown') AS class, monthly.patients,
    monthly.prescriptions, monthly.rejected, monthly.reversed, monthly.abandoned, monthly.out_of_pocket,
    CAST(30.0 * CAST(monthly.supplied_for AS float8) / nullif(monthly.supply, 0) AS decimal(12, 4)) AS out_of_pocket_30
FROM monthly
JOIN place ON place.place = monthly.place
LEFT JOIN drug_class_number ON drug_class_number.class_number = monthly.class_number;

-- By what was asked for 30 days: lower bound of the band. The effect of the copay stands in the slope.
DROP TABLE IF EXISTS epidemic_gaps.abandonment;
CREATE TABLE epidemic_gaps.abandonment AS
SELECT coalesce(drug_class_number.class, 'unknown') AS class,
    CASE WHEN copay_30 < 5 THEN 0 WHEN copay_30 < 10 THEN 5 WHEN copay_30 < 20 THEN 10 WHEN copay_30 < 30 THEN 20
        WHEN copay_30 < 50 THEN 30 WHEN copay_30 < 75 THEN 50 ELSE 75 END AS copay_from,
    count(*) AS prescriptions, sum(abandoned) AS abandoned, CAST(avg(copay_30) AS decimal(12, 4)) AS mean_copay_30
FROM (
    SELECT class_number, CAST(30 * CAST(copay AS float8) / days_supply AS decimal(12, 4)) AS copay_30,
        CASE WHEN fetched = 0 AND (status = 'rejected' OR reversed_soon = 1) THEN 1 ELSE 0 END AS abandoned
    FROM presented
    WHERE prescription = 1 AND days_supply > 0
) AS prescribed
LEFT JOIN drug_class_number ON drug_class_number.class_number = prescribed.class_number
GROUP BY 1, 2;

DROP TABLE IF EXISTS epidemic_gaps.cost_burden;
CREATE TABLE epidemic_gaps.cost_burden AS
WITH spent AS (
    SELECT presented.person, period.period,
        CAST(sum(presented.copay) AS float8) * 365 / (datediff(day, period.start_date, period.end_date) + 1) AS a_year
    FROM presented
    JOIN epidemic_gaps.period ON presented.fill_date BETWEEN period.start_date AND period.end_date
    WHERE presented.status = 'paid'
    GROUP BY presented.person, period.period, period.start_date, period.end_date
)
SELECT spent.period, person.location, count(*) AS patients,
    sum(CASE WHEN spent.a_year > parameter.burden_share * person.income THEN 1 ELSE 0 END) AS burdened
FROM spent
JOIN person ON person.person = spent.person
CROSS JOIN epidemic_gaps.parameter
WHERE person.income > 0
GROUP BY spent.period, person.location;

DROP TABLE presented;
