-- An extract by patient for analysts who need rows: less than the claims tell, and no token that joins with them.
--
-- person      a number of this extract, in no order that tells of anything
-- age         years at the last day of the claims; 90 stands for all who are older than 89
-- area        the county; the place above it where fewer than 20,000 people live in the county, or nobody knows how many
-- week_end    dates are coarsened to the week's last day, by the calendar
-- Ages over 89 and the bound of 20,000 are those of HIPAA's Safe Harbor, 45 CFR 164.514(b)(2)(i), which sets the bound
-- for three-digit ZIP areas. A week is finer than the year that Safe Harbor asks for: this is a limited data set,
-- 45 CFR 164.514(e), for analysts under an agreement, and is not published.
DROP TABLE IF EXISTS epidemic_gaps.patient_extract;
CREATE TABLE epidemic_gaps.patient_extract AS
WITH anchor AS (
    SELECT coalesce((SELECT max(week_end) FROM epidemic.calendar), parameter.last_day) + 7000 AS week_end,
        extract(year FROM parameter.last_day) AS this_year
    FROM epidemic_gaps.parameter
), described AS (
    SELECT person.person AS known_as, row_number() OVER (ORDER BY md5(person.token)) AS person, person.sex,
        CASE WHEN anchor.this_year - person.birth_year > 89 THEN 90
            ELSE anchor.this_year - person.birth_year END AS age,
        CASE WHEN place.population >= 20000 THEN place.location ELSE place.parent END AS area, person.plan
    FROM person
    CROSS JOIN anchor
    LEFT JOIN epidemic.location AS place ON place.location = person.location
), weekly AS (
    SELECT diagnosed.person, diagnosed.condition_number,
        anchor.week_end - (anchor.week_end - diagnosed.diagnosed_date) / 7 * 7 AS week_end, count(*) AS visits
    FROM diagnosed
    CROSS JOIN anchor
    WHERE diagnosed.is_first
    GROUP BY 1, 2, 3
)
SELECT described.person, described.age, described.sex, described.area, described.plan, named.condition,
    weekly.week_end, weekly.visits
FROM weekly
JOIN (SELECT DISTINCT condition_number, condition FROM meaning) AS named
    ON named.condition_number = weekly.condition_number
JOIN described ON described.known_as = weekly.person;
