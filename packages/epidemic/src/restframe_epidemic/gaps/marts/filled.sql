-- Fills by place, class of drugs and month, which several measures look at.
--
-- filled    patients with a fill, fills; those of them that follow another of the molecule in the spell (refills), the
--           days from the end of supply to them, and the same of late ones alone
DROP TABLE IF EXISTS filled;
CREATE TEMP TABLE filled AS
SELECT place, class_number, month, count(*) AS patients, CAST(sum(fills) AS bigint) AS fills,
    CAST(sum(refills) AS bigint) AS refills, CAST(sum(delay_days) AS bigint) AS delay_days,
    CAST(sum(gap_days) AS bigint) AS gap_days
FROM (
    SELECT spell.person, spell.place, molecule.class_number, CAST(date_trunc('month', fill.fill_date) AS date) AS month,
        count(*) AS fills, count(fill.due) AS refills, sum(datediff(day, fill.due, fill.fill_date)) AS delay_days,
        sum(greatest(0, datediff(day, fill.due, fill.fill_date))) AS gap_days
    FROM fill
    JOIN spell ON spell.spell = fill.spell
    JOIN molecule ON molecule.molecule_number = fill.molecule_number
    GROUP BY 1, 2, 3, 4
) AS of_patient
GROUP BY place, class_number, month;
