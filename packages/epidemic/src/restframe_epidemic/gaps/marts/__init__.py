"""The measures: Redshift SQL files that turn claims into tables of `epidemic_gaps`, by county and month."""
