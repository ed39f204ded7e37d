// DuckDB copies one CSV file, whose types it finds out, to standard output as CSV.
//
//   node duckdb-copy.mjs FILE
import { DuckDBInstance } from '@duckdb/node-api';

const instance = await DuckDBInstance.create(':memory:');
const connection = await instance.connect();
await connection.run(
  `COPY (FROM read_csv('${process.argv[2]}')) TO '/dev/stdout' (FORMAT csv, HEADER)`,
);
