// Files of weights of the official code in either format, with the names that src/runs/weights.ts expects.
import {
  CheckpointError,
  parseWeightsFile,
  type SafetensorsEntry,
  type SafetensorsFile,
  shortened,
} from "../../formats/index.ts";

/** Prefixes that torch.compile, data-parallel wrappers and the official loss head add to a name. */
const wrappers = /^(?:(?:_orig_mod|module|model)\.)+/;

/** "_orig_mod.model.inner.lm_head.weight" -> "inner.lm_head.weight" */
export const unwrappedName = (name: string): string => name.replace(wrappers, "");

/**
 * Reads the tensors of a safetensors file or a PyTorch state_dict and unwraps their names.
 *
 * @param where  name of the file for errors
 * @throws CheckpointError
 */
export function parseWeights(bytes: Uint8Array, where: string): SafetensorsFile {
  const file = parseWeightsFile(bytes, where);
  const tensors = new Map<string, SafetensorsEntry>();
  for (const [name, entry] of file.tensors) {
    const own = unwrappedName(name);
    if (tensors.has(own)) {
      throw new CheckpointError(
        `${where}: tensor "${shortened(own)}" occurs twice, with and without a prefix, expected once`,
      );
    }
    tensors.set(own, entry);
  }
  return { ...file, tensors };
}
