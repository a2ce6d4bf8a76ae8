// The states of the recursion explorer that the lessons link to, in one table, so that a test can hand all of them to the
// explorer's own parser. The hash is its schema v=1.

export interface ExplorerLink {
  readonly lesson: number;
  /** What the visitor sees, as the text of the link. */
  readonly text: string;
  /** Keys of the hash besides v. */
  readonly state: Readonly<Record<string, string>>;
}

export const explorerLinks: readonly ExplorerLink[] = [
  { lesson: 2, text: "the tape of a model, with its gradients", state: { view: "gradients" } },
  { lesson: 5, text: "the first latent recursion, update by update", state: { view: "inside", at: "1.1.1" } },
  { lesson: 6, text: "the last cycle of a step, and those that leave no tape", state: { view: "inside", at: "1.2.1" } },
  { lesson: 7, text: "a model that learns while you watch", state: { view: "train" } },
  { lesson: 8, text: "q beside the truth, step by step", state: { view: "solve", at: "2.1.1" } },
  { lesson: 9, text: "TRM and HRM side by side", state: { view: "train", rival: "hrm" } },
  { lesson: 10, text: "two hundred puzzles, settled or moving", state: { view: "class" } },
  { lesson: 10, text: "noise on z with rollouts", state: { view: "failures", sigma: "0.3", rollouts: "16" } },
];

/** The address of a link. @param base  address of the explorer */
export const explorerAddress = ({ state }: ExplorerLink, base: string): string =>
  `${base}#${new URLSearchParams({ v: "1", ...state })}`;
