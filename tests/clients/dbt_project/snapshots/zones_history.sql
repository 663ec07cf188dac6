{% snapshot zones_history %}
{{ config(target_schema='rides', unique_key='zone', strategy='check', check_cols=['borough']) }}
select zone, borough, opened from {{ ref('zones') }}
{% endsnapshot %}
