DELETE FROM epidemic.adjacency;

INSERT INTO epidemic.adjacency (location, neighbour)
SELECT one, other FROM epidemic_staging.borders
UNION
SELECT other, one FROM epidemic_staging.borders;
