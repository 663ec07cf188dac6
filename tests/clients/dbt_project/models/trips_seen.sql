{{ config(materialized='incremental', unique_key='trip', sort='started') }}
select trip, started, fare, getdate() as seen
from {{ ref('stg_trips') }}
{% if is_incremental() %}
where trip > (select max(trip) from {{ this }}) or trip = 1
{% endif %}
