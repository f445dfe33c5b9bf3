"""Write policies/gateway/lib/allow/data.json from a real server's catalog: `python -m tools.allowlist CONNINFO`.

What stands in the lists was chosen by the rules below, which is what a reviewer reads: everything immutable or stable
that takes and gives ordinary values, the volatile functions named here, minus the families that reach beyond the
statement (text run as SQL, files, other sessions, replication, large objects, statistics with stored values). What is
not listed is denied. Names of PostgreSQL 16 to 18 are added by hand.

What the server has and the lists leave out is written beside it (tools/refused.json), as a list that was looked at:
tests/policy/test_allow_lists.py fails on a server that has a function or relation on neither. Then read what it does,
change the rules below if they judge it wrongly, run this again and review the difference.
"""

import json
import re
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import psycopg

OUTPUT = Path(__file__).resolve().parents[1] / "policies/gateway/lib/allow/data.json"

REFUSED = Path(__file__).resolve().parent / "refused.json"
EVERY_FUNCTION = """
SELECT DISTINCT n.nspname, p.proname FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname IN ('pg_catalog', 'information_schema')
"""
EVERY_RELATION = """
SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ('pg_catalog', 'information_schema') AND c.relkind IN ('r', 'v', 'm')
"""

VOLATILE = """
    bernoulli clock_timestamp currval gen_random_uuid lastval nextval pg_advisory_unlock_all pg_blocking_pids
    pg_collation_actual_version pg_database_collation_actual_version pg_database_size pg_indexes_size pg_is_in_recovery
    pg_jit_available pg_last_wal_receive_lsn pg_last_wal_replay_lsn pg_partition_ancestors pg_partition_tree
    pg_relation_size pg_sequence_last_value pg_table_size pg_tablespace_size pg_total_relation_size pg_xact_status
    random set_config setseed system timeofday txid_status
"""
"""Volatile functions that are harmless: `set_config` because its literal name is checked as a setting."""

NEWER = """
    any_value array_reverse array_sample array_shuffle array_sort casefold crc32 crc32c erf erfc gamma json_array
    json_arrayagg json_arrayagg_strict json_exists json_object json_objectagg json_query json_scalar json_serialize
    json_table json_value jsonb_agg_strict json_agg_strict lgamma pg_basetype pg_get_acl pg_get_sequence_data
    pg_input_error_info pg_input_is_valid pg_relation_is_updatable pg_settings_get_flags pg_split_walfile_name
    random_normal system_user to_bin to_oct to_regtypemod unicode_assigned unicode_version icu_unicode_version
    uuid_extract_timestamp uuid_extract_version uuidv4 uuidv7 xmltext date_add date_subtract pg_get_partition_ancestors
    has_largeobject_privilege
"""
"""Of PostgreSQL 16, 17 and 18."""

NEVER = re.compile(
    r"""
    (query|table|cursor|database|schema)_to_xml.*      # run text as SQL or read whole tables
  | ts_stat | ts_rewrite | xpath_table | crosstab.* | dblink.*
  | pg_read_.* | pg_ls_.* | pg_stat_file | pg_current_logfile | lo_.* | loread | lowrite | currtid.*
  | pg_.*_advisory.* | pg_sleep.* | pg_notify | pg_notification_.* | pg_listening_channels
  | pg_terminate_backend | pg_cancel_backend | pg_reload_conf | pg_rotate_.* | pg_promote
  | pg_logical.* | pg_replication_.* | pg_create_.* | pg_copy_.* | pg_drop_.* | pg_switch_.* | pg_export_snapshot
  | pg_wal_.* | pg_walfile_.* | pg_current_wal_.* | pg_backup_.* | pg_control_.* | pg_import_.*
  | pg_hba_.* | pg_ident_.* | pg_show_all_file_settings | pg_config | pg_get_replication_slots
  | pg_stat_get_(activity|backend_.*|wal_.*|replication_slot|subscription.*|progress_info|archiver) | pg_stat_reset.*
  | pg_cursor | pg_prepared_statement | pg_prepared_xact | pg_lock_status | pg_options_to_table
  | pg_mcv_list_.* | pg_event_trigger_.* | pg_get_backend_memory_contexts | pg_log_backend_.* | pg_relation_filepath
  | pg_get_publication_tables | pg_extension_config_dump | binary_upgrade_.* | inet_server_.* | inet_client_.*
  | setval | current_query | get_raw_page | .*_handler | .*sel | pg_nextoid | pg_get_object_address
  """,
    re.VERBOSE,
)

FUNCTIONS = """
SELECT n.nspname, p.proname FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname IN ('pg_catalog', 'information_schema') AND p.prokind IN ('f', 'a', 'w')
  AND (p.prokind <> 'f' OR p.provolatile <> 'v')
  AND NOT EXISTS (
    SELECT FROM unnest(p.proargtypes::oid[] || p.prorettype) t(oid) JOIN pg_catalog.pg_type y USING (oid)
    WHERE y.typname IN ('internal', 'cstring', 'trigger', 'event_trigger', 'language_handler', 'fdw_handler',
                        'index_am_handler', 'table_am_handler', 'tsm_handler'))
"""
OPERATORS = "SELECT 'pg_catalog', oprname FROM pg_catalog.pg_operator WHERE oprnamespace = 'pg_catalog'::regnamespace"
CASTS = """
SELECT 'pg_catalog', typname FROM pg_catalog.pg_type
WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype IN ('b', 'r', 'm')
UNION SELECT 'information_schema', typname FROM pg_catalog.pg_type
WHERE typnamespace = 'information_schema'::regnamespace AND typtype = 'd'
"""

RELATIONS = """
    pg_aggregate pg_am pg_amop pg_amproc pg_attrdef pg_attribute pg_auth_members pg_available_extension_versions
    pg_available_extensions pg_cast pg_class pg_collation pg_constraint pg_conversion pg_cursors pg_database
    pg_default_acl pg_depend pg_description pg_enum pg_event_trigger pg_extension pg_foreign_data_wrapper
    pg_foreign_server pg_foreign_table pg_group pg_index pg_indexes pg_inherits pg_init_privs pg_language pg_locks
    pg_largeobject_metadata pg_matviews pg_namespace pg_opclass pg_operator pg_opfamily pg_parameter_acl
    pg_partitioned_table pg_policies pg_policy pg_prepared_statements pg_proc pg_publication pg_publication_namespace
    pg_publication_rel pg_publication_tables pg_range pg_rewrite pg_roles pg_rules pg_seclabel pg_seclabels pg_sequence
    pg_sequences pg_settings pg_shdepend pg_shdescription pg_shseclabel pg_stat_activity pg_stat_all_indexes
    pg_stat_all_tables pg_stat_bgwriter pg_stat_checkpointer pg_stat_database pg_stat_database_conflicts pg_stat_gssapi
    pg_stat_io pg_stat_progress_analyze pg_stat_progress_create_index pg_stat_progress_vacuum pg_stat_ssl
    pg_stat_sys_indexes pg_stat_sys_tables pg_stat_user_functions pg_stat_user_indexes pg_stat_user_tables
    pg_statio_all_indexes pg_statio_all_sequences pg_statio_all_tables pg_statio_user_indexes pg_statio_user_sequences
    pg_statio_user_tables pg_statistic_ext pg_subscription pg_tables pg_tablespace pg_timezone_abbrevs pg_timezone_names
    pg_transform pg_trigger pg_ts_config pg_ts_config_map pg_ts_dict pg_ts_parser pg_ts_template pg_type pg_user
    pg_views pg_wait_events
"""
"""What psql, drivers, ORMs and BI tools introspect. Never: pg_stats, pg_statistic, pg_stats_ext, pg_statistic_ext_data,
pg_largeobject, pg_authid, pg_shadow, pg_user_mapping(s), pg_hba_file_rules, pg_file_settings, pg_replication_slots."""
INFORMATION_SCHEMA = """
SELECT table_schema, table_name FROM information_schema.tables
WHERE table_schema = 'information_schema' AND table_name !~ '^_' AND table_name !~ 'user_mapping'
"""
HIDDEN = {
    "pg_catalog.pg_cursors": ["statement"],
    "pg_catalog.pg_prepared_statements": ["statement"],
    "pg_catalog.pg_stat_activity": ["query"],
    "pg_catalog.pg_subscription": ["subconninfo"],
    "pg_catalog.pg_foreign_server": ["srvoptions"],
    "pg_catalog.pg_foreign_table": ["ftoptions"],
}
"""Columns of listed relations that hold texts of statements, credentials or places of files."""

SETTINGS = """
    all application_name array_nulls bytea_output check_function_bodies client_connection_check_interval client_encoding
    client_min_messages constraint_exclusion cpu_index_tuple_cost cpu_operator_cost cpu_tuple_cost cursor_tuple_fraction
    datestyle default_statistics_target default_table_access_method default_tablespace default_text_search_config
    default_transaction_deferrable default_transaction_isolation default_transaction_read_only default_with_oids
    effective_cache_size effective_io_concurrency enable_async_append enable_bitmapscan enable_gathermerge
    enable_group_by_reordering enable_hashagg enable_hashjoin enable_incremental_sort enable_indexonlyscan
    enable_indexscan enable_material enable_memoize enable_mergejoin enable_nestloop enable_parallel_append
    enable_parallel_hash enable_partition_pruning enable_partitionwise_aggregate enable_partitionwise_join
    enable_seqscan enable_sort enable_tidscan escape_string_warning extra_float_digits from_collapse_limit geqo
    geqo_effort geqo_generations geqo_pool_size geqo_seed geqo_selection_bias geqo_threshold gin_fuzzy_search_limit
    hash_mem_multiplier idle_in_transaction_session_timeout idle_session_timeout intervalstyle jit jit_above_cost
    jit_inline_above_cost jit_optimize_above_cost join_collapse_limit lc_monetary lc_numeric lc_time lock_timeout
    max_parallel_maintenance_workers max_parallel_workers max_parallel_workers_per_gather min_parallel_index_scan_size
    min_parallel_table_scan_size parallel_leader_participation parallel_setup_cost parallel_tuple_cost plan_cache_mode
    quote_all_identifiers random_page_cost recursive_worktable_factor restrict_nonsystem_relation_kind row_security
    search_path seq_page_cost standard_conforming_strings statement_timeout stats_fetch_consistency
    synchronize_seqscans synchronous_commit tcp_keepalives_count tcp_keepalives_idle tcp_keepalives_interval
    tcp_user_timeout temp_buffers timezone timezone_abbreviations transaction transaction_deferrable
    transaction_isolation transaction_read_only transaction_timeout work_mem xmlbinary xmloption
"""
"""What a session may set; `all` is what RESET ALL names. client_encoding, search_path and standard_conforming_strings
are pinned by the session: only their own value is let through there."""

SESSION_ACTIONS = """
    close deallocate discard reset set show unlisten
"""
TRANSACTION_ACTIONS = """
    begin commit lock release rollback rollback_to savepoint set_constraints
"""
"""Names of gateway/sql/kinds.py. `lock` names relations, so it needs a grant of its own besides."""
ADVISORY = ["second_reader_unread"]
"""Hazards that do not stop a statement."""


def names(text: str) -> dict[str, bool]:
    """Words of a text, as the set that Rego looks names up in."""
    return dict.fromkeys(sorted(set(text.split())), True)


def by_schema(rows: list[tuple[str, str]]) -> dict[str, dict[str, bool]]:
    """Rows of (schema, name) as sets by schema."""
    return {
        schema: dict.fromkeys(sorted({name for place, name in rows if place == schema}), True)
        for schema in sorted({row[0] for row in rows})
    }


def functions(rows: list[tuple[str, str]]) -> dict[str, dict[str, bool]]:
    """The function lists: what the server has and the rules above leave, what they add, what newer servers have."""
    extra = [("pg_catalog", name) for name in f"{VOLATILE} {NEWER}".split()]
    return by_schema([row for row in rows if not NEVER.fullmatch(row[1])] + extra)


def read(conninfo: str) -> dict[str, object]:
    """Everything in the file."""
    with psycopg.connect(conninfo) as connection:

        def rows(query: str) -> list[tuple[str, str]]:
            return [(str(schema), str(name)) for schema, name in connection.execute(query.encode()).fetchall()]

        system = [("pg_catalog", name) for name in RELATIONS.split()] + rows(INFORMATION_SCHEMA)
        return {
            "functions": functions(rows(FUNCTIONS)),
            "operators": by_schema(rows(OPERATORS)),
            "casts": by_schema(rows(CASTS)),
            "relations": by_schema(system),
            "hidden": HIDDEN,
            "settings": names(SETTINGS),
            "actions": {"session": names(SESSION_ACTIONS), "transaction": names(TRANSACTION_ACTIONS)},
            "advisory": dict.fromkeys(ADVISORY, True),
        }


def left_out(conninfo: str, lists: Mapping[str, object]) -> dict[str, dict[str, list[str]]]:
    """Functions and relations of a server, by schema, that are on none of the lists."""
    found: dict[str, dict[str, list[str]]] = {}
    with psycopg.connect(conninfo) as connection:
        for kind, query in (("functions", EVERY_FUNCTION), ("relations", EVERY_RELATION)):
            listed, missing = lists[kind], defaultdict(list)
            for schema, name in sorted(connection.execute(query.encode()).fetchall()):
                if not isinstance(listed, dict) or name not in listed.get(schema, {}):
                    missing[schema].append(name)
            found[kind] = dict(missing)
    return found


def main(arguments: list[str]) -> int:
    """Write both files."""
    if len(arguments) != 1:
        print("usage: python -m tools.allowlist CONNINFO", file=sys.stderr)
        return 2
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    lists = read(arguments[0])
    OUTPUT.write_text(json.dumps(lists, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    REFUSED.write_text(json.dumps(left_out(arguments[0], lists), indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
