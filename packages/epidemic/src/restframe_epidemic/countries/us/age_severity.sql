-- Kerr et al. 2021, Covasim, PLOS Computational Biology 17, table of prognoses by age: susceptibility after Zhang et al.
-- 2020 (Science 368), hospitalised and critical after Ferguson et al. 2020 (Imperial College report 9), deaths after
-- O'Driscoll et al. 2021 (Nature 590) and, from 90, Brazeau et al. 2020 (report 34). Shares of all who are infected.

DELETE FROM epidemic.age_severity;

INSERT INTO epidemic.age_severity (age_from, susceptibility, hospitalised, critical, fatal)
SELECT age_from, susceptibility, hospitalised, critical, fatal FROM epidemic_staging.age_severity;
