-- What the Social Vulnerability Index says of each county: percentages, and ranks from 0 to 1 (themes).

DELETE FROM epidemic.feature;

INSERT INTO epidemic.feature (location, name, value)
SELECT fips, name, value
FROM (
    SELECT fips, CAST(area_sqmi AS float8) AS area_sqmi, popestimate2019 / NULLIF(area_sqmi, 0) AS density_sqmi,
           CAST(e_daypop AS float8) AS e_daypop, CAST(e_hh AS float8) AS e_hh,
           ep_pov, ep_unemp, ep_pci, ep_nohsdp, ep_age65, ep_age17, ep_disabl, ep_sngpnt, ep_minrty, ep_limeng,
           ep_munit, ep_mobile, ep_crowd, ep_noveh, ep_groupq, ep_uninsur,
           rpl_theme1, rpl_theme2, rpl_theme3, rpl_theme4, rpl_themes
    FROM epidemic_staging.county_features
) UNPIVOT (value FOR name IN (
    area_sqmi, density_sqmi, e_daypop, e_hh,
    ep_pov, ep_unemp, ep_pci, ep_nohsdp, ep_age65, ep_age17, ep_disabl, ep_sngpnt, ep_minrty, ep_limeng,
    ep_munit, ep_mobile, ep_crowd, ep_noveh, ep_groupq, ep_uninsur,
    rpl_theme1, rpl_theme2, rpl_theme3, rpl_theme4, rpl_themes));
