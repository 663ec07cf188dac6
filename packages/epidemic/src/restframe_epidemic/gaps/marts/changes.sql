-- Changes of drugs within a class: switches, add-ons, lines of therapy; by county, month and class.
--
-- A change is the first fill of a molecule of the class by a patient who had another one within reach: whose supply had
-- run out at most parameter.permitted_gap_days before (30). It is
--   * a switch, when none of the molecules within reach is filled again on a later day
--   * an add-on, when one of them is: both go on
-- A change in the last permitted_gap_days of the claims is not counted yet, since a refill may still come. A molecule
-- taken up again later is no change. Two molecules begun on one day are one regimen from the start.
-- Line of therapy: the time of one regimen, which is the molecules of the class filled in it. The first line begins with
-- the first fill, each further one with a change, and a line ends on the day before the next or with its last supply.
-- Dropping a molecule begins no line. Common definitions in studies of claims; here for paid fills of enrolled patients.
-- Treated: patients with a fill of the class in that month.
DROP TABLE IF EXISTS begun;
CREATE TEMP TABLE begun AS
SELECT spell.person, molecule.class_number, fill.molecule_number, min(fill.fill_date) AS first_fill,
    max(fill.fill_date + fill.days_supply - 1) AS supplied_until, max(spell.end_date) AS enrolled_until
FROM fill
JOIN spell ON spell.spell = fill.spell
JOIN molecule ON molecule.molecule_number = fill.molecule_number
GROUP BY spell.person, molecule.class_number, fill.molecule_number;

DROP TABLE IF EXISTS change;
CREATE TEMP TABLE change AS
WITH later AS (
    SELECT begun.person, begun.class_number, begun.molecule_number, begun.first_fill
    FROM begun
    JOIN (SELECT person, class_number, min(first_fill) AS first_fill FROM begun GROUP BY person, class_number) AS start
        ON start.person = begun.person AND start.class_number = begun.class_number
        AND start.first_fill < begun.first_fill
), other AS (
    SELECT later.person, later.class_number, later.molecule_number, later.first_fill,
        fill.molecule_number AS other_number,
        max(CASE WHEN fill.fill_date < later.first_fill THEN fill.fill_date END) AS last_before,
        max(CASE WHEN fill.fill_date < later.first_fill THEN fill.fill_date + fill.days_supply END) AS supplied_until,
        max(CASE WHEN fill.fill_date > later.first_fill THEN 1 ELSE 0 END) AS goes_on
    FROM later
    JOIN spell ON spell.person = later.person
    JOIN fill ON fill.spell = spell.spell AND fill.molecule_number <> later.molecule_number
    JOIN molecule ON molecule.molecule_number = fill.molecule_number AND molecule.class_number = later.class_number
    GROUP BY later.person, later.class_number, later.molecule_number, later.first_fill, fill.molecule_number
), within_reach AS (
    SELECT other.person, other.class_number, other.molecule_number, other.first_fill, other.other_number,
        max(other.goes_on) OVER (PARTITION BY other.person, other.class_number, other.molecule_number) AS goes_on,
        row_number() OVER (PARTITION BY other.person, other.class_number, other.molecule_number
            ORDER BY other.last_before DESC, other.other_number) AS recency
    FROM other
    CROSS JOIN epidemic_gaps.parameter
    WHERE other.first_fill <= other.supplied_until + parameter.permitted_gap_days
        AND other.first_fill <= parameter.last_day - parameter.permitted_gap_days
)
SELECT person, class_number, first_fill AS change_date, other_number AS from_number, molecule_number AS to_number,
    CASE WHEN goes_on = 1 THEN 'add-on' ELSE 'switch' END AS kind
FROM within_reach
WHERE recency = 1;

DROP TABLE IF EXISTS epidemic_gaps.change_patient;
CREATE TABLE epidemic_gaps.change_patient AS
SELECT person.token, person.location, taken_up.class, change.change_date, change.kind,
    left_one.molecule AS from_molecule, taken_up.molecule AS to_molecule
FROM change
JOIN person ON person.person = change.person
JOIN molecule AS left_one ON left_one.molecule_number = change.from_number
JOIN molecule AS taken_up ON taken_up.molecule_number = change.to_number;

DROP TABLE IF EXISTS epidemic_gaps.change;
CREATE TABLE epidemic_gaps.change AS
WITH treated AS (
    SELECT place.location, drug_class_number.class, filled.month, filled.patients
    FROM filled
    JOIN place ON place.place = filled.place
    JOIN drug_class_number ON drug_class_number.class_number = filled.class_number
), changed AS (
    SELECT location, class, CAST(date_trunc('month', change_date) AS date) AS month,
        sum(CASE WHEN kind = 'switch' THEN 1 ELSE 0 END) AS switches,
        sum(CASE WHEN kind = 'add-on' THEN 1 ELSE 0 END) AS add_ons
    FROM epidemic_gaps.change_patient
    GROUP BY 1, 2, 3
)
SELECT treated.location, treated.month, treated.class, treated.patients,
    coalesce(changed.switches, 0) AS switches, coalesce(changed.add_ons, 0) AS add_ons
FROM treated
LEFT JOIN changed ON changed.location = treated.location AND changed.class = treated.class
    AND changed.month = treated.month;

DROP TABLE IF EXISTS epidemic_gaps.line_patient;
CREATE TABLE epidemic_gaps.line_patient AS
WITH starts AS (
    SELECT person, class_number, min(first_fill) AS start_date FROM begun GROUP BY person, class_number
    UNION
    SELECT person, class_number, change_date FROM change
), bounded AS (
    SELECT person, class_number, start_date,
        row_number() OVER (PARTITION BY person, class_number ORDER BY start_date) AS line,
        lead(start_date) OVER (PARTITION BY person, class_number ORDER BY start_date) AS next_start
    FROM starts
), taken AS (
    -- The line of those who never changed, who are most, has all their fills.
    SELECT bounded.person, bounded.class_number, bounded.line, bounded.start_date, bounded.next_start,
        begun.molecule_number, begun.supplied_until, begun.enrolled_until
    FROM bounded
    JOIN begun ON begun.person = bounded.person AND begun.class_number = bounded.class_number
    WHERE bounded.line = 1 AND bounded.next_start IS NULL
    UNION ALL
    SELECT bounded.person, bounded.class_number, bounded.line, bounded.start_date, bounded.next_start,
        fill.molecule_number, max(fill.fill_date + fill.days_supply - 1), max(spell.end_date)
    FROM bounded
    JOIN spell ON spell.person = bounded.person
    JOIN fill ON fill.spell = spell.spell AND fill.fill_date >= bounded.start_date
        AND (bounded.next_start IS NULL OR fill.fill_date < bounded.next_start)
    JOIN molecule ON molecule.molecule_number = fill.molecule_number AND molecule.class_number = bounded.class_number
    WHERE bounded.line > 1 OR bounded.next_start IS NOT NULL
    GROUP BY 1, 2, 3, 4, 5, 6
), line AS (
    SELECT taken.person, taken.class_number, taken.line, taken.start_date,
        least(max(taken.supplied_until), coalesce(taken.next_start - 1, max(taken.enrolled_until)),
            max(taken.enrolled_until)) AS end_date,
        listagg(molecule.molecule, ' + ') WITHIN GROUP (ORDER BY molecule.molecule) AS regimen
    FROM taken
    JOIN molecule ON molecule.molecule_number = taken.molecule_number
    GROUP BY taken.person, taken.class_number, taken.line, taken.start_date, taken.next_start
)
SELECT person.token, person.location, drug_class_number.class, CAST(line.line AS int) AS line, line.start_date,
    line.end_date, line.regimen
FROM line
JOIN drug_class_number ON drug_class_number.class_number = line.class_number
JOIN person ON person.person = line.person;

DROP TABLE IF EXISTS epidemic_gaps.line;
CREATE TABLE epidemic_gaps.line AS
SELECT location, class, line, count(*) AS patients,
    CAST(avg(CAST(datediff(day, start_date, end_date) + 1 AS decimal(9, 3))) AS decimal(9, 3)) AS mean_days
FROM epidemic_gaps.line_patient
GROUP BY location, class, line;

DROP TABLE begun;
DROP TABLE change;
