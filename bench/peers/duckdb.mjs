// DuckDB reads one CSV file: every column typed as told, and counted. Prints "wall seconds, CPU
// seconds, rows".
//
//   node duckdb.mjs FILE THREADS 'NAME SQLTYPE, NAME SQLTYPE, …'
//
// To count a column's values is the cheapest aggregate that makes DuckDB convert all of them.
import { DuckDBInstance } from '@duckdb/node-api';

const [file, threads, schema] = process.argv.slice(2);
const columns = schema.split(', ').map((column) => {
  const space = column.indexOf(' ');
  return { name: column.slice(0, space), type: column.slice(space + 1) };
});
const types = columns.map(({ name, type }) => `'${name}': '${type}'`).join(', ');
const counts = columns.map(({ name }) => `count("${name}")`).join(', ');

const instance = await DuckDBInstance.create(':memory:', { threads });
const connection = await instance.connect();
const cpuBefore = process.cpuUsage();
const begin = performance.now();
const result = await connection.runAndReadAll(
  `SELECT count(*), ${counts} FROM read_csv('${file}', columns = {${types}}, header = true,
     auto_detect = false, delim = ',', quote = '"', escape = '"')`,
);
const wall = (performance.now() - begin) / 1000;
const cpu = process.cpuUsage(cpuBefore);
const rows = result.getRows()[0][0];
console.log(wall.toFixed(4), ((cpu.user + cpu.system) / 1e6).toFixed(4), String(rows));
