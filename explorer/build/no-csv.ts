// Stands in for src/puzzles/csv/puzzle-csv.ts in the page, which reads and writes no files of puzzles: that module and its library
// are more than a tenth of the worker otherwise.
function refuse(): never {
  throw new Error("The explorer does not read CSV files.");
}

export { refuse as readPuzzleCsv, refuse as rowError, refuse as writePuzzleCsv };
