-- Claims as a payer keeps them, one table for each kind of record; names follow the Tuva project's data model where it
-- has one. Patients are tokens: the raw identifiers end in staging. Only epidemic_analyst may read these tables.
CREATE SCHEMA IF NOT EXISTS epidemic_claims;

CREATE TABLE IF NOT EXISTS epidemic_claims.patient (
    token varchar(64) NOT NULL PRIMARY KEY,
    birth_year int,
    sex varchar(1),
    location varchar(16),            -- of epidemic.location; NULL where unknown
    plan varchar(32),
    income decimal(12,2),            -- of the household, a year; NULL where unknown
    death_date date
);

-- Spells of enrolment, both days included; an open end_date is NULL. Spells may touch and overlap.
CREATE TABLE IF NOT EXISTS epidemic_claims.eligibility (
    token varchar(64) NOT NULL,
    plan varchar(32),
    start_date date NOT NULL,
    end_date date
);

CREATE TABLE IF NOT EXISTS epidemic_claims.medical_claim (
    claim varchar(32) NOT NULL,
    line int NOT NULL,
    token varchar(64) NOT NULL,
    provider varchar(16),
    facility varchar(16),
    place_of_service varchar(2),
    from_date date NOT NULL,
    through_date date,
    diagnosis_1 varchar(8),          -- without the dot
    diagnosis_2 varchar(8),
    diagnosis_3 varchar(8),
    diagnosis_4 varchar(8),
    procedure_code varchar(8),
    revenue_code varchar(4),
    allowed decimal(12,2),
    paid decimal(12,2),
    patient_share decimal(12,2),
    PRIMARY KEY (claim, line)
);

-- One row for each prescription presented, with what became of it in the end.
CREATE TABLE IF NOT EXISTS epidemic_claims.pharmacy_claim (
    claim varchar(32) NOT NULL PRIMARY KEY,
    token varchar(64) NOT NULL,
    prescriber varchar(16),
    drug varchar(16) NOT NULL,
    fill_date date NOT NULL,         -- when it was presented, and approved unless rejected
    days_supply int,
    quantity decimal(10,2),
    status varchar(8) NOT NULL,      -- paid, reversed, rejected
    reversed_date date,              -- of a reversed claim
    copay decimal(10,2)              -- what the patient was asked to pay
);

CREATE TABLE IF NOT EXISTS epidemic_claims.provider (
    provider varchar(16) NOT NULL PRIMARY KEY,
    specialty varchar(64),
    facility varchar(16),
    location varchar(16),            -- NULL where unknown
    accepts_new boolean,
    plans varchar(256),              -- names with a blank between
    visits_per_week float8           -- what the provider can see
);

-- Where a provider works, both days included; an open end_date is NULL. A closed provider has none that is open.
CREATE TABLE IF NOT EXISTS epidemic_claims.affiliation (
    provider varchar(16) NOT NULL,
    site varchar(16) NOT NULL,
    location varchar(16),
    start_date date NOT NULL,
    end_date date
);

-- A product has a row for each of its ingredients.
CREATE TABLE IF NOT EXISTS epidemic_claims.drug (
    code varchar(16) NOT NULL,
    molecule varchar(64) NOT NULL,
    class varchar(64) NOT NULL,
    PRIMARY KEY (code, molecule)
);

-- What a class of drugs is for, and from which PDC on its patients count as adherent.
CREATE TABLE IF NOT EXISTS epidemic_claims.drug_class (
    class varchar(64) NOT NULL PRIMARY KEY,
    condition varchar(64),
    adherent_at float8 NOT NULL
);

-- A diagnosis code belongs to a condition when it begins with one of the condition's prefixes.
CREATE TABLE IF NOT EXISTS epidemic_claims.condition (
    code_prefix varchar(8) NOT NULL PRIMARY KEY,
    condition varchar(64) NOT NULL,
    specialty varchar(64)
);
