select borough, day from {{ ref('fares') }} where fare <= 0
