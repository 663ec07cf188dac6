-- What is offered for publication. Counts of patients still lack suppression here (privacy/published.py does that and
-- writes the tables below); what is told of providers is public by itself.
--
-- burden: patients by condition who were enrolled on the last day of the claims and had a visit for it in the 365 days
--   before, in each place and the places above it.
--   estimated_infected = reported cases x patients / enrolled: as if the epidemic found patients as often as others,
--   and no more than is reported. Those enrolled are rounded to 20, so that nobody finds them out from it, nor from
--   what is told of other places those of a place that has few. By the place's own sums at every level, so that a state's figure is no sum of its
--   counties' and tells nothing of those that are left out.
-- cases, deaths: reported since the epidemic began, cleansed (epidemic.incidence).
DROP TABLE IF EXISTS epidemic_gaps.burden;
CREATE TABLE epidemic_gaps.burden AS
WITH RECURSIVE climbed (location, ancestor) AS (
    -- Not patients of whom no more than a place above others is known: totals must be the sums of their parts.
    SELECT location, location FROM epidemic.location
    WHERE location NOT IN (SELECT parent FROM epidemic.location WHERE parent IS NOT NULL)
    UNION
    SELECT climbed.location, place.parent
    FROM climbed
    JOIN epidemic.location AS place ON place.location = climbed.ancestor
    WHERE place.parent IS NOT NULL
), present AS (
    SELECT spell.spell, spell.location
    FROM spell
    CROSS JOIN epidemic_gaps.parameter
    WHERE spell.end_date >= parameter.last_day
), enrolled AS (
    SELECT climbed.ancestor AS location, count(*) AS enrolled
    FROM present
    JOIN climbed ON climbed.location = present.location
    GROUP BY 1
), patient AS (
    SELECT climbed.ancestor AS location, recent.condition, count(*) AS patients
    FROM (
        SELECT DISTINCT visit.spell, meaning.condition
        FROM visit
        JOIN meaning ON meaning.meaning = visit.meaning
        CROSS JOIN epidemic_gaps.parameter
        WHERE visit.from_date > parameter.last_day - 365
    ) AS recent
    JOIN present ON present.spell = recent.spell
    JOIN climbed ON climbed.location = present.location
    GROUP BY 1, 2
), reported AS (
    SELECT incidence.location, CAST(sum(CAST(incidence.cases AS decimal(32,12))) AS float8) AS cases,
        CAST(sum(CAST(incidence.deaths AS decimal(32,12))) AS float8) AS deaths
    FROM epidemic.incidence
    GROUP BY 1
), reported_above AS (
    SELECT climbed.ancestor AS location, CAST(sum(CAST(reported.cases AS decimal(32,12))) AS float8) AS cases,
        CAST(sum(CAST(reported.deaths AS decimal(32,12))) AS float8) AS deaths
    FROM reported
    JOIN climbed ON climbed.location = reported.location
    GROUP BY 1
)
SELECT parameter.last_day AS as_of, place.location, place.name, place.level, place.parent, known.condition,
    coalesce(patient.patients, 0) AS patients,
    reported_above.cases * coalesce(patient.patients, 0) / (20 * greatest(round(enrolled.enrolled / 20.0::float8), 1))
        AS estimated_infected,
    reported_above.cases, reported_above.deaths,
    100000 * reported_above.deaths / nullif(place.population, 0) AS deaths_per_100k
FROM enrolled
JOIN epidemic.location AS place ON place.location = enrolled.location
CROSS JOIN (SELECT DISTINCT condition FROM epidemic_claims.condition) AS known
CROSS JOIN epidemic_gaps.parameter
LEFT JOIN patient ON patient.location = enrolled.location AND patient.condition = known.condition
LEFT JOIN reported_above ON reported_above.location = enrolled.location;

CREATE SCHEMA IF NOT EXISTS epidemic_published;

CREATE TABLE IF NOT EXISTS epidemic_published.condition_burden (
    as_of date, location varchar(16), name varchar(128), level varchar(16), parent varchar(16), condition varchar(64),
    patients bigint,                    -- NULL: suppressed
    estimated_infected float8,          -- NULL with patients
    cases float8, deaths float8, deaths_per_100k float8
);

CREATE TABLE IF NOT EXISTS epidemic_published.treatment_gap (
    location varchar(16), name varchar(128), level varchar(16), parent varchar(16), month date,
    measure varchar(64), subject varchar(64),
    events bigint,                      -- NULL: suppressed
    expected float8,                    -- NULL where it tells of a small count before the epidemic
    change float8, lower float8, upper float8   -- NULL with either
);

CREATE TABLE IF NOT EXISTS epidemic_published.provider_access (
    location varchar(16), name varchar(128), level varchar(16), parent varchar(16), specialty varchar(64),
    capacity float8, providers bigint, accepting bigint,
    access float8, hhi float8           -- NULL where they tell of few patients
);

CREATE TABLE IF NOT EXISTS epidemic_published.driver (
    measure varchar(64), driver varchar(128), rank int, effect float8, lower float8, upper float8, one_sd float8,
    places int, clusters int
);

CREATE TABLE IF NOT EXISTS epidemic_published.suppression (
    published_table varchar(64), cells bigint, primary_suppressed bigint, complementary bigint
);

DROP TABLE IF EXISTS epidemic_published.provider_finder;
CREATE TABLE epidemic_published.provider_finder AS
SELECT DISTINCT provider.provider, provider.specialty, known.condition, place.location, place.name AS location_name,
    place.level, place.parent, place.latitude, place.longitude, provider.accepts_new, provider.plans
FROM epidemic_gaps.open_provider AS provider
JOIN epidemic.location AS place ON place.location = provider.location
JOIN (SELECT DISTINCT specialty, condition FROM epidemic_claims.condition) AS known
    ON known.specialty = provider.specialty;
