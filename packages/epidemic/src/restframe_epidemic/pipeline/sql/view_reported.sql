-- What dashboards read of the past and of hospitals.

-- New reports by week, cleansed with all that is known today, of every place and of what is above it; whole weeks only.
CREATE OR REPLACE VIEW epidemic_published.reported_week AS
WITH RECURSIVE climbed (location, ancestor) AS (
    SELECT location, location FROM epidemic.location
    UNION ALL
    SELECT climbed.location, place.parent
    FROM climbed
    JOIN epidemic.location AS place ON place.location = climbed.ancestor
    WHERE place.parent IS NOT NULL
), of_place AS (
    SELECT incidence.location, calendar.week_end, SUM(incidence.cases) AS cases, SUM(incidence.deaths) AS deaths
    FROM epidemic.incidence AS incidence
    JOIN epidemic.calendar AS calendar ON calendar.date = incidence.date
    WHERE calendar.week_end <= (SELECT MAX(date) FROM epidemic.case_report)
    GROUP BY 1, 2
)
SELECT place.location, place.name, place.level, place.parent, of_place.week_end,
       ROUND(SUM(of_place.cases), 3) AS cases, ROUND(SUM(of_place.deaths), 3) AS deaths
FROM of_place
JOIN climbed ON climbed.location = of_place.location
JOIN epidemic.location AS place ON place.location = climbed.ancestor
GROUP BY 1, 2, 3, 4, 5;

-- Beds that the newest forecast asks for, day by day, of every place and of what is above it, beside what the agent model
-- alone says.
CREATE OR REPLACE VIEW epidemic_published.hospital_demand AS
SELECT beds.reference_date, beds.location, place.name, place.level, place.parent, beds.unit, beds.date, beds.demand,
       beds.lower, beds.upper, beds.capacity, beds.days_until_full,
       agents.demand AS demand_of_agents, agents.days_until_full AS days_until_full_of_agents,
       beds.capacity * COALESCE(free.value, 1) AS available
FROM epidemic.hospital_demand AS beds
JOIN epidemic.location AS place ON place.location = beds.location
LEFT JOIN epidemic.hospital_demand AS agents ON agents.model_id = 'agents' AND agents.location = beds.location
    AND agents.reference_date = beds.reference_date AND agents.unit = beds.unit AND agents.date = beds.date
LEFT JOIN epidemic.parameter AS free ON free.name = 'beds_available_share'
WHERE beds.model_id = 'ensemble' AND beds.reference_date = (SELECT MAX(reference_date) FROM epidemic.hospital_demand);
