-- Who may read what. Nobody has rights on epidemic_staging but who runs the engine.
--
--   epidemic_analyst    claims, measures with detail by patient, everything that is not about patients
--   epidemic_dashboard  what is published, and nothing else
--
-- Give a user a role: GRANT ROLE epidemic_dashboard TO dashboards;
GRANT USAGE ON SCHEMA epidemic_published TO ROLE epidemic_dashboard;
GRANT SELECT ON ALL TABLES IN SCHEMA epidemic_published TO ROLE epidemic_dashboard;
-- Tables that are made anew take these rights on.
ALTER DEFAULT PRIVILEGES IN SCHEMA epidemic_published GRANT SELECT ON TABLES TO ROLE epidemic_dashboard;

GRANT USAGE ON SCHEMA epidemic, epidemic_claims, epidemic_gaps, epidemic_published TO ROLE epidemic_analyst;
GRANT SELECT ON ALL TABLES IN SCHEMA epidemic TO ROLE epidemic_analyst;
GRANT SELECT ON ALL TABLES IN SCHEMA epidemic_claims TO ROLE epidemic_analyst;
GRANT SELECT ON ALL TABLES IN SCHEMA epidemic_gaps TO ROLE epidemic_analyst;
GRANT SELECT ON ALL TABLES IN SCHEMA epidemic_published TO ROLE epidemic_analyst;
ALTER DEFAULT PRIVILEGES IN SCHEMA epidemic GRANT SELECT ON TABLES TO ROLE epidemic_analyst;
ALTER DEFAULT PRIVILEGES IN SCHEMA epidemic_claims GRANT SELECT ON TABLES TO ROLE epidemic_analyst;
ALTER DEFAULT PRIVILEGES IN SCHEMA epidemic_gaps GRANT SELECT ON TABLES TO ROLE epidemic_analyst;
ALTER DEFAULT PRIVILEGES IN SCHEMA epidemic_published GRANT SELECT ON TABLES TO ROLE epidemic_analyst;
