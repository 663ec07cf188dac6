DELETE FROM epidemic.adjacency;

INSERT INTO epidemic.adjacency (location, neighbour)
SELECT fips_a, fips_b FROM epidemic_staging.county_adjacency
UNION
SELECT fips_b, fips_a FROM epidemic_staging.county_adjacency;
