import type { Dialect } from './dialect.js';

/**
 * What is known of functions. A function that is on no list may do anything: it reads tables, counts calls, asks the
 * clock. So the lists of pure ones decide, and forgetting a pure one costs entries, never truth. Those of the session
 * and of the clock are named only to say why.
 *
 * A database lets its users hide a built-in function behind one of the same name; that is theirs to declare.
 */
export type Purity = 'pure' | 'aggregate' | 'volatile' | 'unknown';

/** What a call of `name` (folded) may depend on. */
export function purityOf(name: string, dialect: Dialect): Purity {
  if (volatile.has(name)) return 'volatile';
  if (foreign[dialect.name].has(name)) return 'unknown';
  if (aggregates.has(name)) return 'aggregate';
  return common.has(name) || own[dialect.name].has(name) ? 'pure' : 'unknown';
}

/** SQLite's functions of time: they ask the clock when they are told to, by `'now'` or by leaving the time out. */
export const timeFunctions = new Set(words('date time datetime julianday unixepoch strftime timediff'));

/** Words that are the clock, or the session, without a bracket. */
export const bareFunctions: Record<Dialect['name'], ReadonlySet<string>> = {
  postgres: new Set(
    words(`CURRENT_CATALOG CURRENT_DATE CURRENT_ROLE CURRENT_SCHEMA CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER LOCALTIME
      LOCALTIMESTAMP SESSION_USER SYSTEM_USER USER`),
  ),
  mysql: new Set(
    words(`CURRENT_DATE CURRENT_ROLE CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER LOCALTIME LOCALTIMESTAMP UTC_DATE UTC_TIME
      UTC_TIMESTAMP`),
  ),
  sqlite: new Set(words('CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP')),
};

/** Words with a bracket behind them that are no call. */
export const syntax = new Set(
  words(`ALL AND ANY ARRAY AS BETWEEN BY CASE CAST CHECK COLLATE CUBE DELETE DISTINCT DUPLICATE ELSE END ESCAPE EXCEPT
    EXISTS FILTER FROM GLOB GROUP GROUPING HAVING ILIKE IN INSERT INTERSECT INTERVAL IS ISNULL KEY LIKE LIMIT MATCH MATERIALIZED
    NOT NOTNULL NULL OF OFFSET ON OR ORDER OVER PARTITION REGEXP RETURNING RLIKE ROLLUP ROW SELECT SET SETS SIMILAR SOME SOUNDS
    SYMMETRIC THEN UNION UNIQUE UPDATE USING VALUE VALUES WHEN WHERE WINDOW WITH XOR AGAINST DIV MOD OVERLAPS OPERATOR
    LATERAL SEPARATOR ORDINALITY NULLS CONFLICT CONSTRAINT DO WITHIN BINARY TO FOR EXCLUDE PLACING LEADING TRAILING BOTH`),
);

const common = new Set(
  words(`abs acos ascii asin atan atan2 avg bit_count cast ceil ceiling char char_length character character_length coalesce
    concat concat_ws convert cos cot date dec decimal degrees exp extract first_value float floor format greatest hex instr
    json_array json_array_length json_extract json_object json_quote json_type json_valid lag last_value lcase lead least
    left length ln locate log log10 log2 lower lpad ltrim mod nth_value ntile nullif numeric nvarchar octet_length percent_rank
    pi position pow power quote radians rank dense_rank cume_dist repeat replace reverse right round row_number rpad rtrim sign
    sin sqrt strcmp substr substring tan time timestamp trim trunc truncate ucase unhex unicode upper varchar year month day
    hour minute second quarter week nchar bigint integer int smallint double real text bit mid space soundex translate`),
);

const own: Record<Dialect['name'], ReadonlySet<string>> = {
  postgres: new Set(
    words(`array_append array_cat array_dims array_fill array_length array_lower array_ndims array_position array_positions
      array_prepend array_remove array_replace array_to_json array_to_string array_upper bpchar btrim cardinality cbrt chr
      date_bin date_part date_trunc decode div encode factorial gcd generate_series generate_subscripts initcap interval
      is_json isempty isfinite json_array_elements json_array_elements_text json_build_array json_build_object json_each
      json_each_text json_extract_path json_extract_path_text json_object_keys json_populate_record json_strip_nulls
      json_to_record json_to_recordset json_typeof jsonb_array_elements jsonb_array_elements_text jsonb_array_length
      jsonb_build_array jsonb_build_object jsonb_each jsonb_each_text jsonb_extract_path jsonb_extract_path_text jsonb_insert
      jsonb_object jsonb_object_keys jsonb_path_exists jsonb_path_match jsonb_path_query jsonb_path_query_array
      jsonb_path_query_first jsonb_populate_record jsonb_populate_recordset jsonb_pretty jsonb_set jsonb_set_lax
      jsonb_strip_nulls jsonb_to_record jsonb_to_recordset jsonb_typeof justify_days justify_hours justify_interval lcm
      lower_inc lower_inf make_date make_interval make_time make_timestamp make_timestamptz md5 multirange
      normalize num_nonnulls num_nulls numrange numnode int4range int8range tsrange tstzrange daterange overlay parse_ident
      phraseto_tsquery plainto_tsquery querytree quote_ident quote_literal quote_nullable range_merge regexp_count regexp_instr
      regexp_like regexp_match regexp_matches regexp_replace regexp_split_to_array regexp_split_to_table regexp_substr
      row_to_json scale setweight sha224 sha256 sha384 sha512 similarity split_part starts_with string_to_array
      string_to_table strip strpos timestamptz timetz to_ascii to_char to_date to_hex to_json to_jsonb to_number to_timestamp
      to_tsquery to_tsvector trim_scale trim_array ts_headline ts_rank ts_rank_cd tsvector_to_array unaccent unistr unnest
      upper_inc upper_inf varbit websearch_to_tsquery width_bucket word_similarity xmlelement xmlforest xmltable json_table
      json_exists json_value json_query json_scalar json_serialize point box circle host masklen network text inet_same_family`),
  ),
  mysql: new Set(
    words(`adddate addtime aes_decrypt aes_encrypt bin bin_to_uuid conv convert_tz crc32 date_add date_format date_sub datediff
      dayname dayofmonth dayofweek dayofyear elt export_set field find_in_set from_base64 from_days from_unixtime get_format if
      ifnull inet6_aton inet6_ntoa inet_aton inet_ntoa insert interval is_ipv4 is_ipv6 is_uuid isnull json_array_append
      json_array_insert json_contains json_contains_path json_depth json_insert json_keys json_length json_merge
      json_merge_patch json_merge_preserve json_overlaps json_pretty json_remove json_replace json_search json_set json_table
      json_unquote json_value last_day load_length makedate maketime make_set md5 member microsecond monthname oct ord
      period_add period_diff regexp_instr regexp_like regexp_replace regexp_substr sec_to_time sha sha1 sha2 st_aswkt st_astext
      st_contains st_distance st_distance_sphere st_geomfromtext st_srid st_within st_x st_y str_to_date subdate substring_index
      subtime time_format time_to_sec timediff timestampadd timestampdiff to_base64 to_days to_seconds unsigned signed
      uuid_to_bin values weekday weekofyear weight_string yearweek varbinary`),
  ),
  sqlite: new Set(
    words(`bm25 glob highlight ifnull iif json json_each json_error_position json_group_array json_insert json_patch json_pretty
      json_remove json_replace json_set json_tree jsonb jsonb_array jsonb_each jsonb_extract jsonb_insert jsonb_object
      jsonb_patch jsonb_remove jsonb_replace jsonb_set jsonb_tree like likelihood likely max min nullif octet_length printf
      snippet typeof unlikely zeroblob`),
  ),
};

/** Of the shared lists, what one database does not have: there it is a function that somebody wrote. */
const foreign: Record<Dialect['name'], ReadonlySet<string>> = {
  postgres: new Set(
    words(`group_concat hex instr json_extract json_group_array json_group_object json_quote json_type json_valid
      jsonb_group_array jsonb_group_object lcase locate log2 mid nvarchar quote soundex space std strcmp total truncate ucase
      unhex unicode year month day hour minute second quarter week`),
  ),
  mysql: new Set(
    words(`array_agg bool_and bool_or corr covar_pop covar_samp every json_agg json_array_length json_group_array
      json_group_object json_object_agg jsonb_agg jsonb_group_array jsonb_group_object jsonb_object_agg mode range_agg
      range_intersect_agg regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope string_agg total translate trunc
      unicode xmlagg`),
  ),
  sqlite: new Set(
    words(`any_value array_agg ascii bit_and bit_count bit_or bit_xor bool_and bool_or char_length character_length convert
      corr cot covar_pop covar_samp every extract greatest json_agg json_arrayagg json_object_agg json_objectagg jsonb_agg
      jsonb_object_agg lcase least left locate lpad mid mode position quarter range_agg range_intersect_agg regr_avgx
      regr_avgy regr_count regr_intercept regr_r2 regr_slope repeat reverse right rpad space std stddev stddev_pop
      stddev_samp strcmp translate truncate ucase var_pop var_samp variance week xmlagg year month day hour minute second`),
  ),
};

const aggregates = new Set(
  words(`any_value array_agg avg bit_and bit_or bit_xor bool_and bool_or corr count covar_pop covar_samp every group_concat
    grouping json_agg json_arrayagg json_group_array json_group_object json_object_agg json_objectagg jsonb_agg
    jsonb_group_array jsonb_group_object jsonb_object_agg max min mode percentile_cont percentile_disc range_agg
    range_intersect_agg regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope std stddev stddev_pop stddev_samp
    string_agg sum total var_pop var_samp variance xmlagg`),
);

const volatile = new Set(
  words(`age benchmark changes clock_timestamp connection_id curdate current_database current_date current_query
    current_schema current_schemas current_setting current_time current_timestamp current_user currval curtime database
    found_rows gen_random_bytes gen_random_uuid get_lock inet_client_addr inet_server_addr last_insert_id last_insert_rowid
    lastval localtime localtimestamp nextval now pg_advisory_lock pg_advisory_unlock pg_advisory_xact_lock pg_backend_pid
    pg_current_xact_id pg_sleep pg_try_advisory_lock pg_try_advisory_xact_lock rand random random_bytes random_normal
    randomblob release_lock row_count schema session_user set_config setseed setval sleep statement_timestamp sysdate
    system_user timeofday total_changes transaction_timestamp txid_current unix_timestamp user utc_date utc_time
    utc_timestamp uuid uuid_generate_v1 uuid_generate_v1mc uuid_generate_v4 uuid_short uuidv4 uuidv7 version`),
);

/** Of the volatile: the clock and chance. What they return ends with its age, and changes nothing else. */
export const clocks = new Set(
  words(`age benchmark clock_timestamp curdate current_date current_time current_timestamp curtime gen_random_bytes
    gen_random_uuid localtime localtimestamp now pg_sleep rand random random_bytes random_normal randomblob sleep
    statement_timestamp sysdate timeofday transaction_timestamp unix_timestamp utc_date utc_time utc_timestamp uuid
    uuid_generate_v1 uuid_generate_v1mc uuid_generate_v4 uuid_short uuidv4 uuidv7 version`),
);

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}
