// SPDX-License-Identifier: Apache-2.0
#include "backend/postgres/server_facts.h"

namespace collect::postgres {

Result<ServerFacts> server_facts(const SessionOptions& options) {
  try {
    Connection connection(options);
    const Rows rows = connection.run(
        "SELECT current_setting('server_version'), current_setting('server_version_num')::bigint, "
        "pg_is_in_recovery(), current_setting('fsync')::boolean, "
        "current_setting('full_page_writes')::boolean, current_setting('autovacuum')::boolean, "
        "current_setting('synchronous_commit'), "
        "(SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = current_database()), "
        "current_setting('max_connections')::bigint "
        "- current_setting('superuser_reserved_connections')::bigint "
        "- (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'), "
        "pg_database_size(current_database()), clock_timestamp()");
    ServerFacts facts;
    facts.version = rows.text(0, 0);
    facts.version_number = rows.int64(0, 1);
    facts.standby = rows.flag(0, 2);
    facts.fsync = rows.flag(0, 3);
    facts.full_page_writes = rows.flag(0, 4);
    facts.autovacuum = rows.flag(0, 5);
    facts.synchronous_commit = rows.text(0, 6);
    facts.encoding = rows.text(0, 7);
    facts.free_connections = rows.int64(0, 8);
    facts.database_bytes = static_cast<std::uint64_t>(rows.int64(0, 9));
    facts.now = rows.time(0, 10);
    return facts;
  } catch (const Fault& fault) {
    return fault.failure();
  }
}

}  // namespace collect::postgres
