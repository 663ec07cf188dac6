-- The tables of the epidemic engine. Everything about a country's geography stands in them, nothing in code.
--
--   epidemic_staging     the sources as they came, a table each (see sources/), made by `ingest`
--   epidemic             what models read and write; a country's .sql files fill the first half from staging
--   epidemic_published   what dashboards may read
--
-- DISTKEY and SORTKEY are where they would help on a cluster: reports and forecasts are joined by location and read
-- by date. Small tables go to every node.

CREATE SCHEMA IF NOT EXISTS epidemic_staging;
CREATE SCHEMA IF NOT EXISTS epidemic;
CREATE SCHEMA IF NOT EXISTS epidemic_published;

-- What a country brings -----------------------------------------------------------------------------------------------

-- The one country that the warehouse belongs to, since it has places.
CREATE TABLE IF NOT EXISTS epidemic.country (
    name        varchar(512)  NOT NULL,
    week_ends   varchar(16)   NOT NULL,
    folder      varchar(8192) NOT NULL      -- of its pack, or the name of one that comes with the engine
) DISTSTYLE ALL;

-- Places and what is above them, in any number of levels; the names of levels are the country's own. Forecasts are made
-- for places of the deepest level and summed to each above.
CREATE TABLE IF NOT EXISTS epidemic.location (
    location    varchar(16)  NOT NULL PRIMARY KEY,
    name        varchar(128) NOT NULL,
    level       varchar(16)  NOT NULL,
    parent      varchar(16),                -- NULL at the top
    population  bigint,
    latitude    float8,
    longitude   float8
) DISTSTYLE ALL SORTKEY (location);

CREATE TABLE IF NOT EXISTS epidemic.population_age (
    location    varchar(16) NOT NULL,
    age_from    int         NOT NULL,       -- first year of the band, which ends before the next one; the last is open
    population  float8,
    PRIMARY KEY (location, age_from)
) DISTSTYLE ALL SORTKEY (location, age_from);

CREATE TABLE IF NOT EXISTS epidemic.adjacency (
    location    varchar(16) NOT NULL,
    neighbour   varchar(16) NOT NULL,       -- each pair stands in both directions
    PRIMARY KEY (location, neighbour)
) DISTSTYLE ALL SORTKEY (location);

-- Cumulative, as reported; only rows that the rules accepted.
CREATE TABLE IF NOT EXISTS epidemic.case_report (
    location    varchar(16) NOT NULL,
    date        date        NOT NULL,
    cases       bigint,
    deaths      bigint,
    PRIMARY KEY (location, date)
) DISTKEY (location) COMPOUND SORTKEY (date, location);

-- New per day after cleansing with all that is known today; forecasts cleanse anew with what was known on their day.
CREATE TABLE IF NOT EXISTS epidemic.incidence (
    location    varchar(16) NOT NULL,
    date        date        NOT NULL,
    cases       float8,
    deaths      float8,
    flag        varchar(32),                -- the rule that changed the day's cases; NULL where none did
    PRIMARY KEY (location, date)
) DISTKEY (location) COMPOUND SORTKEY (date, location);

-- Policies, mobility, testing: of any level; a value holds until the next row of its name and place, NULL ends it.
CREATE TABLE IF NOT EXISTS epidemic.signal (
    location    varchar(16) NOT NULL,
    date        date        NOT NULL,
    name        varchar(64) NOT NULL,
    value       float8,
    PRIMARY KEY (location, date, name)
) DISTKEY (location) COMPOUND SORTKEY (name, date, location);

CREATE TABLE IF NOT EXISTS epidemic.feature (
    location    varchar(16) NOT NULL,
    name        varchar(64) NOT NULL,
    value       float8,
    PRIMARY KEY (location, name)
) DISTSTYLE ALL COMPOUND SORTKEY (name, location);

CREATE TABLE IF NOT EXISTS epidemic.capacity (
    location      varchar(16) NOT NULL PRIMARY KEY,
    icu_beds      float8,
    hospital_beds float8,
    physicians    float8
) DISTSTYLE ALL SORTKEY (location);

CREATE TABLE IF NOT EXISTS epidemic.calendar (
    date        date NOT NULL PRIMARY KEY,
    week_end    date NOT NULL               -- the last day of the date's reporting week
) DISTSTYLE ALL SORTKEY (date);

CREATE TABLE IF NOT EXISTS epidemic.holiday (
    date        date        NOT NULL PRIMARY KEY,
    name        varchar(64) NOT NULL
) DISTSTYLE ALL SORTKEY (date);

-- The disease by age: susceptibility relative to adults; of those infected, the shares that are hospitalised, become
-- critical and die.
CREATE TABLE IF NOT EXISTS epidemic.age_severity (
    age_from       int NOT NULL PRIMARY KEY,
    susceptibility float8,
    hospitalised   float8,
    critical       float8,
    fatal          float8
) DISTSTYLE ALL SORTKEY (age_from);

CREATE TABLE IF NOT EXISTS epidemic.parameter (
    name        varchar(64)  NOT NULL PRIMARY KEY,
    value       float8       NOT NULL,
    unit        varchar(32)  NOT NULL,
    source      varchar(512) NOT NULL
) DISTSTYLE ALL SORTKEY (name);

-- What ingestion changed or refused -----------------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS epidemic.quarantine (
    source      varchar(64)   NOT NULL,     -- or the table, epidemic.location, whose row was changed
    source_file varchar(512),
    source_line bigint,
    key         varchar(256),               -- the row's key, its parts separated by |
    column_name varchar(128),
    value       varchar(256),               -- as it stood in the file, cut
    rule        varchar(64)   NOT NULL,
    action      varchar(16)   NOT NULL,     -- rejected or changed
    new_value   varchar(256),
    reason      varchar(512)  NOT NULL
) DISTSTYLE EVEN SORTKEY (source, rule);

-- What runs did -------------------------------------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS epidemic.run (
    run_id        varchar(64)  NOT NULL PRIMARY KEY,
    command       varchar(32)  NOT NULL,
    reference_date date,                    -- the end of the last whole week that was known
    model_version varchar(64)  NOT NULL,    -- the package's version and a hash of the models' code
    data_vintage  varchar(64)  NOT NULL,    -- the newest report's date and a hash of all that was read
    options       varchar(4096) NOT NULL,   -- JSON
    started       timestamp    NOT NULL,    -- UTC
    finished      timestamp,                -- NULL while it runs, and when it was killed
    status        varchar(16)  NOT NULL     -- running, done, failed
) DISTSTYLE ALL SORTKEY (started);

CREATE TABLE IF NOT EXISTS epidemic.run_step (
    run_id      varchar(64)   NOT NULL,
    step        varchar(64)   NOT NULL,     -- ingest, member boosting cases, ensemble cases, hospital, gaps, score ...
    started     timestamp     NOT NULL,
    seconds     float8        NOT NULL,
    status      varchar(16)   NOT NULL,     -- done, reused (an earlier run had finished it), failed, skipped
    rows        bigint,
    detail      varchar(4096)               -- notices, or why it failed
) DISTSTYLE ALL SORTKEY (run_id, started);

-- The earlier runs whose forecasts a run learned from: those of models that it did not run on past days.
CREATE TABLE IF NOT EXISTS epidemic.run_earlier (
    run_id         varchar(64) NOT NULL,
    model_id       varchar(64) NOT NULL,
    target         varchar(16) NOT NULL,    -- cases, deaths
    reference_date date        NOT NULL,    -- of the earlier forecast
    earlier_run_id varchar(64) NOT NULL
) DISTSTYLE ALL SORTKEY (run_id, model_id);

-- Places that a model could not judge; the ensemble went on without it there.
CREATE TABLE IF NOT EXISTS epidemic.run_fallback (
    run_id      varchar(64)  NOT NULL,
    model_id    varchar(64)  NOT NULL,
    target      varchar(16)  NOT NULL,      -- cases, deaths
    location    varchar(16)  NOT NULL,
    reason      varchar(512) NOT NULL
) DISTSTYLE ALL SORTKEY (run_id, model_id);

-- The columns after run_id are those of the hubverse. horizon h is the week that ends 7 h days after reference_date.
CREATE TABLE IF NOT EXISTS epidemic.forecast (
    run_id         varchar(64) NOT NULL,
    model_id       varchar(64) NOT NULL,
    reference_date date        NOT NULL,
    target         varchar(32) NOT NULL,    -- wk inc case, wk inc death
    horizon        int         NOT NULL,
    location       varchar(16) NOT NULL,
    output_type    varchar(16) NOT NULL,    -- median (a point), mean or quantile
    output_type_id varchar(16),             -- the quantile's level as text, 0.025; NULL of a mean
    value          float8      NOT NULL
) DISTKEY (location) COMPOUND SORTKEY (reference_date, model_id, location);

CREATE TABLE IF NOT EXISTS epidemic.score (
    model_id       varchar(64) NOT NULL,
    reference_date date        NOT NULL,
    target         varchar(32) NOT NULL,
    horizon        int         NOT NULL,
    location       varchar(16) NOT NULL,
    truth          float8      NOT NULL,
    forecast       float8      NOT NULL,    -- the point
    wis            float8,                  -- NULL of a model without quantiles
    covered_50     boolean,
    covered_95     boolean
) DISTKEY (location) COMPOUND SORTKEY (reference_date, model_id, location);

CREATE TABLE IF NOT EXISTS epidemic.hospital_demand (
    run_id          varchar(64) NOT NULL,
    reference_date  date        NOT NULL,
    location        varchar(16) NOT NULL,
    unit            varchar(16) NOT NULL,   -- hospital_beds, icu_beds
    date            date        NOT NULL,
    demand          float8      NOT NULL,   -- beds occupied by patients with the disease: the median
    lower           float8,                 -- 95 % interval
    upper           float8,
    capacity        float8,                 -- of all beds; of levels above, of those that are known
    days_until_full int,                    -- from reference_date, by the median; NULL when it does not happen
    model_id        varchar(64)             -- agents or ensemble
) DISTKEY (location) COMPOUND SORTKEY (reference_date, unit, location);
