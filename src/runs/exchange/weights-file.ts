// Files of weights of the official code in either format, with the names that src/runs/weights.ts expects.
import {
  CheckpointError,
  parseWeightsFile,
  quoted,
  type SafetensorsEntry,
  type SafetensorsFile,
} from "../../formats/index.ts";
import { finiteFloats } from "../weights.ts";

/** Weights under the official names, and what was unwrapped to find them. */
export interface WeightsFile extends SafetensorsFile {
  /** The averaged weights, if a wrapper for EMA stored them in the same file. */
  readonly average?: SafetensorsFile;
  /** What was unwrapped, as notes for the user. */
  readonly notes: readonly string[];
}

/**
 * Splits a name into the prefix of wrappers and the official name, which begins with "inner.":
 * "_orig_mod.model.inner.lm_head.weight" -> ["_orig_mod.model.", "inner.lm_head.weight"]. The loss head and Lightning add
 * "model.", torch.compile "_orig_mod.", data-parallel wrappers and torch's AveragedModel "module.", other wrappers for EMA
 * "ema_model." or a similar prefix.
 */
export function splitName(name: string): [prefix: string, own: string] {
  const at = `.${name}`.indexOf(".inner.");
  return at < 0 ? ["", name] : [name.slice(0, at), name.slice(at)];
}

/** Prefixes of averaged weights. */
const averages = /(^|[._])(ema|shadow|averaged?)([._]|$)/i;

/**
 * Reads the tensors of a safetensors file or a PyTorch state_dict and unwraps their names.
 *
 * @param where  name of the file for errors
 * @throws CheckpointError, also for NaN and infinity
 */
export function parseWeights(bytes: Uint8Array, where: string): WeightsFile {
  const { tensors, metadata, wrapper } = parseWeightsFile(bytes, where);
  const notes = wrapper === undefined ? [] : [`${where}: took the weights from the entry ${quoted(wrapper)}`];
  const byPrefix = new Map<string, Map<string, SafetensorsEntry>>();
  const others = new Map<string, SafetensorsEntry>();
  for (const [name, entry] of tensors) {
    const [prefix, own] = splitName(name);
    if (entry.data instanceof Float32Array || entry.data instanceof Float64Array) finiteFloats(name, entry, where);
    if (own.startsWith("inner.")) byPrefix.set(prefix, (byPrefix.get(prefix) ?? new Map()).set(own, entry));
    else others.set(name, entry);
  }
  for (const [prefix, own] of byPrefix) {
    if (prefix !== "") notes.push(`${where}: removed the prefix ${quoted(prefix)} from ${own.size} names`);
  }
  const groups = unambiguous(byPrefix, where);
  if (groups.average) notes.push(`${where}: contains averaged weights as well`);
  return {
    tensors: new Map([...others, ...groups.weights]),
    metadata,
    notes,
    ...(groups.average && { average: { tensors: groups.average, metadata } }),
  };
}

type Tensors = Map<string, SafetensorsEntry>;

/** Tensors with different prefixes are joined, unless they have the same names: then one prefix must be that of an average. */
function unambiguous(
  byPrefix: ReadonlyMap<string, Tensors>,
  where: string,
): { weights: Tensors; average: Tensors | undefined } {
  const weights: Tensors = new Map();
  const average: Tensors = new Map();
  const prefixes = [...byPrefix.keys()];
  const areAllAverages = prefixes.every((prefix) => averages.test(prefix));
  for (const [prefix, own] of byPrefix) {
    const target = averages.test(prefix) && !areAllAverages ? average : weights;
    for (const [name, entry] of own) {
      if (target.has(name)) {
        const listed = prefixes.map((each) => quoted(each)).join(", ");
        throw new CheckpointError(
          `${where}: tensor ${quoted(name)} occurs under several prefixes (${listed}), expected one`,
        );
      }
      target.set(name, entry);
    }
  }
  return { weights, average: average.size > 0 ? average : undefined };
}
