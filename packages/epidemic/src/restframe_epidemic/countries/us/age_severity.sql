-- Kerr et al. 2021, Covasim, PLOS Computational Biology 17, table of prognoses by age: susceptibility after Zhang et al.
-- 2020 (Science 368), hospitalised after Ferguson et al. 2020 (Imperial College report 9), deaths after
-- O'Driscoll et al. 2021 (Nature 590) and, from 90, Brazeau et al. 2020 (report 34). Shares of all who are infected.
-- Critical is .205 of those hospitalised, the share that intensive care units admitted in the United States in December
-- 2020: Garg et al. 2021, Annals of Internal Medicine 174, 1409 (COVID-NET). In March 2020 it was .378. The shares of
-- report 9 (up to .709 of those aged 80 and more) made twice the patients in intensive care that were reported.

DELETE FROM epidemic.age_severity;

INSERT INTO epidemic.age_severity (age_from, susceptibility, hospitalised, critical, fatal)
SELECT age_from, susceptibility, hospitalised, critical, fatal FROM epidemic_staging.age_severity;
