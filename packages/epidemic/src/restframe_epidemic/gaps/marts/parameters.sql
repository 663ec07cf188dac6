-- What the definitions leave open; marts/__init__.py says what each is and fills them.
CREATE SCHEMA IF NOT EXISTS epidemic_gaps;

CREATE TABLE IF NOT EXISTS epidemic_gaps.parameter (
    first_day date NOT NULL,
    last_day date NOT NULL,
    epidemic_start date NOT NULL,
    lookback_days int NOT NULL,
    enrolment_gap_days int NOT NULL,
    permitted_gap_days int NOT NULL,
    abandonment_days int NOT NULL,
    burden_share float8 NOT NULL
);

CREATE TABLE IF NOT EXISTS epidemic_gaps.permitted_gap (gap_days int NOT NULL);

CREATE TABLE IF NOT EXISTS epidemic_gaps.month (month date NOT NULL);

CREATE TABLE IF NOT EXISTS epidemic_gaps.period (
    period_number int NOT NULL,
    period varchar(16) NOT NULL,
    start_date date NOT NULL,
    end_date date NOT NULL
);

-- Of each smallest place the people infected since the epidemic began (gaps/infections.py).
CREATE TABLE IF NOT EXISTS epidemic_gaps.infection (location varchar(16) NOT NULL, infections float8);
