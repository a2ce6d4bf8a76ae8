// What lives here: reading and writing files on the disk; a file that is written is always the complete old one or the complete new one.
// Where to start: files.node.ts for single files and sets of files; atomic-files.node.ts for the renames below them.
// May import: nothing but index.ts of this folder and Node's modules.
export {
  type AtomicFile,
  createFolder,
  expectNoLink,
  isRunning,
  isTemporaryName,
  makeFolders,
  removeEmptyFolders,
  removeFolder,
  removeTemporaries,
  replaceFile,
  replaceFiles,
  temporaryName,
  writeAll,
  writeFlushed,
} from "./atomic-files.node.ts";
export {
  checkOutput,
  FileSet,
  isSameFile,
  isStandardOutput,
  isThere,
  openFile,
  readAt,
  readBytes,
  STANDARD_OUTPUT,
  writeOutput,
} from "./files.node.ts";
