// Augmented ARC tasks: a dihedral transform and a permutation of the colours 1 to 9 (black stays black). The name of the task states
// both, so that a prediction can be mapped back: `NAME|||tD|||0123456789` with the id D of the transform and the new colours.
import { DatasetError, quoted } from "../../formats/index.ts";
import type { Random } from "../../tensor/index.ts";
import { dihedralTransform, type Grid, inverseDihedralTransform } from "../dihedral.ts";

const NAME_SEPARATOR = "|||";

/** The number of different augmentations: 8 transforms and 9! permutations, without the identity. */
export const AUGMENTATIONS = 8 * 362_880 - 1;

export interface Augmentation {
  /** Id of the dihedral transform, 0 to 7. */
  readonly transform: number;
  /** The new colour of every colour; colours[0] is 0. */
  readonly colours: readonly number[];
}

export function randomAugmentation(random: Random): Augmentation {
  return { transform: random.integer(8), colours: [0, ...random.shuffle([1, 2, 3, 4, 5, 6, 7, 8, 9])] };
}

export function augmentGrid({ transform, colours }: Augmentation, grid: Grid): Grid {
  return dihedralTransform({ ...grid, cells: grid.cells.map((colour) => colours[colour]!) }, transform);
}

/** Maps an augmented grid back. */
export function restoreGrid({ transform, colours }: Augmentation, grid: Grid): Grid {
  const original = inverseDihedralTransform(grid, transform);
  return { ...original, cells: original.cells.map((colour) => colours.indexOf(colour)) };
}

export function augmentedName(name: string, { transform, colours }: Augmentation): string {
  return [name, `t${transform}`, colours.join("")].join(NAME_SEPARATOR);
}

/**
 * Splits a name into the name of the task and its augmentation, which is undefined for the task itself.
 * @throws DatasetError for any other name
 */
export function parseAugmentedName(name: string): { readonly name: string; readonly augmentation?: Augmentation } {
  const parts = name.split(NAME_SEPARATOR);
  if (parts.length === 1) return { name };
  const [original, transform, colours] = parts;
  const known = parts.length === 3 && /^t[0-7]$/.test(transform!) && [...colours!].sort().join("") === "0123456789";
  if (!known) {
    throw new DatasetError(`puzzle name ${quoted(name)}, expected NAME or NAME|||t0-7|||a permutation of 0123456789`);
  }
  return {
    name: original!,
    augmentation: { transform: Number(transform!.slice(1)), colours: [...colours!].map(Number) },
  };
}
