-- What claims tell dashboards. `gaps` fills these tables (privacy/published.py, after suppression); they are there, and
-- may be read, before it has ever run.
CREATE SCHEMA IF NOT EXISTS epidemic_published;

-- The smallest places, and the area that each is told of in: itself where it has people enough, else with neighbours of
-- the same place above, else all of that place's (gaps/areas.py).
CREATE TABLE IF NOT EXISTS epidemic_published.area (
    location     varchar(16) NOT NULL PRIMARY KEY,
    area         varchar(24) NOT NULL,
    name         varchar(128),          -- of the area
    level        varchar(16),           -- of the area: 'area' when it is several places
    parent       varchar(16),           -- of the place
    people_least float8                 -- that an area was to have
);

-- Key: as_of, location, condition.
CREATE TABLE IF NOT EXISTS epidemic_published.condition_burden (
    as_of date, location varchar(24), name varchar(128), level varchar(16), parent varchar(16), condition varchar(64),
    patients bigint,                    -- enrolled, and seen for it in the year before as_of; NULL: suppressed
    estimated_infected float8,          -- of all people with the condition, reported or not; NULL with patients
    infected_lower float8, infected_upper float8,
    cases float8, deaths float8, deaths_per_100k float8
);

-- Key: location, month, measure, subject. A subject is told by month or by quarter, everywhere alike.
CREATE TABLE IF NOT EXISTS epidemic_published.treatment_gap (
    location varchar(24), name varchar(128), level varchar(16), parent varchar(16),
    month date,                         -- the first of those that are counted
    months int,                         -- 1, or 3 for a quarter of the year
    measure varchar(64), subject varchar(64),
    events bigint,                      -- NULL: suppressed
    expected float8,                    -- NULL where it tells of a small count before the epidemic
    change float8, lower float8, upper float8   -- NULL with either
);

-- Key: location, specialty.
CREATE TABLE IF NOT EXISTS epidemic_published.provider_access (
    location varchar(16), name varchar(128), level varchar(16), parent varchar(16), specialty varchar(64),
    capacity float8, providers bigint, accepting bigint,
    area varchar(24),
    access float8, hhi float8           -- of the area; NULL where they tell of few patients
);

-- Key: provider, condition, location.
CREATE TABLE IF NOT EXISTS epidemic_published.provider_finder (
    provider varchar(16), specialty varchar(64), condition varchar(64), location varchar(16),
    location_name varchar(128), level varchar(16), parent varchar(16), latitude float8, longitude float8,
    accepts_new boolean, plans varchar(256)
);

-- Key: measure, driver.
CREATE TABLE IF NOT EXISTS epidemic_published.driver (
    measure varchar(64), driver varchar(128), rank int, effect float8, lower float8, upper float8, one_sd float8,
    places int, clusters int
);

-- Key: published_table.
CREATE TABLE IF NOT EXISTS epidemic_published.suppression (
    published_table varchar(64), cells bigint, primary_suppressed bigint, complementary bigint
);

-- What is known of every place: its own figures, else those of its area, else of the nearest place above that has any.
-- Key: location, month, measure, subject. told_of: whose figures they are.
CREATE OR REPLACE VIEW epidemic_published.local_gap AS
WITH RECURSIVE climbed (location, ancestor, steps) AS (
    SELECT location, location, 0 FROM epidemic.location
    UNION ALL
    SELECT climbed.location, place.parent, climbed.steps + 2
    FROM climbed
    JOIN epidemic.location AS place ON place.location = climbed.ancestor
    WHERE place.parent IS NOT NULL
), reached AS (
    SELECT location, ancestor, steps FROM climbed
    UNION ALL
    SELECT location, area, 1 FROM epidemic_published.area
), ranked AS (
    SELECT reached.location, gap.location AS told_of, gap.name, gap.level, gap.month, gap.months, gap.measure,
        gap.subject, gap.events, gap.expected, gap.change, gap.lower, gap.upper,
        row_number() OVER (PARTITION BY reached.location, gap.month, gap.measure, gap.subject
            ORDER BY reached.steps) AS nearness
    FROM reached
    JOIN epidemic_published.treatment_gap AS gap ON gap.location = reached.ancestor
    WHERE gap.change IS NOT NULL
)
SELECT location, told_of, name, level, month, months, measure, subject, events, expected, change, lower, upper
FROM ranked
WHERE nearness = 1;
