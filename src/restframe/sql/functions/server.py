"""What PostgreSQL's clients ask about the server and their connection, most of it with one answer here.

https://www.postgresql.org/docs/15/functions-admin.html
"""

from __future__ import annotations

import datetime as dt

from sqlglot import exp

from restframe import errors
from restframe.sql.functions.registry import Call, function, without_effect
from restframe.sql.nodes import as_type, call, lookup, number, string
from restframe.sql.rewrite.rules import BOOL, INT4, INT8, NAME, OID, TIMESTAMPTZ, VARCHAR, array_of
from restframe.sql.rewrite.visit import Typed
from restframe.types import SqlType

_STARTED = dt.datetime.now(dt.UTC)


def _constant(names: str, most: int, value: exp.Expr, type_: SqlType, least: int = 0) -> None:
    def build(made: Call) -> Typed:
        return without_effect(as_type(value.copy(), type_), made.arguments), type_

    function(names, least, most)(build)


# What does it, given `cancel` or `terminate`, the session's number and the asking session's: a function of the
# engine's, which the warehouse makes.
SIGNAL_FUNCTION = "__signal"


@function("pg_cancel_backend pg_terminate_backend", 1)
def signal(made: Call) -> Typed:
    """1, or 0 when there is no such session."""
    what = made.name.removeprefix("pg_").removesuffix("_backend")
    own = as_type(call("getvariable", string("restframe_pid")), INT8)
    return as_type(call(SIGNAL_FUNCTION, string(what), as_type(made.whole(0), INT8), own), INT4), INT4


_FALSE, _TRUE, _NULL = exp.Boolean(this=False), exp.Boolean(this=True), exp.Null()

_constant("pg_is_in_recovery pg_is_wal_replay_paused pg_is_xlog_replay_paused pg_jit_available", 0, _FALSE, BOOL)
_constant("pg_is_other_temp_schema pg_relation_is_publishable", 1, _FALSE, BOOL, least=1)
_constant("pg_postmaster_start_time pg_conf_load_time", 0, string(_STARTED.isoformat(" ")), TIMESTAMPTZ)
_constant("inet_server_addr inet_client_addr pg_current_logfile", 0, _NULL, VARCHAR)
_constant("pg_last_wal_receive_lsn pg_last_wal_replay_lsn pg_last_xlog_receive_location "
          "pg_last_xlog_replay_location", 0, _NULL, VARCHAR)  # fmt: skip
_constant("inet_server_port inet_client_port", 0, _NULL, INT4)
_constant("pg_last_xact_replay_timestamp", 0, _NULL, TIMESTAMPTZ)
_constant("pg_client_encoding getdatabaseencoding", 0, string("UTF8"), NAME)
_constant("pg_my_temp_schema", 0, number(0), OID)
_constant("pg_tablespace_location", 1, string(""), VARCHAR, least=1)
_constant("pg_relation_filepath pg_get_partkeydef pg_get_triggerdef pg_get_function_sqlbody "
          "pg_get_partition_constraintdef pg_get_statisticsobjdef", 2, _NULL, VARCHAR, least=1)  # fmt: skip
_constant("pg_get_serial_sequence", 2, _NULL, VARCHAR, least=2)
_constant("shobj_description", 2, _NULL, VARCHAR, least=2)  # databases and users have no comments
_constant("pg_blocking_pids", 1, exp.Array(expressions=[]), array_of(INT4), least=1)
# What is visible of kinds of objects that nobody can make.
_constant("pg_operator_is_visible pg_opclass_is_visible pg_opfamily_is_visible pg_collation_is_visible "
          "pg_conversion_is_visible pg_ts_config_is_visible pg_ts_dict_is_visible pg_ts_parser_is_visible "
          "pg_ts_template_is_visible pg_statistics_obj_is_visible", 1, _TRUE, BOOL, least=1)  # fmt: skip
# Advisory locks are given to everybody: nothing here is protected by them.
_constant("pg_advisory_lock pg_advisory_lock_shared pg_advisory_xact_lock pg_advisory_xact_lock_shared", 2,
          string(""), VARCHAR, least=1)  # fmt: skip
_constant("pg_advisory_unlock_all", 0, string(""), VARCHAR)
_constant("pg_try_advisory_lock pg_try_advisory_lock_shared pg_try_advisory_xact_lock pg_advisory_unlock "
          "pg_try_advisory_xact_lock_shared pg_advisory_unlock_shared", 2, _TRUE, BOOL, least=1)  # fmt: skip
_constant(" ".join(
    f"pg_stat_get_{name}" for name in (
        "numscans", "tuples_returned", "tuples_fetched", "tuples_inserted", "tuples_updated", "tuples_deleted",
        "live_tuples", "dead_tuples", "blocks_fetched", "blocks_hit", "db_numbackends", "db_xact_commit",
        "db_xact_rollback")), 1, number(0), INT8, least=1)  # fmt: skip


@function("current_setting", 1, 2)
def current_setting(made: Call) -> Typed:
    """NULL for an unknown setting when the second argument is true, which else is an error."""
    missing_ok = made.arguments[1] if len(made.arguments) > 1 else _FALSE.copy()
    return lookup("current_setting", made.text(0), missing_ok), VARCHAR


@function("set_config", 3)
def set_config(made: Call) -> Typed:
    """SET as a function, or SET LOCAL; its arguments have to be literals or parameters, which are known before it runs.

    https://docs.aws.amazon.com/redshift/latest/dg/r_SET_CONFIG.html
    """
    if made.arguments[2].__class__ is not exp.Boolean:
        raise errors.NotSupportedError(
            "set_config() with a third argument that is not a literal is not supported",
            position=made.scope.context.position(made.node),
        )
    name = _known_before(made, 0, "a configuration parameter")
    value = _known_before(made, 1, "a configuration parameter's value")
    made.scope.context.settings.append((name, value, bool(made.arguments[2].args["this"])))
    return without_effect(made.text(1), made.arguments[:1]), VARCHAR


def _known_before(made: Call, place: int, what: str) -> str | int:
    """A literal's text, or the number of a parameter."""
    node = made.arguments[place]
    inside = node.args["this"] if node.__class__ is exp.Cast else node
    if inside.__class__ is not exp.Parameter:
        return made.constant(place, what)
    made.text(place)
    return int(inside.args["this"].args["this"])


@function("txid_current pg_current_xact_id", 0)
def txid_current(made: Call) -> Typed:
    return as_type(call("txid_current"), INT8), INT8
