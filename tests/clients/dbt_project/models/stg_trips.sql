{{ config(materialized='view', bind=False) }}
select trip, zone, started::timestamp as started, fare::decimal(8, 2) as fare
from {{ ref('trips') }}
