DELETE FROM epidemic.adjacency;

INSERT INTO epidemic.adjacency (location, neighbour)
SELECT location, neighbour FROM epidemic_staging.adjacency
UNION
SELECT neighbour, location FROM epidemic_staging.adjacency;
