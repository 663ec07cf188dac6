-- What is offered for publication. Counts of patients still lack suppression here (privacy/published.py does that and
-- writes epidemic_published); what is told of providers is public by itself.
--
-- burden: of each condition, in each place, its area and the places above them
--   patients  who were enrolled on the last day of the claims and had a visit for it in the 365 days before
--   infected  of all people with the condition, patients or not, those infected since the epidemic began, reported or not:
--             sum over places of infections (gaps/infections.py) x share of those infected who have the condition, x level
--             share   those infected are of all ages as the place's people are, weighted by susceptibility
--                     (age_severity); of each band of ages those have the condition who have it among all patients
--             level   patients / those expected of the ages of those enrolled: how much commoner it is here
--             This takes the condition to make nobody likelier to be infected, and people to be as ill as patients of
--             their age. By the place's own sums at every level, so that a state's figure is no sum of its areas' and
--             tells nothing of those that are left out.
--   infected_lower, infected_upper  an interval of 95 %: the parameters infections_least and infections_most of the
--             country, which say how far off infections told by deaths may be, together with the chance of a Poisson
--             number of patients. NULL where the country has no such parameters.
-- cases, deaths: reported since the epidemic began, cleansed (epidemic.incidence).
DROP TABLE IF EXISTS resident;
CREATE TEMP TABLE resident AS
WITH band AS (
    SELECT age_from, coalesce(lead(age_from) OVER (ORDER BY age_from), 1000) AS next_from
    FROM (SELECT DISTINCT age_from FROM epidemic.population_age) AS known
)
SELECT spell.spell, spell.location, coalesce(band.age_from, -1) AS age_from
FROM spell
CROSS JOIN epidemic_gaps.parameter
JOIN (SELECT DISTINCT location FROM above) AS known ON known.location = spell.location
LEFT JOIN band ON extract(year FROM parameter.last_day) - spell.birth_year >= band.age_from
    AND extract(year FROM parameter.last_day) - spell.birth_year < band.next_from
WHERE spell.end_date >= parameter.last_day;

DROP TABLE IF EXISTS ill;
CREATE TEMP TABLE ill AS
SELECT DISTINCT visit.spell, meaning.condition
FROM visit
JOIN meaning ON meaning.meaning = visit.meaning
CROSS JOIN epidemic_gaps.parameter
WHERE visit.from_date > parameter.last_day - 365;

DROP TABLE IF EXISTS prevalence;
CREATE TEMP TABLE prevalence AS
WITH enrolled AS (
    SELECT age_from, count(*) AS people FROM resident GROUP BY age_from
), found AS (
    SELECT ill.condition, resident.age_from, count(*) AS patients
    FROM ill JOIN resident ON resident.spell = ill.spell
    GROUP BY 1, 2
)
SELECT known.condition, enrolled.age_from, coalesce(found.patients, 0) / CAST(enrolled.people AS float8) AS prevalence,
    sum(coalesce(found.patients, 0)) OVER (PARTITION BY known.condition)
        / CAST(sum(enrolled.people) OVER (PARTITION BY known.condition) AS float8) AS overall
FROM enrolled
CROSS JOIN (SELECT DISTINCT condition FROM epidemic_claims.condition) AS known
LEFT JOIN found ON found.age_from = enrolled.age_from AND found.condition = known.condition;

DROP TABLE IF EXISTS infected_with;
CREATE TEMP TABLE infected_with AS
WITH severity AS (
    SELECT age_from, coalesce(lead(age_from) OVER (ORDER BY age_from), 1000) AS next_from, susceptibility
    FROM epidemic.age_severity
), exposed AS (
    SELECT population_age.location, population_age.age_from,
        population_age.population * coalesce(severity.susceptibility, 1) AS weight
    FROM epidemic.population_age
    LEFT JOIN severity ON population_age.age_from >= severity.age_from AND population_age.age_from < severity.next_from
), usual AS (
    SELECT DISTINCT condition, overall FROM prevalence
), share AS (
    SELECT exposed.location, usual.condition,
        CAST(sum(CAST(exposed.weight * coalesce(prevalence.prevalence, usual.overall) AS decimal(32,12))) AS float8)
            / nullif(CAST(sum(CAST(exposed.weight AS decimal(32,12))) AS float8), 0) AS share
    FROM exposed
    CROSS JOIN usual
    LEFT JOIN prevalence ON prevalence.condition = usual.condition AND prevalence.age_from = exposed.age_from
    GROUP BY 1, 2
)
SELECT above.ancestor AS location, usual.condition,
    CAST(sum(CAST(infection.infections * coalesce(share.share, usual.overall) AS decimal(32,12))) AS float8) AS infected
FROM epidemic_gaps.infection
CROSS JOIN usual
JOIN above ON above.location = infection.location
LEFT JOIN share ON share.location = infection.location AND share.condition = usual.condition
GROUP BY 1, 2;

DROP TABLE IF EXISTS epidemic_gaps.burden;
CREATE TABLE epidemic_gaps.burden AS
WITH enrolled AS (
    SELECT above.ancestor AS location, resident.age_from, count(*) AS people
    FROM resident
    JOIN above ON above.location = resident.location
    GROUP BY 1, 2
), expected AS (
    SELECT enrolled.location, prevalence.condition,
        CAST(sum(CAST(enrolled.people * prevalence.prevalence AS decimal(32,12))) AS float8) AS patients
    FROM enrolled
    JOIN prevalence ON prevalence.age_from = enrolled.age_from
    GROUP BY 1, 2
), patient AS (
    SELECT above.ancestor AS location, ill.condition, count(*) AS patients
    FROM ill
    JOIN resident ON resident.spell = ill.spell
    JOIN above ON above.location = resident.location
    GROUP BY 1, 2
), reported AS (
    SELECT above.ancestor AS location, CAST(sum(CAST(incidence.cases AS decimal(32,12))) AS float8) AS cases,
        CAST(sum(CAST(incidence.deaths AS decimal(32,12))) AS float8) AS deaths
    FROM epidemic.incidence
    JOIN above ON above.location = incidence.location
    GROUP BY 1
), people AS (
    SELECT above.ancestor AS location, sum(place.population) AS population
    FROM above
    JOIN epidemic.location AS place ON place.location = above.location
    GROUP BY 1
), estimated AS (
    SELECT expected.location, expected.condition, coalesce(patient.patients, 0) AS patients,
        infected_with.infected * coalesce(patient.patients, 0) / nullif(expected.patients, 0) AS infected,
        power(1.96::float8, 2) / nullif(coalesce(patient.patients, 0), 0) AS chance
    FROM expected
    LEFT JOIN patient ON patient.location = expected.location AND patient.condition = expected.condition
    LEFT JOIN infected_with ON infected_with.location = expected.location
        AND infected_with.condition = expected.condition
)
SELECT parameter.last_day AS as_of, estimated.location, estimated.condition, estimated.patients, estimated.infected,
    estimated.infected * exp(-sqrt(power(ln(least.value), 2) + estimated.chance)) AS infected_lower,
    estimated.infected * exp(sqrt(power(ln(most.value), 2) + estimated.chance)) AS infected_upper,
    reported.cases, reported.deaths, 100000 * reported.deaths / nullif(people.population, 0) AS deaths_per_100k
FROM estimated
CROSS JOIN epidemic_gaps.parameter
LEFT JOIN reported ON reported.location = estimated.location
LEFT JOIN people ON people.location = estimated.location
LEFT JOIN epidemic.parameter AS least ON least.name = 'infections_least'
LEFT JOIN epidemic.parameter AS most ON most.name = 'infections_most';

DELETE FROM epidemic_published.provider_finder;

INSERT INTO epidemic_published.provider_finder
SELECT DISTINCT provider.provider, provider.specialty, known.condition, place.location, place.name AS location_name,
    place.level, place.parent, place.latitude, place.longitude, provider.accepts_new, provider.plans
FROM epidemic_gaps.open_provider AS provider
JOIN epidemic.location AS place ON place.location = provider.location
JOIN (SELECT DISTINCT specialty, condition FROM epidemic_claims.condition) AS known
    ON known.specialty = provider.specialty;

DROP TABLE resident;
DROP TABLE ill;
DROP TABLE prevalence;
DROP TABLE infected_with;
