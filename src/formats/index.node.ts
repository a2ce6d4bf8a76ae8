// What lives here: reading and writing files on the disk, so that nothing half-written ever takes the place of a whole file.
// Where to start: files.node.ts for single files and sets of files; atomic-files.node.ts for the renames below them.
// May import: nothing but index.ts of this folder and Node's modules.
export * from "./atomic-files.node.ts";
export { FileSet, FileWriter, openFile, readAt, readBytes, writeWhole } from "./files.node.ts";
