// Stands in for csv-parse in the page, which reads no CSV files: the library is a tenth of the worker otherwise.
export function parse(): never {
  throw new Error("The explorer does not read CSV files.");
}
export class CsvError extends Error {}
