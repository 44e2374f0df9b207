import { tokensOf } from '../sql-text.ts'

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/))

/** First words of statements that only read. */
const readers = words('select values table show explain with')
/** `into` creates a table from a select. The others may be in a CTE, or in EXPLAIN ANALYZE. */
const writers = words('insert update delete merge into call execute create refresh')

/** Words before a bracket that are not functions: keywords, and types with a length. */
const noFunctions = words(`
  select from where and or not in any some all exists as on using by having values with over filter within group order
  union intersect except case when then else end between like ilike similar is distinct limit offset row array lateral
  cast materialized recursive only rollup cube sets grouping for interval
  varchar char character varying numeric decimal dec bit varbit float time timestamp timestamptz timetz precision
`)

/** Functions of PostgreSQL that change nothing: those that queries are usually made of. */
const harmless = words(`
  count sum avg min max array_agg string_agg json_agg jsonb_agg json_object_agg jsonb_object_agg bool_and bool_or every
  bit_and bit_or bit_xor stddev stddev_pop stddev_samp variance var_pop var_samp corr percentile_cont percentile_disc mode
  row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value
  coalesce nullif greatest least
  lower upper initcap length char_length character_length octet_length bit_length substring substr overlay trim btrim ltrim
  rtrim replace translate concat concat_ws left right lpad rpad position strpos split_part starts_with reverse repeat ascii
  chr format quote_ident quote_literal quote_nullable encode decode md5 sha256 to_hex normalize
  regexp_replace regexp_match regexp_matches regexp_count regexp_like regexp_substr regexp_split_to_array
  regexp_split_to_table string_to_array string_to_table to_char to_number to_date to_timestamp
  abs ceil ceiling floor round trunc sign mod div power sqrt cbrt exp ln log log10 pi random width_bucket
  now clock_timestamp statement_timestamp transaction_timestamp timeofday date_trunc date_part date_bin extract age
  make_date make_time make_timestamp make_timestamptz make_interval isfinite justify_days justify_hours justify_interval
  timezone current_time current_timestamp localtime localtimestamp
  array_length array_ndims array_lower array_upper array_position array_positions array_append array_prepend array_cat
  array_remove array_replace array_to_string array_to_json array_dims array_fill cardinality unnest trim_array
  json_build_object jsonb_build_object json_build_array jsonb_build_array json_object jsonb_object to_json to_jsonb
  row_to_json json_array_length jsonb_array_length json_array_elements jsonb_array_elements json_array_elements_text
  jsonb_array_elements_text json_each jsonb_each json_each_text jsonb_each_text json_object_keys jsonb_object_keys
  json_extract_path jsonb_extract_path json_extract_path_text jsonb_extract_path_text json_typeof jsonb_typeof jsonb_set
  jsonb_insert jsonb_strip_nulls json_strip_nulls jsonb_pretty jsonb_path_exists jsonb_path_match jsonb_path_query
  jsonb_path_query_array jsonb_path_query_first
  generate_series generate_subscripts
  to_tsvector to_tsquery plainto_tsquery phraseto_tsquery websearch_to_tsquery ts_rank ts_rank_cd ts_headline setweight
  similarity word_similarity unaccent
  int4range int8range numrange daterange tsrange tstzrange isempty lower_inc upper_inc range_merge multirange
  gen_random_uuid uuidv4 uuidv7 pg_typeof version current_database current_schema current_schemas current_setting
  pg_backend_pid pg_is_in_recovery pg_postmaster_start_time pg_sleep pg_table_size pg_total_relation_size pg_relation_size
  pg_database_size pg_size_pretty to_regclass to_regtype format_type obj_description col_description
  has_table_privilege has_column_privilege has_schema_privilege pg_get_expr pg_get_constraintdef pg_get_indexdef
`)

/** Strings are repeated, each as often as its query runs. */
const known = new Map<string, boolean>()
const maxKnown = 2000
const maxKnownLength = 4000

/**
 * May the statement change data? False only for a statement that visibly reads: a SELECT, VALUES, TABLE, SHOW or EXPLAIN without a
 * writing part that calls only PostgreSQL functions known to change nothing. A custom function may do anything. Functions that a view, a
 * rule, a custom operator or row level security calls are not visible here.
 */
export function mayWrite(text: string): boolean {
  const first = text.charCodeAt(0) | 32
  // insert, update, delete: at once.
  if (first === 105 || first === 117 || first === 100) return true
  const found = known.get(text)
  if (found !== undefined) return found
  const result = mayTextWrite(text)
  if (text.length <= maxKnownLength) {
    if (known.size >= maxKnown) known.clear()
    known.set(text, result)
  }
  return result
}

function mayTextWrite(text: string): boolean {
  let isFirst = true
  let before = { kind: 'end', text: '' }
  let beforeThat = ''
  for (const token of tokensOf(text)) {
    if (token.kind === 'end') isFirst = true
    else if (token.kind === 'word') {
      if (isFirst && !readers.has(token.text)) return true
      isFirst = false
      // `for update` and `for no key update` lock rows.
      const isLock = token.text === 'update' && (before.text === 'for' || before.text === 'key')
      if (writers.has(token.text) && !isLock) return true
    } else if (token.text === '(' && isCall(before, beforeThat)) return true
    beforeThat = before.text
    before = token
  }
  return false
}

/** A call of a function that is not known to change nothing. */
function isCall({ kind, text }: { readonly kind: string; readonly text: string }, beforeThat: string): boolean {
  // A quoted name.
  if (kind === 'other') return text === '"'
  if (kind !== 'word') return false
  // Qualified by a schema, which may have another function of that name.
  if (beforeThat === '.') return true
  return !noFunctions.has(text) && !harmless.has(text)
}
