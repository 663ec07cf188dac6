-- Where the places of all the others lie and how many people they have, for maps and for figures per person.
CREATE OR REPLACE VIEW epidemic_published.place AS
SELECT location, name, level, parent, population, latitude, longitude FROM epidemic.location;
