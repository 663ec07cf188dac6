-- Federal holidays, 5 U.S.C. 6103, with the days on which those that fall on a weekend are observed.

DELETE FROM epidemic.holiday;

INSERT INTO epidemic.holiday (date, name)
SELECT date, name FROM epidemic_staging.holiday;
