{{ config(materialized='table', dist='borough', sort=['borough', 'day']) }}
select coalesce(z.borough, 'unknown') as borough, trunc(t.started) as day, sum(t.fare) as fare, count(*) as trips
from {{ ref('stg_trips') }} t
join {{ ref('zones') }} z using (zone)
group by 1, 2
