// A file of weights of the official code, of either format, by the names that src/runs/weights.ts knows.
import {
  CheckpointError,
  parsePt,
  parseSafetensors,
  type SafetensorsEntry,
  type SafetensorsFile,
  shortened,
} from "../../formats/index.ts";

/** What torch.compile, a data-parallel wrapper and the official loss head put before a name. */
const wrappers = /^(?:(?:_orig_mod|module|model)\.)+/;

/** "_orig_mod.model.inner.lm_head.weight" -> "inner.lm_head.weight" */
export const unwrappedName = (name: string): string => name.replace(wrappers, "");

/**
 * The tensors of a safetensors file or a PyTorch state_dict, told apart by their first bytes, under unwrapped names.
 *
 * @param where names the file in errors
 * @throws CheckpointError
 */
export function parseWeights(bytes: Uint8Array, where: string): SafetensorsFile {
  const isZip = bytes[0] === 0x50 && bytes[1] === 0x4b; // "PK"; as the length of a safetensors header it would be possible
  const isSafetensors = bytes[8] === 0x7b; // "{"
  const file = isZip && !isSafetensors ? parsePt(bytes, where) : parseSafetensors(bytes, where);
  const tensors = new Map<string, SafetensorsEntry>();
  for (const [name, entry] of file.tensors) {
    const own = unwrappedName(name);
    if (tensors.has(own)) {
      throw new CheckpointError(`${where}: tensor "${shortened(own)}" twice, with and without a prefix, expected one`);
    }
    tensors.set(own, entry);
  }
  return { tensors, metadata: file.metadata };
}
