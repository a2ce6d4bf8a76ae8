// Stands in for the modules of src/puzzles that read and write files of puzzles, which the page does not do: they and the library for
// CSV are more than a tenth of the worker otherwise.
function refuse(): never {
  throw new Error("The explorer does not read CSV files.");
}

export {
  refuse as readGridCsv,
  refuse as readMazeCsv,
  refuse as readPuzzleCsv,
  refuse as readSudokuCsv,
  refuse as writePuzzleCsv,
};
