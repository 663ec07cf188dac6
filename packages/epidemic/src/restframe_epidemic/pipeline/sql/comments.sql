-- What every table and column of epidemic_published means, where SQL clients show it.

COMMENT ON SCHEMA epidemic_published IS 'What dashboards may read: forecasts, beds, scores, and of claims what tells of nobody';

COMMENT ON VIEW epidemic_published.place IS 'Places of every level';
COMMENT ON COLUMN epidemic_published.place.location IS 'Code; all other tables have it';
COMMENT ON COLUMN epidemic_published.place.level IS 'County, state ...: the country''s own words';
COMMENT ON COLUMN epidemic_published.place.parent IS 'Location of the place above; NULL at the top';
COMMENT ON COLUMN epidemic_published.place.population IS 'People; NULL where unknown';

COMMENT ON VIEW epidemic_published.reported_week IS 'New reports by week, cleansed with all that is known today; whole weeks of every level';
COMMENT ON COLUMN epidemic_published.reported_week.week_end IS 'Last day of the week';
COMMENT ON COLUMN epidemic_published.reported_week.cases IS 'New reports in the week; parts of one where a report of several days was shared out among them';
COMMENT ON COLUMN epidemic_published.reported_week.deaths IS 'The same of deaths';

COMMENT ON VIEW epidemic_published.latest_forecast IS 'The newest forecast: a row per place of every level, target and week';
COMMENT ON COLUMN epidemic_published.latest_forecast.reference_date IS 'Last day of the last whole week that was known';
COMMENT ON COLUMN epidemic_published.latest_forecast.target IS 'What is forecast: new cases or new deaths in a week';
COMMENT ON COLUMN epidemic_published.latest_forecast.horizon IS 'Weeks ahead';
COMMENT ON COLUMN epidemic_published.latest_forecast.target_end_date IS 'Last day of the week that is forecast';
COMMENT ON COLUMN epidemic_published.latest_forecast.point IS 'Median of new reports in the week; do not add it up over places';
COMMENT ON COLUMN epidemic_published.latest_forecast.mean IS 'Mean of new reports in the week; those of places add up to that of the place above';
COMMENT ON COLUMN epidemic_published.latest_forecast.q025 IS 'As many or fewer are expected with probability .025; q025 to q975 is the 95 % interval. Horizons 1 to 4';
COMMENT ON COLUMN epidemic_published.latest_forecast.q25 IS 'q25 to q75 is the 50 % interval';
COMMENT ON COLUMN epidemic_published.latest_forecast.q975 IS 'More are expected with probability .025';

COMMENT ON VIEW epidemic_published.forecast IS 'Forecasts of all days, a row per number; latest_forecast has the newest, side by side';
COMMENT ON COLUMN epidemic_published.forecast.output_type IS 'median (the point), mean, or quantile';
COMMENT ON COLUMN epidemic_published.forecast.output_type_id IS 'Of a quantile its level, such as 0.025';
COMMENT ON COLUMN epidemic_published.forecast.value IS 'New reports in the week that ends on target_end_date';
COMMENT ON COLUMN epidemic_published.forecast.latest IS 'Whether it is the newest of its target';

COMMENT ON VIEW epidemic_published.hospital_demand IS 'Beds that the newest forecast asks for, day by day, of patients by where they live';
COMMENT ON COLUMN epidemic_published.hospital_demand.unit IS 'hospital_beds: all of them, or icu_beds: those of intensive care alone';
COMMENT ON COLUMN epidemic_published.hospital_demand.demand IS 'Beds occupied by patients with the disease on that day: the median';
COMMENT ON COLUMN epidemic_published.hospital_demand.lower IS '95 % interval of demand';
COMMENT ON COLUMN epidemic_published.hospital_demand.upper IS '95 % interval of demand';
COMMENT ON COLUMN epidemic_published.hospital_demand.capacity IS 'All beds that there are, for all patients; NULL where unknown. Of levels above, the sum of those known';
COMMENT ON COLUMN epidemic_published.hospital_demand.available IS 'Those of them that patients with the disease may have: compare demand with these';
COMMENT ON COLUMN epidemic_published.hospital_demand.days_until_full IS 'Days from reference_date until demand exceeds available, the same on each row; NULL where it does not, or there are no beds';
COMMENT ON COLUMN epidemic_published.hospital_demand.demand_of_agents IS 'Demand as the simulation of people alone has it';
COMMENT ON COLUMN epidemic_published.hospital_demand.days_until_full_of_agents IS 'days_until_full by demand_of_agents';

COMMENT ON VIEW epidemic_published.score IS 'Forecasts whose week has come, and what came';
COMMENT ON COLUMN epidemic_published.score.reference_date IS 'Last day of the last whole week that was known when it was said';
COMMENT ON COLUMN epidemic_published.score.truth IS 'New reports in the week that ended on target_end_date, as they stand';
COMMENT ON COLUMN epidemic_published.score.forecast IS 'The point that was said of that week';
COMMENT ON COLUMN epidemic_published.score.wis IS 'Weighted interval score, in reports; less is better';
COMMENT ON COLUMN epidemic_published.score.covered_50 IS 'Whether what came lay in the 50 % interval; half of them should';
COMMENT ON COLUMN epidemic_published.score.covered_95 IS 'Whether it lay in the 95 % interval';
COMMENT ON COLUMN epidemic_published.score.persistence IS 'The point of the forecast that all weeks are like the last one known, to compare with';
COMMENT ON COLUMN epidemic_published.score.wis_of_persistence IS 'Its weighted interval score';

COMMENT ON TABLE epidemic_published.treatment_gap IS 'What happened in the epidemic against what the time before lets expect, by place and month or quarter';
COMMENT ON COLUMN epidemic_published.treatment_gap.location IS 'A place of any level, or an area of several (table area)';
COMMENT ON COLUMN epidemic_published.treatment_gap.month IS 'First day of the month, or of the first of three';
COMMENT ON COLUMN epidemic_published.treatment_gap.months IS '1, or 3 for a quarter';
COMMENT ON COLUMN epidemic_published.treatment_gap.measure IS 'fills, new diagnoses or visits';
COMMENT ON COLUMN epidemic_published.treatment_gap.subject IS 'Of which class of drugs, condition or specialty';
COMMENT ON COLUMN epidemic_published.treatment_gap.events IS 'How many there were; NULL: not told, since it is small or would tell of a small one';
COMMENT ON COLUMN epidemic_published.treatment_gap.expected IS 'How many there would have been without the epidemic';
COMMENT ON COLUMN epidemic_published.treatment_gap.change IS 'events / expected: .8 is a fifth fewer';
COMMENT ON COLUMN epidemic_published.treatment_gap.lower IS '95 % interval of change';
COMMENT ON COLUMN epidemic_published.treatment_gap.upper IS '95 % interval of change; under 1, fewer happened than chance explains';

COMMENT ON VIEW epidemic_published.local_gap IS 'treatment_gap for every place: its own figures, else its area''s, else those of the nearest place above that has any';
COMMENT ON COLUMN epidemic_published.local_gap.location IS 'The place that is asked about';
COMMENT ON COLUMN epidemic_published.local_gap.told_of IS 'Whose figures they are; name and level are its own';
COMMENT ON COLUMN epidemic_published.local_gap.change IS 'events / expected: .8 is a fifth fewer';
COMMENT ON COLUMN epidemic_published.local_gap.lower IS '95 % interval of change';
COMMENT ON COLUMN epidemic_published.local_gap.upper IS '95 % interval of change; under 1, fewer happened than chance explains';

COMMENT ON TABLE epidemic_published.area IS 'Which area a lowest place is told of in';
COMMENT ON COLUMN epidemic_published.area.people_least IS 'People that an area was to have';

COMMENT ON TABLE epidemic_published.condition_burden IS 'Patients of a condition, and infections of all people who have it';
COMMENT ON COLUMN epidemic_published.condition_burden.patients IS 'Enrolled, and seen for it in the year before as_of; NULL: not told, since it is small';
COMMENT ON COLUMN epidemic_published.condition_burden.estimated_infected IS 'People with the condition infected since the epidemic began, patients or not, reported or not';
COMMENT ON COLUMN epidemic_published.condition_burden.infected_lower IS 'Interval of estimated_infected; NULL where the country has no parameters for it';
COMMENT ON COLUMN epidemic_published.condition_burden.infected_upper IS 'Interval of estimated_infected';
COMMENT ON COLUMN epidemic_published.condition_burden.cases IS 'All reported cases of the place, whatever the condition';
COMMENT ON COLUMN epidemic_published.condition_burden.deaths IS 'All reported deaths of the place';
COMMENT ON COLUMN epidemic_published.condition_burden.deaths_per_100k IS 'deaths per 100,000 people';

COMMENT ON TABLE epidemic_published.provider_access IS 'How well a place is served by a specialty';
COMMENT ON COLUMN epidemic_published.provider_access.capacity IS 'Visits a week that providers in the place can give';
COMMENT ON COLUMN epidemic_published.provider_access.providers IS 'Providers in the place';
COMMENT ON COLUMN epidemic_published.provider_access.accepting IS 'Those of them that take new patients';
COMMENT ON COLUMN epidemic_published.provider_access.area IS 'The area that access and hhi are of';
COMMENT ON COLUMN epidemic_published.provider_access.access IS 'Visits that providers within reach offer for each visit demanded; under 1 is too few. NULL: not told';
COMMENT ON COLUMN epidemic_published.provider_access.hhi IS 'Herfindahl-Hirschman index of visits over providers: 10,000 is a single provider. NULL: not told';

COMMENT ON TABLE epidemic_published.provider_finder IS 'Open providers, by the conditions that they treat and where';
COMMENT ON COLUMN epidemic_published.provider_finder.plans IS 'Plans that they take';

COMMENT ON TABLE epidemic_published.driver IS 'What changes of a measure go with, over places: associations, not causes';
COMMENT ON COLUMN epidemic_published.driver.rank IS '1 goes with the most change';
COMMENT ON COLUMN epidemic_published.driver.effect IS 'Change of the measure for one standard deviation of the driver, the others held: -.06 is 6 % fewer';
COMMENT ON COLUMN epidemic_published.driver.lower IS '95 % interval of effect';
COMMENT ON COLUMN epidemic_published.driver.upper IS '95 % interval of effect';
COMMENT ON COLUMN epidemic_published.driver.one_sd IS 'The standard deviation, in the driver''s unit';
COMMENT ON COLUMN epidemic_published.driver.places IS 'Places that it was learned from';
COMMENT ON COLUMN epidemic_published.driver.clusters IS 'Groups of them above';

COMMENT ON TABLE epidemic_published.suppression IS 'How much was left out so that no small count can be told';
COMMENT ON COLUMN epidemic_published.suppression.cells IS 'Counts that there are';
COMMENT ON COLUMN epidemic_published.suppression.primary_suppressed IS 'Left out since they are 1 to 10';
COMMENT ON COLUMN epidemic_published.suppression.complementary IS 'Left out since they would tell those';
