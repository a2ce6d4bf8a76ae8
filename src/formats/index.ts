// What lives here: parsers and writers of file formats (safetensors, npy, zip, pickle, .pt, Python's JSON), independent of any model.
// Where to start: safetensors.ts is the format of our checkpoints; pt.ts reads PyTorch's files through zip.ts and pickle.ts.
// May import: nothing. Like src/tensor, this folder is at the bottom. What uses the disk is exported by index.node.ts.
export { CheckpointError, DatasetError, FileError, quoted, SYSTEM_ERRORS, shortened } from "./errors.ts";
export { duplicateKey } from "./json-keys.ts";
export {
  NPY_HEADER_LIMIT,
  type NpyHeader,
  npyHeader,
  npyNumbers,
  npyToInt32,
  parseNpy,
  parseNpyHeader,
  serializeNpy,
} from "./npy.ts";
export { parsePt } from "./pt.ts";
export { serializePt } from "./pt-writer.ts";
export { pythonFloat, pythonJson } from "./python-json.ts";
export {
  float16Bits,
  parseSafetensors,
  type SafetensorsEntry,
  type SafetensorsFile,
  serializeSafetensors,
  toFloat32,
  toInt32,
  type WritableTensor,
} from "./safetensors.ts";
export { decodeText, parseJson } from "./text.ts";
export { parseWeightsFile } from "./weights-file.ts";
