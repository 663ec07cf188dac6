"""From a SQL query to what DeepAR is trained on and asked with, without writing JSON Lines by hand.

    import restframe.forecasting

    rides = restframe.forecasting.channels(
        warehouse,
        "SELECT picked_up, vendor FROM trips",
        "s3://rides/vendors",
        frequency="2h",
        prediction_length=84,
        windows=4,
        aggregate="count",
        fill=0,
    )
    job = warehouse.train(
        "deepar",
        {"train": rides.train, "test": rides.test},
        "s3://rides/models",
        hyperparameters={**rides.hyperparameters, "epochs": "40"},
    )
    request = rides.request("2", until="2020-10-01")      # the body of InvokeEndpoint

`channels` works with a Warehouse, with a connection of `restframe.connect`, and with a DB-API connection of another
driver to a server, such as psycopg or redshift_connector. With the last, the objects go to the S3 service that
botocore finds in the environment, which `restframe env` sets.
"""

from __future__ import annotations

from restframe.forecasting.channels import Channels, channels, load

__all__ = ["Channels", "channels", "load"]
