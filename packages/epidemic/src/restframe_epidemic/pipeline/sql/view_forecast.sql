-- What dashboards read of forecasts: the ensemble's, with the place's name and level and the week each is of.

CREATE OR REPLACE VIEW epidemic_published.forecast AS
SELECT f.reference_date, f.target, f.horizon, DATEADD(day, 7 * f.horizon, f.reference_date)::date AS target_end_date,
       f.location, place.name, place.level, place.parent, f.output_type, f.output_type_id, f.value,
       f.reference_date = newest.reference_date AS latest
FROM epidemic.forecast AS f
JOIN epidemic.location AS place ON place.location = f.location
JOIN (
    SELECT target, MAX(reference_date) AS reference_date
    FROM epidemic.forecast
    WHERE model_id = 'ensemble'
    GROUP BY target
) AS newest ON newest.target = f.target
WHERE f.model_id = 'ensemble';

-- One row per place, target and week of the newest forecast, side by side: the point (median; of sums to 4 weeks), the
-- mean, which adds up from level to level, and the quantiles.
CREATE OR REPLACE VIEW epidemic_published.latest_forecast AS
SELECT reference_date, target, horizon, target_end_date, location, name, level, parent,
       MAX(CASE WHEN output_type = 'median' THEN value END) AS point,
       MAX(CASE WHEN output_type = 'mean' THEN value END) AS mean,
       MAX(CASE WHEN output_type_id = '0.025' THEN value END) AS q025,
       MAX(CASE WHEN output_type_id = '0.1' THEN value END) AS q10,
       MAX(CASE WHEN output_type_id = '0.25' THEN value END) AS q25,
       MAX(CASE WHEN output_type_id = '0.5' THEN value END) AS q50,
       MAX(CASE WHEN output_type_id = '0.75' THEN value END) AS q75,
       MAX(CASE WHEN output_type_id = '0.9' THEN value END) AS q90,
       MAX(CASE WHEN output_type_id = '0.975' THEN value END) AS q975
FROM epidemic_published.forecast
WHERE latest
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8;
