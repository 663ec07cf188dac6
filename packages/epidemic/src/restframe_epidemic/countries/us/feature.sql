-- Of the Social Vulnerability Index 2018: percentages of people or households, ranks from 0 to 1 (vulnerability). People
-- per square mile, people in the county by day per resident, and people per household.

DELETE FROM epidemic.feature;

INSERT INTO epidemic.feature (location, name, value)
SELECT location, name, value
FROM (
    SELECT location, CAST(population AS float8) / NULLIF(area_square_miles, 0) AS density,
           CAST(daytime_population AS float8) / NULLIF(population_svi, 0) AS daytime,
           CAST(population_svi AS float8) / NULLIF(households, 0) AS household_size,
           poverty, unemployed, income_per_head, no_high_school, age_65_plus, age_17_minus, disabled, single_parent,
           minority, limited_english, multi_unit_housing, mobile_homes, crowding, no_vehicle, group_quarters, uninsured,
           vulnerability, vulnerability_socioeconomic, vulnerability_household, vulnerability_minority,
           vulnerability_housing
    FROM epidemic_staging.county_features
) UNPIVOT (value FOR name IN (
    density, daytime, household_size,
    poverty, unemployed, income_per_head, no_high_school, age_65_plus, age_17_minus, disabled, single_parent,
    minority, limited_english, multi_unit_housing, mobile_homes, crowding, no_vehicle, group_quarters, uninsured,
    vulnerability, vulnerability_socioeconomic, vulnerability_household, vulnerability_minority,
    vulnerability_housing));
