-- What a run of the measures needs no longer: a session that goes on is not to keep it.
DROP TABLE IF EXISTS molecule;
DROP TABLE IF EXISTS drug_class_number;
DROP TABLE IF EXISTS place;
DROP TABLE IF EXISTS above;
DROP TABLE IF EXISTS person;
DROP TABLE IF EXISTS spell;
DROP TABLE IF EXISTS fill;
DROP TABLE IF EXISTS course;
DROP TABLE IF EXISTS filled;
DROP TABLE IF EXISTS known_provider;
DROP TABLE IF EXISTS meaning;
DROP TABLE IF EXISTS care;
DROP TABLE IF EXISTS diagnosed;
DROP TABLE IF EXISTS visit;
