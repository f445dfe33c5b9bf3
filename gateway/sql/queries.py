"""What the snapshot asks the database: simple SQL over pg_catalog of PostgreSQL 13 to 18, for any login role.

Run the queries in this order on one connection of the gateway's own: the first pins its search_path, so that
`pg_get_viewdef`, `pg_get_expr` and `format_type` qualify every name that is not built in.
"""

from collections.abc import Mapping
from types import MappingProxyType

_USER_SCHEMA = "n.nspname !~ '^pg_(toast|temp_)'"
_NOT_SYSTEM = "n.nspname !~ '^pg_(toast|temp_)' AND n.nspname NOT IN ('pg_catalog', 'information_schema')"
_LAST_SYSTEM = 16_383
"""OIDs up to here were given by initdb"""
_COLUMNS = "string_agg(DISTINCT d.refobjsubid::text, ' ')"
_OF_COLUMNS = "d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0"

QUERIES: Mapping[str, str] = MappingProxyType(
    {
        "pin": "SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false)",
        "server": "SELECT current_setting('server_version_num'), current_database(), current_user, "
        "current_setting('server_encoding'), current_setting('standard_conforming_strings')",
        "schemas": "SELECT n.oid, n.nspname, has_schema_privilege(n.oid, 'USAGE') FROM pg_namespace n "
        f"WHERE {_USER_SCHEMA}",
        "types": "SELECT t.oid, n.nspname, t.typname, t.typtype, t.typbasetype, "
        "CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END, t.typcategory, t.typrelid, "
        "t.typelem FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace",
        "relations": "SELECT c.oid, n.nspname, c.relname, c.relkind, c.relispartition, c.relrowsecurity "
        "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        f"WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f', 'S', 'c') AND {_USER_SCHEMA}",
        "columns": "SELECT a.attrelid, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.atttypid, "
        "a.attnotnull, a.attgenerated, a.atthasdef OR a.attidentity <> '' "
        "FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
        f"WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v', 'm', 'p', 'f', 'S', 'c') "
        f"AND {_USER_SCHEMA}",
        "views": "SELECT c.oid, pg_get_viewdef(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        f"WHERE c.relkind IN ('v', 'm') AND {_NOT_SYSTEM}",
        "reads": "SELECT DISTINCT r.ev_class, d.refobjid FROM pg_rewrite r "
        "JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid "
        "JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE r.rulename = '_RETURN' AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class "
        f"AND {_NOT_SYSTEM}",
        "calls": "SELECT DISTINCT r.ev_class, d.refobjid FROM pg_rewrite r "
        "JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid "
        "JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace "
        f"WHERE r.rulename = '_RETURN' AND d.refclassid = 'pg_proc'::regclass AND {_NOT_SYSTEM}",
        "inherits": "SELECT i.inhrelid, i.inhparent FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
        "WHERE c.relkind IN ('r', 'p', 'f')",
        "foreign": "SELECT f.ftrelid, o.option_name, o.option_value "
        "FROM pg_foreign_table f CROSS JOIN LATERAL pg_options_to_table(f.ftoptions) o",
        "foreign_columns": "SELECT a.attrelid, a.attnum, o.option_value "
        "FROM pg_attribute a CROSS JOIN LATERAL pg_options_to_table(a.attfdwoptions) o "
        "WHERE a.attfdwoptions IS NOT NULL AND o.option_name = 'column_name' AND NOT a.attisdropped",
        "generated": "SELECT d.adrelid, d.adnum, pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d "
        "JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE a.attgenerated <> ''",
        "keys": "SELECT k.conrelid, array_to_string(k.conkey, ' ') FROM pg_constraint k "
        "WHERE k.contype = 'p' AND NOT k.condeferrable",
        "foreign_keys": "SELECT k.conrelid, k.confrelid, array_to_string(k.conkey, ' '), "
        "array_to_string(k.confkey, ' '), k.confupdtype, k.confdeltype FROM pg_constraint k WHERE k.contype = 'f'",
        "triggers": "SELECT t.tgrelid, t.tgname, t.tgtype FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid "
        "WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND p.pronamespace <> 'pg_catalog'::regnamespace",
        "rules": "SELECT r.ev_class, r.rulename, r.ev_type FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class "
        f"JOIN pg_namespace n ON n.oid = c.relnamespace WHERE r.rulename <> '_RETURN' AND {_NOT_SYSTEM}",
        "policies": "SELECT DISTINCT y.polrelid, y.polname FROM pg_policy y "
        "JOIN pg_depend d ON d.classid = 'pg_policy'::regclass AND d.objid = y.oid "
        "WHERE d.refclassid = 'pg_proc'::regclass",
        "checks": "SELECT DISTINCT k.conrelid, k.conname FROM pg_constraint k "
        "JOIN pg_depend d ON d.classid = 'pg_constraint'::regclass AND d.objid = k.oid "
        "WHERE d.refclassid = 'pg_proc'::regclass AND k.conrelid <> 0",
        "ties": f"SELECT k.conrelid, k.conname, {_COLUMNS} FROM pg_constraint k "
        "JOIN pg_depend d ON d.classid = 'pg_constraint'::regclass AND d.objid = k.oid AND d.refobjid = k.conrelid "
        f"WHERE k.contype IN ('c', 'p', 'u', 'x') AND k.conrelid > {_LAST_SYSTEM} AND {_OF_COLUMNS} "
        "GROUP BY k.oid, k.conrelid, k.conname HAVING count(DISTINCT d.refobjsubid) > 1 "
        f"UNION ALL SELECT i.indrelid, c.relname, {_COLUMNS} FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
        "JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refobjid = i.indrelid "
        f"WHERE i.indisunique AND i.indrelid > {_LAST_SYSTEM} AND {_OF_COLUMNS} GROUP BY c.oid, i.indrelid, c.relname "
        "HAVING count(DISTINCT d.refobjsubid) > 1",
        "defaults": "SELECT DISTINCT e.adrelid, a.attname FROM pg_attrdef e "
        "JOIN pg_attribute a ON a.attrelid = e.adrelid AND a.attnum = e.adnum "
        "JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = e.oid "
        "JOIN pg_proc p ON p.oid = d.refobjid JOIN pg_language l ON l.oid = p.prolang "
        "WHERE d.refclassid = 'pg_proc'::regclass AND l.lanname NOT IN ('internal', 'c')",
        "indexes": "SELECT DISTINCT i.indrelid, c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
        "JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid "
        "JOIN pg_proc p ON p.oid = d.refobjid JOIN pg_language l ON l.oid = p.prolang "
        "WHERE d.refclassid = 'pg_proc'::regclass AND l.lanname NOT IN ('internal', 'c')",
        "functions": "SELECT p.oid, n.nspname, p.proname, p.prokind, p.provolatile, p.prosecdef, p.proleakproof, "
        "l.lanname, p.proretset, p.proargtypes::text, p.prorettype, p.pronargdefaults, p.provariadic <> 0 "
        "FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang",
        "operators": "SELECT o.oid, n.nspname, o.oprname, o.oprleft, o.oprright, o.oprresult, o.oprcode::oid "
        "FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace",
        "casts": "SELECT s.castsource, s.casttarget, s.castfunc, s.castcontext FROM pg_cast s",
    }
)
"""Name → text. Every column comes back as text; booleans as `t` and `f` (simple protocol)."""
