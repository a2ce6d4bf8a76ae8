// Counts in the texts of the page, in the singular or the plural.

/** A noun in the form that a count needs: "cell" for 1, "cells" otherwise. */
export const nounFor = (count: number, noun: string): string => (count === 1 ? noun : `${noun}s`);

/** A count with its noun: "1 cell", "1,200 cells". */
export const counted = (count: number, noun: string): string =>
  `${count.toLocaleString("en-US")} ${nounFor(count, noun)}`;

/** The verb behind a count: "1 cell is", "3 cells are". */
export const isOrAre = (count: number): string => (count === 1 ? "is" : "are");
