-- Policies go by the names of OxCGRT, which the agent-based simulation knows.

DELETE FROM epidemic.signal;

INSERT INTO epidemic.signal (location, date, name, value)
SELECT province, day, policy, level FROM epidemic_staging.policies;
