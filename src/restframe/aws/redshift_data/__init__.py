"""The Redshift Data API: statement runs of the warehouse as operations.

statements.py accepts, describes, cancels and lists them; results.py hands out their rows, which pages.py cuts and
fields.py and texts.py write column by column; catalog.py lists what there is. login.py says for whom a request works.

Any ClusterIdentifier and any WorkgroupName mean this server, and none does too.
https://docs.aws.amazon.com/redshift-data/latest/APIReference/Welcome.html
"""

from restframe.aws.redshift_data import catalog, results, statements
from restframe.aws.redshift_data.service import operations

__all__ = ["catalog", "operations", "results", "statements"]
