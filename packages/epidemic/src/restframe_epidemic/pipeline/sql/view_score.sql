-- How good the ensemble's forecasts were, of every week that has come since, beside what the next week being like the
-- last one would have been worth.
CREATE OR REPLACE VIEW epidemic_published.score AS
SELECT said.reference_date, said.target, said.horizon, DATEADD(day, 7 * said.horizon, said.reference_date)::date AS
       target_end_date, said.location, place.name, place.level, place.parent, said.truth, said.forecast, said.wis,
       said.covered_50, said.covered_95, same.forecast AS persistence, same.wis AS wis_of_persistence
FROM epidemic.score AS said
JOIN epidemic.location AS place ON place.location = said.location
LEFT JOIN epidemic.score AS same ON same.model_id = 'persistence' AND same.reference_date = said.reference_date
    AND same.target = said.target AND same.horizon = said.horizon AND same.location = said.location
WHERE said.model_id = 'ensemble';
